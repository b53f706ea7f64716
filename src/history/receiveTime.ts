import { putNumber } from '../market/jsonBytes.js';

/**
 * Writes a time of receipt in ms with its decimals, at most three, which are too many for putNumber's short way; the end of
 * it, `at` where it is none.
 */
export function putReceiveTime(into: Uint8Array, at: number, ms: number): number {
  if (!(ms >= 0 && ms < Infinity)) return at;
  const whole = Math.floor(ms);
  const rest = Math.round((ms - whole) * 1000);
  if (rest === 0 || rest === 1000) return putNumber(into, at, whole + rest / 1000);
  const end = putNumber(into, at, whole);
  // 1.ddd without the 1 in front; one division, so that it is the double that is written so.
  const point = putNumber(into, end, (1000 + rest) / 1000);
  into.copyWithin(end, end + 1, point);
  return point - 1;
}
