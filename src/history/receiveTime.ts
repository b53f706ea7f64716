import { putDigits, putNumber } from '../market/jsonBytes.js';

const point = 0x2e;

/**
 * Writes a time of receipt in ms with its decimals, at most three, which are too many for putNumber's short way; the end of
 * it, `at` where it is none.
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
