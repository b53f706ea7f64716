import type { TradingHours } from './marketHours.js';
import { calendarOf, type HolidayTable } from '../calendar/holidayCalendar.js';
import type { Contract } from '../instruments/contracts.js';
import type { ProductTable } from '../instruments/products.js';
import { WeekdayCalendar, type TradingCalendar } from '../calendar/tradingCalendar.js';

/** The settings that say which days are trading days. */
export interface MarketTimeSettings {
  /** Setting trading_hours. */
  readonly tradingHours: TradingHours;
  /** Of the setting calendar_file. */
  readonly holidays: HolidayTable;
}

/** The settings that say which market the ticks are from. */
export interface MarketSettings extends MarketTimeSettings {
  readonly products: ProductTable;
  /** Instruments whose multipliers are their own. */
  readonly importedInstruments: readonly Contract[];
}

/**
 * The calendar of a market: the exchanges' own, or every weekday where the market never closes. `warn` is given one line
 * for each year that the exchanges' calendar lacks, when it is first needed.
 */
export function tradingCalendar(
  { tradingHours, holidays }: MarketTimeSettings,
  warn: (text: string, year: number) => void,
): TradingCalendar {
  if (tradingHours === 'always') return new WeekdayCalendar();
  return calendarOf(holidays, (year) =>
    warn(
      `${holidays.path} lacks the holidays of ${year}: every weekday of it but January 1, May 1 and October 1 to 3 counts as a trading day; calendar_file can name a file that has them`,
      year,
    ),
  );
}
