import { beforeEach, describe, expect, it } from 'vitest';
import { ExchangeClock } from '../../src/market/quotes/exchangeClock.js';
import { loadCalendar } from '../../src/market/calendar/holidayCalendar.js';
import { InstrumentDirectory } from '../../src/market/instruments/instrumentDirectory.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import { QuoteBook } from '../../src/market/quotes/quoteBook.js';
import { Field } from '../../src/market/quotes/quoteFields.js';
import { SessionStates } from '../../src/market/hours/sessionStates.js';
import { flagNames, namesOfFlags, TickFlag } from '../../src/market/quotes/tickFlags.js';
import { WeekdayCalendar } from '../../src/market/calendar/tradingCalendar.js';
import { makeTick, testTimeMs, type TickFields } from './ticks.js';

const products = loadProducts();
const calendar = loadCalendar();
let directory: InstrumentDirectory;
let book: QuoteBook;
let rb: number;

function useBook(hours: 'exchange' | 'always'): void {
  const days = hours === 'always' ? new WeekdayCalendar() : calendar;
  const clock = new ExchangeClock(days, hours === 'always');
  book = new QuoteBook(directory, clock, new SessionStates(hours, days));
}

beforeEach(() => {
  directory = new InstrumentDirectory({ products, maxInstruments: 5000, now: () => testTimeMs });
  useBook('exchange');
  rb = directory.resolve('rb2410')!.slot;
});

/** Applies a tick of rb2410 at a time of day of 11 April 2024; its flags, or why it was skipped. */
function flagsOf(time: string, fields: TickFields = {}): string[] | string {
  const [hours, minutes, seconds] = time.split(':').map(Number) as [number, number, number];
  const updateTime = hours * 3600 + minutes * 60 + seconds;
  const receivedAt = testTimeMs + (updateTime - 36_000) * 1000 + 200;
  const tick = makeTick({ slot: rb, updateTime, receivedAt, ...fields });
  if (book.apply(tick)) return namesOfFlags(book.flags(rb));
  book.readRejected(tick);
  return [book.rejection, ...namesOfFlags(book.rejectedFlags)].join(' ');
}

