import { resolve } from 'node:path';
import { readJsonFile } from '../base/jsonFile.js';
import { isExpiryRule, isListingRule } from '../market/instruments/contracts.js';
import { notations } from '../market/instruments/instrumentId.js';
import {
  exchanges,
  shippedProductRows,
  toProductTable,
  type Exchange,
  type ProductRow,
  type ProductTable,
} from '../market/instruments/products.js';
import { oneOf, positive, text } from './formats.js';
import { isRecord } from './record.js';
import { displayValue } from './displayValue.js';
import { shownKey, UnknownKeys } from './unknownKey.js';

/** Allowed values of a row's key. */
interface Check {
  /** Ends the sentence "must be …". */
  readonly allowed: string;
  accepts(value: unknown): boolean;
}

type RowKey = keyof ProductRow | 'remove';

const clock = /^([01]\d|2[0-3]):[0-5]\d$/;
const isClock = (value: unknown): value is string => typeof value === 'string' && clock.test(value);

/** Earlier or later ticks would be taken for a night's tick, or for one of another trading day. */
const earliestDay = '07:00';
const latestDay = '18:00';
const mostSessions = 6;

/** Sessions are in order and do not overlap. */
function isDayHours(value: unknown): boolean {
  if (value === null) return true;
  if (!Array.isArray(value) || value.length === 0 || value.length > mostSessions) return false;
  const sessions = value as unknown[];
  const times = sessions.flatMap((each) =>
    Array.isArray(each) && each.length === 2 ? (each as unknown[]) : [0],
  );
  return times.every(
    (time, i) =>
      isClock(time) && time >= earliestDay && time <= latestDay && (i === 0 || String(times[i - 1]) < time),
  );
}

function isMonths(value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0) return false;
  const months = value as unknown[];
  const isMonth = (month: unknown): boolean =>
    Number.isInteger(month) && Number(month) >= 1 && Number(month) <= 12;
  return months.every((month, i) => isMonth(month) && (i === 0 || Number(months[i - 1]) < Number(month)));
}

const priceStep: Check = {
  allowed: 'a number from 0.0001 to 100000, with at most four decimals',
  accepts: (value) =>
    typeof value === 'number' && value >= 0.0001 && value <= 1e5 && Number(value.toFixed(4)) === value,
};

