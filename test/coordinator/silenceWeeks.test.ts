import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadCalendar } from '../../src/market/calendar/holidayCalendar.js';
import { WeekdayCalendar } from '../../src/market/calendar/tradingCalendar.js';
import { SimulatedMarket, openingAfter, shanghai, shown, type SimulatedLine } from './simulatedMarket.js';

// Whole weeks of trading, second by second. 2026-06-19, a Friday, is a holiday; the night before it is not held.

const days = loadCalendar();
const weekdays = new WeekdayCalendar();
const seeds = fc.integer({ min: 0, max: 1_000_000 });
const deadlineMs = 120_000;

const busy: SimulatedLine[] = [
  { kind: 'night', perMinute: 6_000 },
  { kind: 'gold', perMinute: 300 },
  { kind: 'day', perMinute: 200 },
  { kind: 'index', perMinute: 600 },
];
const quiet: SimulatedLine[] = [
  { kind: 'night', perMinute: 10 },
  { kind: 'gold', perMinute: 4 },
  { kind: 'day', perMinute: 2 },
  { kind: 'index', perMinute: 1 },
  { kind: 'night', perMinute: 0.2 },
];

describe('a fortnight with a holiday, of busy lines and quiet ones', () => {
  it(
    'has no false alarm, and the one line that dies is found when its session opens',
    () => {
      fc.assert(
        fc.property(seeds, (seed) => {
          const dies = [{ line: 1, at: shanghai('2026-06-17T03:20:00') }];
          const market = new SimulatedMarket({ lines: [...busy, ...quiet], days, known: days, seed, dies });
          market.run('2026-06-08T08:00:00', '2026-06-23T08:00:00');
          expect(market.found.map(shown)).toEqual(['1 2026-06-17T09:01:00']);
        }),
        { numRuns: 2, seed: 20 },
      );
    },
    deadlineMs,
  );
});

describe('a line that dies at any moment', () => {
  it(
    'is found once, at the latest a minute after the next opening of its market',
    () => {
      const moment = fc.integer({
        min: shanghai('2026-06-11T00:00:00') / 1000,
        max: shanghai('2026-06-12T08:00:00') / 1000,
      });
      fc.assert(
        fc.property(seeds, moment, fc.nat(busy.length - 1), (seed, second, line) => {
          const at = second * 1000;
          const market = new SimulatedMarket({ lines: busy, days, known: days, seed, dies: [{ line, at }] });
          market.run('2026-06-08T20:00:00', '2026-06-12T14:00:00');
          expect(market.found.map((each) => each.line)).toEqual([line]);
          expect(market.found[0]!.at).toBeGreaterThan(at);
          expect(market.found[0]!.at).toBeLessThanOrEqual(openingAfter(at, busy[line]!.kind, days) + 61_000);
        }),
        { numRuns: 6, seed: 4 },
      );
    },
    deadlineMs,
  );
});

describe('where no line ticks after an opening', () => {
  it(
    'a holiday that the calendar does not know costs one line one opening in each half of a day',
    () => {
      const market = new SimulatedMarket({ lines: [...busy, ...quiet], days, known: weekdays, seed: 3 });
      market.run('2026-06-12T08:00:00', '2026-06-23T08:00:00');
      expect(market.found.map(shown)).toEqual([
        '0 2026-06-18T21:01:00',
        '0 2026-06-19T09:01:00',
        // The first one got nothing but snapshots the last time.
        '1 2026-06-19T21:01:00',
      ]);
    },
    deadlineMs,
  );

  it('the only line is found a minute later', () => {
    const dies = [{ line: 0, at: shanghai('2026-06-11T16:30:00') }];
    const market = new SimulatedMarket({ lines: [busy[0]!], days, known: days, seed: 5, dies });
    market.run('2026-06-09T08:00:00', '2026-06-12T08:00:00');
    expect(market.found.map(shown)).toEqual(['0 2026-06-11T21:01:00']);
  });

  it('all of them are found, the others once the first ticks again', () => {
    const at = shanghai('2026-06-11T06:00:00');
    const lines = busy.filter(({ kind }) => kind !== 'index');
    const dies = lines.map((_, line) => ({ line, at }));
    const market = new SimulatedMarket({ lines, days, known: days, seed: 5, dies });
    market.run('2026-06-08T08:00:00', '2026-06-11T10:00:00');
    expect(market.found.map(({ line }) => line)).toEqual([0, 1, 2]);
    expect(shown(market.found[0]!)).toBe('0 2026-06-11T09:01:00');
    expect(market.found[1]!.at).toBeGreaterThan(market.found[0]!.at + 20_000);
    expect(market.found[2]!.at).toBeLessThanOrEqual(shanghai('2026-06-11T09:02:00'));
  });
});
