import { beforeEach, describe, expect, it } from 'vitest';
import { loadCalendar } from '../../src/market/calendar/holidayCalendar.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import { SessionStates } from '../../src/market/hours/sessionStates.js';
import { StaleWatch } from '../../src/market/sessions/staleWatch.js';

// 2026-11-23 is a Monday.
const shanghai = (text: string): number => Date.parse(`2026-11-${text}+08:00`);
const secondMs = 1_000;
const minuteMs = 60_000;
const states = new SessionStates('exchange', loadCalendar());
const rb = states.scheduleOf(loadProducts().get('rb')!);

let watch: StaleWatch;
/** Ticks so far by slot; who is not in it is not subscribed. */
let versions: Map<number, number>;
let wall: number;

beforeEach(() => {
  watch = new StaleWatch();
  versions = new Map([[0, 0]]);
});

function begin(at: string): void {
  wall = shanghai(at);
}

/** Lets time pass second by second; each slot ticks every so many ms, or not at all. What was stale, in order. */
function run(to: string, everyMs: Readonly<Record<number, number>> = {}): string[] {
  const found = new Set<string>();
  for (const end = shanghai(to); wall < end; wall += secondMs) {
    for (const [slot, every] of Object.entries(everyMs)) {
      const ticks = Math.floor(wall / every) - Math.floor((wall - secondMs) / every);
      versions.set(Number(slot), (versions.get(Number(slot)) ?? 0) + ticks);
    }
    sample();
    for (const slot of watch.stale) found.add(`${slot} ${timeOf(wall)}`.slice(0, -3));
  }
  return [...found];
}

function sample(now = wall): void {
  watch.sample(
    { slots: versions.keys(), version: (slot) => versions.get(slot)!, scheduleOf: () => rb },
    now,
    wall,
  );
}

const timeOf = (at: number): string => new Date(at + 8 * 3_600_000).toISOString().slice(11, 19);
const first = (found: readonly string[]): string | undefined => found[0];

describe('an instrument that ticks twice a second', () => {
  it('is never stale over a day and its night', () => {
    begin('23T20:30:00');
    expect(run('24T16:00:00', { 0: 500 })).toEqual([]);
  });

  it('is stale half a minute after it broke off, until it ticks again or the session ends', () => {
    begin('23T20:30:00');
    expect(run('23T21:20:00', { 0: 500 })).toEqual([]);
    expect(first(run('23T21:40:00'))).toBe('0 21:20');
    expect(watch.silentMs(0, wall)).toBeGreaterThan(19 * minuteMs);
    expect([...watch.stale]).toEqual([0]);
    expect(run('23T21:50:00', { 0: 500 })).toEqual([]);
    expect(run('23T22:58:00')).not.toEqual([]);
    run('23T23:00:01');
    expect([...watch.stale]).toEqual([]);
  });

  it('is stale when it misses the opening of the next session, and expected no more after it', () => {
    begin('23T20:30:00');
    run('23T23:00:00', { 0: 500 });
    expect(first(run('24T10:16:00'))).toBe('0 09:00');
    expect(run('24T15:00:00')).toEqual([]);
  });

  it('is not stale when breaks, nights and auctions are silent', () => {
    begin('24T09:00:00');
    run('24T10:15:00', { 0: 500 });
    expect(run('24T10:30:00')).toEqual([]);
    run('24T11:30:00', { 0: 500 });
    expect(run('24T13:30:00')).toEqual([]);
    run('24T15:00:00', { 0: 500 });
    expect(run('24T21:00:00')).toEqual([]);
  });
});

describe('a quiet instrument', () => {
  it('is given ten of its pauses', () => {
    begin('24T08:50:00');
    expect(run('24T10:00:00', { 0: 40 * secondMs })).toEqual([]);
    expect(first(run('24T10:15:00'))).toBe('0 10:06');
  });

  it('is given twice the longest pause that it has made', () => {
    begin('24T08:50:00');
    run('24T09:30:00', { 0: 5 * secondMs });
    expect(first(run('24T09:34:00'))).toBe('0 09:30');
    run('24T09:40:00', { 0: 5 * secondMs });
    expect(run('24T09:47:00')).toEqual([]);
    expect(first(run('24T10:00:00'))).toBe('0 09:48');
  });

  it('is not judged by a few ticks', () => {
    begin('24T08:50:00');
    run('24T09:02:00', { 0: 20 * secondMs });
    expect(run('24T10:15:00')).toEqual([]);
  });
});

describe('what is not the instrument’s silence', () => {
  it('time before it was subscribed', () => {
    begin('24T09:00:00');
    run('24T09:30:00', { 0: 500 });
    versions.set(7000, 0);
    expect(run('24T09:30:40', { 0: 500, 7000: 500 })).toEqual([]);
    expect(run('24T09:31:30', { 0: 500 })[0]).toBe('7000 09:31');
  });

  it('what it did before it was unsubscribed and subscribed again', () => {
    begin('24T09:00:00');
    run('24T09:30:00', { 0: 500 });
    versions.delete(0);
    versions.set(1, 0);
    run('24T09:40:00', { 1: 500 });
    versions.set(0, 5_000);
    expect(run('24T09:50:00', { 1: 500 })).toEqual([]);
  });

  it('time in which this process did not run', () => {
    begin('24T09:00:00');
    run('24T09:30:00', { 0: 500 });
    wall += 5 * minuteMs;
    sample();
    expect([...watch.stale]).toEqual([]);
    expect(first(run('24T09:37:00'))).toBe('0 09:35');
  });
});
