import { describe, expect, it } from 'vitest';
import { faultsIn, type Evidence, type Kept, type KeptInRedis } from './evidence.js';

const key = 'SHFE.rb2605';

/** Ticks with these numbers, received as many seconds after the epoch. */
function ticks(...numbers: number[]): KeptInRedis[] {
  return numbers.map((number) => ({
    number,
    receivedMs: number * 1000,
    id: `${number * 1000}-0`,
    seq: `run.${number}`,
  }));
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** A store without fault, and what makes it one with faults. */
function evidence(changes: {
  redis?: KeptInRedis[];
  recorded?: Kept[];
  sighted?: number[];
  witnessed?: Evidence['witnessed'];
  kills?: Evidence['kills'];
}): Evidence {
  return {
    redis: new Map([[key, changes.redis ?? ticks(...range(1, 40))]]),
    recorded: new Map([[key, changes.recorded ?? ticks(...range(1, 40))]]),
    sighted: new Map([[key, changes.sighted ?? range(30, 40)]]),
    witnessed: changes.witnessed ?? [],
    kills: changes.kills ?? [],
    newest: new Map([[key, 40]]),
  };
}

const killed = (what: 'gateway' | 'redis', second: number): Evidence['kills'][number] => ({
  what,
  atMs: second * 1000,
  goneMs: second * 1000,
  backMs: second * 1000 + 500,
});
const witness = { key, id: '5000-0', number: 5, atMs: 5000 };

describe('the checker of stores', () => {
  it('finds nothing in a whole store', () => {
    expect(
      faultsIn(evidence({ witnessed: [witness], kills: [killed('redis', 5), killed('gateway', 10)] })),
    ).toEqual([]);
  });

  it('finds a tick that is stored twice, under another id or the same name', () => {
    const twice = ticks(...range(1, 40));
    twice.splice(20, 0, { ...twice[19]!, id: '20000-1' });
    expect(faultsIn(evidence({ redis: twice }))).toEqual([
      `Redis ${key}: 20 after 20`,
      `Redis ${key}: 20 has run.20, as another tick has`,
      `Redis ${key}: nothing between 20 and 20`,
    ]);
  });

  it('finds ticks out of order', () => {
    const redis = ticks(...range(1, 10), 12, 11, ...range(13, 40));
    expect(faultsIn(evidence({ redis }))).toContain(`Redis ${key}: 11 after 12`);
  });

  it('finds a tick that is missing, unless the gateway was killed there', () => {
    const redis = ticks(...range(1, 9), ...range(12, 40));
    const fault = [`Redis ${key}: nothing between 9 and 12`];
    expect(faultsIn(evidence({ redis }))).toEqual(fault);
    expect(faultsIn(evidence({ redis, kills: [killed('redis', 10)] }))).toEqual(fault);
    expect(faultsIn(evidence({ redis, kills: [killed('gateway', 8)] }))).toEqual(fault);
    expect(faultsIn(evidence({ redis, kills: [killed('gateway', 10)] }))).toEqual([]);
  });

  it('finds what was seen and is gone, unless Redis and the gateway were killed together', () => {
    const redis = ticks(...range(1, 4), ...range(6, 40));
    const gone = [`Redis ${key}: 5 was there under 5000-0, and is no more`];
    const other = (kills: Evidence['kills']): string[] =>
      faultsIn(evidence({ redis, witnessed: [witness], kills: [...kills, killed('gateway', 5)] }));
    expect(other([])).toEqual(gone);
    expect(other([killed('redis', 30)])).toEqual(gone);
    expect(other([killed('redis', 6)])).toEqual([]);
    const renamed = ticks(...range(1, 40));
    renamed[4] = { ...renamed[4]!, id: '5000-1' };
    expect(faultsIn(evidence({ redis: renamed, witnessed: [witness] }))).toEqual(gone);
  });

  it('finds what a client got and is not stored, and what nobody sent', () => {
    expect(faultsIn(evidence({ redis: ticks(...range(1, 39)) }))).toEqual([
      `Redis ${key}: a client got 40`,
      `Redis ${key}: the recorder has 40`,
    ]);
    expect(faultsIn(evidence({ redis: ticks(...range(1, 41)), recorded: ticks(...range(1, 41)) }))).toEqual([
      `Redis ${key}: 41 was never sent`,
    ]);
  });

  it('finds what Redis lacks at its end, unless the gateway was killed after it', () => {
    const last = { redis: ticks(...range(1, 38)), sighted: range(30, 38) };
    const faults = [39, 40].map((number) => `Redis ${key}: the recorder has ${number}`);
    expect(faultsIn(evidence(last))).toEqual(faults);
    expect(faultsIn(evidence({ ...last, kills: [killed('redis', 41)] }))).toEqual(faults);
    expect(faultsIn(evidence({ ...last, kills: [killed('gateway', 39)] }))).toEqual(faults.slice(1));
    expect(faultsIn(evidence({ ...last, kills: [killed('gateway', 41)] }))).toEqual([]);
  });

  it('finds what recorder and Redis do not agree in, unless a kill of the gateway took it', () => {
    const recorded = ticks(...range(1, 9), ...range(11, 40));
    expect(faultsIn(evidence({ recorded }))).toEqual([`recorder ${key}: lacks 10`]);
    expect(faultsIn(evidence({ recorded, kills: [killed('gateway', 11)] }))).toEqual([]);
    expect(faultsIn(evidence({ recorded: ticks(...range(1, 40), 40) }))).toEqual([]);
    expect(faultsIn(evidence({ recorded: ticks(...range(1, 40), 39) }))).toEqual([
      `recorder ${key}: 39 after 40`,
    ]);
  });
});
