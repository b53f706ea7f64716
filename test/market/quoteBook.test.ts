import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { ExchangeClock } from '../../src/market/quotes/exchangeClock.js';
import { InstrumentDirectory } from '../../src/market/instruments/instrumentDirectory.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import { QuoteBook } from '../../src/market/quotes/quoteBook.js';
import {
  actionFieldNames,
  longestFrame,
  parseFieldSet,
  QuoteEncoder,
} from '../../src/server/socket/quoteEncoder.js';
import { Field, quoteFields } from '../../src/market/quotes/quoteFields.js';
import { WeekdayCalendar } from '../../src/market/calendar/tradingCalendar.js';
import { makeTick, testTimeMs } from './ticks.js';

const products = loadProducts();
let directory: InstrumentDirectory;
let book: QuoteBook;
let encoder: QuoteEncoder;
let rb: number;

beforeEach(() => {
  directory = new InstrumentDirectory({ products, maxInstruments: 5000, now: () => testTimeMs });
  book = new QuoteBook(directory, new ExchangeClock(new WeekdayCalendar()));
  encoder = new QuoteEncoder(book, directory);
  rb = directory.resolve('rb2410')!.slot;
});

const quote = (from: number, form: 0 | 1 = 1): Record<string, unknown> => {
  const text = encoder.aidQuote(rb, from, form);
  return (JSON.parse(`{${text}}`) as Record<string, Record<string, unknown>>)[
    form === 1 ? 'SHFE.rb2410' : 'rb2410'
  ]!;
};
const memory = Buffer.alloc(2 * longestFrame);
const at = 1000;

const push = (end: number): { instrument_id: string; data: Record<string, unknown> } =>
  JSON.parse(memory.toString('latin1', at, end)) as { instrument_id: string; data: Record<string, unknown> };

describe('QuoteBook', () => {
  it('knows nothing before the first tick', () => {
    expect(book.version(rb)).toBe(0);
    expect(encoder.aidQuote(rb, 0, 1)).toBe('');
  });

  it('skips a repeated tick, a falling volume, an older time and an earlier trading day', () => {
    const base = { volume: 100, updateTime: 36_000, millisec: 500, receivedAt: testTimeMs + 500 };
    expect(book.apply(makeTick(base))).toBe(true);
    expect(book.apply(makeTick(base))).toBe(false);
    expect(book.apply(makeTick({ ...base, volume: 99, lastPrice: 1 }))).toBe(false);
    expect(book.apply(makeTick({ ...base, millisec: 0, lastPrice: 1 }))).toBe(false);
    expect(book.apply(makeTick({ ...base, tradingDay: 20240410, actionDay: 20240410, volume: 5000 }))).toBe(
      false,
    );
    expect(book.counters).toMatchObject({ accepted: 1, duplicate: 1, regressed: 2, falling_volume: 1 });
    expect(book.version(rb)).toBe(1);
  });

  it('takes two different ticks of one time stamp, and a smaller volume on the next trading day', () => {
    expect(book.apply(makeTick({ lastPrice: 3500 }))).toBe(true);
    expect(book.apply(makeTick({ lastPrice: 3501 }))).toBe(true);
    const night = { updateTime: 75_600, receivedAt: testTimeMs + 11 * 3_600_000, tradingDay: 20240412 };
    expect(book.apply(makeTick({ ...night, volume: 1 }))).toBe(true);
    expect(book.value(rb, Field.tradingDay)).toBe(20240412);
  });

  it.each([
    ['volume', { volume: 2_000_000_000 }],
    ['trading day', { tradingDay: 20240415 }],
  ])('gives up a state with a garbage %s once a row of later ticks contradicts it', (_what, garbage) => {
    const at = (second: number): ReturnType<typeof makeTick> =>
      makeTick({ volume: 200 + second, updateTime: 36_000 + second, receivedAt: testTimeMs + second * 1000 });
    book.apply(makeTick(garbage));
    let taken = 0;
    for (let second = 1; second <= 60; second++) if (book.apply(at(second))) taken++;
    // Ten seconds and twenty ticks of doubt, then everything.
    expect(taken).toBe(60 - 9 - 19);
    expect(book.counters.reset).toBe(1);
    expect(book.value(rb, Field.volume)).toBe(260);
    expect(book.value(rb, Field.tradingDay)).toBe(20240411);
  });

  it('never gives way to a line that is behind, however long it is', () => {
    for (let i = 0; i < 200; i++) {
      book.apply(
        makeTick({ volume: 1000 + i, updateTime: 36_060 + i, receivedAt: testTimeMs + (60 + i) * 1000 }),
      );
    }
    for (let i = 0; i < 200; i++) {
      const late = makeTick({
        volume: 900 + (i % 90),
        updateTime: 36_060 + i,
        receivedAt: testTimeMs + 259_000,
      });
      expect(book.apply(late)).toBe(false);
    }
    expect(book.counters.reset).toBe(0);
  });

  it('drops and counts a tick without a time', () => {
    expect(book.apply(makeTick({ updateTime: -1 }))).toBe(false);
    expect(book.counters.untimed).toBe(1);
  });

  it('serves any number of instruments', () => {
    const slots = ['a', 'b', 'c'].flatMap((code) =>
      Array.from(
        { length: 12 },
        (_, month) => directory.resolve(`${code}24${String(month + 1).padStart(2, '0')}`)!.slot,
      ),
    );
    for (let i = 0; i < 3000; i++) directory.resolve(`m2409-C-${1000 + i}`);
    const last = directory.resolve('m2409-C-3999')!.slot;
    book.apply(makeTick({ slot: last, lastPrice: 7 }));
    book.apply(makeTick({ slot: slots[3]!, lastPrice: 8 }));
    expect(book.value(last, Field.lastPrice)).toBe(7);
    expect(book.value(slots[3]!, Field.lastPrice)).toBe(8);
    expect(book.version(rb)).toBe(0);
  });
});

