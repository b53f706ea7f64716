import type { InstrumentPattern } from '../../market/instruments/instrumentPattern.js';
import type { ServedDirectory } from '../shared/servedMarket.js';

/** Listed instruments that match a pattern, sorted, and as a set. */
export interface Expansion {
  readonly ids: readonly string[];
  readonly set: ReadonlySet<string>;
}

/** Ids of all expansions that are kept at once. */
const keptIds = 500_000;
/** Ids that an expansion of nothing counts as. */
const emptyCost = 20;

/** The instruments of each pattern, computed once for all clients until the list changes. */
export class Expansions {
  readonly #directory: ServedDirectory;
  readonly #byText = new Map<string, Expansion>();
  #listed: unknown;
  #ids = 0;

  constructor(directory: ServedDirectory) {
    this.#directory = directory;
  }

  of(pattern: InstrumentPattern): Expansion {
    const listed = this.#directory.listed();
    if (listed !== this.#listed || this.#ids > keptIds) {
      this.#listed = listed;
      this.#byText.clear();
      this.#ids = 0;
    }
    const known = this.#byText.get(pattern.text);
    if (known !== undefined) return known;
    const ids = this.#directory.expand(pattern);
    const expansion = { ids, set: new Set(ids) };
    this.#byText.set(pattern.text, expansion);
    this.#ids += ids.length + emptyCost;
    return expansion;
  }
}
