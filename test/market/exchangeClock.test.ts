import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { ExchangeClock, type TickTime } from '../../src/market/quotes/exchangeClock.js';
import { loadCalendar } from '../../src/market/calendar/holidayCalendar.js';
import { exchanges, type Exchange } from '../../src/market/instruments/products.js';
import {
  addDays,
  dayToUtcMs,
  utcMsToDay,
  WeekdayCalendar,
} from '../../src/market/calendar/tradingCalendar.js';
import { packagePath } from '../../src/base/paths.js';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** A tick as a front sends it, when it was received (Shanghai time), and what it must be dated to. */
interface Golden {
  why: string;
  exchange: Exchange;
  tradingDay: string;
  actionDay: string;
  time: string;
  received: string;
  hours?: 'always';
  natural?: string;
  day?: number;
  stale?: boolean;
  repaired?: boolean;
  refused?: string;
}

interface Dated {
  offset: number;
  found: ({ natural: string; day: number; stale: boolean; repaired: boolean } | { refused: string })[];
}

const golden = JSON.parse(
  readFileSync(packagePath('test', 'market', 'goldenTicks.json'), 'utf8'),
) as Golden[];
/** Minutes by which UTC is ahead of them on 12 April 2024. */
const zones = new Map([
  ['UTC', 0],
  ['Asia/Shanghai', -480],
  ['America/New_York', 240],
  ['Asia/Kathmandu', -345],
  ['Pacific/Kiritimati', -840],
]);

describe('golden ticks', () => {
  const dated = new Map<string, Dated>();

  beforeAll(async () => {
    const program = packagePath('test', 'market', 'goldenTicks.js');
    const run = async (zone: string): Promise<void> => {
      const env = { ...process.env, TZ: zone };
      const { stdout } = await promisify(execFile)(process.execPath, [program], { env, timeout: 30_000 });
      dated.set(zone, JSON.parse(stdout) as Dated);
    };
    await Promise.all([...zones.keys()].map(run));
  });

  it('were dated in different time zones', () => {
    for (const [zone, offset] of zones) expect(dated.get(zone)?.offset).toBe(offset);
  });

  it.each(golden.map((tick, index) => ({ ...tick, index })))('$why', ({ index, ...tick }) => {
    const { natural = '', day, stale = false, repaired = false, refused } = tick;
    const whole = natural.includes('.') ? natural : `${natural}.000`;
    for (const zone of zones.keys())
      expect(dated.get(zone)!.found[index]).toEqual(
        refused === undefined ? { natural: whole, day, stale, repaired } : { refused },
      );
  });
});

const out: TickTime = { epochMs: 0, tradingDay: 0, stale: false, repaired: false };
const calendar = loadCalendar();
const clock = new ExchangeClock(calendar);

/** What the clock makes of a tick of a Shanghai day and ms since its midnight. */
function resolve(
  exchange: Exchange,
  days: { trading: number; action: number },
  timeMs: number,
  receiveMs: number,
): TickTime {
  const seconds = Math.floor(timeMs / 1000);
  expect(clock.resolve(exchange, days.trading, days.action, seconds, timeMs % 1000, receiveMs, out)).toBe(
    'dated',
  );
  return out;
}

/** The day fields of a tick of a trading day and natural date, at night or by day. */
function stamped(
  exchange: Exchange,
  front: 'production' | 'evaluation',
  trading: number,
  natural: number,
): { trading: number; action: number } {
  if (front === 'production' && exchange === 'CZCE') return { trading: natural, action: natural };
  if (front === 'production' && (exchange === 'DCE' || exchange === 'GFEX'))
    return { trading, action: trading };
  return { trading, action: natural };
}

const tradingDays = Array.from({ length: 3 * 365 }, (_, i) => addDays(20240103, i)).filter((day) =>
  calendar.isTradingDay(day),
);
const anyExchange = fc.constantFrom(...exchanges);
const anyFront = fc.constantFrom<'production' | 'evaluation'>('production', 'evaluation');

