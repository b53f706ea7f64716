import { bookFields, Field, timeFields, tradeFields } from './quoteFields.js';

/** A turnover may be computed from a rounded average, so it may fall by as much as the rounding; more is a mistake. */
const roundedTurnover = 0.02;
/** A lot traded ends one lot of open interest; where both sides are counted, two. */
const endedByTrade = 2;

// Rows of quoteFields. The held one lies in `held` from `at` on; both are of one trading day.

/**
 * Puts into `next` what its packet lacks and the held state knows, since within a trading day nothing that was known ceases
 * to be: the day's prices, limits and totals. The book is left alone, whose sides do empty. So are the closing and the
 * settlement price of a whole tick in session: the day has none yet, so one that is held was a mistake.
 *
 * @param inSession false after the close, when open interest is settled without trades
 * @param isWhole whether the packet has a volume
 * @returns whether anything was missing
 */
export function keepMissing(
  next: Float64Array,
  held: Float64Array,
  at: number,
  inSession: boolean,
  isWhole: boolean,
): boolean {
  let isKept = false;
  // A running total does not return to 0, and what the day began with does not change.
  if (next[Field.turnover] === 0 && held[at + Field.turnover]! > 0) next[Field.turnover] = NaN;
  if (next[Field.preOpenInterest] === 0 && held[at + Field.preOpenInterest]! > 0)
    next[Field.preOpenInterest] = NaN;
  if (next[Field.openInterest] === 0 && held[at + Field.openInterest]! > 0) {
    const traded = next[Field.volume]! - held[at + Field.volume]!;
    if (!(traded >= 0 && (!inSession || held[at + Field.openInterest]! <= endedByTrade * traded)))
      next[Field.openInterest] = NaN;
  }
  for (const field of tradeFields) {
    const known = held[at + field]!;
    if (!Number.isNaN(next[field]!) || Number.isNaN(known)) continue;
    if (inSession && isWhole && isLate(field)) continue;
    next[field] = known;
    isKept = true;
  }
  return isKept;
}

/**
 * Whether `next`, to which `keepMissing` was applied, tells what the held state lacks, and says nothing else that is new
 * beside its book. In session a closing or a settlement price is nothing that the state lacks.
 */
export function addsMissing(next: Float64Array, held: Float64Array, at: number, inSession: boolean): boolean {
  let isAdded = false;
  for (const field of tradeFields) {
    const known = held[at + field]!;
    const value = next[field]!;
    if (isSame(value, known)) continue;
    const isLacking = Number.isNaN(known) || (known === 0 && value > 0 && isTotal(field));
    if (!isLacking || (inSession && isLate(field))) return false;
    isAdded = true;
  }
  return isAdded;
}

/** Puts the held book and its time into `next`. */
export function keepBook(next: Float64Array, held: Float64Array, at: number): void {
  for (const field of bookFields) next[field] = held[at + field]!;
  for (const field of timeFields) next[field] = held[at + field]!;
}

/**
 * Makes of `next` the held state with the closing and the settlement price that `next` adds to it. False, and `next` as it
 * was, where it adds none or says anything else that is new.
 */
export function addLatePrices(next: Float64Array, held: Float64Array, at: number): boolean {
  let isAdded = false;
  for (const field of tradeFields) {
    const known = held[at + field]!;
    const value = next[field]!;
    if (known === value || Number.isNaN(value)) continue;
    if (!isLate(field) || !Number.isNaN(known)) return false;
    isAdded = true;
  }
  if (!isAdded) return false;
  for (const field of tradeFields) if (Number.isNaN(next[field]!)) next[field] = held[at + field]!;
  keepBook(next, held, at);
  return true;
}

/** Whether there was a trade: the last price or one of the day's has changed. */
export function hasOtherPrices(next: Float64Array, held: Float64Array, at: number): boolean {
  return (
    !isSame(next[Field.lastPrice]!, held[at + Field.lastPrice]!) ||
    !isSame(next[Field.openPrice]!, held[at + Field.openPrice]!) ||
    !isSame(next[Field.highestPrice]!, held[at + Field.highestPrice]!) ||
    !isSame(next[Field.lowestPrice]!, held[at + Field.lowestPrice]!)
  );
}

/**
 * Whether the turnover has fallen. A running total does not fall: where it does so by no more than the rounding of the
 * average that it is made from, the highest so far, which is put into `next`, is nearer to the truth; any other fall puts a
 * mistake right.
 *
 * @param tickWorth by how much the turnover of one lot differs with its price's smallest step, in yuan
 */
export function holdTurnover(next: Float64Array, held: Float64Array, at: number, tickWorth: number): boolean {
  const before = held[at + Field.turnover]!;
  const fall = before - next[Field.turnover]!;
  if (!(fall > 0)) return false;
  if (fall <= Math.max(roundedTurnover * before, tickWorth * next[Field.volume]!))
    next[Field.turnover] = before;
  return true;
}

/** Prices that are published after the close. */
function isLate(field: number): boolean {
  return field === Field.closePrice || field === Field.settlement;
}

/** Amounts for which lines that lack them send 0. */
function isTotal(field: number): boolean {
  return field === Field.turnover || field === Field.openInterest || field === Field.preOpenInterest;
}

/** Absent is absent. */
export function isSame(a: number, b: number): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b));
}
