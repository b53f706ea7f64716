import { fieldCount } from '../market/quotes/quoteFields.js';
import { longestNumber, writeNumber } from './numberBytes.js';

const comma = 44;
/** flags and time of receipt come before the fields. */
const headParts = 2;
const parts = headParts + fieldCount;
/** No line takes more bytes. */
export const longestLine = parts * (longestNumber + 1);
const firstCapacity = 256;

/** Where a line is made before it replaces the one before. */
const next = new Uint8Array(longestLine);
const nextEnds = new Uint16Array(parts);

/**
 * An instrument's newest tick as a line (tickCodec.ts), in latin1. From one tick to the next most values stay as they are,
 * so only those that have changed are formatted; the others are copied from the line before.
 */
export class TickLine {
  /** The values that the line reports; NaN absent. */
  readonly row = new Float64Array(fieldCount).fill(NaN);
  /** Begins with the line. */
  bytes = new Uint8Array(firstCapacity);
  length = 0;
  /** Where each part of the line ends. */
  readonly #ends = new Uint16Array(parts);

  /**
   * Makes the line of a tick.
   *
   * @param row fieldCount values, NaN absent
   * @param changed gets a 1 for each field that is not as before
   * @returns whether there is any
   */
  update(flags: number, receivedMs: number, row: Float64Array, changed: Uint8Array): boolean {
    const { bytes } = this;
    const held = this.row;
    const ends = this.#ends;
    let at = writeNumber(flags, next, 0);
    nextEnds[0] = at;
    next[at++] = comma;
    at = writeNumber(receivedMs, next, at);
    nextEnds[1] = at;
    let isChanged = false;
    for (let field = 0; field < fieldCount; field++) {
      next[at++] = comma;
      const value = row[field]!;
      if (Object.is(value, held[field])) {
        const end = ends[field + headParts]!;
        for (let from = ends[field + headParts - 1]! + 1; from < end; from++) next[at++] = bytes[from]!;
      } else {
        held[field] = value;
        changed[field] = 1;
        isChanged = true;
        at = writeNumber(value, next, at);
      }
      nextEnds[field + headParts] = at;
    }
    this.#take(at);
    return isChanged;
  }

  get flagsEnd(): number {
    return this.#ends[0]!;
  }

  get receivedEnd(): number {
    return this.#ends[1]!;
  }

  isAbsent(field: number): boolean {
    return Number.isNaN(this.row[field]!);
  }

  /** Where a field's text begins. */
  begin(field: number): number {
    return this.#ends[field + headParts - 1]! + 1;
  }

  /** Where a field's text ends; where it begins when the value is absent. */
  end(field: number): number {
    return this.#ends[field + headParts]!;
  }

  #take(length: number): void {
    if (length > this.bytes.length) this.bytes = new Uint8Array(2 * length);
    const { bytes } = this;
    for (let i = 0; i < length; i++) bytes[i] = next[i]!;
    const ends = this.#ends;
    for (let part = 0; part < parts; part++) ends[part] = nextEnds[part]!;
    this.length = length;
  }
}
