import { beforeEach, describe, expect, it } from 'vitest';
import { ExchangeClock } from '../../src/market/quotes/exchangeClock.js';
import { loadCalendar } from '../../src/market/calendar/holidayCalendar.js';
import { InstrumentDirectory } from '../../src/market/instruments/instrumentDirectory.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import { QuoteBook } from '../../src/market/quotes/quoteBook.js';
import { Field, fieldCount } from '../../src/market/quotes/quoteFields.js';
import { SessionStates } from '../../src/market/hours/sessionStates.js';
import { namesOfFlags } from '../../src/market/quotes/tickFlags.js';
import { makeTick, type TickFields } from './ticks.js';

// What the book does where a state that it holds is wrong, or lacks something. All ticks are of Monday, 2026-11-30.

const day = 20261130;
const midnightMs = Date.parse('2026-11-30T00:00:00+08:00');
const ten = 36_000;
const calendar = loadCalendar();
let directory: InstrumentDirectory;
let book: QuoteBook;
let slot: number;

beforeEach(() => {
  const now = (): number => midnightMs;
  directory = new InstrumentDirectory({ products: loadProducts(), maxInstruments: 100, now });
  slot = directory.resolve('rb2701')!.slot;
  book = bookOf();
});

function bookOf(): QuoteBook {
  return new QuoteBook(directory, new ExchangeClock(calendar), new SessionStates('exchange', calendar));
}

/** Applies a tick of a second of the day; its flags, or why it was skipped. */
function flagsOf(second: number, fields: TickFields = {}): string[] | string {
  const tick = makeTick({
    slot,
    tradingDay: day,
    actionDay: day,
    updateTime: second,
    receivedAt: midnightMs + second * 1000,
    ...fields,
  });
  return book.apply(tick) ? namesOfFlags(book.flags(slot)) : book.rejection;
}

/** A packet with the book alone. */
function quotes(bid: number, fields: TickFields = {}): TickFields {
  const doubles = { turnover: 0, openInterest: 0, averagePrice: 0, bidPrice1: bid, askPrice1: bid + 2 };
  return { volume: 0, lastPrice: 0, ...fields, doubles };
}

const value = (field: number): number => book.value(slot, field);

describe('a state that is given up', () => {
  it('leaves nothing behind: neither the book of a packet without a volume, nor prices and limits', () => {
    const doubles = { upperLimitPrice: 9999, closePrice: 8888 };
    flagsOf(ten, { source: 1, doubles });
    flagsOf(ten + 300, quotes(1111, { receivedAt: midnightMs + ten * 1000 }));
    expect([value(Field.bidPrice1), value(Field.timestamp)]).toEqual([1111, midnightMs + (ten + 300) * 1000]);
    const results = Array.from({ length: 45 }, (_, n) =>
      flagsOf(ten + 1 + n, { source: 1, volume: 101 + n }),
    );
    expect(results.slice(0, 19)).toEqual(Array(19).fill('regressed'));
    expect(results.slice(19)).toEqual(Array(26).fill([]));
    expect(book.counters).toMatchObject({ reset: 1, regressed: 19 });
    expect([value(Field.bidPrice1), value(Field.timestamp)]).toEqual([3499, midnightMs + (ten + 45) * 1000]);
    expect([value(Field.upperLimitPrice), value(Field.closePrice)]).toEqual([NaN, NaN]);
  });
});

describe('a restored state', () => {
  /** A row without a volume, as quotes alone leave it. */
  function restoreQuotes(): void {
    const other = bookOf();
    other.apply(
      makeTick({
        slot,
        tradingDay: day,
        actionDay: day,
        receivedAt: midnightMs + ten * 1000,
        ...quotes(3400),
      }),
    );
    const row = new Float64Array(fieldCount);
    other.copyRow(slot, row, 0);
    expect([book.restore(slot, row, other.flags(slot)), namesOfFlags(book.flags(slot))]).toEqual([
      true,
      expect.arrayContaining(['stale']),
    ]);
  }

  it('without a volume is confirmed by the same packet without one', () => {
    restoreQuotes();
    expect(flagsOf(ten, quotes(3400))).toEqual(['snapshot', 'partial']);
    expect(flagsOf(ten, quotes(3400))).toBe('duplicate');
  });

  it('without a volume is followed by live packets without one', () => {
    restoreQuotes();
    expect(flagsOf(ten + 1, quotes(3401))).toEqual(['snapshot', 'partial']);
    expect(flagsOf(ten + 2, quotes(3402))).toEqual(['partial']);
  });

  it.each([
    ['no time', Field.timestamp, NaN],
    ['a time that is none', Field.timestamp, 1e300],
    ['no trading day', Field.tradingDay, NaN],
  ])('is refused where it has %s', (_what, field, wrong) => {
    flagsOf(ten);
    const row = new Float64Array(fieldCount);
    book.copyRow(slot, row, 0);
    row[field] = wrong;
    book = bookOf();
    expect(book.restore(slot, row, 0)).toBe(false);
    expect(book.version(slot)).toBe(0);
    expect(flagsOf(ten)).toEqual(['snapshot']);
  });
});

