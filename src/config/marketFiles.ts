import { resolve } from 'node:path';
import type { Contract } from '../market/instruments/contracts.js';
import { shanghaiDay } from '../market/calendar/shanghaiDay.js';
import { calendarOf, readHolidays, type HolidayTable } from '../market/calendar/holidayCalendar.js';
import type { ProductTable } from '../market/instruments/products.js';
import type { GatewayValues } from './options.js';
import { readImportedInstruments } from './importedInstruments.js';
import { readProductTable } from './productsFile.js';

/** Contents of the market files that a configuration names. */
export interface MarketFiles {
  /** The built-in table with the rows of the user's file. */
  readonly products: ProductTable;
  readonly importedInstruments: readonly Contract[];
  /** Undefined where the file is of no use. */
  readonly holidays: HolidayTable | undefined;
  /** Rows that were skipped, and why. */
  readonly warnings: readonly string[];
}

/**
 * Reads the files on products, holidays and instruments that the settings name, relative to `cwd`.
 *
 * @param blame takes what is wrong with the file of a setting
 * @param withExpired take imported instruments too that are not traded any more
 */
export function readMarketFiles(
  values: GatewayValues,
  cwd: string,
  blame: (setting: keyof GatewayValues, text: string) => void,
  withExpired = false,
): MarketFiles {
  const { products, faults } = readProductTable(values.products_file, cwd);
  for (const fault of faults) blame('products_file', fault);
  const holidays = readCalendarFile(values.calendar_file, cwd);
  if ('fault' in holidays) blame('calendar_file', holidays.fault);
  const imported = readImportedInstruments(values.import_instruments, {
    cwd,
    products,
    today: shanghaiDay(Date.now()),
    calendar: 'fault' in holidays ? undefined : calendarOf(holidays),
    withExpired,
  });
  for (const fault of imported.faults) blame('import_instruments', fault);
  return {
    products,
    importedInstruments: imported.contracts,
    holidays: 'fault' in holidays ? undefined : holidays,
    warnings: imported.warnings,
  };
}

function readCalendarFile(path: string, cwd: string): HolidayTable | { readonly fault: string } {
  try {
    return readHolidays(path === '' ? undefined : resolve(cwd, path));
  } catch (error) {
    return { fault: (error as Error).message };
  }
}
