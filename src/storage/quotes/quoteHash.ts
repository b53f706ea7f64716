import { fieldCount, quoteFields } from '../../market/quotes/quoteFields.js';
import { argumentBytes, type CommandBytes } from '../../redis/commandBytes.js';
import { parseNumber } from '../../tickText/tickCodec.js';
import type { TickLine } from '../../tickText/tickText.js';

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

const nameArguments = names.map(argumentBytes);
const hset = argumentBytes('HSET');
const hdel = argumentBytes('HDEL');
const flagsArgument = argumentBytes('flags');
const receivedArgument = argumentBytes('received');

/**
 * Adds the commands that bring a hash to the state of a line: HSET, and HDEL where values have become absent.
 *
 * @param key as argumentBytes makes it
 * @param unwritten 1 for each field of which the hash may hold something else
 */
export function writeQuote(
  commands: CommandBytes,
  key: Uint8Array,
  line: TickLine,
  unwritten: Uint8Array,
): void {
  let set = 0;
  let absent = 0;
  for (let field = 0; field < fieldCount; field++) {
    if (unwritten[field] === 0) continue;
    if (line.isAbsent(field)) absent++;
    else set++;
  }
  commands.command(2 + 2 * (2 + set));
  commands.ready(hset);
  commands.ready(key);
  commands.ready(flagsArgument);
  commands.slice(line.bytes, 0, line.flagsEnd);
  commands.ready(receivedArgument);
  commands.slice(line.bytes, line.flagsEnd + 1, line.receivedEnd);
  for (let field = 0; set > 0 && field < fieldCount; field++) {
    if (unwritten[field] === 0 || line.isAbsent(field)) continue;
    commands.ready(nameArguments[field]!);
    commands.slice(line.bytes, line.begin(field), line.end(field));
  }
  if (absent === 0) return;
  commands.command(2 + absent);
  commands.ready(hdel);
  commands.ready(key);
  for (let field = 0; field < fieldCount; field++)
    if (unwritten[field] !== 0 && line.isAbsent(field)) commands.ready(nameArguments[field]!);
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
