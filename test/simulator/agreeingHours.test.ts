import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { liveContracts } from '../../src/market/instruments/contracts.js';
import { loadCalendar } from '../../src/market/calendar/holidayCalendar.js';
import { ExchangeHours } from '../../src/market/hours/marketHours.js';
import {
  loadProducts,
  shippedProductRows,
  toProductTable,
  type Product,
} from '../../src/market/instruments/products.js';
import { dayToUtcMs } from '../../src/market/calendar/tradingCalendar.js';
import type { SessionState } from '../../src/market/hours/sessionSchedule.js';
import { SessionStates } from '../../src/market/hours/sessionStates.js';
import { TickFeed, type ModelDay } from '../../src/simulator/tickFeed.js';
import { buildNative } from './nativeClient.js';

// The gateway and the simulated exchange each have the hours of every product. Here they are compared with each other
// over a year with all its holidays, minute by minute where anything changes.

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const from = Date.parse('2026-01-01T12:00:00+08:00');
const to = Date.parse('2026-12-31T12:00:00+08:00');
const calendar = loadCalendar();
/** The built-in table with a product that has every kind of hours that one may be given. */
const products = toProductTable([
  ...shippedProductRows(),
  {
    ...shippedProductRows()[0]!,
    product: 'xy',
    night_close: '05:30',
    day_hours: [
      ['07:00', '07:01'],
      ['07:15', '09:00'],
      ['10:00', '10:30'],
      ['12:00', '12:30'],
      ['13:00', '16:00'],
      ['16:59', '18:00'],
    ],
  },
]);
const states = new SessionStates('exchange', calendar);
let feed: TickFeed;

beforeAll(async () => {
  await buildNative();
  feed = new TickFeed({ hours: 'exchange', holidays: calendar.holidays }, products);
});
afterAll(() => feed.close());

/** Any contract stands for its product. */
const contracts = new Map(
  liveContracts(products, new Date(from), calendar).map((contract) => [contract.product, contract.id]),
);
const withFutures = [...products.values()].filter(({ product }) => contracts.has(product));

function modelDays(product: Product): ModelDay[] {
  const index = feed.add(contracts.get(product.product)!);
  const days: ModelDay[] = [];
  for (let at = from; at < to; at = days.at(-1)!.end) days.push(feed.dayAt(index, at));
  return days;
}

/** Of the contracts of a year, those that end within it. */
const expiring = liveContracts(products, new Date(from), calendar).filter(
  ({ expireDate }) => expireDate < 20261230,
);

describe('the hours of the gateway and of the simulated exchange', () => {
  it('cover all products that have futures', () => {
    expect(withFutures.length).toBeGreaterThan(85);
  });

  it.each(withFutures.map((product) => [product.product, product] as const))(
    'agree for %s on trading days, sessions and auctions',
    (_, product) => {
      const days = modelDays(product);
      expect(days.every(({ day }) => calendar.isTradingDay(day))).toBe(true);
      expect(days.map((day) => stretchesOf(product, day))).toEqual(days.map(stretchesInModel));
    },
  );
});

describe('on the last trading day of a contract', () => {
  const middayOf = (day: number): number => dayToUtcMs(day) + 4 * hourMs;

  let lasting: TickFeed;
  beforeAll(() => {
    lasting = new TickFeed({ hours: 'exchange', holidays: calendar.holidays }, products);
  });
  afterAll(() => lasting.close());

  it('they agree for every contract that ends within a year, and on the days around', () => {
    expect(expiring.length).toBeGreaterThan(500);
    for (const { id, product, expireDate } of expiring) {
      const index = lasting.add(id, expireDate);
      const schedule = states.scheduleOfInstrument(products.get(product), id);
      for (const day of [calendar.previous(expireDate), expireDate, calendar.next(expireDate)]) {
        const { sessions, end } = lasting.dayAt(index, middayOf(day));
        for (const session of sessions)
          expect([id, day, schedule.state(session.start), schedule.state(session.end)]).toEqual([
            id,
            day,
            expect.stringMatching(/^(?:trading|night)$/),
            expect.stringMatching(/^(?:break|closed)$/),
          ]);
        const close = schedule.moment(sessions.at(-1)!.end);
        expect([id, close.state, close.tradingDay]).toEqual([id, 'closed', day]);
        expect(close.until).toBeGreaterThanOrEqual(end);
      }
    }
  });

  it('bonds end at 11:30, and everything else when it always does', () => {
    const early = expiring.filter(({ id, expireDate }) => {
      const index = lasting.add(id, expireDate);
      const last = (day: number): number =>
        lasting.dayAt(index, middayOf(day)).sessions.at(-1)!.end % (24 * hourMs);
      return last(expireDate) !== last(calendar.previous(expireDate));
    });
    expect(new Set(early.map(({ product }) => product))).toEqual(new Set(['TS', 'TF', 'T', 'TL']));
    for (const { id, expireDate } of early)
      expect(
        lasting.dayAt(lasting.add(id, expireDate), middayOf(expireDate)).sessions.map(({ end }) => end),
      ).toEqual([dayToUtcMs(expireDate) + 3.5 * hourMs]);
  });
});

interface Stretch {
  readonly state: SessionState;
  readonly tradingDay: number;
  readonly from: number;
  readonly to: number;
}

/** What a product does from begin to end of a trading day, breaks and closed times skipped. */
function stretchesOf(product: Product, { begin, end }: ModelDay): Stretch[] {
  const found: Stretch[] = [];
  for (let from = begin; from < end;) {
    const { state, tradingDay, until } = states.moment(product, from);
    if (state !== 'closed' && state !== 'break') found.push({ state, tradingDay, from, to: until! });
    from = until!;
  }
  return found;
}

/** The same from the model, whose auctions are told by their one tick, in the last of five minutes. */
function stretchesInModel({ day, auction, sessions }: ModelDay): Stretch[] {
  const auctionEnd = auction + minuteMs;
  const first: Stretch = {
    state: 'auction',
    tradingDay: day,
    from: auctionEnd - 5 * minuteMs,
    to: auctionEnd,
  };
  const isNight = (start: number): boolean => new Date(start + 8 * hourMs).getUTCHours() === 21;
  const trading = sessions.map(({ start, end }): Stretch => {
    return { state: isNight(start) ? 'night' : 'trading', tradingDay: day, from: start, to: end };
  });
  return [first, ...trading];
}

it('the hours of the market as a whole are those in which some product has a session or an auction', () => {
  const hours = new ExchangeHours(calendar);
  const schedules = [...new Set([...loadProducts().values()].map((product) => states.scheduleOf(product)))];
  expect(schedules.length).toBeGreaterThan(5);
  const lateMs = 3 * minuteMs;
  for (let at = from; at < to; at += minuteMs) {
    const open = schedules.some((schedule) =>
      [at, at - lateMs + 1].some((time) => ['auction', 'trading', 'night'].includes(schedule.state(time))),
    );
    if (hours.isClosed(at) === open)
      throw new Error(`${new Date(at).toISOString()}: ${open ? 'open' : 'closed'} by product`);
  }
});
