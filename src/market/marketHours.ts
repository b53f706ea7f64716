import { utcMsToDay, WeekdayCalendar, type TradingCalendar } from './tradingCalendar.js';

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

/** Shanghai has had no daylight saving since 1991. */
const shanghaiOffsetMs = 8 * 3_600_000;
const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
/** Last ticks of a session come after its end. */
const lateTicksMs = 3 * minuteMs;
/** Ticks of an auction are there when continuous trading begins. */
const auctionMs = minuteMs;

const at = (hour: number, minute: number): number => (hour * 60 + minute) * minuteMs;

/** Times of day at which ticks of some product pause, and how long its last ones may come after it (exchange rules). */
const pauses = [
  ...[at(8, 59), at(9, 29), at(20, 59)].map((auction) => ({ at: auction, lateMs: auctionMs })),
  ...[at(1, 0), at(2, 30), at(10, 15), at(11, 30), at(15, 0), at(15, 15), at(23, 0)].map((end) => ({
    at: end,
    lateMs: lateTicksMs,
  })),
];
/** After the close come settlement prices, a few at any moment. */
const settlement = [at(15, 0), at(17, 0)] as const;
/** Times of day at which continuous trading of some product begins. */
const openings = [at(9, 0), at(9, 30), at(10, 30), at(13, 0), at(13, 30), at(21, 0)];
/** When any product trades, with auctions and late ticks; the night's end belongs to the next day. */
const openHours = [
  [at(8, 55), at(11, 33)],
  [at(13, 0), at(15, 18)],
] as const;
const nightBegin = at(20, 55);
const nightEnd = at(2, 33);

/** The hours of all exchanges together; a calendar of weekdays knows no holidays. */
export class ExchangeHours implements MarketHours {
  readonly #calendar: TradingCalendar;
  readonly #weekdays = new WeekdayCalendar();

  constructor(calendar: TradingCalendar) {
    this.#calendar = calendar;
  }

  isClosed(timeMs: number): boolean {
    const local = timeMs + shanghaiOffsetMs;
    const timeOfDay = local % dayMs;
    // The night's small hours belong to the evening before.
    if (timeOfDay < nightEnd) return !this.#hasNight(utcMsToDay(local - dayMs));
    if (timeOfDay >= nightBegin) return !this.#hasNight(utcMsToDay(local));
    if (!openHours.some(([from, to]) => timeOfDay >= from && timeOfDay < to)) return true;
    return !this.#calendar.isTradingDay(utcMsToDay(local));
  }

  pausesBetween(fromMs: number, toMs: number): boolean {
    const timeOfDay = (fromMs + shanghaiOffsetMs) % dayMs;
    if (timeOfDay >= settlement[0] && timeOfDay < settlement[1]) return true;
    return pauses.some((pause) => lastOccurrence(pause.at, toMs) > fromMs - pause.lateMs);
  }

  lastOpening(timeMs: number): Opening | undefined {
    const all = openings.map((opening, index) => ({ index, at: lastOccurrence(opening, timeMs) }));
    const last = all.reduce((newest, each) => (each.at > newest.at ? each : newest));
    return this.isClosed(last.at) ? undefined : last;
  }

  /** There is none on the evening before a holiday, be it before a weekend or not. */
  #hasNight(day: number): boolean {
    return this.#calendar.isTradingDay(day) && this.#calendar.isTradingDay(this.#weekdays.next(day));
  }
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
