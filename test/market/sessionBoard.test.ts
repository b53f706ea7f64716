import { beforeEach, describe, expect, it } from 'vitest';
import { ExchangeClock } from '../../src/market/quotes/exchangeClock.js';
import { loadCalendar } from '../../src/market/calendar/holidayCalendar.js';
import { InstrumentDirectory } from '../../src/market/instruments/instrumentDirectory.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import { QuoteBook } from '../../src/market/quotes/quoteBook.js';
import { SessionBoard } from '../../src/market/sessions/sessionBoard.js';
import { WeekdayCalendar } from '../../src/market/calendar/tradingCalendar.js';
import { makeTick } from './ticks.js';

// 2026-11-24 is a Tuesday.
const shanghai = (text: string): number => Date.parse(`2026-11-${text}+08:00`);
const products = loadProducts();

let directory: InstrumentDirectory;
let book: QuoteBook;
let board: SessionBoard;
let subscribed: Set<number>;

beforeEach(() => {
  directory = new InstrumentDirectory({ products, maxInstruments: 1000 });
  book = new QuoteBook(directory, new ExchangeClock(new WeekdayCalendar()));
  subscribed = new Set();
  board = new SessionBoard('exchange', loadCalendar(), {
    products,
    bySlot: (slot) => directory.bySlot(slot),
    subscribed: () => subscribed,
    book,
  });
});

function subscribe(id: string): number {
  const { slot } = directory.resolve(id)!;
  subscribed.add(slot);
  return slot;
}

/** Each slot's tick of a second, where it has one. */
function second(wall: number, slots: readonly number[]): void {
  const timeOfDay = Math.floor(((wall + 8 * 3_600_000) % 86_400_000) / 1000);
  for (const slot of slots)
    book.apply(
      makeTick({
        slot,
        volume: timeOfDay,
        tradingDay: 20261124,
        actionDay: 20261124,
        updateTime: timeOfDay,
        receivedAt: wall,
      }),
    );
  board.sample(wall, wall);
}

const only = (product: string, wall: number) => board.report({ product }, wall).products[0]!;

describe('a report', () => {
  it('has every product with its state and what follows', () => {
    const report = board.report({}, shanghai('24T10:20:00'));
    expect(report.time).toBe('2026-11-24T10:20:00+08:00');
    expect([report.trading_hours, report.stale]).toEqual(['exchange', 0]);
    expect(report.products.map(({ product }) => product)).toEqual([...products.keys()]);
    expect(report.products.find(({ product }) => product === 'rb')).toEqual({
      exchange: 'SHFE',
      product: 'rb',
      state: 'break',
      since: '2026-11-24T10:15:00+08:00',
      until: '2026-11-24T10:30:00+08:00',
      next: 'trading',
      trading_day: '20261124',
      instruments: 0,
      last_tick: null,
      stale: 0,
      stale_instruments: [],
    });
    expect(only('IF', shanghai('24T10:20:00')).state).toBe('trading');
  });

  it('can be of an exchange or of a product', () => {
    const ine = board.report({ exchange: 'INE' }, shanghai('24T10:20:00'));
    expect(new Set(ine.products.map(({ exchange }) => exchange))).toEqual(new Set(['INE']));
    expect(ine.products).toHaveLength(5);
    expect(board.report({ product: 'T' }, shanghai('24T10:20:00')).products).toHaveLength(1);
  });

  it('names what should be ticking and is not, the longest silent first', () => {
    const [busy, dies, diesFirst] = ['rb2701', 'rb2703', 'rb2705'].map(subscribe) as [number, number, number];
    const other = subscribe('hc2701');
    const from = shanghai('24T09:00:00');
    for (let wall = from; wall <= from + 300_000; wall += 1000) {
      const seconds = (wall - from) / 1000;
      second(wall, [busy, other, ...(seconds <= 100 ? [dies] : []), ...(seconds <= 60 ? [diesFirst] : [])]);
    }
    const wall = from + 300_000;
    expect(board.stale).toBe(2);
    expect(only('rb', wall)).toMatchObject({
      state: 'trading',
      instruments: 3,
      last_tick: '2026-11-24T09:05:00+08:00',
      stale: 2,
      stale_instruments: [
        { instrument: 'SHFE.rb2705', last_tick: '2026-11-24T09:01:00+08:00', silent_s: 240 },
        { instrument: 'SHFE.rb2703', last_tick: '2026-11-24T09:01:40+08:00', silent_s: 200 },
      ],
    });
    expect(only('hc', wall)).toMatchObject({ instruments: 1, stale: 0, stale_instruments: [] });
    expect(board.report({ exchange: 'DCE' }, wall).stale).toBe(0);
  });

  it('has every product trading where the market never closes, and forgets pauses when hours change', () => {
    const slot = subscribe('rb2701');
    const from = shanghai('24T09:00:00');
    for (let wall = from; wall <= from + 60_000; wall += 1000) second(wall, [slot]);
    board.configure('always', new WeekdayCalendar());
    const sunday = shanghai('29T12:00:00');
    for (let wall = sunday; wall <= sunday + 60_000; wall += 1000) second(wall, []);
    const report = board.report({}, sunday);
    expect(report.trading_hours).toBe('always');
    expect(new Set(report.products.map(({ state }) => state))).toEqual(new Set(['trading']));
    expect(report.products[0]).toMatchObject({
      since: null,
      until: null,
      next: null,
      trading_day: '20261130',
    });
    expect(report.stale).toBe(0);
  });
});
