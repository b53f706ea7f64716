import type { Work } from '../fairness/clientRequests.js';

const dropsPerStep = 256;

/** A client that wants instruments: one object for each session. */
export interface WantingClient {
  readonly address: string;
}

/** Learns which instruments clients want. */
export interface InstrumentDemand {
  /** Called once per session and instrument. */
  want(slot: number, client: WantingClient): void;
  drop(slot: number, client: WantingClient): void;
  /** Of some instruments that sessions want, those that have to wait for a place on a connection. */
  waiting(slots: Iterable<number>): readonly number[];
  /** How many of the session's instruments nobody knows to exist. */
  unprovenOf(client: WantingClient): number;
}

/**
 * The instruments that one session wants. It may want one in several ways (aid and action, bare and prefixed), which
 * counts as one for the demand.
 */
export class ClientDemand {
  readonly #demand: InstrumentDemand;
  readonly #client: WantingClient;
  readonly #ways = new Map<number, number>();
  /** Instruments that the demand does not know of yet. */
  readonly #fresh = new Set<number>();

  constructor(demand: InstrumentDemand, client: WantingClient) {
    this.#demand = demand;
    this.#client = client;
  }

  /** The session wants the instrument in one more way; `commit` tells the demand. */
  add(slot: number): void {
    const ways = this.#ways.get(slot) ?? 0;
    this.#ways.set(slot, ways + 1);
    if (ways === 0) this.#fresh.add(slot);
  }

  /**
   * Tells the demand of what was added. To be called at the end of each step: what the step has sent comes before anything
   * that a front answers, and no slot is without a want for longer.
   */
  commit(): void {
    for (const slot of this.#fresh) {
      this.#fresh.delete(slot);
      this.#demand.want(slot, this.#client);
    }
  }

  remove(slot: number): void {
    const ways = this.#ways.get(slot) ?? 0;
    if (ways > 1) {
      this.#ways.set(slot, ways - 1);
    } else if (ways === 1) {
      this.#ways.delete(slot);
      if (!this.#fresh.delete(slot)) this.#demand.drop(slot, this.#client);
    }
  }

  /** Of some instruments of the session, those that have to wait for a place on a connection. */
  waiting(slots: Iterable<number>): readonly number[] {
    return this.#demand.waiting(slots);
  }

  /** Number of unproven instruments, including those that the demand does not know of yet. */
  get unproven(): number {
    return this.#demand.unprovenOf(this.#client) + this.#fresh.size;
  }

  /** Drops everything, in steps. */
  *clear(): Work {
    let dropped = 0;
    for (const slot of this.#ways.keys()) {
      this.#ways.delete(slot);
      if (!this.#fresh.delete(slot)) this.#demand.drop(slot, this.#client);
      if (++dropped % dropsPerStep === 0) yield;
    }
  }
}
