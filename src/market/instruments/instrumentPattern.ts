import { exchanges, type Exchange } from './products.js';

/** A set of instruments, as the configuration names it. */
export interface InstrumentPattern {
  /** As it was written. */
  readonly text: string;
  /** Undefined: of any exchange. */
  readonly exchange: Exchange | undefined;
  /** The bare id; with `open`, what it begins with. */
  readonly id: string;
  /** True where a star ends it. */
  readonly open: boolean;
}

/** The forms there are, to end the sentence "must be …". */
export const patternForms =
  '"*", "SHFE.*", "rb*", "SHFE.rb*" or an instrument such as "rb2605" or "SHFE.rb2605"';

const longestPattern = 90;
/** Matches a prefix like an exchange before a dot; the dot of a strike price comes after digits. */
const prefixed = /^([A-Za-z]*)\.(.*)$/s;
/** Blanks and "&" occur in combinations, a dot in strike prices. */
const idStart = /^[A-Za-z](?:[A-Za-z0-9 &-]|(?<=\d)\.)*$/;

/**
 * Reads a pattern: `*`, `SHFE.*`, `rb*`, `SHFE.rb*`, or one instrument, bare or with its exchange. Case counts, and a
 * star stands for any rest at the end alone: `c*` is every id that begins with c, cu2605 among them.
 * What can match nothing is a problem, told in words that follow "<pattern>: ".
 */
export function parsePattern(text: string): InstrumentPattern | { readonly problem: string } {
  if (text === '') return { problem: 'it is empty' };
  if (text.length > longestPattern) return { problem: `it is longer than ${longestPattern} characters` };
  const star = text.indexOf('*');
  if (star >= 0 && star !== text.length - 1) return { problem: 'the star may only be its last character' };
  const open = star >= 0;
  const stem = open ? text.slice(0, -1) : text;
  const [, name, rest] = prefixed.exec(stem) ?? [];
  const exchange = exchanges.find((each) => each === name);
  if (name !== undefined && exchange === undefined) return { problem: unknownExchange(name) };
  const id = exchange === undefined ? stem : rest!;
  const problem = idProblem(id, open);
  return problem === undefined ? { text, exchange, id, open } : { problem };
}

/** True when the instrument, by its bare id and exchange, is one of the pattern's. */
export function matches(
  pattern: InstrumentPattern,
  instrument: { readonly id: string; readonly exchange: Exchange },
): boolean {
  if (pattern.exchange !== undefined && pattern.exchange !== instrument.exchange) return false;
  return pattern.open ? instrument.id.startsWith(pattern.id) : instrument.id === pattern.id;
}

function unknownExchange(name: string): string {
  const meant = exchanges.find((each) => each === name.toUpperCase());
  return meant === undefined
    ? `${JSON.stringify(name)} is no exchange, there are ${exchanges.join(', ')}`
    : `exchanges are in capitals: ${meant}`;
}

function idProblem(id: string, open: boolean): string | undefined {
  if (id === '') return open ? undefined : 'no instrument follows the exchange';
  if (!idStart.test(id))
    return 'an instrument begins with a letter and has letters, digits, ".", "-", "&" and blanks';
  if (!open && !/\d/.test(id)) return `an instrument has digits, all of a product are "${id}*"`;
  return undefined;
}
