import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { ExchangeClock } from '../../src/market/quotes/exchangeClock.js';
import { loadCalendar } from '../../src/market/calendar/holidayCalendar.js';
import { InstrumentDirectory } from '../../src/market/instruments/instrumentDirectory.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import { QuoteBook } from '../../src/market/quotes/quoteBook.js';
import { longestFrame, QuoteEncoder } from '../../src/server/socket/quoteEncoder.js';
import { Field, fieldCount, fieldIndex, quoteFields } from '../../src/market/quotes/quoteFields.js';
import { SessionStates } from '../../src/market/hours/sessionStates.js';
import { namesOfFlags } from '../../src/market/quotes/tickFlags.js';
import { doubleWord } from '../../src/ring/tickRecord.js';
import { makeTick, type TickFields } from './ticks.js';

// Packets that lack fields: old and cascaded fronts have 0, DBL_MAX or an empty text in their place.

const DBL_MAX = Number.MAX_VALUE;
const calendar = loadCalendar();
const at = (text: string): number => Date.parse(`${text.replace(' ', 'T')}+08:00`);
/** 14:32:58 of a Tuesday. */
const goodMs = at('2018-12-25 14:32:58');

let directory: InstrumentDirectory;
let book: QuoteBook;

beforeEach(() => {
  directory = new InstrumentDirectory({ products: loadProducts(), maxInstruments: 100, now: () => goodMs });
  book = bookOf();
});

function bookOf(): QuoteBook {
  return new QuoteBook(directory, new ExchangeClock(calendar), new SessionStates('exchange', calendar));
}

const slotOf = (id: string): number => directory.resolve(id)!.slot;

const prices = {
  openPrice: 3390,
  highestPrice: 3420,
  lowestPrice: 3380,
  upperLimitPrice: 3640,
  lowerLimitPrice: 3160,
  preSettlementPrice: 3400,
  preClosePrice: 3399,
  preOpenInterest: 2_000_000,
  turnover: 1e11,
  openInterest: 2_100_000,
  averagePrice: 34_000,
};

/** A tick of everything, `ms` after the good one. */
function full(ms = 0, fields: TickFields = {}): TickFields {
  const time = goodMs + ms;
  const ofDay = time + 8 * 3_600_000;
  const day = Number(new Date(ofDay).toISOString().slice(0, 10).replaceAll('-', ''));
  return {
    receivedAt: time + 100,
    tradingDay: day,
    actionDay: day,
    updateTime: Math.floor((ofDay % 86_400_000) / 1000),
    millisec: ofDay % 1000,
    volume: 3_000_000,
    lastPrice: 3407,
    ...fields,
    doubles: { ...prices, bidPrice1: 3406, askPrice1: 3407, ...fields.doubles },
    integers: { bidVolume1: 10, askVolume1: 20, ...fields.integers },
  };
}

const allAbsent = (mark: number): Record<string, number> =>
  Object.fromEntries(Object.keys(doubleWord).map((name) => [name, mark]));

/** A packet with quotes alone. */
function quotes(ms: number, bid: number, mark = 0, fields: TickFields = {}): TickFields {
  return {
    ...full(ms),
    tradingDay: 0,
    volume: 0,
    lastPrice: mark,
    ...fields,
    doubles: { ...allAbsent(mark), bidPrice1: bid, askPrice1: bid + 2, ...fields.doubles },
    integers: { bidVolume1: 216, askVolume1: 525, ...fields.integers },
  };
}

/** Applies a tick; its flags, or why it was skipped. */
function flagsOf(id: string, fields: TickFields): string[] | string {
  const slot = slotOf(id);
  return book.apply(makeTick({ slot, ...fields })) ? namesOfFlags(book.flags(slot)) : book.rejection;
}

const rowOf = (slot: number, of = book): Float64Array => {
  const row = new Float64Array(fieldCount);
  of.copyRow(slot, row, 0);
  return row;
};

/** Values by name, but for the absent. */
function known(id: string, of = book): Record<string, number> {
  const row = rowOf(slotOf(id), of);
  return Object.fromEntries(
    quoteFields.flatMap(({ name }, field) => (Number.isNaN(row[field]!) ? [] : [[name, row[field]!]])),
  );
}

