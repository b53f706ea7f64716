import { asciiBytes } from '../base/jsonBytes.js';
import { fieldCount } from '../market/quotes/quoteFields.js';

/** Values of a line that are no quote fields: flags and time of receipt. */
const headParts = 2;
const mostParts = headParts + fieldCount;
/** Largest mantissa that takes another digit and stays exact. */
const lastExact = Math.floor((Number.MAX_SAFE_INTEGER - 9) / 10);
/** Powers of ten that are exact doubles: a quotient or product of two exact ones is rounded once, and so right. */
const exactPowers = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
const infinity = asciiBytes('Infinity');

const comma = 0x2c;
const minus = 0x2d;
const plus = 0x2b;
const point = 0x2e;
const digit0 = 0x30;
const letterE = 0x65;
const letterI = 0x49;

/** Whether a byte is one of 0 to 9; what lies behind the end of the memory is none. */
function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= digit0 && byte <= digit0 + 9;
}

/**
 * A line of encodeTick (tickCodec.ts) as bytes, whose numbers are made only when they are asked for: anyone who passes them
 * on as text can copy their digits. The same object is used for one line after another; it refers to the bytes of the last.
 */
export class LineReader {
  /** Of the last line that was read. */
  bytes: Uint8Array = new Uint8Array(0);
  readonly #begins = new Int32Array(mostParts);
  readonly #ends = new Int32Array(mostParts);
  #flags = 0;

  /** Takes the line between two places in; false, and nothing to be asked for, where there is none. */
  read(bytes: Uint8Array, from = 0, to = bytes.length): boolean {
    this.bytes = bytes;
    let part = 0;
    for (let at = from; ; at++) {
      if (part === mostParts) return false;
      let end = at;
      // Most numbers are digits and a point; whatever else there is, is looked at closely.
      while (end < to && (bytes[end]! - digit0) >>> 0 <= 9) end++;
      if (end > at && bytes[end] === point) {
        const decimals = ++end;
        while (end < to && (bytes[end]! - digit0) >>> 0 <= 9) end++;
        if (end === decimals) return false;
      }
      if (end !== to && bytes[end] !== comma) {
        end = numberEnd(bytes, at, to);
        if (end < 0 || end > to) return false;
      }
      this.#begins[part] = at;
      this.#ends[part++] = end;
      at = end;
      if (at === to) break;
      if (bytes[at] !== comma) return false;
    }
    if (part <= headParts || this.#isEmpty(0) || this.#isEmpty(1)) return false;
    for (; part < mostParts; part++) this.#begins[part] = this.#ends[part] = to;
    this.#flags = this.#number(0);
    return Number.isInteger(this.#flags);
  }

  /** Bit mask. */
  get flags(): number {
    return this.#flags;
  }

  /** ms since the epoch. */
  get receivedMs(): number {
    return this.#number(1);
  }

  /** Where the digits of the time of receipt are. */
  get receivedBegin(): number {
    return this.#begins[1]!;
  }

  get receivedEnd(): number {
    return this.#ends[1]!;
  }

  /** @param field index into quoteFields; NaN where the value is absent */
  value(field: number): number {
    return this.#isEmpty(field + headParts) ? NaN : this.#number(field + headParts);
  }

  /** Where the digits of a value begin; where they end as well if it is absent. */
  begin(field: number): number {
    return this.#begins[field + headParts]!;
  }

  end(field: number): number {
    return this.#ends[field + headParts]!;
  }

  #isEmpty(part: number): boolean {
    return this.#begins[part] === this.#ends[part];
  }

  #number(part: number): number {
    return numberOf(this.bytes, this.#begins[part]!, this.#ends[part]!);
  }
}

/**
 * The end of the number that begins at a place: `-?(digits(.digits)?(e[+-]digits)?|Infinity)`, or nothing at all. -1
 * where something else is there. It may be behind the line's end `to`, where digits follow that.
 */
function numberEnd(bytes: Uint8Array, begin: number, to: number): number {
  let at = begin;
  if (at === to || bytes[at] === comma) return at;
  if (bytes[at] === minus) at++;
  if (bytes[at] === letterI) {
    for (let i = 0; i < infinity.length; i++) if (bytes[at + i] !== infinity[i]) return -1;
    return at + infinity.length;
  }
  const whole = at;
  while (isDigit(bytes[at])) at++;
  if (at === whole) return -1;
  if (bytes[at] === point) {
    const decimals = ++at;
    while (isDigit(bytes[at])) at++;
    if (at === decimals) return -1;
  }
  if (bytes[at] !== letterE) return at;
  at++;
  if (bytes[at] !== plus && bytes[at] !== minus) return -1;
  const exponent = ++at;
  while (isDigit(bytes[at])) at++;
  return at === exponent ? -1 : at;
}

/** The double that the digits between two places stand for: numberEnd has found them. */
function numberOf(bytes: Uint8Array, begin: number, end: number): number {
  const isNegative = bytes[begin] === minus;
  let mantissa = 0;
  let decimals = 0;
  let isDecimal = false;
  for (let at = isNegative ? begin + 1 : begin; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === point) {
      isDecimal = true;
      continue;
    }
    if (!isDigit(byte) || mantissa > lastExact) return Number(latin1(bytes, begin, end));
    mantissa = mantissa * 10 + (byte - digit0);
    if (isDecimal) decimals++;
  }
  if (decimals >= exactPowers.length) return Number(latin1(bytes, begin, end));
  const value = decimals === 0 ? mantissa : mantissa / exactPowers[decimals]!;
  return isNegative ? -value : value;
}

function latin1(bytes: Uint8Array, begin: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(begin, end));
}