describe('ExchangeClock', () => {
  it('dates every tick near midnight, whatever the exchange, the front and the clocks', () => {
    fc.assert(
      fc.property(
        anyExchange,
        anyFront,
        fc.constantFrom(...tradingDays),
        fc.integer({ min: -5000, max: 5000 }),
        fc.integer({ min: -5000, max: 5000 }),
        fc.constantFrom('right', 'early', 'late'),
        (exchange, front, trading, sinceMidnightMs, delayMs, actionDay) => {
          // CZCE does not trade after midnight, and its Saturdays are tests.
          fc.pre(!(exchange === 'CZCE' && front === 'production' && sinceMidnightMs >= 0));
          // The night that ends on the calendar day after the trading day before.
          const eve = calendar.previous(trading);
          const after = addDays(eve, 1);
          const at = dayToUtcMs(after) - 8 * hourMs + sinceMidnightMs;
          const natural = sinceMidnightMs < 0 ? eve : after;
          const days = stamped(exchange, front, trading, natural);
          // A front may advance its action day some seconds before or after midnight.
          const free = exchange !== 'CZCE' || front === 'evaluation';
          if (free && days.action === natural && actionDay === 'early') days.action = after;
          if (free && days.action === natural && actionDay === 'late') days.action = eve;
          const timeMs = (sinceMidnightMs + dayMs) % dayMs;
          const { epochMs, tradingDay, stale, repaired } = resolve(exchange, days, timeMs, at + delayMs);
          expect({ epochMs, tradingDay, stale, repaired }).toEqual({
            epochMs: at,
            tradingDay: trading,
            stale: false,
            repaired: false,
          });
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('dates a tick of any session the same whenever it is read, for years', () => {
    const sessionMs = fc.oneof(
      fc.integer({ min: -3 * hourMs, max: 2.5 * hourMs }),
      fc.integer({ min: 9 * hourMs, max: 16 * hourMs }),
    );
    fc.assert(
      fc.property(
        anyExchange,
        anyFront,
        fc.constantFrom(...tradingDays),
        sessionMs,
        fc.oneof(fc.nat(60_000), fc.nat(4 * dayMs), fc.nat(1000 * dayMs)),
        (exchange, front, trading, sinceMidnightMs, ageMs) => {
          const isNight = sinceMidnightMs < 8 * hourMs;
          const eve = calendar.previous(trading);
          const midnight = isNight ? addDays(eve, 1) : trading;
          const natural = sinceMidnightMs < 0 ? eve : midnight;
          const at = dayToUtcMs(midnight) - 8 * hourMs + sinceMidnightMs;
          fc.pre(!(exchange === 'CZCE' && front === 'production' && isNight && sinceMidnightMs >= 0));
          const days = stamped(exchange, front, trading, natural);
          const timeMs = (sinceMidnightMs + dayMs) % dayMs;
          const found = resolve(exchange, days, timeMs, at + ageMs);
          expect(new Date(found.epochMs)).toEqual(new Date(at));
          expect(found.tradingDay).toBe(trading);
          expect(found.stale).toBe(ageMs > 60_000);
          expect(found.repaired).toBe(false);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('never dates a tick after its receipt by more than the host’s clock may err, whatever the front sends', () => {
    const day = fc.oneof(fc.constant(0), fc.constant(-1), fc.integer({ min: 0, max: 99_999_999 }));
    const near = fc.integer({ min: -20, max: 20 });
    const clocks = [
      clock,
      new ExchangeClock(new WeekdayCalendar()),
      new ExchangeClock(new WeekdayCalendar(), true),
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...clocks),
        anyExchange,
        fc.oneof(fc.tuple(day, day), fc.tuple(near, near)),
        fc.nat(86_399),
        fc.nat(999),
        fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2035, 0) }),
        (any, exchange, days, seconds, millisec, receiveMs) => {
          const [tradingDay, actionDay] = days.map((each) =>
            Math.abs(each) > 20 ? each : addDays(utcMsToDay(receiveMs), each),
          ) as [number, number];
          const verdict = any.resolve(exchange, tradingDay, actionDay, seconds, millisec, receiveMs, out);
          if (verdict !== 'dated') {
            expect(verdict).toBe('off_day');
            expect(any).not.toBe(clocks[2]);
            return;
          }
          expect(out.epochMs).toBeLessThanOrEqual(receiveMs + 15 * 60_000);
          expect((out.epochMs + 8 * hourMs) % dayMs).toBe(seconds * 1000 + millisec);
          expect(new WeekdayCalendar().isTradingDay(out.tradingDay)).toBe(true);
          expect(out.stale).toBe(receiveMs - out.epochMs > 60_000);
        },
      ),
      { numRuns: 4000 },
    );
  });

  it('gives every tick of a market without pauses its receive time, at any moment of any week', () => {
    const weekdays = new WeekdayCalendar();
    const always = new ExchangeClock(weekdays, true);
    fc.assert(
      fc.property(
        anyExchange,
        anyFront,
        fc.nat(14 * dayMs),
        fc.nat(2000),
        (exchange, front, offset, lateMs) => {
          const at = Date.UTC(2024, 3, 8) + offset;
          const natural = utcMsToDay(at + 8 * hourMs);
          // The simulated exchange's day begins at 20:00.
          const dayAt = utcMsToDay(at + 12 * hourMs);
          const trading = weekdays.isTradingDay(dayAt) ? dayAt : weekdays.next(dayAt);
          const days = stamped(exchange, front, trading, natural);
          const timeMs = (at + 8 * hourMs) % dayMs;
          const seconds = Math.floor(timeMs / 1000);
          const late = at + lateMs;
          always.resolve(exchange, days.trading, days.action, seconds, timeMs % 1000, late, out);
          expect(new Date(out.epochMs)).toEqual(new Date(at));
          expect(out.tradingDay).toBe(trading);
          expect(out.repaired).toBe(false);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('refuses a tick without a usable time', () => {
    for (const [seconds, millisec] of [
      [-1, 0],
      [-2, 0],
      [86_400, 0],
      [0, -1],
      [0, 1000],
      [NaN, 0],
    ] as const)
      expect(clock.resolve('SHFE', 20240412, 20240412, seconds, millisec, 0, out)).toBe('untimed');
  });

  it('dates nothing by the clock of a host that was never set', () => {
    for (const receiveMs of [0, 7 * hourMs, NaN])
      expect(clock.resolve('SHFE', 0, 0, 36_000, 0, receiveMs, out)).toBe('off_day');
  });

  it('continues with another calendar', () => {
    const changing = new ExchangeClock(new WeekdayCalendar(), true);
    const sunday = Date.parse('2024-04-14T21:00:00.2+08:00');
    const read = (): number => {
      changing.resolve('DCE', 20240415, 20240415, 75_600, 0, sunday, out);
      return shanghaiHoursBefore(sunday);
    };
    expect(read()).toBe(0);
    changing.configure(calendar, false);
    expect(read()).toBe(48);
  });
});

function shanghaiHoursBefore(receiveMs: number): number {
  return Math.round((receiveMs - out.epochMs) / hourMs);
}