describe('packets with quotes alone, after a whole tick', () => {
  it.each([0, DBL_MAX])(
    '%d for all else: the book follows, all else stays, however many there are',
    (mark) => {
      flagsOf('rb1909', full());
      const before = known('rb1909');
      for (let n = 0; n < 60; n++) {
        const ms = 500 * (n + 1);
        expect(flagsOf('rb1909', quotes(ms, 3400 + (n % 5), mark))).toEqual(['partial']);
        expect(known('rb1909')).toEqual({
          ...before,
          timestamp: goodMs + ms,
          bid_price1: 3400 + (n % 5),
          bid_volume1: 216,
          ask_price1: 3402 + (n % 5),
          ask_volume1: 525,
        });
      }
      expect(book.counters).toMatchObject({ accepted: 61, falling_volume: 0, reset: 0 });
      const later = full(31_000, { volume: 3_000_500, lastPrice: 3411 });
      expect(flagsOf('rb1909', later)).toEqual([]);
      expect(known('rb1909')).toMatchObject({ last_price: 3411, volume: 3_000_500, bid_price1: 3406 });
    },
  );

  it('an option with few trades', () => {
    const option = 'm1905-C-3000';
    const doubles = { upperLimitPrice: DBL_MAX, lowerLimitPrice: 0 };
    flagsOf(option, full(0, { volume: 12, lastPrice: 70, doubles }));
    for (let n = 1; n <= 60; n++) flagsOf(option, quotes(500 * n, 68 + (n % 3)));
    expect(known(option)).toMatchObject({ last_price: 70, volume: 12, open_interest: 2_100_000 });
  });

  it('a side of the book without volume is empty', () => {
    flagsOf('rb1909', full());
    flagsOf('rb1909', quotes(500, 3404, 0, { integers: { askVolume1: 0 } }));
    expect(known('rb1909')).toMatchObject({ last_price: 3407, bid_price1: 3404, ask_volume1: 0 });
    expect(known('rb1909')).not.toHaveProperty('ask_price1');
  });

  it('one that has nothing at all, one without a time and one that is late change nothing', () => {
    flagsOf('rb1909', full());
    flagsOf('rb1909', quotes(1000, 3404));
    const before = known('rb1909');
    const integers = { bidVolume1: 0, askVolume1: 0 };
    expect(flagsOf('rb1909', quotes(1500, 0, 0, { integers }))).toBe('garbage');
    expect(flagsOf('rb1909', quotes(2000, 3400, 0, { updateTime: -1 }))).toBe('untimed');
    expect(flagsOf('rb1909', quotes(500, 3400))).toBe('regressed');
    expect(flagsOf('rb1909', quotes(1000, 3404))).toBe('duplicate');
    expect(known('rb1909')).toEqual(before);
  });

  it('a spread keeps its price below 0, and 0 stays a price of its book', () => {
    const spread = 'SP m1905&m1909';
    flagsOf(spread, full(0, { volume: 5, lastPrice: -5, doubles: { upperLimitPrice: 0 } }));
    expect(known(spread)).toMatchObject({ last_price: -5, upper_limit_price: 0 });
    flagsOf(spread, quotes(500, 0));
    expect(known(spread)).toMatchObject({ last_price: -5, volume: 5, bid_price1: 0, ask_price1: 2 });
    flagsOf(spread, full(1000, { volume: 6, lastPrice: 0 }));
    expect(known(spread)).toMatchObject({ last_price: 0, volume: 6 });
  });
});

