import { beforeEach, describe, expect, it } from 'vitest';
import { ExchangeClock } from '../../src/market/quotes/exchangeClock.js';
import { loadCalendar } from '../../src/market/calendar/holidayCalendar.js';
import { InstrumentDirectory } from '../../src/market/instruments/instrumentDirectory.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import { QuoteBook } from '../../src/market/quotes/quoteBook.js';
import { Field, fieldCount } from '../../src/market/quotes/quoteFields.js';
import { SessionStates } from '../../src/market/hours/sessionStates.js';
import { namesOfFlags } from '../../src/market/quotes/tickFlags.js';
import { WeekdayCalendar } from '../../src/market/calendar/tradingCalendar.js';
import { makeTick, type TickFields } from './ticks.js';

// Packets that are stamped outside of sessions: exchanges test their systems then. 2026-11-27 is a Friday; 2026-10-01 to
// 2026-10-07 are holidays, and so is the Friday 2026-09-25.

const DBL_MAX = Number.MAX_VALUE;
const calendar = loadCalendar();
const shanghai = (text: string): number => Date.parse(`${text.replace(' ', 'T')}+08:00`);
let directory: InstrumentDirectory;
let book: QuoteBook;

beforeEach(() => {
  const now = (): number => shanghai('2026-09-30 12:00:00');
  directory = new InstrumentDirectory({ products: loadProducts(), maxInstruments: 100, now });
  use('exchange');
});

function use(hours: 'exchange' | 'always'): void {
  const days = hours === 'always' ? new WeekdayCalendar() : calendar;
  book = new QuoteBook(
    directory,
    new ExchangeClock(days, hours === 'always'),
    new SessionStates(hours, days),
  );
}

interface Packet extends TickFields {
  readonly id?: string;
  /** Update time and action day, in Shanghai. */
  readonly at: string;
  /** Trading day; by default that of `at`. */
  readonly day?: number;
}

/** Applies a packet that is received 200 ms after its time; its flags, or why it was skipped. */
function flagsOf({ id = 'rb2701', at, day, ...fields }: Packet): string[] | string {
  const { slot } = directory.resolve(id)!;
  const actionDay = Number(at.slice(0, 10).replaceAll('-', ''));
  const [hours, minutes, seconds] = at.slice(11).split(':').map(Number) as [number, number, number];
  const tick = makeTick({
    slot,
    receivedAt: shanghai(at) + 200,
    actionDay,
    tradingDay: day ?? actionDay,
    updateTime: hours * 3600 + minutes * 60 + seconds,
    ...fields,
  });
  return book.apply(tick) ? namesOfFlags(book.flags(slot)) : book.rejection;
}

const valuesOf = (id: string): Record<string, number> => {
  const { slot } = directory.resolve(id)!;
  return {
    last: book.value(slot, Field.lastPrice),
    volume: book.value(slot, Field.volume),
    day: book.value(slot, Field.tradingDay),
    timestamp: book.value(slot, Field.timestamp),
  };
};

const rowOf = (slot: number): Float64Array => {
  const row = new Float64Array(fieldCount);
  book.copyRow(slot, row, 0);
  return row;
};

const second = (at: string, n: number): string =>
  new Date(shanghai(at) + 8 * 3_600_000 + n * 1000).toISOString().slice(0, 19).replace('T', ' ');

/** 60 packets of a test, a second apart, with a volume of their own. */
function test(id: string, at: string, day: number, volume: number): Set<string> {
  const results = new Set<string>();
  for (let n = 0; n < 60; n++)
    results.add(String(flagsOf({ id, at: second(at, n), day, volume: volume + n, lastPrice: 9999 })));
  return results;
}

