import { loadProducts, type Product } from '../instruments/products.js';
import { utcMsToDay, WeekdayCalendar, type TradingCalendar } from '../calendar/tradingCalendar.js';
import {
  auctionMinutes,
  sessionHours,
  type SessionHours,
  type SessionMinutes,
} from '../instruments/productHours.js';
import { dayMs, shanghaiOffsetMs } from '../../base/shanghaiTime.js';

/** Whether the market keeps the exchanges' hours or never pauses, as some simulated fronts do not. */
export type TradingHours = 'exchange' | 'always';

/** A beginning of continuous trading. */
export interface Opening {
  /** Which one of the day's, counted from 0. */
  readonly index: number;
  /** ms since the epoch. */
  readonly at: number;
}

/** When ticks may be expected of the market as a whole. Moments are ms since the epoch. */
export interface MarketHours {
  /** True in the hours in which no product trades. */
  isClosed(timeMs: number): boolean;
  /** True when ticks that stopped within the two moments may rightly have stopped. */
  pausesBetween(fromMs: number, toMs: number): boolean;
  /** The last opening, at `timeMs` or before it; undefined where the market never pauses, or did not open then. */
  lastOpening(timeMs: number): Opening | undefined;
}

const minuteMs = 60_000;
/** Last ticks of a session come after its end. */
const lateTicksMs = 3 * minuteMs;
/** Ticks of an auction are there when continuous trading begins. */
const auctionMs = minuteMs;
/** An auction's tick is stamped so long before continuous trading begins. */
const auctionTickMinutes = 1;

/** After the close come settlement prices, a few at any moment of these times of day. */
const settlement = [15 * 60 * minuteMs, 17 * 60 * minuteMs] as const;

/** Times of day, in ms; those of a night may pass 24:00. */
type Stretch = readonly [from: number, to: number];

/** Union of the hours of all products. */
interface CommonHours {
  /** Times of day at which ticks of some product pause, and how long its last ones may come after it. */
  readonly pauses: readonly { readonly at: number; readonly lateMs: number }[];
  /** Times of day at which continuous trading of some product begins, in order. */
  readonly openings: readonly number[];
  /** When any product trades by day, and in the night, with auctions and late ticks. */
  readonly day: readonly Stretch[];
  readonly night: Stretch | undefined;
}

/** The hours of all exchanges together; a calendar of weekdays knows no holidays. */
export class ExchangeHours implements MarketHours {
  readonly #calendar: TradingCalendar;
  readonly #weekdays = new WeekdayCalendar();
  readonly #hours: CommonHours;

  /** `products` are those whose hours count: by default the product table that ships with the package. */
  constructor(calendar: TradingCalendar, products: Iterable<Product> = loadProducts().values()) {
    this.#calendar = calendar;
    this.#hours = commonHours(Array.from(products, (product) => sessionHours(product)));
  }

  isClosed(timeMs: number): boolean {
    const local = timeMs + shanghaiOffsetMs;
    const timeOfDay = local % dayMs;
    const { day, night } = this.#hours;
    // The night's small hours belong to the evening before.
    if (contains(night, timeOfDay + dayMs)) return !this.#hasNight(utcMsToDay(local - dayMs));
    if (contains(night, timeOfDay)) return !this.#hasNight(utcMsToDay(local));
    if (!day.some((stretch) => contains(stretch, timeOfDay))) return true;
    return !this.#calendar.isTradingDay(utcMsToDay(local));
  }

  pausesBetween(fromMs: number, toMs: number): boolean {
    const timeOfDay = (fromMs + shanghaiOffsetMs) % dayMs;
    if (timeOfDay >= settlement[0] && timeOfDay < settlement[1]) return true;
    return this.#hours.pauses.some((pause) => lastOccurrence(pause.at, toMs) > fromMs - pause.lateMs);
  }

  lastOpening(timeMs: number): Opening | undefined {
    const all = this.#hours.openings.map((opening, index) => ({
      index,
      at: lastOccurrence(opening, timeMs),
    }));
    const [last] = all.sort((a, b) => b.at - a.at);
    return last === undefined || this.isClosed(last.at) ? undefined : last;
  }

  /** There is none on the evening before a holiday, be it before a weekend or not. */
  #hasNight(day: number): boolean {
    return this.#calendar.isTradingDay(day) && this.#calendar.isTradingDay(this.#weekdays.next(day));
  }
}

function commonHours(hours: readonly SessionHours[]): CommonHours {
  const days = hours.map(({ day }) => day);
  const nights = hours.flatMap(({ night }) => (night === null ? [] : [[night]]));
  const sessions = [...days, ...nights];
  const auctions = sessions.map(([first]) => (first![0] - auctionTickMinutes) * minuteMs);
  const ends = sessions.flatMap((each) => each.map(([, to]) => (to * minuteMs) % dayMs));
  const openings = sessions.flatMap((each) => each.map(([from]) => from * minuteMs));
  return {
    pauses: [
      ...distinct(auctions).map((at) => ({ at, lateMs: auctionMs })),
      ...distinct(ends).map((at) => ({ at, lateMs: lateTicksMs })),
    ],
    openings: distinct(openings),
    day: union(days.flatMap(stretches)),
    night: union(nights.flatMap(stretches))[0],
  };
}

/** When ticks of a day's sessions, or of a night, may come. */
function stretches(sessions: readonly SessionMinutes[]): Stretch[] {
  return sessions.map(([from, to], index) => [
    (index === 0 ? from - auctionMinutes : from) * minuteMs,
    to * minuteMs + lateTicksMs,
  ]);
}

/** The stretches that together cover the same times, apart from each other and in order. */
function union(parts: readonly Stretch[]): Stretch[] {
  const joined: [number, number][] = [];
  for (const [from, to] of [...parts].sort(([a], [b]) => a - b)) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}

function distinct(times: readonly number[]): number[] {
  return [...new Set(times)].sort((a, b) => a - b);
}

function contains(stretch: Stretch | undefined, time: number): boolean {
  return stretch !== undefined && time >= stretch[0] && time < stretch[1];
}

/** A market without pauses. */
export const alwaysOpen: MarketHours = {
  isClosed: () => false,
  pausesBetween: () => false,
  lastOpening: () => undefined,
};

/** The newest moment, not after `timeMs`, that has this time of day in Shanghai. Both in ms. */
function lastOccurrence(timeOfDayMs: number, timeMs: number): number {
  const local = timeMs + shanghaiOffsetMs;
  const today = local - (local % dayMs) + timeOfDayMs;
  return (today <= local ? today : today - dayMs) - shanghaiOffsetMs;
}
