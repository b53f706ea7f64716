import { Field, fieldCount, timeFields } from '../market/quotes/quoteFields.js';
import { toMicroseconds } from './receiveTime.js';
import type { HistoryRow } from './storedRow.js';

/**
 * Rows packed one after another, each as what differs from the one before (the first from a row of absent values):
 *
 *   mask     5 bytes   one bit for each number that changed: quoteFields in their order, flags, receive time
 *   numbers  for each set bit, lowest first:
 *     varint 1         absent
 *     varint 5, f64    any number, 8 bytes little-endian
 *     varint 4 · z     the scaled number is a step of z large units from the one before
 *     varint 4 · z + 2 the same in small units
 *
 * A scaled number is an exact integer of small units: 1 for times, days, volume and flags, µs for the receive time,
 * ten-thousandths, which exchanges' prices are multiples of, for all others; there a large unit is 1. Steps are zigzag:
 * z is 2 · d upwards, 2 · d - 1 downwards. Varints have 7 bits a byte, low ones first. A tick takes some 60 bytes.
 */
const flagsAt = fieldCount;
const receiveAt = fieldCount + 1;
export const packedNumbers = fieldCount + 2;
const maskBytes = Math.ceil(packedNumbers / 8);
/** No packed row is longer. */
export const longestPackedRow = maskBytes + packedNumbers * 9;

const absentCode = 1;
const rawCode = 5;
const smallUnits = 2;
/** Scaled numbers below it are exact, and so are their differences times eight. */
const scaledBelow = 2 ** 50;
const largestStep = 2 ** 49;
const intBelow = 2 ** 31;

const whole = new Set<number>([...timeFields, Field.volume, flagsAt]);
const scales = Float64Array.from({ length: packedNumbers }, (_, index) =>
  whole.has(index) ? 1 : index === receiveAt ? 1000 : 10_000,
);
/** Small units in a large one. */
const largeUnits = scales.map((scale) => (scale === 10_000 ? scale : 1));

/** The scaled number; NaN where the value is absent or no exact multiple. */
function scaledOf(value: number, index: number): number {
  const scale = scales[index]!;
  const scaled = Math.round(value * scale);
  return scaled / scale === value && Math.abs(scaled) < scaledBelow ? scaled : NaN;
}

/** Base of a step: 0 if the number before has no scaled form. */
function baseOf(value: number, index: number): number {
  const scaled = scaledOf(value, index);
  return Number.isNaN(scaled) ? 0 : scaled;
}

const rawBits = new DataView(new ArrayBuffer(8));

/**
 * Packs a row; the end of it.
 *
 * @param before the numbers of the row before, `packedNumbers` of them from `beforeAt` on; takes on those of this row
 * @param into with room for `longestPackedRow` bytes from `at` on
 */
export function packRow(
  values: Float64Array,
  flags: number,
  receiveMs: number,
  before: Float64Array,
  beforeAt: number,
  into: Uint8Array,
  at: number,
): number {
  into.fill(0, at, at + maskBytes);
  let next = at + maskBytes;
  for (let index = 0; index < packedNumbers; index++) {
    const value = index < fieldCount ? values[index]! : index === flagsAt ? flags : toMicroseconds(receiveMs);
    const held = before[beforeAt + index]!;
    if (value === held || (Number.isNaN(value) && Number.isNaN(held))) continue;
    into[at + (index >>> 3)]! |= 1 << (index & 7);
    before[beforeAt + index] = value;
    next = putChange(into, next, value, held, index);
  }
  return next;
}

function putChange(into: Uint8Array, at: number, value: number, held: number, index: number): number {
  if (Number.isNaN(value)) return putVarint(into, at, absentCode);
  const step = scaledOf(value, index) - baseOf(held, index);
  if (Math.abs(step) < largestStep) {
    const large = step / largeUnits[index]!;
    return Number.isInteger(large)
      ? putVarint(into, at, zigzag(large) * 4)
      : putVarint(into, at, zigzag(step) * 4 + smallUnits);
  }
  const next = putVarint(into, at, rawCode);
  rawBits.setFloat64(0, value, true);
  for (let i = 0; i < 8; i++) into[next + i] = rawBits.getUint8(i);
  return next + 8;
}

/** Takes packed rows out again, in the order in which they were packed. */
export class RowUnpacker {
  readonly #before = new Float64Array(packedNumbers).fill(NaN);
  #from: Uint8Array = new Uint8Array(0);
  #at = 0;

  /** To begin with the first row of `from`. */
  open(from: Uint8Array): void {
    this.#before.fill(NaN);
    this.#from = from;
    this.#at = 0;
  }

  /** Whether there is another row. */
  get pending(): boolean {
    return this.#at < this.#from.length;
  }

  next(row: HistoryRow): void {
    const mask = this.#at;
    const before = this.#before;
    this.#at += maskBytes;
    for (let index = 0; index < packedNumbers; index++)
      if ((this.#from[mask + (index >>> 3)]! >>> (index & 7)) & 1)
        before[index] = this.#number(before[index]!, index);
    row.values.set(before.subarray(0, fieldCount));
    row.flags = before[flagsAt]!;
    row.receiveMs = before[receiveAt]!;
  }

  #number(held: number, index: number): number {
    const code = this.#varint();
    if (code === absentCode) return NaN;
    if (code === rawCode) return this.#raw();
    const small = code % 4 === smallUnits;
    const step = unzigzag((code - (small ? smallUnits : 0)) / 4) * (small ? 1 : largeUnits[index]!);
    return (baseOf(held, index) + step) / scales[index]!;
  }

  #raw(): number {
    for (let i = 0; i < 8; i++) rawBits.setUint8(i, this.#from[this.#at + i]!);
    this.#at += 8;
    return rawBits.getFloat64(0, true);
  }

  #varint(): number {
    let value = 0;
    let place = 1;
    for (;;) {
      const byte = this.#from[this.#at++]!;
      value += (byte & 127) * place;
      if (byte < 128) return value;
      place *= 128;
    }
  }
}

function zigzag(step: number): number {
  return step >= 0 ? step * 2 : -step * 2 - 1;
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

function putVarint(into: Uint8Array, at: number, value: number): number {
  let next = at;
  let left = value;
  while (left >= intBelow) {
    const rest = Math.floor(left / 128);
    into[next++] = (left - rest * 128) | 128;
    left = rest;
  }
  let small = left | 0;
  for (; small >= 128; small >>>= 7) into[next++] = (small & 127) | 128;
  into[next++] = small;
  return next;
}
