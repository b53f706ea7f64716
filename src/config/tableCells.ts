import { dayToUtcMs, utcMsToDay } from '../market/calendar/tradingCalendar.js';
import { dayMs } from '../base/shanghaiTime.js';

/** Spreadsheets count days from here on. */
const spreadsheetEpochMs = Date.UTC(1899, 11, 30);
/** Spreadsheet days of the years 2000 to 2099. */
const [firstSheetDay, lastSheetDay] = [36_526, 73_050];
/** Milliseconds since the epoch of the same years. */
const [firstEpochMs, lastEpochMs] = [Date.UTC(2000, 0, 1), Date.UTC(2100, 0, 1) - 1];

const absent = /^(?:nan|nat|none|null|nil|n\/a|#n\/a|<na>|-+)?$/i;
const number = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const grouped = /^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?$/;
const clockTime = '(?:[T ]\\d{1,2}:\\d{2}(?::\\d{2}(?:\\.\\d*)?)?(?:Z|[+-]\\d{2}:?\\d{2})?)?';
const writtenDay = new RegExp(
  `^(\\d{4})(?:([-/.])(\\d{1,2})\\2(\\d{1,2})|年(\\d{1,2})月(\\d{1,2})日)${clockTime}$`,
);

/** Forms that `dayOf` reads, as the end of the sentence "must be …". */
export const dayForms =
  'a day such as 20270115, 2027-01-15, 2027/1/15, or the day number of a spreadsheet such as 46402';

/** A cell's text, in plain letters and digits; undefined where scripts and spreadsheets mean that there is no value. */
export function cellText(text: string): string | undefined {
  const trimmed = text.trim();
  return absent.test(trimmed) ? undefined : trimmed;
}

/** The number that a cell holds, also with thousands' separators; NaN where it is none. */
export function numberOf(text: string): number {
  const plain = text.normalize('NFKC');
  if (grouped.test(plain)) return Number(plain.replaceAll(',', ''));
  return number.test(plain) ? Number(plain) : NaN;
}

/**
 * The day (yyyymmdd) that a cell holds: written out with or without a time of day, as a number (`20270408.0`), as a day number of
 * a spreadsheet, or as ms since the epoch; NaN where it is none of these, or there is no such day.
 */
export function dayOf(text: string): number {
  const plain = text.normalize('NFKC');
  const [, year, , month, day, monthToo, dayToo] = writtenDay.exec(plain) ?? [];
  if (year !== undefined)
    return existing(Number(year) * 10_000 + Number(month ?? monthToo) * 100 + Number(day ?? dayToo));
  const value = numberOf(plain);
  if (value >= firstSheetDay && value <= lastSheetDay + 1)
    return utcMsToDay(spreadsheetEpochMs + Math.floor(value) * dayMs);
  if (value >= firstEpochMs && value <= lastEpochMs) return utcMsToDay(Math.floor(value / dayMs) * dayMs);
  return existing(value);
}

function existing(day: number): number {
  return Number.isInteger(day) && dayToUtcMs(day) >= 0 ? day : NaN;
}
