import { exchanges, type Exchange } from '../instruments/products.js';
import { TickDates, type DateReading, type DayPart } from './tickDates.js';
import { dayToUtcMs, utcMsToDay, type TradingCalendar } from '../calendar/tradingCalendar.js';
import { dayMs, shanghaiOffsetMs } from '../../base/shanghaiTime.js';

/** A tick whose time is not longer before its receipt is live. */
const liveWindowMs = 60_000;
/** A tick that is ahead by no more than this comes to a host whose clock is slow, and is not from another day. */
const hostClockErrorMs = 15 * 60_000;
/** Before it nothing was received: such a host's clock was never set, and nothing can follow from it. */
const firstReceiptMs = Date.UTC(1990, 1);
const dayParts: readonly DayPart[] = ['small_hours', 'day', 'evening'];
/** Seconds since midnight. No exchange trades from 18 to 20; simulated ones begin their day at 20. */
const morning = 6 * 3600;
const evening = 20 * 3600;
/** Readings that are kept of each exchange and part of the day: fronts of several kinds may be there at once. */
const keptReadings = 4;

/** Result of a tick's raw dates and receive time; one object is reused for every tick. */
export interface TickTime {
  /** ms since the epoch of the natural date and update time. */
  epochMs: number;
  /** yyyymmdd that the tick is accounted to. */
  tradingDay: number;
  /** The time lies well before the receipt: a snapshot of an earlier state. */
  stale: boolean;
  /** The front's dates could not be right: they were chosen by the clock of this host. */
  repaired: boolean;
}

/**
 * Whether a tick has a time.
 *
 *   dated     yes
 *   untimed   its update time is empty or malformed
 *   off_day   it is from a weekend, when exchanges test their systems with invented quotes
 */
export type TimeVerdict = 'dated' | 'untimed' | 'off_day';

/** Days and what they were read as. `midnights` has the readings' natural dates in ms since the epoch. */
interface KnownDates {
  tradingDay: number;
  actionDay: number;
  receiveDay: number;
  readings: readonly DateReading[] | undefined;
  midnights: readonly number[];
}

/**
 * Gives every tick its natural date and trading day, whatever its front makes of the day fields (TickDates). What the
 * front says is overruled only where it would lie in the future or is no day at all: a tick of the past is left there.
 */
export class ExchangeClock {
  #dates: TickDates;
  #alwaysOpen: boolean;
  /** The calendar's answer for a day, asked once and not once per tick. */
  readonly #known: KnownDates[] = [];

  /** @param alwaysOpen the market never closes: weekends belong to Monday's trading day */
  constructor(calendar: TradingCalendar, alwaysOpen = false) {
    this.#dates = new TickDates(calendar, alwaysOpen);
    this.#alwaysOpen = alwaysOpen;
    this.#forget();
  }

  /** Continues with another calendar. */
  configure(calendar: TradingCalendar, alwaysOpen: boolean): void {
    this.#dates = new TickDates(calendar, alwaysOpen);
    this.#alwaysOpen = alwaysOpen;
    this.#forget();
  }

  /**
   * Fills `out` when the verdict is dated.
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
  ): TimeVerdict {
    if (!(updateTime >= 0 && updateTime < 86_400 && millisec >= 0 && millisec <= 999)) return 'untimed';
    const part = updateTime < morning ? 0 : updateTime < evening ? 1 : 2;
    const timeMs = updateTime * 1000 + millisec;
    const receiveDay = Math.floor((receiveMs + shanghaiOffsetMs) / dayMs);
    const known = this.#read(exchange, tradingDay, actionDay, part, receiveDay);
    const { readings, midnights } = known;
    if (readings === undefined) return 'off_day';
    for (let i = 0; i < readings.length; i++) {
      const epochMs = midnights[i]! + timeMs;
      const ageMs = receiveMs - epochMs;
      const { onlyLive, repaired, tradingDay: day } = readings[i]!;
      if (onlyLive ? Math.abs(ageMs) > liveWindowMs : ageMs < -hostClockErrorMs) continue;
      out.epochMs = epochMs;
      out.tradingDay = day;
      out.stale = ageMs > liveWindowMs;
      out.repaired = repaired;
      return 'dated';
    }
    return this.#fromReceipt(readings, dayParts[part]!, timeMs, receiveMs, out) ? 'dated' : 'off_day';
  }

  #read(
    exchange: Exchange,
    tradingDay: number,
    actionDay: number,
    part: number,
    receiveDay: number,
  ): KnownDates {
    const kind = exchanges.indexOf(exchange) * dayParts.length + part;
    const known = this.#known[kind * keptReadings + ((tradingDay + 3 * actionDay) & (keptReadings - 1))]!;
    if (known.tradingDay === tradingDay && known.actionDay === actionDay && known.receiveDay === receiveDay)
      return known;
    const today = utcMsToDay(receiveDay * dayMs);
    known.tradingDay = tradingDay;
    known.actionDay = actionDay;
    known.receiveDay = receiveDay;
    known.readings = this.#dates.read(exchange, tradingDay, actionDay, dayParts[part]!, today);
    known.midnights = (known.readings ?? []).map(({ natural }) => dayToUtcMs(natural) - shanghaiOffsetMs);
    return known;
  }

  /**
   * The last such time of day, as a last resort. Where that is not now, it was on a day of trading. False when it is
   * accounted to no trading day.
   */
  #fromReceipt(
    readings: readonly DateReading[],
    part: DayPart,
    timeMs: number,
    receiveMs: number,
    out: TickTime,
  ): boolean {
    if (!(receiveMs >= firstReceiptMs)) return false;
    const newest = receiveMs + hostClockErrorMs + shanghaiOffsetMs - timeMs;
    let natural = utcMsToDay(newest);
    let epochMs = dayToUtcMs(natural) - shanghaiOffsetMs + timeMs;
    const isLive = receiveMs - epochMs <= liveWindowMs;
    if (!isLive) {
      natural = this.#dates.lastPlausible(natural, part);
      epochMs = dayToUtcMs(natural) - shanghaiOffsetMs + timeMs;
    }
    // A front that is ahead of the week still knows its trading day; what is left of an earlier day is accounted to that.
    const stated = isLive || this.#alwaysOpen ? readings.at(-1)?.tradingDay : undefined;
    const tradingDay = stated ?? this.#dates.tradingDayOf(natural, part);
    if (tradingDay === undefined) return false;
    out.epochMs = epochMs;
    out.tradingDay = tradingDay;
    out.stale = !isLive;
    out.repaired = true;
    return true;
  }

  #forget(): void {
    const kinds = exchanges.length * dayParts.length;
    for (let i = 0; i < kinds * keptReadings; i++)
      this.#known[i] = { tradingDay: NaN, actionDay: 0, receiveDay: 0, readings: [], midnights: [] };
  }
}
