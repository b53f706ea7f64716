import {
  deliveryMonth,
  formatInstrumentId,
  type InstrumentClass,
  type OptionRight,
  type ParsedInstrumentId,
  type SingleParts,
} from './instrumentId.js';
import type { Exchange, Product, ProductTable } from './products.js';
import { addDays, utcMsToDay, WeekdayCalendar, type TradingCalendar } from '../calendar/tradingCalendar.js';
import { dayMs, shanghaiOffsetMs } from '../../base/shanghaiTime.js';

/** One contract that is listed or known to exist: a future, or what an import or a tick has made known. */
export interface Contract {
  /** Bare id: `rb2701`, `SR701` at CZCE, `l2701F` for a month average. */
  readonly id: string;
  /** Absent: FUTURE. */
  readonly class?: InstrumentClass;
  /** Code in the product table, or as the id has it where the table lacks it. */
  readonly product: string;
  readonly exchange: Exchange;
  readonly deliveryYear: number;
  /** 1–12. */
  readonly deliveryMonth: number;
  /** Last trading day, yyyymmdd. */
  readonly expireDate: number;
  /** Absent: made of the product's name. */
  readonly name?: string;
  /** Absent: the product's, for a future; not known, for an option or a combination. */
  readonly priceTick?: number;
  /** Units per lot; absent: the product's. */
  readonly multiplier?: number;
  readonly option?: {
    readonly right: OptionRight;
    readonly strike: number;
    /** Bare id of the future that it is on; absent: not known. */
    readonly underlying?: string;
  };
}

/** From 20:00 on an instant is accounted to the next trading day. */
const tradingDaySwitchMs = 20 * 3_600_000;

/** The present month and two years. */
const conceivableMonths = 25;

/** Months are counted as year × 12 + month − 1, so that they add up. */
const monthNumber = (year: number, month: number): number => year * 12 + month - 1;
const yearOf = (count: number): number => Math.floor(count / 12);
const monthOf = (count: number): number => (count % 12) + 1;
const firstDay = (count: number): number => yearOf(count) * 10000 + monthOf(count) * 100 + 1;
const isQuarter = (count: number): boolean => monthOf(count) % 3 === 0;
const isEven = (count: number): boolean => monthOf(count) % 2 === 0;

/** The trading day, yyyymmdd, that an instant is accounted to; it switches at 20:00 Shanghai. */
export function tradingDayAt(now: Date, calendar: TradingCalendar = new WeekdayCalendar()): number {
  const day = utcMsToDay(now.getTime() + shanghaiOffsetMs + dayMs - tradingDaySwitchMs);
  return calendar.isTradingDay(day) ? day : calendar.next(day);
}

function weekdayOfMonth(count: number, weekday: number, nth: number): number {
  const first = new Date(Date.UTC(yearOf(count), monthOf(count) - 1, 1)).getUTCDay();
  return firstDay(count) + ((weekday - first + 7) % 7) + (nth - 1) * 7;
}

function lastMonday(count: number): number {
  const last = addDays(firstDay(count + 1), -1);
  const weekday = new Date(Date.UTC(yearOf(count), monthOf(count) - 1, last % 100)).getUTCDay();
  return addDays(last, -((weekday + 6) % 7));
}

/** The n-th trading day of the month before a delivery month, or the n-th last one where n is negative. */
export function tradingDayOfMonthBefore(
  year: number,
  month: number,
  n: number,
  calendar: TradingCalendar,
): number {
  return nthTradingDay(monthNumber(year, month) - 1, n, calendar);
}

/** The n-th trading day of a month, or the n-th last one where n is negative. */
function nthTradingDay(count: number, n: number, calendar: TradingCalendar): number {
  let day = n > 0 ? addDays(firstDay(count), -1) : firstDay(count + 1);
  for (let i = 0; i < Math.abs(n); i++) day = n > 0 ? calendar.next(day) : calendar.previous(day);
  return day;
}

