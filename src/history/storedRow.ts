import { putNumberAlone } from '../base/jsonBytes.js';
import { Field, fieldCount } from '../market/quotes/quoteFields.js';
import { LineReader } from '../tickText/tickTextReader.js';
import { putReceiveTime } from './receiveTime.js';

/** One stored tick as it is given out, whether its source has numbers or digits. */
export interface StoredRow {
  /** Mask of tickFlags. */
  readonly flags: number;
  /** Exchange time in ms since the epoch; NaN where there is none. */
  readonly timeMs: number;
  /**
   * Writes a value's digits as JSON has numbers, and nothing behind them; the end of them, `at` where the value is absent.
   */
  putValue(into: Uint8Array, at: number, field: number): number;
  /** The digits of the time of receipt, ms. */
  putReceived(into: Uint8Array, at: number): number;
}

/** A tick in numbers; the same object is filled again for each. */
export class HistoryRow implements StoredRow {
  /** As in the quote book: by the order of quoteFields, NaN where absent. */
  readonly values = new Float64Array(fieldCount).fill(NaN);
  flags = 0;
  /** When the vendor's callback began, in ms since the epoch with a fraction. */
  receiveMs = NaN;

  get timeMs(): number {
    return this.values[Field.timestamp]!;
  }

  putValue(into: Uint8Array, at: number, field: number): number {
    const value = this.values[field]!;
    return Number.isFinite(value) ? putNumberAlone(into, at, value) : at;
  }

  putReceived(into: Uint8Array, at: number): number {
    return putReceiveTime(into, at, this.receiveMs);
  }
}

const digit0 = 0x30;
const minus = 0x2d;
const letterI = 0x49;

/** A tick in the digits that it is stored with, which are copied; the same object is filled again for each. */
export class LineRow implements StoredRow {
  readonly #line = new LineReader();
  timeMs = NaN;

  /** False, and nothing to be given out, where the bytes between two places are no tick's. */
  read(bytes: Uint8Array, from = 0, to = bytes.length): boolean {
    if (!this.#line.read(bytes, from, to)) return false;
    this.timeMs = this.#line.value(Field.timestamp);
    return true;
  }

  get flags(): number {
    return this.#line.flags;
  }

  putValue(into: Uint8Array, at: number, field: number): number {
    const { bytes } = this.#line;
    const begin = this.#line.begin(field);
    const end = this.#line.end(field);
    const first = bytes[begin] === minus ? begin + 1 : begin;
    // What no gateway writes, and JSON does not take: digits behind a zero in front; and infinity, which is no value.
    if (bytes[first] === letterI) return at;
    if (bytes[first] === digit0 && end - first > 1) {
      const value = this.#line.value(field);
      return Number.isFinite(value) ? putNumberAlone(into, at, value) : at;
    }
    for (let from = begin; from < end; from++) into[at++] = bytes[from]!;
    return at;
  }

  putReceived(into: Uint8Array, at: number): number {
    return putReceiveTime(into, at, this.#line.receivedMs);
  }
}
