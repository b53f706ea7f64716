import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { liveContracts } from '../../src/market/contracts.js';
import { loadCalendar } from '../../src/market/holidayCalendar.js';
import { ExchangeHours } from '../../src/market/marketHours.js';
import { loadProducts, type Product } from '../../src/market/products.js';
import type { SessionState } from '../../src/market/sessionSchedule.js';
import { SessionStates } from '../../src/market/sessionStates.js';
import { TickFeed, type ModelDay } from '../../src/simulator/tickFeed.js';
import { buildNative } from './nativeClient.js';

// The gateway and the simulated exchange each have the hours of every product. Here they are compared with each other
// over a year with all its holidays, minute by minute where anything changes.

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const from = Date.parse('2026-01-01T12:00:00+08:00');
const to = Date.parse('2026-12-31T12:00:00+08:00');
const calendar = loadCalendar();
const products = loadProducts();
const states = new SessionStates('exchange', calendar);
let feed: TickFeed;

beforeAll(async () => {
  await buildNative();
  feed = new TickFeed({ hours: 'exchange', holidays: calendar.holidays });
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

interface Stretch {
  readonly state: SessionState;
  readonly tradingDay: number;
  readonly from: number;
  readonly to: number;
}

/** What a product does from begin to end of a trading day, breaks and closed times left out. */
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
  const schedules = [...new Set(withFutures.map((product) => states.scheduleOf(product)))];
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
