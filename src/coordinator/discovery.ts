import type { Contract } from '../market/instruments/contracts.js';
import { grown } from '../base/growable.js';

/** Instruments that are tried out at once, and begun in one pass. */
const mostTried = 100;
const begunPerPass = 25;
/** A front answers a subscription with the newest tick, if there is one, and well within this time. */
const answerMs = 5_000;
const firstSlots = 1024;

export interface DiscoveryParts {
  /** Instruments that might exist and are not known to, the likeliest first. */
  candidates(): readonly Contract[];
  /** The present trading day, yyyymmdd: each one everything is tried once. */
  tradingDay(): number;
  /** The slot in which the instrument is tried out; undefined where there is no room to spare now. */
  tryOut(contract: Contract): number | undefined;
  endTrial(slot: number): void;
  /** A tick has come of this slot. */
  found(slot: number): void;
  /** Everything has been tried, by this trading day. */
  swept(tradingDay: number): void;
}

/**
 * Finds out which instruments exist, without a trading account: what is tried out and ticks exists, and so does what
 * clients want by name and ticks. A few at a time, at a steady pace, and as long as connections have room to spare; what
 * did not answer is tried again on the next trading day.
 *
 * Pure but for its parts: pass() and the clock go in.
 */
export class Discovery {
  readonly #parts: DiscoveryParts;
  /** By slot: since when it is tried out, ms. */
  readonly #probes = new Map<number, number>();
  /** By slot: 1 where the next tick tells that it exists. */
  #watched = new Uint8Array(firstSlots);
  #left: Contract[] = [];
  #day: number;
  #isSwept = true;

  /** @param sweptBy the trading day by which everything was tried already; 0 for none */
  constructor(parts: DiscoveryParts, sweptBy = 0) {
    this.#parts = parts;
    this.#day = sweptBy;
  }

  /** Instruments that are tried out now, and that will be today. */
  get pending(): number {
    return this.#probes.size + this.#left.length;
  }

  /** To be called about once a second. @param now ms on a clock that never steps back */
  pass(now: number): void {
    for (const [slot, since] of this.#probes) if (now - since >= answerMs) this.#end(slot);
    const day = this.#parts.tradingDay();
    if (day !== this.#day) {
      this.#day = day;
      // The last is taken first.
      this.#left = [...this.#parts.candidates()].reverse();
      this.#isSwept = false;
    }
    for (let begun = 0; begun < begunPerPass && this.#probes.size < mostTried; begun++) {
      const candidate = this.#left.at(-1);
      if (candidate === undefined) break;
      const slot = this.#parts.tryOut(candidate);
      if (slot === undefined) break;
      this.#left.pop();
      this.#probes.set(slot, now);
      this.watch(slot);
    }
    if (this.#isSwept || this.pending > 0) return;
    this.#isSwept = true;
    this.#parts.swept(this.#day);
  }

  /** The next tick of the slot tells that its instrument exists. */
  watch(slot: number): void {
    this.#watched = grown(this.#watched, slot + 1);
    this.#watched[slot] = 1;
  }

  /** Whether `ticked` is to be called for a tick of the slot. For the tick path. */
  watches(slot: number): boolean {
    return this.#watched[slot] === 1;
  }

  ticked(slot: number): void {
    this.#watched[slot] = 0;
    this.#parts.found(slot);
    if (this.#probes.has(slot)) this.#end(slot);
  }

  /** Ends all that is under way; what is left is not tried. */
  stop(): void {
    for (const slot of [...this.#probes.keys()]) this.#end(slot);
    this.#left = [];
    this.#day = 0;
    this.#isSwept = true;
  }

  #end(slot: number): void {
    this.#probes.delete(slot);
    this.#parts.endTrial(slot);
  }
}
