/** No number takes more bytes. */
export const longestNumber = 25;

const dot = 46;
const minus = 45;
const zero = 48;
/** Decimals that are tried; more are left to the engine. */
const mostDecimals = 4;
/** Below this, no two numbers of as many decimals are the same double. */
const largest = 1e15;
const half = 1e9;
const powers = [1, 10, 100, 1000, 10_000];

/**
 * Writes the fewest digits that identify a double, in latin1; nothing for NaN, which stands for an absent value. It is what
 * numberText gives (tickCodec.ts), without making a string where the value has few decimals.
 *
 * @returns where it ends
 */
export function writeNumber(value: number, into: Uint8Array, at: number): number {
  // An absent value.
  if (value !== value) return at;
  const size = Math.abs(value);
  if (size < largest) {
    for (let decimals = 0; decimals <= mostDecimals; decimals++) {
      const scaled = Math.round(size * powers[decimals]!);
      if (scaled / powers[decimals]! !== size || scaled >= largest) continue;
      if (value < 0 || Object.is(value, -0)) into[at++] = minus;
      return writeDecimal(scaled, decimals, into, at);
    }
  }
  const text = String(value);
  for (let i = 0; i < text.length; i++) into[at++] = text.charCodeAt(i);
  return at;
}

function writeDecimal(scaled: number, decimals: number, into: Uint8Array, at: number): number {
  if (decimals === 0) return writeInteger(scaled, into, at);
  const power = powers[decimals]!;
  const whole = Math.trunc(scaled / power);
  at = writeInteger(whole, into, at);
  into[at++] = dot;
  return writeDigits(scaled - whole * power, decimals, into, at);
}

function writeInteger(value: number, into: Uint8Array, at: number): number {
  if (value < half) return writeDigits(value, digitsOf(value), into, at);
  const high = Math.trunc(value / half);
  at = writeDigits(high, digitsOf(high), into, at);
  return writeDigits(value - high * half, 9, into, at);
}

/** @param value below 1e9, so that all of this is arithmetic on small integers */
function writeDigits(value: number, digits: number, into: Uint8Array, at: number): number {
  let left = value | 0;
  for (let i = at + digits - 1; i >= at; i--) {
    const next = (left / 10) | 0;
    into[i] = zero + (left - next * 10);
    left = next;
  }
  return at + digits;
}

function digitsOf(value: number): number {
  let digits = 1;
  for (let bound = 10; value >= bound; bound *= 10) digits++;
  return digits;
}