describe('a state of a session, and packets of tests', () => {
  const held = { last: 3407, volume: 500_000 };

  it.each([
    ['after the day', 'rb2701', '2026-11-30 14:59:59', 20261130, '2026-11-30 18:05:00', 20261130],
    ['in the small hours', 'au2702', '2026-12-01 02:29:59', 20261201, '2026-12-01 04:00:00', 20261201],
    [
      'on a holiday, for the next day',
      'rb2701',
      '2026-09-30 14:59:59',
      20260930,
      '2026-10-06 10:10:00',
      20261008,
    ],
    ['on a holiday, for itself', 'rb2701', '2026-09-30 14:59:59', 20260930, '2026-10-06 10:10:00', 20261006],
    ['on a single holiday', 'rb2701', '2026-09-24 14:59:59', 20260924, '2026-09-25 10:10:00', 20260928],
    ['on a Saturday, for Monday', 'rb2701', '2026-11-27 22:59:59', 20261130, '2026-11-28 10:10:00', 20261130],
    ['on a Saturday, for itself', 'rb2701', '2026-11-27 22:59:59', 20261130, '2026-11-28 10:10:00', 20261128],
    ['on a Sunday night', 'rb2701', '2026-11-27 22:59:59', 20261130, '2026-11-29 21:10:00', 20261130],
    ['in a break', 'rb2701', '2026-11-30 11:30:00', 20261130, '2026-11-30 12:00:00', 20261130],
    [
      'in a night that the product does not have',
      'si2701',
      '2026-11-30 14:59:59',
      20261130,
      '2026-11-30 21:30:00',
      20261201,
    ],
    [
      'after the close, before prices are published',
      'T2703',
      '2026-11-30 15:14:59',
      20261130,
      '2026-11-30 17:30:00',
      20261130,
    ],
    [
      'while prices are published',
      'rb2701',
      '2026-11-30 14:59:59',
      20261130,
      '2026-11-30 15:40:00',
      20261130,
    ],
    [
      'in a session, for the next trading day',
      'rb2701',
      '2026-11-30 10:00:00',
      20261130,
      '2026-11-30 10:00:05',
      20261201,
    ],
  ])('%s: nothing changes', (_what, id, at, day, testAt, testDay) => {
    flagsOf({ id, at, day, volume: held.volume, lastPrice: held.last });
    const before = { ...valuesOf(id) };
    expect(before).toMatchObject({ ...held, day });
    for (const volume of [100, 600_000])
      for (const result of test(id, testAt, testDay, volume))
        expect(['off_session', 'off_day', 'falling_volume']).toContain(result);
    expect(valuesOf(id)).toEqual(before);
    expect(book.counters).toMatchObject({ accepted: 1, reset: 0 });
  });

  it('Friday’s night stays until Monday, when real ticks come', () => {
    flagsOf({ at: '2026-11-27 22:59:59', day: 20261130, volume: 500_000, lastPrice: 3407 });
    for (const at of [
      '2026-11-28 09:30:00',
      '2026-11-28 21:30:00',
      '2026-11-29 14:00:00',
      '2026-11-30 08:40:00',
    ])
      test('rb2701', at, 20261130, 700_000);
    expect(valuesOf('rb2701')).toMatchObject({ last: 3407, volume: 500_000 });
    expect(flagsOf({ at: '2026-11-30 09:00:00', volume: 500_040, lastPrice: 3411 })).toEqual([]);
    expect(valuesOf('rb2701')).toMatchObject({ last: 3411, volume: 500_040, day: 20261130 });
  });

  it('a restored state is one of its session, unless it was stored outside of one', () => {
    flagsOf({ at: '2026-11-30 14:59:59', volume: 500_000, lastPrice: 3407 });
    const { slot } = directory.resolve('rb2701')!;
    const row = rowOf(slot);
    use('exchange');
    book.restore(slot, row, 0);
    test('rb2701', '2026-11-30 18:05:00', 20261130, 700_000);
    expect(valuesOf('rb2701')).toMatchObject({ last: 3407, volume: 500_000 });
    use('exchange');
    row[Field.timestamp] = shanghai('2026-11-30 18:05:00');
    book.restore(slot, row, 0);
    expect(book.isProvisional(slot)).toBe(true);
  });

  it('packets with quotes alone change nothing either', () => {
    flagsOf({ at: '2026-11-30 14:59:59', volume: 500_000, lastPrice: 3407 });
    const doubles = { turnover: 0, openInterest: 0, averagePrice: 0, bidPrice1: 1, askPrice1: 2 };
    for (const at of ['2026-11-30 18:05:00', '2026-12-01 08:30:00'])
      expect(flagsOf({ at, volume: 0, lastPrice: 0, doubles })).toBe('off_session');
    expect(book.value(0, Field.bidPrice1)).toBe(3499);
  });
});

