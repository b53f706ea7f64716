import { F, fieldCount } from './quoteFields.js';

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
  if (next[F.turnover] === 0 && held[at + F.turnover]! > 0) next[F.turnover] = NaN;
  if (next[F.preOpenInterest] === 0 && held[at + F.preOpenInterest]! > 0) next[F.preOpenInterest] = NaN;
  if (next[F.openInterest] === 0 && held[at + F.openInterest]! > 0) {
    const traded = next[F.volume]! - held[at + F.volume]!;
    if (!(traded >= 0 && (!inSession || held[at + F.openInterest]! <= endedByTrade * traded)))
      next[F.openInterest] = NaN;
  }
  // The fields before the book's are all others but the times.
  for (let field = 0; field < F.bidPrice1; field++) {
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
  for (let field = 0; field < F.bidPrice1; field++) {
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
  for (let field = F.bidPrice1; field < fieldCount; field++) next[field] = held[at + field]!;
}

/**
 * Makes of `next` the held state with the closing and the settlement price that `next` adds to it. False, and `next` as it
 * was, where it adds none or says anything else that is new.
 */
export function addLatePrices(next: Float64Array, held: Float64Array, at: number): boolean {
  let isAdded = false;
  for (let field = 0; field < F.bidPrice1; field++) {
    const known = held[at + field]!;
    const value = next[field]!;
    if (known === value || Number.isNaN(value)) continue;
    if (!isLate(field) || !Number.isNaN(known)) return false;
    isAdded = true;
  }
  if (!isAdded) return false;
  for (let field = 0; field < F.bidPrice1; field++)
    if (Number.isNaN(next[field]!)) next[field] = held[at + field]!;
  keepBook(next, held, at);
  return true;
}

/** Whether a trade was told of: the last price or one of the day's has changed. */
export function hasOtherPrices(next: Float64Array, held: Float64Array, at: number): boolean {
  return (
    !isSame(next[F.lastPrice]!, held[at + F.lastPrice]!) ||
    !isSame(next[F.openPrice]!, held[at + F.openPrice]!) ||
    !isSame(next[F.highestPrice]!, held[at + F.highestPrice]!) ||
    !isSame(next[F.lowestPrice]!, held[at + F.lowestPrice]!)
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
  const before = held[at + F.turnover]!;
  const fall = before - next[F.turnover]!;
  if (!(fall > 0)) return false;
  if (fall <= Math.max(roundedTurnover * before, tickWorth * next[F.volume]!)) next[F.turnover] = before;
  return true;
}

/** Prices that are published after the close. */
function isLate(field: number): boolean {
  return field === F.closePrice || field === F.settlement;
}

/** Amounts for which lines that lack them send 0. */
function isTotal(field: number): boolean {
  return field === F.turnover || field === F.openInterest || field === F.preOpenInterest;
}

/** Absent is absent. */
export function isSame(a: number, b: number): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b));
}