describe('flags', () => {
  it('have a name for each bit', () => {
    expect(Object.values(TickFlag)).toEqual(flagNames.map((_, bit) => 1 << bit));
    expect(namesOfFlags(0b1010101)).toEqual(['snapshot', 'off_session', 'crossed_book', 'falling_turnover']);
  });

  it('snapshot: the first tick of each line since it was subscribed, and no other', () => {
    expect(flagsOf('10:00:00')).toEqual(['snapshot']);
    expect(flagsOf('10:00:01', { volume: 101 })).toEqual([]);
    expect(flagsOf('10:00:02', { volume: 102, source: 7 })).toEqual(['snapshot']);
    expect(flagsOf('10:00:03', { volume: 103, source: 7 })).toEqual([]);
    expect(flagsOf('10:00:04', { volume: 104 })).toEqual([]);
    book.lineGone(rb, 7);
    expect(flagsOf('10:00:05', { volume: 105 })).toEqual([]);
    expect(flagsOf('10:00:06', { volume: 106, source: 7 })).toEqual(['snapshot']);
  });

  it('stale: received more than a minute after its time', () => {
    expect(flagsOf('10:00:00', { receivedAt: testTimeMs + 61_000 })).toEqual(['snapshot', 'stale']);
    expect(flagsOf('10:01:00', { volume: 101, receivedAt: testTimeMs + 61_000 })).toEqual([]);
  });

  it('repaired_time: days that cannot be', () => {
    expect(flagsOf('10:00:00', { tradingDay: 20991231, actionDay: 0 })).toEqual([
      'snapshot',
      'repaired_time',
    ]);
  });

  it('crossed_book: a bid that is not below the ask; an empty side crosses nothing', () => {
    flagsOf('10:00:00');
    expect(flagsOf('10:00:01', { volume: 101, doubles: { bidPrice1: 3501 } })).toEqual(['crossed_book']);
    expect(flagsOf('10:00:02', { volume: 102, doubles: { bidPrice1: 3502 } })).toEqual(['crossed_book']);
    const locked = { doubles: { bidPrice1: 3502 }, integers: { askVolume1: 0 } };
    expect(flagsOf('10:00:03', { volume: 103, ...locked })).toEqual([]);
  });

  it('off_session: such a tick is skipped, whatever it says, but for a late settlement price', () => {
    flagsOf('10:14:59');
    const quotes = { doubles: { bidPrice1: 3498 } };
    expect(flagsOf('10:20:00', quotes)).toBe('off_session off_session');
    expect(flagsOf('10:20:01', { volume: 101 })).toBe('off_session off_session');
    expect(book.counters.off_session).toBe(2);
    expect(flagsOf('10:30:00', { volume: 101, ...quotes })).toEqual([]);
    expect(
      flagsOf('18:30:00', { volume: 101, doubles: { ...quotes.doubles, settlementPrice: 3505 } }),
    ).toEqual(['off_session']);
    expect(book.value(rb, Field.settlement)).toBe(3505);
    expect(book.value(rb, Field.timestamp)).toBe(testTimeMs + 30 * 60_000);
  });

  it('off_session: not for auctions, the tick of a session’s end and prices after the close', () => {
    flagsOf('08:59:00');
    for (const [time, volume] of [
      ['11:30:00', 101],
      ['15:00:00', 102],
      ['15:00:02', 103],
      ['15:30:00', 103],
    ] as const)
      expect(flagsOf(time, { volume, doubles: { closePrice: 3000 + volume } })).toEqual([]);
    const night = { tradingDay: 20240412, volume: 3 };
    expect(flagsOf('20:59:00', night)).toEqual([]);
  });

  it('off_session: never where the market does not close', () => {
    useBook('always');
    flagsOf('17:59:00');
    expect(flagsOf('18:30:00', { volume: 100, doubles: { bidPrice1: 3498 } })).toEqual([]);
  });

  it('falling_volume: a later tick with less volume is skipped until a row of them proves it right', () => {
    flagsOf('10:00:00', { volume: 5000 });
    for (let second = 10; second < 29; second++)
      expect(flagsOf(`10:00:${second}`, { volume: second })).toBe('falling_volume falling_volume');
    expect(flagsOf('10:00:29', { volume: 29 })).toEqual(['falling_volume']);
    expect(flagsOf('10:00:30', { volume: 30 })).toEqual([]);
    expect(book.counters).toMatchObject({ falling_volume: 19, reset: 1, regressed: 0 });
  });

  it('falling_volume: not what a slower line brings late', () => {
    flagsOf('10:00:00', { volume: 100 });
    flagsOf('10:00:01', { volume: 101 });
    expect(flagsOf('10:00:00', { volume: 100, source: 1 })).toBe('regressed snapshot');
    // Of one time stamp with the held state: line 0 has gone on within it.
    flagsOf('10:00:01', { volume: 102 });
    expect(flagsOf('10:00:01', { volume: 101, source: 1 })).toBe('regressed');
    // The line that brought the held state does not step back by being late.
    expect(flagsOf('10:00:01', { volume: 101 })).toBe('falling_volume falling_volume');
  });

  it('falling_turnover: whatever the exchange', () => {
    flagsOf('10:00:00', { doubles: { turnover: 1e8 } });
    expect(flagsOf('10:00:01', { volume: 101, doubles: { turnover: 9.99e7 } })).toEqual(['falling_turnover']);
    expect(book.value(rb, Field.turnover)).toBe(1e8);
  });
});

describe('what is skipped', () => {
  it('is counted by its reason, and shown with what is known of it', () => {
    flagsOf('10:00:00', { lastPrice: 3500 });
    expect(flagsOf('10:00:00', { lastPrice: 3500 })).toBe('duplicate');
    expect(flagsOf('09:58:00', { lastPrice: 3490, receivedAt: testTimeMs })).toBe('regressed stale');
    expect(book.rejectedValue(Field.lastPrice)).toBe(3490);
    expect(book.rejectedValue(Field.timestamp)).toBe(testTimeMs - 120_000);
    expect(flagsOf('10:00:01', { updateTime: -1 })).toBe('untimed');
    expect(book.rejectedValue(Field.timestamp)).toBeNaN();
    expect(book.rejectedValue(Field.lastPrice)).toBe(3500);
    expect(flagsOf('10:00:02', { tradingDay: 20240413, actionDay: 20240413 })).toBe('off_day');
    expect(flagsOf('10:00:03', { volume: -7 })).toBe('garbage');
    expect(book.counters).toEqual({
      accepted: 1,
      duplicate: 1,
      regressed: 1,
      falling_volume: 0,
      off_session: 0,
      off_day: 1,
      untimed: 1,
      garbage: 1,
      reset: 0,
    });
    expect(book.version(rb)).toBe(1);
  });

  it('a larger volume at a time that is long gone is no news', () => {
    flagsOf('10:00:00');
    expect(flagsOf('09:00:00', { volume: 500, receivedAt: testTimeMs })).toBe('regressed stale');
  });

  it('a time of the future does not bar the present for long', () => {
    flagsOf('10:14:00', { receivedAt: testTimeMs });
    let taken = 0;
    for (let second = 10; second < 40; second++)
      if (Array.isArray(flagsOf(`10:00:${second}`, { volume: 100 + second }))) taken++;
    expect(taken).toBe(11);
  });
});
