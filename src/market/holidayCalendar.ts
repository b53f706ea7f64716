import { readFileSync } from 'node:fs';
import { packagePath } from '../paths.js';
import { addDays, dayToUtcMs, WeekdayCalendar, type TradingCalendar } from './tradingCalendar.js';

/** Longest search for a trading day; no holiday is nearly as long. */
const longestSearchDays = 60;

/** Monday to Friday but for the holidays that it is given. */
export class HolidayCalendar implements TradingCalendar {
  /** The weekdays without trading, yyyymmdd, in order. */
  readonly holidays: readonly number[];
  readonly #holidays: ReadonlySet<number>;
  readonly #weekdays = new WeekdayCalendar();

  /** `holidays` are yyyymmdd days; those on weekends change nothing. */
  constructor(holidays: Iterable<number>) {
    const kept = [...holidays].filter((day) => this.#weekdays.isTradingDay(day));
    this.holidays = kept.sort((a, b) => a - b);
    this.#holidays = new Set(this.holidays);
  }

  isTradingDay(day: number): boolean {
    return this.#weekdays.isTradingDay(day) && !this.#holidays.has(day);
  }

  previous(day: number): number {
    return this.#step(day, -1);
  }

  next(day: number): number {
    return this.#step(day, 1);
  }

  #step(day: number, direction: 1 | -1): number {
    let found = day;
    for (let i = 0; i < longestSearchDays; i++) {
      found = addDays(found, direction);
      if (this.isTradingDay(found)) return found;
    }
    throw new RangeError(`no trading day near ${day}`);
  }
}

/**
 * The exchanges' calendar from data/calendar.json. Outside the years that it lists every weekday is a trading day:
 * holidays are announced a few months ahead, and a file of another year can be given.
 * Throws, naming the file and the entry, when it holds anything but yyyymmdd days.
 */
export function loadCalendar(path = packagePath('data', 'calendar.json')): HolidayCalendar {
  const { years } = JSON.parse(readFileSync(path, 'utf8')) as { years?: Readonly<Record<string, unknown>> };
  const holidays: number[] = [];
  for (const [year, days] of Object.entries(years ?? {})) {
    for (const day of Array.isArray(days) ? (days as unknown[]) : [days]) {
      const valid =
        typeof day === 'number' && Math.trunc(day / 10000) === Number(year) && dayToUtcMs(day) >= 0;
      if (!valid) throw new Error(`${path}: ${String(day)} is not a yyyymmdd day of ${year}`);
      holidays.push(day);
    }
  }
  return new HolidayCalendar(holidays);
}
