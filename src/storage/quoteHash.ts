import { fieldCount, quoteFields } from '../market/quoteFields.js';
import { numberText, parseNumber } from './tickCodec.js';

/** The newest state of an instrument, as it lies in its hash. */
export interface Quote {
  readonly flags: number;
  /** ms since the epoch. */
  readonly receivedMs: number;
  /** fieldCount values, NaN absent. */
  readonly row: Float64Array;
}

const names = quoteFields.map(({ name }) => name);
const indexes = new Map(names.map((name, index) => [name, index]));

/** The commands that turn a hash which holds `written` into one that holds `quote`; undefined: it may hold anything. */
export function quoteCommands(key: string, quote: Quote, written: Float64Array | undefined): string[][] {
  const set = ['HSET', key, 'flags', `${quote.flags}`, 'received', `${quote.receivedMs}`];
  const del = ['HDEL', key];
  for (let field = 0; field < fieldCount; field++) {
    const value = quote.row[field]!;
    if (written !== undefined && Object.is(value, written[field])) continue;
    if (Number.isNaN(value)) del.push(names[field]!);
    else set.push(names[field]!, numberText(value));
  }
  return del.length === 2 ? [set] : [set, del];
}

/** Reads what HGETALL gave, a list of names and values; undefined where it is no quote. */
export function parseQuote(pairs: readonly string[]): Quote | undefined {
  const row = new Float64Array(fieldCount).fill(NaN);
  let flags = NaN;
  let receivedMs = NaN;
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    const value = parseNumber(pairs[i + 1]!);
    const index = indexes.get(pairs[i]!);
    if (pairs[i] === 'flags') flags = value;
    else if (pairs[i] === 'received') receivedMs = value;
    else if (index !== undefined) {
      if (Number.isNaN(value)) return undefined;
      row[index] = value;
    }
  }
  return Number.isInteger(flags) && receivedMs >= 0 ? { flags, receivedMs, row } : undefined;
}