describe('packets that lack some of their fields', () => {
  const lacking: [what: string, fields: TickFields, stays: Record<string, number>][] = [
    [
      'the limits',
      { doubles: { upperLimitPrice: 0, lowerLimitPrice: DBL_MAX } },
      { upper_limit_price: 3640, lower_limit_price: 3160 },
    ],
    ['the open interest', { doubles: { openInterest: 0 } }, { open_interest: 2_100_000 }],
    ['the open interest, as DBL_MAX', { doubles: { openInterest: DBL_MAX } }, { open_interest: 2_100_000 }],
    ['the turnover', { doubles: { turnover: 0 } }, { turnover: 1e11 }],
    [
      'the prices of the day before',
      { doubles: { preSettlementPrice: 0, preClosePrice: 0, preOpenInterest: 0 } },
      { pre_settlement: 3400, pre_close: 3399, pre_open_interest: 2_000_000 },
    ],
    [
      'the day’s open, high and low',
      { doubles: { openPrice: 0, highestPrice: 0, lowestPrice: DBL_MAX } },
      { open_price: 3390, highest_price: 3420, lowest_price: 3380 },
    ],
    ['the trading day', { tradingDay: 0 }, { trading_day: 20181225 }],
  ];

  it.each(lacking)('%s: what it has is taken, the rest stays', (_what, { doubles, ...fields }, stays) => {
    flagsOf('rb1909', full());
    for (let n = 1; n <= 40; n++) {
      const tick = {
        ...full(500 * n, { volume: 3_000_000 + n, lastPrice: 3400 + n, doubles: doubles ?? {} }),
        ...fields,
      };
      expect(flagsOf('rb1909', tick)).toEqual('tradingDay' in fields ? [] : ['partial']);
      expect(known('rb1909')).toMatchObject({ ...stays, volume: 3_000_000 + n, last_price: 3400 + n });
    }
  });

  it.each([
    ['a last price', {}],
    ['a last price, but no totals', { turnover: 0, openPrice: 0, highestPrice: 0, lowestPrice: 0 }],
    [
      'no price of a trade, but limits',
      { lastPrice: DBL_MAX, turnover: 0, openPrice: 0, highestPrice: 0, lowestPrice: 0 },
    ],
  ])('the volume, with %s: it stays however often it is missing', (_what, doubles) => {
    flagsOf('rb1909', full());
    const last = 'lastPrice' in doubles ? 3407 : 3410;
    for (let n = 1; n <= 60; n++) {
      const tick = full(500 * n, { volume: 0, lastPrice: 3410, doubles });
      expect(flagsOf('rb1909', tick)).toEqual(['partial']);
    }
    expect(known('rb1909')).toMatchObject({ volume: 3_000_000, turnover: 1e11, last_price: last });
    expect(book.counters.reset).toBe(0);
  });

  it('an open interest of 0 is one where so much was traded that it may be, or after the close', () => {
    flagsOf('rb1909', full(0, { volume: 50, doubles: { openInterest: 4 } }));
    flagsOf('rb1909', full(500, { volume: 51, doubles: { openInterest: 0 } }));
    expect(known('rb1909')).toMatchObject({ open_interest: 4, volume: 51 });
    flagsOf('rb1909', full(1000, { volume: 53, doubles: { openInterest: 0 } }));
    expect(known('rb1909')).toMatchObject({ open_interest: 0 });
    flagsOf('m1905', full(0, { volume: 50, doubles: { openInterest: 4 } }));
    flagsOf('m1905', full(3_600_000, { volume: 50, doubles: { openInterest: 0 } }));
    expect(known('m1905')).toMatchObject({ open_interest: 0 });
  });

  it('count for nothing among ticks that contradict the state, and hold those up no longer', () => {
    flagsOf('rb1909', full(0, { volume: 2_000_000_000 }));
    let taken = 0;
    for (let n = 1; n <= 40; n++) {
      flagsOf('rb1909', quotes(10_000 + 1000 * n - 500, 3400 + (n % 2)));
      const whole = flagsOf('rb1909', full(20_000 + 1000 * n, { volume: 100 + n }));
      if (Array.isArray(whole)) taken++;
    }
    expect(taken).toBeGreaterThan(0);
    expect(book.counters.reset).toBe(1);
    expect(known('rb1909')['volume']).toBe(140);
  });

  it('a volume of 0 contradicts a state that shows no trade but in its volume', () => {
    const doubles = { turnover: 0, openPrice: 0, highestPrice: 0, lowestPrice: 0, averagePrice: 0 };
    const untraded = (ms: number, volume: number): TickFields =>
      full(ms, { volume, lastPrice: DBL_MAX, doubles });
    flagsOf('rb1909', untraded(0, 2_000_000_000));
    for (let n = 1; n <= 60; n++) flagsOf('rb1909', untraded(1000 * n, 0));
    expect(book.counters.reset).toBe(1);
    expect(known('rb1909')['volume']).toBe(0);
  });
});

