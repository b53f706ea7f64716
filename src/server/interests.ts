import type { Work } from './fairness/clientRequests.js';

const dropsPerStep = 256;

/** Who must know which instruments clients want; called once per session and instrument. */
export interface Demand {
  want(slot: number): void;
  drop(slot: number): void;
}

/**
 * The instruments that one session wants. It may want one in several ways (aid and action, bare and prefixed), which
 * counts as one for the demand.
 */
export class Interests {
  readonly #demand: Demand;
  readonly #ways = new Map<number, number>();

  constructor(demand: Demand) {
    this.#demand = demand;
  }

  add(slot: number): void {
    const ways = this.#ways.get(slot) ?? 0;
    this.#ways.set(slot, ways + 1);
    if (ways === 0) this.#demand.want(slot);
  }

  remove(slot: number): void {
    const ways = this.#ways.get(slot) ?? 0;
    if (ways > 1) {
      this.#ways.set(slot, ways - 1);
    } else if (ways === 1) {
      this.#ways.delete(slot);
      this.#demand.drop(slot);
    }
  }

  /** Drops everything, in steps. */
  *clear(): Work {
    let dropped = 0;
    for (const slot of this.#ways.keys()) {
      this.#ways.delete(slot);
      this.#demand.drop(slot);
      if (++dropped % dropsPerStep === 0) yield;
    }
  }
}
