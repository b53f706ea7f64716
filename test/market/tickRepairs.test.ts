import { beforeEach, describe, expect, it } from 'vitest';
import { ExchangeClock } from '../../src/market/quotes/exchangeClock.js';
import { loadCalendar } from '../../src/market/calendar/holidayCalendar.js';
import { InstrumentDirectory } from '../../src/market/instruments/instrumentDirectory.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import { QuoteBook } from '../../src/market/quotes/quoteBook.js';
import { longestFrame, QuoteEncoder } from '../../src/server/socket/quoteEncoder.js';
import { Field } from '../../src/market/quotes/quoteFields.js';
import { namesOfFlags } from '../../src/market/quotes/tickFlags.js';
import { makeTick, testTimeMs, type TickFields } from './ticks.js';

const products = loadProducts();
const FLT_MAX = 3.4028234663852886e38;
let directory: InstrumentDirectory;
let book: QuoteBook;

beforeEach(() => {
  directory = new InstrumentDirectory({ products, maxInstruments: 5000, now: () => testTimeMs });
  book = new QuoteBook(directory, new ExchangeClock(loadCalendar()));
});

/** The slot of an instrument, with its state after the ticks. */
function after(id: string, ...ticks: TickFields[]): (field: number) => number {
  const { slot } = directory.resolve(id)!;
  for (const tick of ticks) book.apply(makeTick({ slot, ...tick }));
  return (field) => book.value(slot, field);
}

/** What clients of either protocol are sent of the instrument. */
function sent(id: string): { aid: Record<string, unknown>; action: Record<string, unknown> } {
  const { slot } = directory.resolve(id)!;
  const encoder = new QuoteEncoder(book, directory);
  const memory = Buffer.alloc(longestFrame);
  const end = encoder.actionFrame(memory, 0, slot, 0, null);
  const aid = JSON.parse(`{${encoder.aidQuote(slot, 0, 0)}}`) as Record<string, Record<string, unknown>>;
  const action = JSON.parse(memory.toString('latin1', 0, end)) as { data: Record<string, unknown> };
  return { aid: aid[id]!, action: action.data };
}

describe('values that are none', () => {
  it.each([Number.MAX_VALUE, -Number.MAX_VALUE, FLT_MAX, -FLT_MAX, NaN, Infinity, -Infinity])(
    '%d is absent, in every field of prices and amounts',
    (mark) => {
      const value = after('rb2410', {
        doubles: {
          lastPrice: mark,
          settlementPrice: mark,
          turnover: mark,
          openInterest: mark,
          averagePrice: mark,
          bidPrice1: mark,
          upperLimitPrice: mark,
        },
      });
      const fields = [
        Field.lastPrice,
        Field.settlement,
        Field.turnover,
        Field.openInterest,
        Field.average,
        Field.bidPrice1,
      ];
      for (const field of [...fields, Field.upperLimitPrice]) expect(value(field)).toBeNaN();
    },
  );

  it('0 is no price of a future or an option, as feeds have it that know no DBL_MAX', () => {
    const zeros = { lastPrice: 0, openPrice: 0, closePrice: 0, settlementPrice: 0, upperLimitPrice: 0 };
    for (const id of ['rb2410', 'm2409-C-3000']) {
      const value = after(id, { doubles: zeros });
      for (const field of [
        Field.lastPrice,
        Field.openPrice,
        Field.closePrice,
        Field.settlement,
        Field.upperLimitPrice,
      ])
        expect(value(field)).toBeNaN();
    }
  });

  it.each(['SP a2409&a2411', 'SPD SR409&SR411', 'sc2409TAS'])(
    '0 and less are prices of %s, which are differences',
    (id) => {
      const value = after(id, {
        lastPrice: 0,
        doubles: { openPrice: -12.5, bidPrice1: -3, askPrice1: 0, averagePrice: 0 },
      });
      expect(value(Field.lastPrice)).toBe(0);
      expect(value(Field.openPrice)).toBe(-12.5);
      expect(value(Field.bidPrice1)).toBe(-3);
      expect(value(Field.askPrice1)).toBe(0);
    },
  );

  it('a negative price of a future is left as it is', () => {
    expect(after('sc2410', { lastPrice: -37.6 })(Field.lastPrice)).toBe(-37.6);
  });

  it.each([0, 3501, Number.MAX_VALUE])('a side without volume is empty, whatever its price: %d', (price) => {
    const value = after('rb2410', { doubles: { askPrice1: price }, integers: { askVolume1: 0 } });
    expect(value(Field.askPrice1)).toBeNaN();
    expect(value(Field.askVolume1)).toBe(0);
    expect(value(Field.bidPrice1)).toBe(3499);
  });

  it('a negative volume of a side is none, and one of a tick is garbage', () => {
    const value = after('rb2410', { integers: { bidVolume1: -5 } });
    expect(value(Field.bidVolume1)).toBe(0);
    expect(value(Field.bidPrice1)).toBeNaN();
    expect(book.apply(makeTick({ volume: -1 }))).toBe(false);
    expect(book.counters.garbage).toBe(1);
  });
});