describe('where there is no state of a session', () => {
  it('the first packet is shown, flagged, is not to be stored, and gives way to any tick of a session', () => {
    const { slot } = directory.resolve('rb2701')!;
    expect(flagsOf({ at: '2026-11-28 10:00:00', day: 20261130, volume: 900_000, lastPrice: 9999 })).toEqual([
      'snapshot',
      'off_session',
    ]);
    expect(book.isProvisional(slot)).toBe(true);
    expect(flagsOf({ at: '2026-11-28 10:00:01', day: 20261130, volume: 900_001, lastPrice: 9998 })).toEqual([
      'off_session',
    ]);
    expect([valuesOf('rb2701')['last'], book.isProvisional(slot)]).toEqual([9998, true]);
    // Friday's last state, which another line has from its front: an earlier day, less volume.
    const friday = { day: 20261130, volume: 500_000, lastPrice: 3407, source: 1 };
    const receivedAt = shanghai('2026-11-28 10:05:00');
    expect(flagsOf({ at: '2026-11-27 22:59:59', ...friday, receivedAt })).toEqual(['snapshot', 'stale']);
    expect([valuesOf('rb2701')['last'], book.isProvisional(slot)]).toEqual([3407, false]);
    test('rb2701', '2026-11-28 10:10:00', 20261130, 900_100);
    expect(valuesOf('rb2701')).toMatchObject({ last: 3407, volume: 500_000 });
  });
});

