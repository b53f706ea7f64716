import { fieldCount } from '../market/quotes/quoteFields.js';
import { LineReader } from './tickTextReader.js';

/**
 * A tick as one line of text, as it lies in Redis and in spill files:
 *
 *   flags,received,last_price,open_price, … ,timestamp,trading_day
 *
 * flags is the bit mask of tickFlags.ts; received is when the vendor's callback began, in ms since the epoch; then come
 * all values in the order of quoteFields.ts. A number is written with the fewest digits that identify it, so that every
 * double comes back as it was; an absent value is empty, and so not 0. Fields that are added to quoteFields come at the
 * end: a shorter line is one of an older version.
 */
export interface TickHead {
  readonly flags: number;
  /** ms since the epoch. */
  readonly receivedMs: number;
}

/** @param row fieldCount values, NaN absent */
export function encodeTick(flags: number, receivedMs: number, row: Float64Array): string {
  let text = `${flags},${receivedMs}`;
  for (let field = 0; field < fieldCount; field++) text += `,${numberText(row[field]!)}`;
  return text;
}

/**
 * Reads a line of encodeTick.
 *
 * @param into gets fieldCount values, NaN absent; left as it was when the line is refused
 * @returns undefined where the text is no such line
 */
export function decodeTick(text: string | Uint8Array, into: Float64Array): TickHead | undefined {
  if (!line.read(typeof text === 'string' ? Buffer.from(text) : text)) return undefined;
  for (let field = 0; field < fieldCount; field++) into[field] = line.value(field);
  return { flags: line.flags, receivedMs: line.receivedMs };
}

const line = new LineReader();

/** The fewest digits that identify a double; empty for NaN, which stands for an absent value. */
export function numberText(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  return Number.isNaN(value) ? '' : String(value);
}

/** The number that numberText wrote; NaN for any other text. */
export function parseNumber(text: string): number {
  return numberForm.test(text) ? Number(text) : NaN;
}

const numberForm = /^-?(?:\d+(?:\.\d+)?(?:e[+-]\d+)?|Infinity)$/;
