import type { Exchange } from './products.js';
import { addDays, dayToUtcMs, utcMsToDay, type TradingCalendar } from './tradingCalendar.js';

/** China has had no daylight saving time since 1991; the host's time zone is never used. */
const shanghaiOffsetMs = 8 * 3_600_000;
/** A tick whose time is this near to its receipt is live. */
const liveWindowMs = 60_000;
/** A tick that is ahead by no more than this comes from a host whose clock is slow, not from another day. */
const hostClockErrorMs = 15 * 60_000;
/** Trading days outside of this are garbage: the longest holidays are shorter, and no exchange is older. */
const farthestAheadMs = 30 * 86_400_000;
const firstTradingDay = 19900101;
/** No exchange trades from 18 to 20, so any hour of these would do; simulated ones begin their day at 20. */
const eveningHour = 20;
const morningHour = 6;
const memoSize = 4096;

/** What a tick's raw dates and receive time say; one object is reused for every tick. */
export interface TickTime {
  /** ms since the epoch of the natural date and update time. */
  epochMs: number;
  /** yyyymmdd that the tick is accounted to. */
  tradingDay: number;
  /** The time is far from the receipt: a snapshot of an earlier state. */
  stale: boolean;
  /** The natural date that follows from the trading day was implausible; the nearest to the receipt was taken. */
  repaired: boolean;
}

/** The yyyymmdd day in Shanghai at a time in ms since the epoch. */
export function shanghaiDay(epochMs: number): number {
  return utcMsToDay(epochMs + shanghaiOffsetMs);
}

/**
 * Turns the day fields of a tick, which every exchange fills in its own way, into a natural date and a trading day.
 *
 * Facts it rests on: DCE and GFEX put the trading day where the action day belongs, CZCE puts the natural day where
 * the trading day belongs, SHFE and INE are right, and evaluation fronts follow SHFE's way for all. So the trading
 * day is found first, and the natural date follows from it: an evening belongs to the trading day before, the small
 * hours to the calendar day after that.
 */
export class ExchangeClock {
  readonly #calendar: TradingCalendar;
  // The calendar is asked once per day, not once per tick. Natural days are keyed by 2 × trading day + evening.
  readonly #naturalDays = new Map<number, number>();
  readonly #nextDays = new Map<number, number>();
  readonly #tradingDays = new Map<number, boolean>();
  readonly #midnights = new Map<number, number>();

  constructor(calendar: TradingCalendar) {
    this.#calendar = calendar;
  }

  /**
   * Fills `out`. False when the tick has no usable time: it must be dropped and counted.
   *
   * `tradingDay` and `actionDay` are yyyymmdd, ≤ 0 where empty or malformed; `updateTime` is seconds since midnight,
   * negative where unusable; `receiveMs` is ms since the epoch.
   */
  resolve(
    exchange: Exchange,
    tradingDay: number,
    actionDay: number,
    updateTime: number,
    millisec: number,
    receiveMs: number,
    out: TickTime,
  ): boolean {
    if (updateTime < 0 || updateTime >= 86_400 || millisec < 0 || millisec > 999) return false;
    const hour = Math.trunc(updateTime / 3600);
    const day = this.#tradingDay(exchange, tradingDay, actionDay, hour, receiveMs);
    const timeMs = updateTime * 1000 + millisec;
    let epochMs = this.#midnight(this.#naturalDay(day, hour)) + timeMs;
    let repaired = false;

    if (Math.abs(epochMs - receiveMs) > liveWindowMs) {
      const nearest = this.#nearest(timeMs, receiveMs);
      if (Math.abs(nearest - receiveMs) <= liveWindowMs) {
        epochMs = nearest;
        repaired = true;
      } else if (epochMs - receiveMs > hostClockErrorMs) {
        // A trading day ahead of its own clock, as on fronts that run through weekends: the last such time of day.
        epochMs = nearest > receiveMs ? nearest - 86_400_000 : nearest;
        repaired = true;
      }
    }
    out.epochMs = epochMs;
    out.tradingDay = day;
    out.stale = Math.abs(epochMs - receiveMs) > liveWindowMs;
    out.repaired = repaired;
    return true;
  }

  #tradingDay(
    exchange: Exchange,
    tradingDay: number,
    actionDay: number,
    hour: number,
    receiveMs: number,
  ): number {
    if (exchange === 'CZCE' && hour >= eveningHour) {
      if (actionDay > 0 && tradingDay > actionDay && this.#isUsable(tradingDay, receiveMs)) return tradingDay;
      const natural = actionDay > 0 ? actionDay : tradingDay;
      if (this.#isUsable(natural, receiveMs)) return this.#next(natural);
    } else if (this.#isUsable(tradingDay, receiveMs)) {
      return tradingDay;
    }
    return this.#tradingDayAt(receiveMs, hour);
  }

  /** The trading day that a tick of this hour belongs to, from the receive clock alone. */
  #tradingDayAt(receiveMs: number, hour: number): number {
    let day = shanghaiDay(receiveMs);
    const receiveHour = new Date(receiveMs + shanghaiOffsetMs).getUTCHours();
    if (hour >= eveningHour) {
      // A late evening tick read after midnight still belongs to the evening before.
      if (receiveHour < 12) day = addDays(day, -1);
      return this.#next(day);
    }
    return this.#isTradingDay(day) ? day : this.#next(day);
  }

  /** The same time of day on the calendar day that brings it nearest to the receipt. */
  #nearest(timeMs: number, receiveMs: number): number {
    const today = this.#midnight(shanghaiDay(receiveMs)) + timeMs;
    const distance = today - receiveMs;
    if (distance > 43_200_000) return today - 86_400_000;
    if (distance < -43_200_000) return today + 86_400_000;
    return today;
  }

  #naturalDay(tradingDay: number, hour: number): number {
    if (hour >= morningHour && hour < eveningHour) return tradingDay;
    const evening = hour >= eveningHour;
    const key = tradingDay * 2 + (evening ? 1 : 0);
    const known = this.#naturalDays.get(key);
    if (known !== undefined) return known;
    const before = this.#calendar.previous(tradingDay);
    return remember(this.#naturalDays, key, evening ? before : addDays(before, 1));
  }

  #next(day: number): number {
    return this.#nextDays.get(day) ?? remember(this.#nextDays, day, this.#calendar.next(day));
  }

  /** Whether a tick's day can be believed. One from the far future would make all later ticks look old. */
  #isUsable(day: number, receiveMs: number): boolean {
    return (
      day >= firstTradingDay && this.#isTradingDay(day) && this.#midnight(day) - receiveMs <= farthestAheadMs
    );
  }

  #isTradingDay(day: number): boolean {
    return this.#tradingDays.get(day) ?? remember(this.#tradingDays, day, this.#calendar.isTradingDay(day));
  }

  /** ms since the epoch of midnight in Shanghai. */
  #midnight(day: number): number {
    return this.#midnights.get(day) ?? remember(this.#midnights, day, dayToUtcMs(day) - shanghaiOffsetMs);
  }
}

/** Bounded, since a front that sends random days must not make it grow. */
function remember<T>(memo: Map<number, T>, key: number, value: T): T {
  if (memo.size >= memoSize) memo.clear();
  memo.set(key, value);
  return value;
}
