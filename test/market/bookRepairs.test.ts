import { beforeEach, describe, expect, it } from 'vitest';
import { ExchangeClock } from '../../src/market/exchangeClock.js';
import { loadCalendar } from '../../src/market/holidayCalendar.js';
import { InstrumentDirectory } from '../../src/market/instrumentDirectory.js';
import { loadProducts } from '../../src/market/products.js';
import { QuoteBook } from '../../src/market/quoteBook.js';
import { F, fieldCount } from '../../src/market/quoteFields.js';
import { SessionStates } from '../../src/market/sessionStates.js';
import { namesOfFlags } from '../../src/market/tickFlags.js';
import { makeTick, type TickFields } from './ticks.js';

// What the book does where a state that it holds is wrong, or lacks something. All ticks are of Monday, 2026-11-30.

const DBL_MAX = Number.MAX_VALUE;
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

/** Applies a tick of a second of the day; its flags, or why it was left out. */
function flagsOf(second: number, fields: TickFields = {}): string[] | string {
  const tick = makeTick({
    slot,
    tradingDay: day,
    actionDay: day,
    updateTime: second,
    receivedAt: midnightMs + second * 1000,
    ...fields,
  });
  return book.apply(tick) ? namesOfFlags(book.flags(slot)) : book.leftOut;
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
    expect([value(F.bidPrice1), value(F.timestamp)]).toEqual([1111, midnightMs + (ten + 300) * 1000]);
    const results = Array.from({ length: 45 }, (_, n) =>
      flagsOf(ten + 1 + n, { source: 1, volume: 101 + n }),
    );
    expect(results.slice(0, 19)).toEqual(Array(19).fill('regressed'));
    expect(results.slice(19)).toEqual(Array(26).fill([]));
    expect(book.counters).toMatchObject({ reset: 1, regressed: 19 });
    expect([value(F.bidPrice1), value(F.timestamp)]).toEqual([3499, midnightMs + (ten + 45) * 1000]);
    expect([value(F.upperLimitPrice), value(F.closePrice)]).toEqual([NaN, NaN]);
  });
});
