import { fieldCount } from '../market/quoteFields.js';

/** One stored tick; the same object is filled anew for each. */
export class HistoryRow {
  /** As in the quote book: by the order of quoteFields, NaN where absent. */
  readonly values = new Float64Array(fieldCount).fill(NaN);
  /** Mask of tickFlags. */
  flags = 0;
  /** When the vendor's callback began, in ms since the epoch with a fraction. */
  receiveMs = NaN;
}