describe('the beginning of a trading day', () => {
  const night = at('2018-12-25 20:59:00') - goodMs;
  const first = (fields: TickFields = {}): TickFields => ({
    ...full(night, {
      volume: 0,
      lastPrice: DBL_MAX,
      ...fields,
      doubles: {
        openPrice: DBL_MAX,
        highestPrice: DBL_MAX,
        lowestPrice: DBL_MAX,
        turnover: 0,
        averagePrice: 0,
        ...fields.doubles,
      },
    }),
    tradingDay: 20181226,
    actionDay: 20181225,
  });

  it('a first packet without a trade is believed: volume 0, no last price, its own limits', () => {
    flagsOf('rb1909', full());
    const doubles = { upperLimitPrice: 3700, preSettlementPrice: 3405, openInterest: 2_100_500 };
    expect(flagsOf('rb1909', first({ doubles }))).toEqual([]);
    const after = known('rb1909');
    expect(after).toMatchObject({
      trading_day: 20181226,
      volume: 0,
      upper_limit_price: 3700,
      pre_settlement: 3405,
      open_interest: 2_100_500,
    });
    expect(after).not.toHaveProperty('last_price');
  });

  it('after quotes alone nothing but those is known of the day, and a whole tick adds the rest', () => {
    flagsOf('rb1909', full());
    expect(flagsOf('rb1909', quotes(night, 3404))).toEqual(['partial']);
    expect(known('rb1909')).toMatchObject({ trading_day: 20181226, bid_price1: 3404 });
    for (const name of ['volume', 'last_price', 'open_interest', 'upper_limit_price', 'turnover'])
      expect(known('rb1909')).not.toHaveProperty(name);
    // Another line, a little behind.
    expect(flagsOf('rb1909', { ...first(), millisec: 0, source: 1 })).toEqual(['snapshot', 'partial']);
    expect(known('rb1909')).toMatchObject({ volume: 0, open_interest: 2_100_000, bid_price1: 3404 });
  });

  it('a day that followed from quotes alone gives way to the one that a whole tick states', () => {
    flagsOf('rb1909', full());
    // The calendar does not know that there is trading on the next day.
    const wrong = quotes(night, 3404, 0, { tradingDay: 20181227 });
    book = new QuoteBook(directory, new ExchangeClock(calendar));
    flagsOf('rb1909', wrong);
    expect(known('rb1909')['trading_day']).toBe(20181227);
    expect(flagsOf('rb1909', { ...first({ volume: 3 }), millisec: 500 })).toEqual([]);
    expect(known('rb1909')).toMatchObject({ trading_day: 20181226, volume: 3 });
  });
});

describe('packets with quotes alone, before any other', () => {
  it('what they lack is absent, not 0, for clients of both protocols', () => {
    expect(flagsOf('rb1909', quotes(0, 3404))).toEqual(['snapshot', 'partial']);
    expect(known('rb1909')).toEqual({
      bid_price1: 3404,
      bid_volume1: 216,
      ask_price1: 3406,
      ask_volume1: 525,
      ...Object.fromEntries(
        [2, 3, 4, 5].flatMap((level) => [
          [`bid_volume${level}`, 0],
          [`ask_volume${level}`, 0],
        ]),
      ),
      timestamp: goodMs,
      trading_day: 20181225,
    });
    const encoder = new QuoteEncoder(book, directory);
    const memory = Buffer.alloc(longestFrame);
    const end = encoder.actionFrame(memory, 0, slotOf('rb1909'), 0, null);
    const { data } = JSON.parse(memory.toString('latin1', 0, end)) as { data: Record<string, unknown> };
    expect(data).toMatchObject({ volume: null, turnover: null, open_interest: null, last_price: null });
    const aid = JSON.parse(`{${encoder.aidQuote(slotOf('rb1909'), 0, 0)}}`) as Record<string, object>;
    expect(aid['rb1909']).toMatchObject({ volume: '-', amount: '-', open_interest: '-', bid_price1: 3404 });
  });

  it('follow each other, and a whole tick adds the rest', () => {
    for (let n = 0; n < 30; n++) flagsOf('rb1909', quotes(500 * n, 3400 + n));
    expect(known('rb1909')['bid_price1']).toBe(3429);
    expect(flagsOf('rb1909', full(15_000))).toEqual([]);
    expect(known('rb1909')).toMatchObject({ volume: 3_000_000, last_price: 3407, bid_price1: 3406 });
  });

  it('on a state from storage: the book follows, and what is unconfirmed stays stale', () => {
    const other = bookOf();
    const slot = slotOf('rb1909');
    other.apply(makeTick({ slot, ...full() }));
    book.restore(slot, rowOf(slot, other), 0);
    expect(flagsOf('rb1909', quotes(500, 3404))).toEqual(['snapshot', 'stale', 'partial']);
    expect(known('rb1909')).toMatchObject({ last_price: 3407, volume: 3_000_000, bid_price1: 3404 });
    // As before, a live whole tick is right whatever its volume.
    expect(flagsOf('rb1909', full(1000, { volume: 200 }))).toEqual(['falling_volume']);
    expect(known('rb1909')['volume']).toBe(200);
  });
});