describe('the average is the price of a unit', () => {
  it('by the multiplier that was imported for the instrument, from then on', () => {
    const option = 'm2409-C-3000';
    const contract = {
      id: option,
      product: 'm',
      exchange: 'DCE',
      deliveryYear: 2024,
      deliveryMonth: 9,
    } as const;
    const lots = (volume: number): TickFields => ({ volume, doubles: { averagePrice: 700 } });
    expect(after(option, lots(1))(Field.average)).toBe(70);
    directory.setImported([{ ...contract, expireDate: 20240807, multiplier: 7 }]);
    expect(after(option, lots(2))(Field.average)).toBe(100);
    directory.setImported([]);
    expect(after(option, lots(3))(Field.average)).toBe(70);
  });

  const day = { lowestPrice: 3480, highestPrice: 3530 };

  it('from turnover per lot', () => {
    expect(after('rb2410', { doubles: { ...day, averagePrice: 35_120 } })(Field.average)).toBe(3512);
  });

  it('as it is at CZCE', () => {
    const doubles = { lowestPrice: 6200, highestPrice: 6300, averagePrice: 6249 };
    expect(after('SR409', { lastPrice: 6250, doubles })(Field.average)).toBe(6249);
  });

  it('the other way where only that lies within the day', () => {
    expect(after('rb2410', { doubles: { ...day, averagePrice: 3512 } })(Field.average)).toBe(3512);
    const doubles = { lowestPrice: 6200, highestPrice: 6300, averagePrice: 62_490 };
    expect(after('SR409', { lastPrice: 6250, doubles })(Field.average)).toBe(6249);
  });

  it('absent before the first trade', () => {
    expect(after('rb2410', { volume: 0, doubles: { averagePrice: 0 } })(Field.average)).toBeNaN();
  });
});

describe('turnover is in yuan', () => {
  // 100 lots of 10 t of sugar at 6249 on average.
  const sugar = { volume: 100, lastPrice: 6250 };
  const yuan = 100 * 10 * 6249;

  it('where the front multiplies, and where it does not', () => {
    const doubles = { averagePrice: 6249 };
    expect(after('SR409', { ...sugar, doubles: { ...doubles, turnover: yuan } })(Field.turnover)).toBe(yuan);
    expect(after('SR411', { ...sugar, doubles: { ...doubles, turnover: yuan / 10 } })(Field.turnover)).toBe(
      yuan,
    );
  });

  it('by each tick’s own evidence, in whatever order the lines come', () => {
    const { slot } = directory.resolve('SR409')!;
    for (let i = 0; i < 6; i++) {
      const volume = 100 + i;
      const turnover = volume * 6249 * (i % 2 === 0 ? 10 : 1);
      const tick = { slot, source: i % 2, volume, lastPrice: 6250 };
      book.apply(makeTick({ ...tick, doubles: { averagePrice: 6249, turnover } }));
      expect(book.value(slot, Field.turnover)).toBe(volume * 62_490);
    }
  });

  it('without an average as the line’s ticks have shown, or by the last price', () => {
    const { slot } = directory.resolve('SR409')!;
    const { MAX_VALUE } = Number;
    const first = { averagePrice: MAX_VALUE, turnover: yuan / 10 };
    book.apply(makeTick({ slot, ...sugar, doubles: first }));
    expect(book.value(slot, Field.turnover)).toBe(yuan);
    // An option's average may be far from its last price; its line has shown what it does.
    const option = directory.resolve('SR409C6200')!.slot;
    const doubles = { averagePrice: MAX_VALUE, turnover: 2000 };
    book.apply(makeTick({ slot: option, volume: 10, lastPrice: 0.5, doubles }));
    expect(book.value(option, Field.turnover)).toBe(20_000);
  });

  it('never touched at other exchanges', () => {
    const doubles = { averagePrice: 3500, turnover: 350_000 };
    expect(after('rb2410', { volume: 100, doubles })(Field.turnover)).toBe(350_000);
  });

  it('held at its highest when it falls by a rounding, and flagged; taken when it falls by more', () => {
    const { slot } = directory.resolve('SR409')!;
    const at = (volume: number, turnover: number): string[] => {
      const doubles = { averagePrice: turnover / volume / 10, turnover };
      expect(book.apply(makeTick({ slot, volume, lastPrice: 6250, doubles }))).toBe(true);
      return namesOfFlags(book.flags(slot));
    };
    at(1000, 62_500_000);
    expect(at(1001, 62_200_000)).toEqual(['falling_turnover']);
    expect(book.value(slot, Field.turnover)).toBe(62_500_000);
    expect(at(1002, 62_625_000)).toEqual([]);
    expect(book.value(slot, Field.turnover)).toBe(62_625_000);
    expect(at(1003, 50_150_000)).toEqual(['falling_turnover']);
    expect(book.value(slot, Field.turnover)).toBe(50_150_000);
  });

  it('held for an option by one step of its average, which is much of a small price', () => {
    const { slot } = directory.resolve('SR409C6200')!;
    const doubles = (turnover: number): { averagePrice: number; turnover: number } => ({
      averagePrice: 1,
      turnover,
    });
    book.apply(makeTick({ slot, volume: 1000, lastPrice: 1, doubles: doubles(10_000) }));
    book.apply(makeTick({ slot, volume: 1001, lastPrice: 1, doubles: doubles(9000) }));
    expect(book.value(slot, Field.turnover)).toBe(10_000);
  });

  it('begins again with the trading day', () => {
    const { slot } = directory.resolve('rb2410')!;
    book.apply(makeTick({ slot, volume: 1000, doubles: { turnover: 1e9 } }));
    const night = { tradingDay: 20240412, updateTime: 75_600, receivedAt: testTimeMs + 11 * 3_600_000 };
    book.apply(makeTick({ slot, ...night, volume: 1, doubles: { turnover: 1e6 } }));
    expect(book.value(slot, Field.turnover)).toBe(1e6);
    expect(namesOfFlags(book.flags(slot))).toEqual([]);
  });
});