function lots(least: number): Check {
  return {
    allowed: `a whole number from ${least} to 1000000`,
    accepts: (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= 1e6,
  };
}

const checks: Readonly<Record<RowKey, Check>> = {
  product: {
    allowed: '1 to 4 letters as an instrument id begins with, "_f" behind them for month averages',
    accepts: (value) => typeof value === 'string' && /^[A-Za-z]{1,4}(_f)?$/.test(value),
  },
  exchange: oneOf(...exchanges),
  name: text(100, false),
  pinyin: {
    allowed: 'at most 40 small letters and digits',
    accepts: (value) => typeof value === 'string' && /^[a-z0-9]{0,40}$/.test(value),
  },
  volume_multiple: {
    allowed: 'a whole number from 1 to 1000000000',
    accepts: (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 1e9,
  },
  price_tick: priceStep,
  night_close: {
    allowed: 'HH:MM from "21:30" to "23:59" or from "00:00" to "05:30", or null for no night session',
    accepts: (value) => value === null || (isClock(value) && (value >= '21:30' || value <= '05:30')),
  },
  day_hours: {
    allowed:
      `a list such as [["09:00","11:30"],["13:30","15:00"]], in order, of at most ${mostSessions} sessions from ` +
      `"${earliestDay}" to "${latestDay}", or null for the exchange's own hours`,
    accepts: isDayHours,
  },
  underlying: { allowed: 'the code of a product', accepts: (value) => typeof value === 'string' },
  months: { allowed: 'a list of months from 1 to 12, in order', accepts: isMonths },
  listing: {
    allowed:
      '"none", or a sum such as "months:12+next-quarters:4" of months:N, even:N, quarters:N, next-quarters:N',
    accepts: (value) => typeof value === 'string' && isListingRule(value),
  },
  expiry: {
    allowed:
      'one of "day15", "trading-day:N", "fourth-last-trading-day", "last-trading-day-before", "second-friday", "third-friday", "last-monday"',
    accepts: (value) => typeof value === 'string' && isExpiryRule(value),
  },
  reference_price: positive(1e9),
  price_limit: positive(1),
  option_price_tick: priceStep,
  margin_rate: positive(1),
  commission_rate: {
    allowed: 'a number from 0 to 1',
    accepts: (value) => typeof value === 'number' && value >= 0 && value <= 1,
  },
  max_limit_order_volume: lots(1),
  max_market_order_volume: lots(0),
  remove: { allowed: 'true', accepts: (value) => value === true },
};

/** Keys that a row which adds a product may omit. */
const usual = {
  pinyin: '',
  night_close: null,
  months: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
  listing: 'months:12',
} as const;
/** The last trading day that most products of an exchange have. */
const usualExpiry: Readonly<Record<Exchange, string>> = {
  SHFE: 'day15',
  INE: 'last-trading-day-before',
  DCE: 'trading-day:10',
  CZCE: 'trading-day:10',
  CFFEX: 'third-friday',
  GFEX: 'trading-day:10',
};
/** A simulated price, in price steps, of a product that names none. */
const referenceSteps = 1000;
const needed = ['exchange', 'volume_multiple', 'price_tick'] as const;

type Row = Readonly<Partial<Record<RowKey, unknown>>>;

/**
 * The product table that ships with the package, with what a file of the user's puts over it: a JSON list of rows, each
 * for the product that it names. A row of a known product states what is different, another one adds a product, and one
 * with `"remove": true` takes it out of the table.
 *
 * @param file relative to `cwd`; empty for none
 * @returns the table, or what is wrong, a line each: file, row, key, value and what is allowed
 */
export function readProductTable(
  file: string,
  cwd: string,
): { readonly products: ProductTable; readonly faults: readonly string[] } {
  const rows = new Map(shippedProductRows().map((row) => [row.product, row]));
  const faults = file === '' ? [] : overlay(rows, file, cwd);
  return { products: toProductTable(rows.values()), faults };
}

function overlay(rows: Map<string, ProductRow>, file: string, cwd: string): string[] {
  let content: unknown;
  try {
    content = readJsonFile(resolve(cwd, file));
  } catch (error) {
    return [`${file}: ${(error as Error).message}`];
  }
  if (!Array.isArray(content)) return [`${file}: must be a list of rows, not ${displayValue(content)}`];
  const faults: string[] = [];
  const named = new Set<string>();
  (content as unknown[]).forEach((row, index) => {
    const problems = isRecord(row)
      ? checkRow(row, rows, named)
      : [`must be an object, not ${displayValue(row)}`];
    const code =
      isRecord(row) && typeof row['product'] === 'string' ? ` (${row['product'].slice(0, 20)})` : '';
    if (problems.length === 0) apply(row as Row, rows);
    else faults.push(...problems.map((problem) => `${file}: row ${index + 1}${code}: ${problem}`));
  });
  if (faults.length > 0) return faults;
  for (const { product, underlying } of rows.values())
    if (underlying !== undefined && rows.get(underlying)?.underlying !== undefined)
      faults.push(
        `${file}: ${product}: underlying: ${displayValue(underlying)} has no futures, it has an underlying itself`,
      );
    else if (underlying !== undefined && !rows.has(underlying))
      faults.push(
        `${file}: ${product}: underlying: must be the code of a product, not ${displayValue(underlying)}`,
      );
  return faults;
}

/** @param named codes of the rows so far, to which this one's is added */
function checkRow(row: Row, rows: ReadonlyMap<string, ProductRow>, named: Set<string>): string[] {
  const unknown = new UnknownKeys(Object.keys(checks), 'docs/instruments.md has all keys');
  const problems = Object.entries(row).flatMap(([key, value]) => {
    if (!Object.hasOwn(checks, key)) {
      const near = unknown.near(key);
      return [
        `${shownKey(key)}: unknown key, ${near === undefined ? unknown.allowed : `did you mean ${near}?`}`,
      ];
    }
    const check = checks[key as RowKey];
    return check.accepts(value) ? [] : [`${key}: must be ${check.allowed}, not ${displayValue(value)}`];
  });
  const { product: code } = row;
  if (code === undefined) problems.unshift(`product: is missing, must be ${checks.product.allowed}`);
  if (typeof code !== 'string' || problems.length > 0) return problems;
  if (named.has(code)) return [`product: ${displayValue(code)} has a row already`];
  named.add(code);
  const known = rows.get(code);
  if (row.remove === true) {
    if (known === undefined) return [`remove: there is no product ${displayValue(code)}`];
    return Object.keys(row).length === 2 ? [] : ['remove: a row that removes a product has no other key'];
  }
  const twin = [...rows.keys()].find((each) => each !== code && each.toLowerCase() === code.toLowerCase());
  if (known === undefined && twin !== undefined)
    return [`product: there is ${twin}, and codes differ by more than their case`];
  const missing = known === undefined ? needed.filter((key) => row[key] === undefined) : [];
  if (missing.length > 0)
    return missing.map((key) => `${key}: is missing, and a new product needs it: ${checks[key].allowed}`);
  return caseProblem(code, (row.exchange ?? known?.exchange) as Exchange);
}

function caseProblem(code: string, exchange: Exchange): string[] {
  const { isUpper } = notations[exchange];
  const letters = code.replace(/_f$/, '');
  return letters === (isUpper ? letters.toUpperCase() : letters.toLowerCase())
    ? []
    : [
        `product: ids of ${exchange} begin with ${isUpper ? 'capitals' : 'small letters'}, not ${displayValue(code)}`,
      ];
}

function apply(row: Row, rows: Map<string, ProductRow>): void {
  const given = row as Partial<ProductRow> & { product: string; remove?: true };
  if (given.remove === true) {
    rows.delete(given.product);
    return;
  }
  const known = rows.get(given.product);
  if (known !== undefined) {
    rows.set(given.product, { ...known, ...given });
    return;
  }
  const { exchange, price_tick: tick = 1 } = given;
  const filled = {
    ...usual,
    name: given.product,
    expiry: usualExpiry[exchange!],
    reference_price: tick * referenceSteps,
  };
  // checkRow has seen to it that what `usual` lacks is there.
  rows.set(given.product, { ...filled, ...given } as ProductRow);
}