describe('what was known of a day stays known', () => {
  const doubleNames = Object.keys(prices) as (keyof typeof prices)[];

  it('whatever fields packets lack', () => {
    const packet = fc.record({
      lacks: fc.subarray([...doubleNames, 'lastPrice', 'volume', 'tradingDay'] as const),
      mark: fc.constantFrom(0, DBL_MAX),
      traded: fc.integer({ min: 0, max: 3 }),
      bid: fc.integer({ min: 3300, max: 3500 }),
    });
    fc.assert(
      fc.property(fc.array(packet, { minLength: 1, maxLength: 60 }), (packets) => {
        book = bookOf();
        flagsOf('rb1909', full());
        let volume = 3_000_000;
        packets.forEach(({ lacks, mark, traded, bid }, n) => {
          volume += traded;
          const before = known('rb1909');
          const doubles: Record<string, number> = { bidPrice1: bid, askPrice1: bid + 1 };
          for (const name of lacks) if (name !== 'volume' && name !== 'tradingDay') doubles[name] = mark;
          flagsOf('rb1909', {
            ...full(500 * (n + 1), { volume: lacks.includes('volume') ? 0 : volume, doubles }),
            ...(lacks.includes('tradingDay') ? { tradingDay: 0 } : {}),
          });
          const after = known('rb1909');
          for (const [name, value] of Object.entries(before)) {
            expect(after, name).toHaveProperty(name);
            if (value !== 0 && !name.startsWith('bid') && !name.startsWith('ask'))
              expect(after[name], name).not.toBe(0);
          }
          expect(after['bid_price1']).toBe(bid);
          expect(after['timestamp']).toBe(goodMs + 500 * (n + 1));
          expect(after['volume']).toBeLessThanOrEqual(volume);
        });
        expect(book.counters.reset).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a line that lacks fields beside one that has them', () => {
  interface State {
    readonly ms: number;
    readonly volume: number;
    readonly n: number;
  }

  const stream: fc.Arbitrary<State[]> = fc
    .array(fc.record({ steps: fc.constantFrom(0, 1, 1, 2), lots: fc.constantFrom(0, 0, 3) }), {
      minLength: 1,
      maxLength: 25,
    })
    .map((all) => {
      let ms = 0;
      let volume = 100;
      return all.map(({ steps, lots }, n) => {
        ms += 500 * steps;
        volume += lots;
        return { ms, volume, n };
      });
    });

  const whole = ({ ms, volume, n }: State): TickFields =>
    full(ms, { source: 0, volume, lastPrice: 3000 + volume, doubles: { bidPrice1: 3300 + n } });
  const bare = ({ ms, n }: State): TickFields => quotes(ms, 3300 + n, 0, { source: 1 });
  const bookless = fieldIndex('bid_price1');

  const interleaved = stream.chain((states) =>
    fc.tuple(fc.constant(states), fc.array(fc.boolean(), { minLength: 60, maxLength: 60 })),
  );

  it('time and volume never step back, and all end with the newest of both, whatever the lines’ delays', () => {
    fc.assert(
      fc.property(interleaved, ([states, turns]) => {
        book = bookOf();
        const next = [0, 0];
        let time = 0;
        let volume = 0;
        const send = (line: 0 | 1): void => {
          const state = states[next[line]!++];
          if (state === undefined) return;
          flagsOf('rb1909', line === 0 ? { ...whole(state) } : bare(state));
          const now = known('rb1909');
          expect(now['timestamp']).toBeGreaterThanOrEqual(time);
          expect(now['volume'] ?? 0).toBeGreaterThanOrEqual(volume);
          // Trades are told by the one line alone, all at once.
          if (now['volume'] !== undefined) expect(now['last_price']).toBe(3000 + now['volume']);
          time = now['timestamp']!;
          volume = now['volume'] ?? 0;
        };
        for (const turn of turns) send(turn ? 0 : 1);
        while (next[0]! < states.length) send(0);
        while (next[1]! < states.length) send(1);
        const end = states.at(-1)!;
        const row = rowOf(slotOf('rb1909'));
        expect(row[Field.volume]).toBe(end.volume);
        expect(row[Field.timestamp]).toBe(goodMs + end.ms);
        expect(row[Field.upperLimitPrice]).toBe(3640);
        expect(row[bookless]).toBe(3300 + end.n);
      }),
      { numRuns: 500 },
    );
  });

  it('what only the other line tells is added to the newer book', () => {
    const state = { ms: 0, volume: 100, n: 0 };
    flagsOf('rb1909', whole(state));
    flagsOf('rb1909', bare({ ...state, ms: 1000, n: 2 }));
    expect(flagsOf('rb1909', whole({ ms: 500, volume: 103, n: 1 }))).toEqual(['partial']);
    expect(known('rb1909')).toMatchObject({
      volume: 103,
      last_price: 3103,
      timestamp: goodMs + 1000,
      bid_price1: 3302,
    });
    expect(flagsOf('rb1909', whole({ ms: 500, volume: 103, n: 1 }))).toBe('regressed');
  });
});