describe('QuoteEncoder', () => {
  it('makes a full aid snapshot under DIFF and documented names', () => {
    book.apply(makeTick({ millisec: 500, receivedAt: testTimeMs + 500, doubles: { highestPrice: 3510.5 } }));
    expect(quote(0)).toMatchObject({
      instrument_id: 'SHFE.rb2410',
      datetime: '2024-04-11 10:00:00.500000',
      update_time: '10:00:00',
      update_millisec: 500,
      timestamp: testTimeMs + 500,
      trading_day: '20240411',
      last_price: 3500,
      highest: 3510.5,
      highest_price: 3510.5,
      amount: 1e6,
      turnover: 1e6,
      volume: 100,
      open_interest: 1000,
      average: 3500,
      bid_price1: 3499,
      bid_volume1: 5,
      ask_price1: 3501,
      ask_volume1: 6,
      volume_multiple: 10,
      price_tick: 1,
      price_decs: 0,
      ins_class: 'FUTURE',
      expired: false,
      trading_time: { night: [['21:00:00', '23:00:00']] },
    });
    // Never set here; but a client that connects again may hold one from before.
    expect(quote(0)).toHaveProperty('settlement', '-');
    expect(encoder.aidQuote(rb, 0, 0).startsWith('"rb2410":{')).toBe(true);
  });

  it('states six decimals of a second to aid clients, and three to action clients', () => {
    book.apply(makeTick({ millisec: 5, receivedAt: testTimeMs + 5 }));
    expect(quote(0)['datetime']).toBe('2024-04-11 10:00:00.005000');
    expect(push(encoder.actionFrame(memory, at, rb, 0, null)).data['datetime']).toBe(
      '2024-04-11 10:00:00.005',
    );
  });

  it('states margin and commission of a lot by the last settlement price, and again when that changes', () => {
    book.apply(makeTick());
    expect(quote(0)).not.toHaveProperty('margin');
    book.apply(makeTick({ volume: 101, doubles: { preSettlementPrice: 3500 } }));
    expect(quote(0)).toMatchObject({ pre_settlement: 3500, margin: 3500, commission: 3.5 });
    expect(quote(1)).toMatchObject({ pre_settlement: 3500, margin: 3500, commission: 3.5 });
    book.apply(makeTick({ volume: 102, doubles: { preSettlementPrice: 3500 } }));
    expect(quote(2)).toEqual({ volume: 102 });
  });

  it('sends only what changed after the version that a client holds', () => {
    book.apply(makeTick());
    book.apply(makeTick({ volume: 101, lastPrice: 3501 }));
    expect(quote(1)).toEqual({ last_price: 3501, volume: 101 });
    expect(encoder.aidQuote(rb, 2, 1)).toBe('');
  });

  it('marks a value that becomes absent with "-" on the aid side and null on the action side', () => {
    book.apply(makeTick());
    book.apply(makeTick({ volume: 101, integers: { askVolume1: 0 } }));
    expect(quote(1)).toEqual({ volume: 101, ask_price1: '-', ask_volume1: 0 });
    expect(quote(0)).toMatchObject({ ask_price1: '-' });
    expect(push(encoder.actionDiffFrame(memory, at, rb, 1, 0, null)).data).toEqual({
      volume: 101,
      ask_price1: null,
      ask_volume1: 0,
    });
  });

  it('makes full action frames with the documented fields, absent ones null', () => {
    book.apply(makeTick());
    const frame = push(encoder.actionFrame(memory, at, rb, 0, null));
    expect(frame).toMatchObject({ action: 'market_data', instrument_id: 'rb2410' });
    expect(frame.data).toMatchObject({
      instrument_id: 'rb2410',
      last_price: 3500,
      settlement: null,
      bid_price1: 3499,
    });
    expect(frame.data).not.toHaveProperty('bid_price2');
    expect(push(encoder.actionFrame(memory, at, rb, 1, null)).data['instrument_id']).toBe('SHFE.rb2410');
  });

  it('narrows frames to chosen fields in one canonical order', () => {
    book.apply(makeTick());
    const chosen = parseFieldSet(['bid_price2', 'last_price', 'last_price', 'datetime']);
    const again = parseFieldSet(['datetime', 'bid_price2', 'last_price']);
    if (!('set' in chosen) || !('set' in again)) throw new Error('known fields were refused');
    expect(chosen.set.key).toBe(again.set.key);
    expect(push(encoder.actionFrame(memory, at, rb, 0, chosen.set)).data).toEqual({
      datetime: '2024-04-11 10:00:00.000',
      last_price: 3500,
      bid_price2: null,
    });
    book.apply(makeTick({ volume: 101 }));
    expect(encoder.actionDiffFrame(memory, at, rb, 1, 0, chosen.set)).toBe(at);
    expect(parseFieldSet(['last_price', 'lastPrice'])).toEqual({ unknown: ['lastPrice'] });
    for (const field of quoteFields) expect(actionFieldNames).toContain(field.name);
  });

  it('loses no decimal of any double', () => {
    let volume = 100;
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: -1e15, max: 1e15 }), (lastPrice) => {
        // Of a future 0 is no price.
        fc.pre(lastPrice !== 0);
        book.apply(makeTick({ volume: volume++, lastPrice }));
        expect(quote(0)['last_price']).toBe(lastPrice);
        expect(push(encoder.actionFrame(memory, at, rb, 0, null)).data['last_price']).toBe(lastPrice);
      }),
    );
  });

  it('gives every client the same final state, whatever subset of versions it saw', () => {
    const tick = fc.record({
      lastPrice: fc.constantFrom(3500, 3501, 3502.005, Number.MAX_VALUE),
      step: fc.integer({ min: 0, max: 2 }),
      askVolume1: fc.integer({ min: 0, max: 2 }),
      fetch: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(tick, { minLength: 1, maxLength: 30 }), (ticks) => {
        book = new QuoteBook(directory, new ExchangeClock(new WeekdayCalendar()));
        encoder = new QuoteEncoder(book, directory);
        const held: Record<string, unknown> = {};
        let sent = 0;
        let volume = 1;
        const fetch = (): void => {
          if (book.version(rb) > sent) Object.assign(held, quote(sent));
          sent = book.version(rb);
        };
        for (const { lastPrice, step, askVolume1, fetch: now } of ticks) {
          volume += step;
          book.apply(makeTick({ volume, lastPrice, integers: { askVolume1 } }));
          if (now) fetch();
        }
        fetch();
        expect(held).toEqual(quote(0));
      }),
    );
  });
});
