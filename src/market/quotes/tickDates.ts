import type { Exchange } from '../instruments/products.js';
import { addDays, dayToUtcMs, WeekdayCalendar, type TradingCalendar } from '../calendar/tradingCalendar.js';

/** Part of the day that a time of day is in: it decides how trading day and natural date belong together. */
export type DayPart = 'small_hours' | 'day' | 'evening';

/** One way to read the day fields of a tick. Days are yyyymmdd in Shanghai. */
export interface DateReading {
  readonly natural: number;
  readonly tradingDay: number;
  /** It holds only where it makes the tick one of right now. */
  readonly onlyLive: boolean;
  /** It contradicts the front. */
  readonly repaired: boolean;
}

/** No holiday is longer, so no trading day is farther ahead. */
const farthestAheadDays = 16;
const firstTradingDay = 19900101;
const weekdays = new WeekdayCalendar();

/**
 * What the day fields of a tick may mean, whose exchanges fill them in their own ways:
 *
 *   night of Friday 12th    trading day   action day
 *   SHFE, INE               Monday 15th   Friday 12th, after midnight Saturday 13th
 *   DCE, GFEX               Monday 15th   Monday 15th
 *   CZCE                    Friday 12th   Friday 12th; on some feeds without a trading day
 *   evaluation fronts       Monday 15th   Friday 12th, whatever the exchange
 *
 * So an action day before the trading day is the natural date, and otherwise the natural date follows from the trading
 * day: an evening belongs to the trading day before it, the small hours to the calendar day after that. By day all agree.
 */
export class TickDates {
  readonly #calendar: TradingCalendar;
  readonly #alwaysOpen: boolean;

  /** @param alwaysOpen the market never closes: a trading day lasts from the evening of the one before to its own */
  constructor(calendar: TradingCalendar, alwaysOpen: boolean) {
    this.#calendar = calendar;
    this.#alwaysOpen = alwaysOpen;
  }

  /**
   * The readings, to be tried in their order: the first that does not lie in the future holds. None when no field is
   * usable; undefined when the tick is from a weekend's day on which exchanges do nothing but test their systems.
   * Fields are ≤ 0 where empty or malformed; `today` is the day of the receipt.
   */
  read(
    exchange: Exchange,
    tradingDay: number,
    actionDay: number,
    part: DayPart,
    today: number,
  ): DateReading[] | undefined {
    const trading = this.#isUsable(tradingDay, today) ? tradingDay : 0;
    const action = this.#isUsable(actionDay, today) ? actionDay : 0;
    const either = trading > 0 ? trading : action;
    if (either === 0) return [];
    if (trading > 0 && !weekdays.isTradingDay(trading) && !this.#alwaysOpen) return undefined;
    const isOne = trading === 0 || action === 0 || trading === action;
    // CZCE's fronts give the natural date for both. A day still to come can only be the trading day.
    if (exchange === 'CZCE' && isOne)
      return [...this.#asNatural(either, part), ...this.#asTradingDay(either, part, today)];
    if (trading === 0) {
      const isTradingDay = exchange === 'DCE' || exchange === 'GFEX';
      const ofTradingDay = this.#asTradingDay(action, part, today);
      return isTradingDay ? ofTradingDay : [...this.#asNatural(action, part), ...ofTradingDay];
    }
    const regular = this.#asTradingDay(trading, part, today);
    if (isOne || regular.length === 0) return regular;
    if (action > trading) {
      // No trading day ends before its ticks: one of the two fields was not advanced.
      const live = this.#asNatural(action, part).map((each) => ({ ...each, onlyLive: true, repaired: true }));
      return [...live, ...regular];
    }
    return [...this.#asSeparate(trading, action, part), ...regular];
  }

  /** The last day, `day` or one before it, on which ticks of this part of the day may have been. */
  lastPlausible(day: number, part: DayPart): number {
    let found = day;
    while (!this.#isPlausible(found, part)) found = addDays(found, -1);
    return found;
  }

  /** The trading day of what happens on a natural date; undefined when nothing does. */
  tradingDayOf(natural: number, part: DayPart): number | undefined {
    if (part === 'evening') return this.#calendar.next(natural);
    if (part === 'small_hours') return this.#calendar.next(addDays(natural, -1));
    // A front that sends on a weekday knows better than the calendar whether it is a holiday.
    if (weekdays.isTradingDay(natural)) return natural;
    return this.#alwaysOpen ? this.#calendar.next(natural) : undefined;
  }

  #isUsable(day: number, today: number): boolean {
    return (
      day >= firstTradingDay && day <= addDays(today, farthestAheadDays) && !Number.isNaN(dayToUtcMs(day))
    );
  }

  #asNatural(natural: number, part: DayPart): DateReading[] {
    const tradingDay = this.tradingDayOf(natural, part);
    return tradingDay === undefined ? [] : [reading(natural, tradingDay)];
  }

  #asTradingDay(tradingDay: number, part: DayPart, today: number): DateReading[] {
    if (!weekdays.isTradingDay(tradingDay)) return [];
    const before = this.#calendar.previous(tradingDay);
    const first = part === 'evening' ? before : addDays(before, 1);
    const last = part === 'evening' ? addDays(tradingDay, -1) : tradingDay;
    // Where the market never closes, a trading day may have several such times: the newest is meant while it lasts.
    if (this.#alwaysOpen && today >= before && today <= tradingDay) {
      const readings: DateReading[] = [];
      for (let day = last; day >= first; day = addDays(day, -1)) readings.push(reading(day, tradingDay));
      return readings;
    }
    return [reading(part === 'day' ? tradingDay : first, tradingDay)];
  }

  /** The action day lies before the trading day. */
  #asSeparate(tradingDay: number, actionDay: number, part: DayPart): DateReading[] {
    if (this.#alwaysOpen) {
      const before = this.#calendar.previous(tradingDay);
      const isWithin = part === 'evening' ? actionDay >= before : actionDay > before;
      return isWithin ? [reading(actionDay, tradingDay)] : [];
    }
    // Fronts that run at weekends are right about the present; a front that has gone on to the next trading day still
    // has the last ticks of the day before.
    const live = { ...reading(actionDay, tradingDay), onlyLive: true };
    const isEarlier =
      part === 'day' &&
      this.#isPlausible(actionDay, part) &&
      addDays(actionDay, farthestAheadDays) >= tradingDay;
    return isEarlier ? [live, reading(actionDay, actionDay)] : [live];
  }

  #isPlausible(natural: number, part: DayPart): boolean {
    return (
      this.#alwaysOpen || this.#calendar.isTradingDay(part === 'small_hours' ? addDays(natural, -1) : natural)
    );
  }
}

function reading(natural: number, tradingDay: number): DateReading {
  return { natural, tradingDay, onlyLive: false, repaired: false };
}