/** The day itself, or the first trading day after it. */
function postponed(day: number, calendar: TradingCalendar): number {
  return calendar.isTradingDay(day) ? day : calendar.next(day);
}

/**
 * Last trading day of a delivery month by a product's rule, from the exchanges' contract specifications:
 * `day15` the 15th · `trading-day:N` the N-th trading day · `fourth-last-trading-day` · `last-trading-day-before`
 * the last one of the month before · `third-friday`, `second-friday` · `last-monday`. Holidays postpone.
 */
function expiry(rule: string, count: number, calendar: TradingCalendar): number {
  const [name, argument] = rule.split(':');
  switch (name) {
    case 'day15':
      return postponed(firstDay(count) + 14, calendar);
    case 'trading-day':
      return nthTradingDay(count, Number(argument), calendar);
    case 'fourth-last-trading-day':
      return nthTradingDay(count, -4, calendar);
    case 'last-trading-day-before':
      return nthTradingDay(count - 1, -1, calendar);
    case 'second-friday':
      return postponed(weekdayOfMonth(count, 5, 2), calendar);
    case 'third-friday':
      return postponed(weekdayOfMonth(count, 5, 3), calendar);
    case 'last-monday':
      return postponed(lastMonday(count), calendar);
    default:
      throw new Error(`unknown expiry rule "${rule}"`);
  }
}

/** The last trading day, yyyymmdd, of a product's contract for a delivery month, 1–12. Throws as liveContracts does. */
export function lastTradingDay(
  product: Product,
  year: number,
  month: number,
  calendar: TradingCalendar,
): number {
  return expiry(product.expiry, monthNumber(year, month), calendar);
}

const listingPart = /^(?:months|even|quarters|next-quarters):(?:[1-9]|[1-5]\d|60)$/;
const expiryForm =
  /^(?:day15|trading-day:(?:[1-9]|1[0-5])|fourth-last-trading-day|last-trading-day-before|(?:second|third)-friday|last-monday)$/;

/** Whether a product's `listing` is a rule that listedMonths knows, of at most 60 months each. */
export function isListingRule(rule: string): boolean {
  return rule === 'none' || rule.split('+').every((part) => listingPart.test(part));
}

/** Whether a product's `expiry` is a rule that there is. */
export function isExpiryRule(rule: string): boolean {
  return expiryForm.test(rule);
}

function range(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + i);
}

/**
 * Delivery months that a product lists, given the nearest one that has not expired. The rule is a sum of parts:
 * `months:N` its months among the next N · `even:N`, `quarters:N` even and quarter months among the next N ·
 * `next-quarters:N` the first N quarter months after the parts before · `none`.
 */
function listedMonths(product: Product, nearest: number): Set<number> {
  const listed = new Set<number>();
  if (product.listing === 'none') return listed;
  let end = nearest;
  for (const part of product.listing.split('+')) {
    const [name, argument] = part.split(':');
    const count = Number(argument);
    let found: number[];
    switch (name) {
      case 'months':
        found = range(nearest, count).filter((month) => product.months.includes(monthOf(month)));
        break;
      case 'even':
        found = range(nearest, count).filter(isEven);
        break;
      case 'quarters':
        found = range(nearest, count).filter(isQuarter);
        break;
      case 'next-quarters':
        found = range(end, 3 * count)
          .filter(isQuarter)
          .slice(0, count);
        break;
      default:
        throw new Error(`unknown listing rule "${product.listing}" of ${product.product}`);
    }
    for (const month of found) listed.add(month);
    end = Math.max(end, nearest + (name === 'months' ? count : 0));
  }
  return listed;
}

function contractId(product: Product, count: number): string {
  const { exchange } = product;
  const isAverage = product.product.endsWith('_f');
  const code = isAverage ? product.product.slice(0, -2) : product.product;
  const year = String(yearOf(count)).slice(exchange === 'CZCE' ? 3 : 2);
  const delivery = `${year}${String(monthOf(count)).padStart(2, '0')}`;
  return formatInstrumentId({ exchange, code, delivery, variant: isAverage ? 'F' : '', option: undefined });
}

