import { doubleWord, intWord, type TickRecord } from '../../ring/tickRecord.js';

/** Numbers beyond it are the vendor's marks for "no value": DBL_MAX, on some feeds FLT_MAX. */
export const absentBeyond = 1e30;

/**
 * How much of a quote a vendor's packet tells. Old and cascaded fronts send packets that lack fields, with 0, DBL_MAX or
 * an empty text in their place. Only a volume of 0 leaves that open: a packet that states a volume is whole.
 *
 *   whole    a volume above 0
 *   zero     a volume of 0 beside limits or prices of the day before, and no sign of a trade but a last price: nothing was
 *            traded yet, unless something was known to be
 *   partial  no volume: the packet shows that there were trades, or has no price of the day that vouches for a 0
 *   quotes   the book alone
 *   nothing  not even that
 */
export const Content = { whole: 0, zero: 1, partial: 2, quotes: 3, nothing: 4 } as const;
export type Content = (typeof Content)[keyof typeof Content];

const levels = 5;

/** Content of a packet; `volume` is its own. */
export function contentOf({ f64, i32 }: TickRecord, volume: number): Content {
  if (volume !== 0) return Content.whole;
  if (
    isThere(f64[doubleWord.turnover]!) ||
    isThere(f64[doubleWord.openPrice]!) ||
    isThere(f64[doubleWord.highestPrice]!) ||
    isThere(f64[doubleWord.lowestPrice]!)
  )
    return Content.partial;
  if (
    isThere(f64[doubleWord.preSettlementPrice]!) ||
    isThere(f64[doubleWord.upperLimitPrice]!) ||
    isThere(f64[doubleWord.lowerLimitPrice]!) ||
    isThere(f64[doubleWord.preClosePrice]!)
  )
    return Content.zero;
  if (
    isThere(f64[doubleWord.lastPrice]!) ||
    isThere(f64[doubleWord.openInterest]!) ||
    isThere(f64[doubleWord.closePrice]!) ||
    isThere(f64[doubleWord.settlementPrice]!) ||
    isThere(f64[doubleWord.preOpenInterest]!)
  )
    return Content.partial;
  for (let level = 0; level < levels; level++)
    if (i32[intWord.bidVolume1 + level]! > 0 || i32[intWord.askVolume1 + level]! > 0) return Content.quotes;
  return Content.nothing;
}

/** Whether a field holds a number other than 0 and the vendor's marks for "no value". */
function isThere(raw: number): boolean {
  return raw !== 0 && Math.abs(raw) < absentBeyond;
}