describe('what comes in good order is taken', () => {
  it.each([
    ['auction of the night', 'rb2701', '2026-11-30 14:59:59', 20261130, '2026-11-30 20:59:00', 20261201],
    [
      'auction of a day without a night',
      'si2701',
      '2026-11-30 14:59:59',
      20261130,
      '2026-12-01 08:56:00',
      20261201,
    ],
    ['auction after a holiday', 'rb2701', '2026-09-30 14:59:59', 20260930, '2026-10-08 08:55:00', 20261008],
    [
      'auction of the equity indexes',
      'IF2612',
      '2026-11-30 14:59:59',
      20261130,
      '2026-12-01 09:29:00',
      20261201,
    ],
    ['night, small hours', 'au2702', '2026-11-30 14:59:59', 20261130, '2026-12-01 01:00:00', 20261201],
    [
      'Friday’s night, on Saturday',
      'au2702',
      '2026-11-27 14:59:59',
      20261127,
      '2026-11-28 01:00:00',
      20261130,
    ],
  ])('%s', (_what, id, at, day, nextAt, nextDay) => {
    flagsOf({ id, at, day, volume: 500_000 });
    expect(flagsOf({ id, at: nextAt, day: nextDay, volume: 3, lastPrice: 3500 })).toEqual([]);
    expect(valuesOf(id)).toMatchObject({ volume: 3, day: nextDay });
  });

  it('prices that are published after the close, with the book emptied, and the close that a line missed', () => {
    flagsOf({ at: '2026-11-30 14:30:00', volume: 500_000, lastPrice: 3407 });
    const integers = { bidVolume1: 0, askVolume1: 0 };
    const closed = { volume: 500_000, lastPrice: 3407, integers };
    expect(flagsOf({ at: '2026-11-30 15:00:02', ...closed })).toEqual([]);
    expect(flagsOf({ at: '2026-11-30 15:16:00', ...closed, doubles: { closePrice: 3407 } })).toEqual([]);
    const last = { volume: 510_000, lastPrice: 3410, integers };
    const doubles = { closePrice: 3410, settlementPrice: 3405 };
    expect(flagsOf({ at: '2026-11-30 15:33:00', ...last, doubles })).toEqual([]);
    expect(valuesOf('rb2701')).toMatchObject({ volume: 510_000, last: 3410 });
    expect(book.value(0, Field.settlement)).toBe(3405);
    // Another connection, whose front has the last state only.
    expect(
      flagsOf({ at: '2026-11-30 15:40:00', ...last, volume: 510_001, lastPrice: 3411, source: 1 }),
    ).toEqual(['snapshot', 'partial']);
  });

  it('a settlement price that is published after 17:00 joins the state of the day, once', () => {
    flagsOf({ at: '2026-11-30 14:59:59', volume: 500_000, lastPrice: 3407 });
    const before = valuesOf('rb2701');
    const late = {
      volume: 500_000,
      lastPrice: 3407,
      doubles: { settlementPrice: 3405, bidPrice1: 1, askPrice1: 2 },
    };
    expect(flagsOf({ at: '2026-11-30 17:40:00', ...late })).toEqual(['off_session']);
    expect([book.value(0, Field.settlement), book.value(0, Field.bidPrice1)]).toEqual([3405, 3499]);
    expect(valuesOf('rb2701')).toEqual(before);
    expect(book.isProvisional(0)).toBe(false);
    const other = { ...late, doubles: { settlementPrice: 9999 } };
    expect(flagsOf({ at: '2026-11-30 17:50:00', ...other })).toBe('off_session');
    expect(book.value(0, Field.settlement)).toBe(3405);
  });

  it('everything, where the market never closes', () => {
    use('always');
    flagsOf({ at: '2026-11-30 14:59:59', volume: 500_000 });
    expect(flagsOf({ at: '2026-11-30 18:05:00', volume: 500_001 })).toEqual([]);
    expect(flagsOf({ at: '2026-11-28 10:00:00', id: 'au2702', day: 20261130 })).toEqual(['snapshot']);
    // Such a market may begin its day again.
    for (let n = 0; n < 20; n++) flagsOf({ at: second('2026-11-30 18:06:00', n), volume: 10 + n });
    expect([book.counters.reset, valuesOf('rb2701')['volume']]).toEqual([1, 29]);
  });

  it('hours that a product has by its own row', () => {
    const rb = loadProducts().get('rb')!;
    const products = new Map(loadProducts()).set('rb', { ...rb, nightClose: '02:30' });
    directory = new InstrumentDirectory({
      products,
      maxInstruments: 10,
      now: () => shanghai('2026-11-30 12:00:00'),
    });
    use('exchange');
    flagsOf({ at: '2026-11-30 14:59:59', volume: 500_000 });
    expect(flagsOf({ at: '2026-12-01 01:30:00', volume: 40 })).toEqual([]);
  });

  it('a session’s ticks that prove the state wrong; those from after the close do not', () => {
    flagsOf({ at: '2026-11-30 14:59:00', volume: 2_000_000_000 });
    for (let n = 0; n < 60; n++) flagsOf({ at: second('2026-11-30 15:10:00', n), volume: 100 + n });
    expect(book.counters.reset).toBe(0);
    for (let n = 0; n < 25; n++) flagsOf({ at: second('2026-11-30 14:59:20', n), volume: 100 + n });
    expect(book.counters.reset).toBe(1);
    expect(valuesOf('rb2701')['volume']).toBe(124);
  });

  it('a first packet of a day before its open, without a price', () => {
    flagsOf({ at: '2026-11-30 14:59:59', volume: 500_000 });
    const doubles = {
      turnover: 0,
      upperLimitPrice: 3700,
      lowerLimitPrice: 3300,
      preSettlementPrice: 3500,
      openInterest: 7,
    };
    const first = { volume: 0, lastPrice: DBL_MAX, doubles, integers: { bidVolume1: 0, askVolume1: 0 } };
    expect(flagsOf({ at: '2026-11-30 20:55:00', day: 20261201, ...first })).toEqual([]);
    expect(valuesOf('rb2701')).toMatchObject({ volume: 0, day: 20261201, last: NaN });
  });
});
