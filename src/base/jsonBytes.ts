/**
 * JSON written byte by byte into memory that is used again: strings that are joined and then turned into bytes cost
 * several times as much. Each function writes at a position and returns the one after it; all that is written is
 * ASCII, and the caller sees to it that there is room.
 */

const digit0 = 0x30;
const minus = 0x2d;
const point = 0x2e;

/** Below it every integer is exact, and so is a decimal of four places. */
const exactBelow = 1e15;
const decimalScale = 1e4;
/** Integers below it fit into an int32. */
const smallBelow = 1e9;
const smallDigits = 9;
/** String() gives no number more characters. */
const scratch = new Uint8Array(32);

/** The bytes of an ASCII text. */
export function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

export function putBytes(into: Uint8Array, at: number, bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; i++) into[at + i] = bytes[i]!;
  return at + bytes.length;
}

export function putText(into: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) into[at + i] = text.charCodeAt(i);
  return at + text.length;
}

/** The digits of String(value), for finite numbers. */
export function putNumber(into: Uint8Array, at: number, value: number): number {
  let next = at;
  let positive = value;
  if (value < 0) {
    into[next++] = minus;
    positive = -value;
  }
  if (positive < exactBelow) {
    const whole = Math.floor(positive);
    if (whole === positive) return putInteger(into, next, whole);
    // Of two decimals with at most 15 digits only one can be the nearest to a double: if this one is, it is the
    // shortest, too, and what String() prints.
    const scaled = Math.round(positive * decimalScale);
    if (scaled < exactBelow && scaled / decimalScale === positive) {
      next = putInteger(into, next, whole);
      return putDecimals(into, next, scaled - whole * decimalScale);
    }
  }
  return putText(into, next, String(positive));
}

/** putNumber where nothing behind the digits may be written: that writes more decimals than it keeps. */
export function putNumberAlone(into: Uint8Array, at: number, value: number): number {
  const length = putNumber(scratch, 0, value);
  for (let i = 0; i < length; i++) into[at + i] = scratch[i]!;
  return at + length;
}

function putInteger(into: Uint8Array, at: number, value: number): number {
  if (value < smallBelow) return putSmall(into, at, value | 0);
  const high = Math.floor(value / smallBelow);
  return putDigits(into, putSmall(into, at, high | 0), (value - high * smallBelow) | 0, smallDigits);
}

function putSmall(into: Uint8Array, at: number, value: number): number {
  let digits = 1;
  for (let limit = 10; digits < smallDigits && value >= limit; limit *= 10) digits++;
  return putDigits(into, at, value, digits);
}

/** So many digits of an int32, with zeros in front. */
export function putDigits(into: Uint8Array, at: number, value: number, digits: number): number {
  let left = value;
  for (let place = at + digits - 1; place >= at; place--) {
    const rest = (left / 10) | 0;
    into[place] = digit0 + left - rest * 10;
    left = rest;
  }
  return at + digits;
}

/** A point and a number of ten-thousandths above 0, without zeros at the end. */
function putDecimals(into: Uint8Array, at: number, tenThousandths: number): number {
  into[at] = point;
  let end = putDigits(into, at + 1, tenThousandths, 4);
  while (into[end - 1] === digit0) end--;
  return end;
}
