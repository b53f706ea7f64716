import { grown } from '../../base/growable.js';

const firstSlots = 1024;

/** When each instrument last ticked, on whatever line. */
export class LastTicks {
  /** By slot: ms since the epoch; 0 where it never did. */
  #at = new Float64Array(firstSlots);

  /** A tick was received, at a time in ms since the epoch. For the tick path. */
  note(slot: number, receiveTimeMs: number): void {
    if (slot >= this.#at.length) this.#at = grown(this.#at, slot + 1);
    this.#at[slot] = receiveTimeMs;
  }

  /** The instrument has ticked. */
  has(slot: number): boolean {
    return (this.#at[slot] ?? 0) > 0;
  }

  /** How many of the instruments have ticked since then. */
  countSince(slots: Iterable<number>, sinceMs: number): number {
    let count = 0;
    for (const slot of slots) if ((this.#at[slot] ?? 0) > sinceMs) count++;
    return count;
  }
}