describe('CZCE’s settlement price', () => {
  const seconds = (hours: number, minutes: number): number => hours * 3600 + minutes * 60;
  const at = (hours: number, minutes: number): number =>
    testTimeMs + (hours - 10) * 3_600_000 + minutes * 60_000;
  const tick = (
    settlementPrice: number,
    hours: number,
    minutes: number,
    receivedAt?: number,
  ): TickFields => ({
    updateTime: seconds(hours, minutes),
    receivedAt: receivedAt ?? at(hours, minutes),
    doubles: { settlementPrice, preSettlementPrice: 6230 },
  });

  it('is the day before’s in session, and so absent', () => {
    expect(after('SR409', tick(6230, 10, 0))(Field.settlement)).toBeNaN();
    expect(after('SR409', tick(6230, 14, 59))(Field.preSettlement)).toBe(6230);
  });

  it('counts after the close once it is another one', () => {
    const ticks = [tick(6230, 15, 16), tick(6244, 15, 40)];
    expect(after('SR409', ticks[0]!)(Field.settlement)).toBeNaN();
    expect(after('SR409', ticks[1]!)(Field.settlement)).toBe(6244);
  });

  it('counts in the evening even if it is the same', () => {
    expect(after('SR409', tick(6230, 15, 40, at(20, 45)))(Field.settlement)).toBe(6230);
  });

  it('of other exchanges counts whenever it is there', () => {
    expect(after('rb2410', tick(3511, 15, 40))(Field.settlement)).toBe(3511);
  });
});

describe('numbers on the wire', () => {
  it('open interest is an integer', () => {
    after('rb2410', { doubles: { openInterest: 123_456.999_999_9, preOpenInterest: 7.000_000_1 } });
    expect(sent('rb2410').aid).toMatchObject({ open_interest: 123_457, pre_open_interest: 7 });
    expect(sent('rb2410').action).toMatchObject({ open_interest: 123_457, pre_open_interest: 7 });
  });

  it.each([0.005, 0.0005, 101.805, 3_500.2, 0.02, 0.1 + 0.2, 99.995, 1e-7, 123_456_789.000_5])(
    '%d loses no decimal',
    (price) => {
      after('TS2409', { lastPrice: price, doubles: { bidPrice1: price } });
      expect(sent('TS2409').aid).toMatchObject({ last_price: price, bid_price1: price });
      expect(sent('TS2409').action).toMatchObject({ last_price: price, bid_price1: price });
    },
  );
});
