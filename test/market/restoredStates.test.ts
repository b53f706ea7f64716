import { beforeEach, describe, expect, it } from 'vitest';
import { ExchangeClock } from '../../src/market/quotes/exchangeClock.js';
import { InstrumentDirectory } from '../../src/market/instruments/instrumentDirectory.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import { QuoteBook } from '../../src/market/quotes/quoteBook.js';
import { QuoteEncoder } from '../../src/server/socket/quoteEncoder.js';
import { Field, fieldCount } from '../../src/market/quotes/quoteFields.js';
import { namesOfFlags, TickFlag } from '../../src/market/quotes/tickFlags.js';
import { WeekdayCalendar } from '../../src/market/calendar/tradingCalendar.js';
import { makeTick, testTimeMs, type TickFields } from './ticks.js';

const products = loadProducts();
let directory: InstrumentDirectory;
let book: QuoteBook;
let rb: number;

beforeEach(() => {
  directory = new InstrumentDirectory({ products, maxInstruments: 5000, now: () => testTimeMs });
  book = new QuoteBook(directory, new ExchangeClock(new WeekdayCalendar()));
  rb = directory.resolve('rb2410')!.slot;
});

/** The row that a book has after a tick. */
function rowAfter(fields: TickFields): Float64Array {
  const other = new QuoteBook(directory, new ExchangeClock(new WeekdayCalendar()));
  other.apply(makeTick({ slot: rb, ...fields }));
  return Float64Array.from({ length: fieldCount }, (_, field) => other.value(rb, field));
}

describe('a state from storage', () => {
  it('is shown, flagged stale, until a line brings the same one, which changes the flags alone', () => {
    expect(book.restore(rb, rowAfter({ lastPrice: 3512 }), TickFlag.crossedBook)).toBe(true);
    expect(book.version(rb)).toBe(1);
    expect(book.value(rb, Field.lastPrice)).toBe(3512);
    expect(namesOfFlags(book.flags(rb))).toEqual(['stale', 'crossed_book']);
    expect(book.apply(makeTick({ slot: rb, lastPrice: 3512 }))).toBe(true);
    expect(book.version(rb)).toBe(2);
    expect(book.flags(rb) & TickFlag.stale).toBe(0);
    expect(new QuoteEncoder(book, directory).aidQuote(rb, 1, 1)).toBe('');
    expect(book.apply(makeTick({ slot: rb, lastPrice: 3512 }))).toBe(false);
  });

  it('gives way to a live tick that is later, even with a smaller volume', () => {
    book.restore(rb, rowAfter({ volume: 5_000_000 }), 0);
    const later = { updateTime: 36_001, receivedAt: testTimeMs + 1000 };
    expect(book.apply(makeTick({ slot: rb, volume: 200, ...later }))).toBe(true);
    expect(book.value(rb, Field.volume)).toBe(200);
    // Once only: from then on volume never falls.
    expect(book.apply(makeTick({ slot: rb, volume: 199, ...later, millisec: 500 }))).toBe(false);
  });

  it('does not give way to an old snapshot, or to the day before', () => {
    book.restore(rb, rowAfter({ volume: 500, updateTime: 36_600, receivedAt: testTimeMs + 600_000 }), 0);
    const receivedAt = testTimeMs + 700_000;
    expect(book.apply(makeTick({ slot: rb, volume: 499, updateTime: 36_500, receivedAt }))).toBe(false);
    const dayBefore = { tradingDay: 20240410, actionDay: 20240410, volume: 9000, updateTime: 54_000 };
    expect(book.apply(makeTick({ slot: rb, ...dayBefore, receivedAt }))).toBe(false);
    expect(book.value(rb, Field.volume)).toBe(500);
  });

  it('is replaced by another state of its own moment', () => {
    book.restore(rb, rowAfter({ lastPrice: 3512 }), 0);
    expect(book.apply(makeTick({ slot: rb, lastPrice: 3513 }))).toBe(true);
    expect(book.value(rb, Field.lastPrice)).toBe(3513);
  });

  it('never replaces what lines have brought', () => {
    book.apply(makeTick({ slot: rb, lastPrice: 3500 }));
    expect(book.restore(rb, rowAfter({ lastPrice: 3512, volume: 900 }), 0)).toBe(false);
    expect(book.value(rb, Field.lastPrice)).toBe(3500);
    expect(namesOfFlags(book.flags(rb))).toEqual(['snapshot']);
  });

  it('must be a whole row', () => {
    expect(() => book.restore(rb, new Float64Array(3), 0)).toThrow(`a row has ${fieldCount} values`);
  });
});

describe('a state in doubt', () => {
  it('is stale until a line brings the same one, which changes the flags alone', () => {
    book.apply(makeTick({ slot: rb, lastPrice: 3500 }));
    book.doubt(rb);
    expect(namesOfFlags(book.flags(rb))).toEqual(['snapshot', 'stale']);
    expect(book.flagsChangedAt(rb)).toBe(book.version(rb));
    expect(new QuoteEncoder(book, directory).aidQuote(rb, 1, 1)).toBe('');
    const version = book.version(rb);
    book.doubt(rb);
    expect(book.version(rb)).toBe(version);
    expect(book.apply(makeTick({ slot: rb, lastPrice: 3500 }))).toBe(true);
    expect(namesOfFlags(book.flags(rb))).toEqual([]);
    expect(book.apply(makeTick({ slot: rb, lastPrice: 3500 }))).toBe(false);
  });

  it('needs a state', () => {
    book.doubt(rb);
    expect(book.version(rb)).toBe(0);
  });
});
