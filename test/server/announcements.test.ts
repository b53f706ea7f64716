import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Announcements } from '../../src/server/socket/announcements.js';
import { WorkQueue } from '../../src/server/fairness/workQueue.js';
import type { ServedInstrument } from '../../src/server/shared/servedMarket.js';
import { until } from '../helpers/until.js';

interface Session {
  readonly name: string;
  listens: boolean;
}

const instrument = (slot: number): ServedInstrument => ({ slot, id: `i${slot}`, key: `SHFE.i${slot}` });

let queue: WorkQueue;
let sessions: Set<Session>;
let told: string[];
let announcements: Announcements<Session>;

beforeEach(() => {
  queue = new WorkQueue(
    () => false,
    () => undefined,
  );
  sessions = new Set([
    { name: 'a', listens: true },
    { name: 'b', listens: false },
    { name: 'c', listens: true },
  ]);
  told = [];
  announcements = new Announcements({
    queue,
    sessions,
    refused: ({ name }, { id }, reason) => told.push(`${name} ${id} ${reason}`),
    displaced: ({ name }, { id }) => told.push(`${name} ${id} displaced`),
  });
});
afterEach(() => {
  queue.stop();
});

/** Nothing is done at once for the next 100 ms. */
function useUpSlice(): void {
  queue.charge(announcements, 100, performance.now());
}

const allTold = (): Promise<boolean> => until('all to be told', () => queue.length === 0);

describe('announcements', () => {
  it('reach every session that has subscriptions, at once where few are concerned', () => {
    announcements.refuse(instrument(1), 'no such instrument (16)');
    expect(told).toHaveLength(2);
  });

  it('reach every session in turns with the requests of clients', async () => {
    useUpSlice();
    announcements.refuse(instrument(1), 'no such instrument (16)');
    announcements.displace([instrument(2)]);
    expect(told).toEqual([]);
    await allTold();
    expect(told).toEqual([
      'a i1 no such instrument (16)',
      'a i2 displaced',
      'c i1 no such instrument (16)',
      'c i2 displaced',
    ]);
  });

  it('of a lost place are withheld from a session that they reach after the place was regained', () => {
    useUpSlice();
    announcements.displace(Array.from({ length: 600 }, (_, slot) => instrument(slot)));
    expect(announcements.step(), 'more is left after one step').toBe(true);
    const before = told.length;
    expect(before).toBeLessThan(1200);
    const last = `c i599 displaced`;
    expect(told).not.toContain(last);
    announcements.serve(599);
    while (announcements.step());
    expect(told).toHaveLength(1199);
    expect(told).not.toContain(last);
  });

  it('that come during a round reach all sessions in the next', () => {
    useUpSlice();
    for (let slot = 0; slot < 600; slot++) announcements.refuse(instrument(slot), 'why');
    announcements.step();
    announcements.refuse(instrument(600), 'why');
    while (announcements.step());
    expect(told).toHaveLength(1202);
    expect(told.slice(-2)).toEqual(['a i600 why', 'c i600 why']);
  });

  it('are all made at the end', () => {
    useUpSlice();
    for (let slot = 0; slot < 600; slot++) announcements.refuse(instrument(slot), 'why');
    announcements.finish();
    expect(told).toHaveLength(1200);
  });

  it('of a thousand refusals to a thousand sessions take a thousandth of the work in each step', () => {
    useUpSlice();
    for (let i = 0; i < 1000; i++) sessions.add({ name: String(i), listens: true });
    for (let slot = 0; slot < 1000; slot++) announcements.refuse(instrument(slot), 'why');
    let most = 0;
    let steps = 0;
    for (let more = true; more; steps++) {
      const before = told.length;
      more = announcements.step();
      most = Math.max(most, told.length - before);
    }
    expect(told).toHaveLength(1_002_000);
    expect(most).toBeLessThanOrEqual(1024);
    expect(steps).toBeGreaterThan(900);
  });
});
