import { putDigits, putNumber } from '../base/jsonBytes.js';

const point = 0x2e;

/**
 * A time of receipt in ms, with the decimals that all formats give of it: three. A double has room for four at most, and
 * clocks are no better.
 */
export function toMicroseconds(ms: number): number {
  const whole = Math.floor(ms);
  return whole + Math.round((ms - whole) * 1000) / 1000;
}

/**
 * Writes toMicroseconds() of a time of receipt, which has too many digits for putNumber's short way; the end of it, `at`
 * where it is none.
 */
export function putReceiveTime(into: Uint8Array, at: number, ms: number): number {
  if (!(ms >= 0 && ms < Infinity)) return at;
  const whole = Math.floor(ms);
  const micros = Math.round((ms - whole) * 1000);
  if (micros === 0 || micros === 1000) return putNumber(into, at, whole + micros / 1000);
  const end = putNumber(into, at, whole);
  into[end] = point;
  if (micros % 100 === 0) return putDigits(into, end + 1, micros / 100, 1);
  if (micros % 10 === 0) return putDigits(into, end + 1, micros / 10, 2);
  return putDigits(into, end + 1, micros, 3);
}
