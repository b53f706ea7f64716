import type { InstrumentDirectory } from '../market/instruments/instrumentDirectory.js';
import { matches, type InstrumentPattern } from '../market/instruments/instrumentPattern.js';

export interface AlwaysWantedParts {
  readonly directory: InstrumentDirectory;
  readonly want: (slot: number) => void;
  readonly drop: (slot: number) => void;
}

/** The instruments that the configuration wants, whatever clients do (`always_subscribe`). */
export class AlwaysWanted {
  readonly #parts: AlwaysWantedParts;
  #slots = new Set<number>();

  constructor(parts: AlwaysWantedParts) {
    this.#parts = parts;
  }

  /** Wants those that fit, of what is listed now and what is named in full; drops those that do not any more. */
  follow(patterns: readonly InstrumentPattern[]): void {
    const { directory, want, drop } = this.#parts;
    const wanted = new Set<number>();
    if (patterns.length > 0) {
      const named = patterns.filter(({ open }) => !open).map(({ text }) => text);
      for (const id of [...directory.list(), ...named]) {
        const instrument = directory.resolve(id);
        if (instrument !== undefined && patterns.some((pattern) => matches(pattern, instrument)))
          wanted.add(instrument.slot);
      }
    }
    for (const slot of wanted) if (!this.#slots.has(slot)) want(slot);
    for (const slot of this.#slots) if (!wanted.has(slot)) drop(slot);
    this.#slots = wanted;
  }
}