describe('a line that is behind another', () => {
  const more = { upperLimitPrice: 3800, preSettlementPrice: 3490, bidPrice1: 3498 };

  it('adds the limits that the other lacks, at its key, and leaves the book', () => {
    flagsOf(ten, { source: 0 });
    expect(flagsOf(ten, { source: 1, doubles: more })).toEqual(['snapshot', 'partial']);
    expect([Field.upperLimitPrice, Field.preSettlement, Field.bidPrice1].map(value)).toEqual([
      3800, 3490, 3499,
    ]);
    expect(flagsOf(ten, { source: 1, doubles: more })).toBe('duplicate');
    expect(flagsOf(ten + 1, { source: 0, volume: 101 })).toEqual(['partial']);
    expect(value(Field.upperLimitPrice)).toBe(3800);
  });

  it('is flagged by the book that stays', () => {
    flagsOf(ten, { source: 0 });
    const doubles = { ...more, bidPrice1: 3502 };
    expect(flagsOf(ten, { source: 1, doubles })).toEqual(['snapshot', 'partial']);
  });

  it('adds an open interest in place of 0', () => {
    flagsOf(ten, { source: 0, doubles: { openInterest: 0 } });
    flagsOf(ten, { source: 1, doubles: { openInterest: 1000 } });
    expect(value(Field.openInterest)).toBe(1000);
  });

  it.each([
    ['another last price', { lastPrice: 3501, doubles: more }],
    ['a settlement price, which no session has', { doubles: { ...more, settlementPrice: 3488 } }],
  ])('is not believed beside %s', (_what, fields) => {
    flagsOf(ten, { source: 0 });
    expect(flagsOf(ten, { source: 1, ...fields })).toBe('duplicate');
    expect([value(Field.upperLimitPrice), value(Field.lastPrice)]).toEqual([NaN, 3500]);
  });
});

describe('a closing or a settlement price', () => {
  it('joins the day’s state after the close, whose turnover was held up', () => {
    flagsOf(15 * 3600 - 2, { doubles: { turnover: 1_000_000 } });
    const fallen = { turnover: 999_990 };
    expect(flagsOf(15 * 3600 - 1, { volume: 101, doubles: fallen })).toEqual(['falling_turnover']);
    const settled = { ...fallen, settlementPrice: 3488 };
    expect(flagsOf(18 * 3600, { volume: 101, doubles: settled })).toEqual(['off_session']);
    expect([value(Field.settlement), value(Field.turnover)]).toEqual([3488, 1_000_000]);
  });

  it('is not believed beside another price, and what was skipped is shown as it came', () => {
    flagsOf(15 * 3600 - 1, { doubles: { upperLimitPrice: 3800 } });
    const doubles = { settlementPrice: 3488 };
    expect(flagsOf(18 * 3600, { lastPrice: 9999, doubles })).toBe('off_session');
    expect([book.rejectedValue(Field.lastPrice), book.rejectedValue(Field.upperLimitPrice)]).toEqual([
      9999,
      NaN,
    ]);
  });

  it('that was wrong in a session goes with the next whole tick, not with one that lacks its volume', () => {
    flagsOf(ten, { doubles: { closePrice: 1, settlementPrice: 2 } });
    flagsOf(ten + 1, quotes(3400));
    expect([value(Field.closePrice), value(Field.settlement)]).toEqual([1, 2]);
    expect(flagsOf(ten + 2, { volume: 101 })).toEqual([]);
    expect([value(Field.closePrice), value(Field.settlement)]).toEqual([NaN, NaN]);
  });
});

describe('a slot', () => {
  it('that goes from a combination to a future reads 0 as no price from then on', () => {
    let instrument = directory.resolve('SPD SR701&SR705')!;
    book = new QuoteBook({ bySlot: () => instrument }, new ExchangeClock(calendar));
    const garbage = makeTick({ slot, volume: -1, doubles: { openPrice: 0 } });
    expect([book.apply(garbage), book.rejection]).toEqual([false, 'garbage']);
    book.readRejected(garbage);
    expect(book.rejectedValue(Field.openPrice)).toBe(0);
    instrument = directory.resolve('rb2701')!;
    book.forget(slot);
    expect(flagsOf(ten, { doubles: { openPrice: 0 } })).toEqual([]);
    expect(value(Field.openPrice)).toBeNaN();
  });
});
