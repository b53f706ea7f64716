import { closest } from '../base/spelling.js';

/** Keys beyond this many are not searched for what may have been meant: each search goes through all known ones. */
const mostExplained = 20;
const longestKey = 80;
/** Lists of known keys that are longer than this are not shown. */
const longestList = 400;
const plainKey = /^[\w.-]+$/;

/** A key as a line shows it: short, on one line. */
export function shownKey(key: string): string {
  const start = key.slice(0, longestKey);
  const quoted = plainKey.test(start) ? start : JSON.stringify(start);
  return key.length <= longestKey ? quoted : `${quoted}… (${key.length} characters)`;
}

/** Messages about unknown keys of one object. */
export class UnknownKeys {
  readonly #known: readonly string[];
  readonly #documented: string;
  #explained = 0;

  /** @param documented names the place that lists all known keys, for an object with too many of them */
  constructor(known: readonly string[], documented: string) {
    this.#known = known;
    this.#documented = documented;
  }

  /** The known key that was most likely meant; undefined where none is near, and after the first 20 keys. */
  near(key: string): string | undefined {
    return this.#explained++ < mostExplained ? closest(key, this.#known) : undefined;
  }

  /** Ends the sentence "unknown key, …" where none is near. */
  get allowed(): string {
    const all = this.#known.join(', ');
    return all.length <= longestList ? `allowed are ${all}` : `no setting is called so, ${this.#documented}`;
  }
}
