import { readJsonFile } from '../../base/jsonFile.js';
import { packagePath } from '../../base/paths.js';
import { addDays, dayToUtcMs, WeekdayCalendar, type TradingCalendar } from './tradingCalendar.js';

/** Longest search for a trading day; no holiday is nearly as long. */
const longestSearchDays = 60;
/** Weekdays in a row that a file may call holidays: a whole month is a mistake, and the search would find no end. */
const longestHoliday = 20;

/**
 * Holidays of every year by the State Council's regulation on public holidays, as month and day: what can be said of a year
 * that no file lists. Spring Festival and the others follow the moon, and bridging days are announced.
 */
const fixedHolidays = [101, 501, 1001, 1002, 1003];
/** Years for which these are kept. */
const firstYear = 1991;
const lastYear = 2099;

/** A calendar file's content, checked. */
export interface HolidayTable {
  readonly path: string;
  /** Weekdays without trading, yyyymmdd, by year. */
  readonly years: Readonly<Record<string, readonly number[]>>;
}

/** Monday to Friday but for the holidays that it is given. */
export class HolidayCalendar implements TradingCalendar {
  /** The weekdays without trading, yyyymmdd, in order. */
  readonly holidays: readonly number[];
  readonly #holidays: ReadonlySet<number>;
  readonly #weekdays = new WeekdayCalendar();
  /** Years that are known or have been found missing; undefined where nobody wants to learn of those. */
  readonly #years: Set<number> | undefined;
  readonly #onMissing: (year: number) => void;

  /**
   * `holidays` are yyyymmdd days; those on weekends change nothing. Every weekday of a year that is not covered counts
   * as a trading day, and `missing` learns of it when it is asked for, once.
   */
  constructor(
    holidays: Iterable<number>,
    missing?: { readonly covered: Iterable<number>; readonly report: (year: number) => void },
  ) {
    const kept = [...holidays].filter((day) => this.#weekdays.isTradingDay(day));
    this.holidays = kept.sort((a, b) => a - b);
    this.#holidays = new Set(this.holidays);
    this.#years = missing === undefined ? undefined : new Set(missing.covered);
    this.#onMissing = missing?.report ?? (() => undefined);
  }

  isTradingDay(day: number): boolean {
    this.#noteYear(Math.trunc(day / 10000));
    return this.#weekdays.isTradingDay(day) && !this.#holidays.has(day);
  }

  previous(day: number): number {
    return this.#step(day, -1);
  }

  next(day: number): number {
    return this.#step(day, 1);
  }

  #noteYear(year: number): void {
    if (this.#years === undefined || this.#years.has(year)) return;
    this.#years.add(year);
    this.#onMissing(year);
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

/** Path of the file that ships with the package. */
function bundledFile(): string {
  return packagePath('data', 'calendar.json');
}

/**
 * Reads a calendar file: `{"years": {"2027": [20270101, …]}}`, the weekdays on which no exchange trades. Other members
 * are left alone. Throws an Error of one line that names the file and the entry.
 */
export function readHolidays(path = bundledFile()): HolidayTable {
  let content: unknown;
  try {
    content = readJsonFile(path);
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
  }
  const years = isRecord(content) ? content['years'] : undefined;
  if (!isRecord(years)) throw new Error(`${path}: years must be an object such as {"2027": [20270101]}`);
  const checked: Record<string, readonly number[]> = {};
  for (const [year, days] of Object.entries(years)) {
    if (!/^\d{4}$/.test(year)) throw new Error(`${path}: years: ${year} is not a year`);
    if (!Array.isArray(days)) throw new Error(`${path}: ${year} must be a list of yyyymmdd days`);
    checked[year] = days.map((day: unknown) => {
      if (typeof day === 'number' && Math.trunc(day / 10000) === Number(year) && dayToUtcMs(day) >= 0)
        return day;
      throw new Error(`${path}: ${JSON.stringify(day)} is not a yyyymmdd day of ${year}`);
    });
  }
  refuseEndlessHolidays(path, Object.values(checked).flat());
  return { path, years: checked };
}

/**
 * The exchanges' calendar. Outside the years that the file lists every weekday is a trading day but for the holidays whose
 * date is the same in all years: the others are announced a few months ahead, and a file with them can be given.
 * `onMissingYear` learns of such years, each once.
 */
export function calendarOf(table: HolidayTable, onMissingYear?: (year: number) => void): HolidayCalendar {
  const holidays = [...Object.values(table.years).flat(), ...holidaysOfOtherYears(table)];
  return onMissingYear === undefined
    ? new HolidayCalendar(holidays)
    : new HolidayCalendar(holidays, {
        covered: Object.keys(table.years).map(Number),
        report: onMissingYear,
      });
}

function holidaysOfOtherYears({ years }: HolidayTable): number[] {
  const found: number[] = [];
  for (let year = firstYear; year <= lastYear; year++)
    if (!Object.hasOwn(years, year)) found.push(...fixedHolidays.map((day) => year * 10_000 + day));
  return found;
}

/** The calendar of a file, by default the bundled one. Throws as readHolidays does. */
export function loadCalendar(path = bundledFile()): HolidayCalendar {
  return calendarOf(readHolidays(path));
}

function refuseEndlessHolidays(path: string, days: readonly number[]): void {
  const weekdays = new WeekdayCalendar();
  const holidays = new Set(days);
  for (const first of holidays) {
    let day = first;
    for (let length = 0; holidays.has(day); length++, day = weekdays.next(day))
      if (length >= longestHoliday)
        throw new Error(
          `${path}: no holiday has more than ${longestHoliday} weekdays, as one from ${first} on has`,
        );
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