/**
 * The futures contracts that are listed at an instant, nearest first within each product. A contract is live to
 * the end of its last trading day; the trading day switches at 20:00 Shanghai.
 * Throws when the product table states a rule that is not known.
 */
export function liveContracts(
  products: ProductTable,
  now: Date,
  calendar: TradingCalendar = new WeekdayCalendar(),
): Contract[] {
  const today = tradingDayAt(now, calendar);
  const contracts: Contract[] = [];
  for (const product of products.values()) {
    // No rule lets a contract live past its delivery month.
    let nearest = monthNumber(Math.trunc(today / 10000), Math.trunc(today / 100) % 100);
    while (expiry(product.expiry, nearest, calendar) < today) nearest++;
    for (const count of [...listedMonths(product, nearest)].sort((a, b) => a - b))
      contracts.push(contractOf(product, count, calendar));
  }
  return contracts;
}

function contractOf(product: Product, count: number, calendar: TradingCalendar): Contract {
  return {
    id: contractId(product, count),
    product: product.product,
    exchange: product.exchange,
    deliveryYear: yearOf(count),
    deliveryMonth: monthOf(count),
    expireDate: expiry(product.expiry, count, calendar),
  };
}

/**
 * Every contract that might exist whatever the listing rules say: all months of the next two years and the present one, of
 * each product with futures, the nearest first. What has expired is skipped.
 *
 * @param today yyyymmdd, the present trading day
 */
export function conceivableContracts(
  products: ProductTable,
  today: number,
  calendar: TradingCalendar = new WeekdayCalendar(),
): Contract[] {
  const first = monthNumber(Math.trunc(today / 10000), Math.trunc(today / 100) % 100);
  const withFutures = [...products.values()].filter(({ underlying }) => underlying === undefined);
  return range(first, conceivableMonths)
    .flatMap((count) => withFutures.map((product) => contractOf(product, count, calendar)))
    .filter(({ expireDate }) => expireDate >= today);
}

/**
 * The contract that an id names, which need not be listed. Where no rule says when it expires, as for options, that is
 * the last day of its delivery month.
 *
 * @param today yyyymmdd
 */
export function contractNamed(
  parsed: ParsedInstrumentId,
  today: number,
  calendar: TradingCalendar = new WeekdayCalendar(),
): Contract {
  const { id, exchange, product, parts } = parsed;
  const { year, month } = deliveryMonth(parts, Math.trunc(today / 10000));
  const count = monthNumber(year, month);
  const isFuture = parsed.class === 'FUTURE' && product !== undefined;
  const option = 'legs' in parts ? undefined : parts.option;
  return {
    id,
    ...(parsed.class === 'FUTURE' ? {} : { class: parsed.class }),
    product: product?.product ?? ('legs' in parts ? parts.legs[0]!.code : parts.code),
    exchange,
    deliveryYear: year,
    deliveryMonth: month,
    expireDate: isFuture ? expiry(product.expiry, count, calendar) : addDays(firstDay(count + 1), -1),
    ...(option === undefined ? {} : { option: optionTerms(parsed, option) }),
  };
}

/** Terms in the id of an option. */
export function optionTerms(
  { exchange, product, parts }: ParsedInstrumentId,
  { right, strike }: NonNullable<SingleParts['option']>,
): NonNullable<Contract['option']> {
  // Options on commodities are on the future of their own month; those on an index have a code of their own.
  const isOnFuture = !('legs' in parts) && exchange !== 'CFFEX' && product?.underlying === undefined;
  const underlying = isOnFuture ? formatInstrumentId({ ...parts, option: undefined }) : undefined;
  return { right, strike: Number(strike), ...(underlying === undefined ? {} : { underlying }) };
}
