import { dayMs } from '../../base/shanghaiTime.js';

/** Days are yyyymmdd integers in Shanghai. */
export interface TradingCalendar {
  isTradingDay(day: number): boolean;
  /** The last trading day before `day`; NaN where there is no such day as `day`. */
  previous(day: number): number;
  /** The first trading day after `day`; NaN where there is no such day as `day`. */
  next(day: number): number;
}

/** Midnight UTC of a yyyymmdd day, in ms; NaN when there is no such day. */
export function dayToUtcMs(day: number): number {
  const year = Math.trunc(day / 10000);
  const month = Math.trunc(day / 100) % 100;
  const date = day % 100;
  const ms = Date.UTC(year, month - 1, date);
  const back = new Date(ms);
  return year >= 1970 && back.getUTCMonth() === month - 1 && back.getUTCDate() === date ? ms : NaN;
}

/** The yyyymmdd day that contains a UTC time in ms. */
export function utcMsToDay(ms: number): number {
  const date = new Date(ms);
  return date.getUTCFullYear() * 10000 + (date.getUTCMonth() + 1) * 100 + date.getUTCDate();
}

/** The calendar day `count` days after `day`. */
export function addDays(day: number, count: number): number {
  return utcMsToDay(dayToUtcMs(day) + count * dayMs);
}

/** Every Monday to Friday is a trading day: right but for public holidays. */
export class WeekdayCalendar implements TradingCalendar {
  isTradingDay(day: number): boolean {
    const ms = dayToUtcMs(day);
    return !Number.isNaN(ms) && !isWeekend(ms);
  }

  previous(day: number): number {
    return this.#step(day, -1);
  }

  next(day: number): number {
    return this.#step(day, 1);
  }

  #step(day: number, direction: 1 | -1): number {
    let ms = dayToUtcMs(day) + direction * dayMs;
    while (isWeekend(ms)) ms += direction * dayMs;
    return utcMsToDay(ms);
  }
}

/** False also for NaN. */
function isWeekend(utcMs: number): boolean {
  const weekday = new Date(utcMs).getUTCDay();
  return weekday === 0 || weekday === 6;
}
