/** Bits of a tag; the sign is left to marks such as "no slot". */
const tagBits = 31;

/** How the slots of instruments stand. */
export interface SlotFigures {
  readonly used: number;
  /** That instruments may take which are not listed. */
  readonly free: number;
  /** Names that were refused for want of a slot. */
  readonly refused: number;
}

/**
 * Gives out slots: small whole numbers, the indexes of arrays with an element for each instrument. One that was given back
 * goes to another instrument, and ticks of the one before may still be under way then. So what leaves this thread with a
 * slot carries its *tag*, the slot with the number of its user, and a tag of an earlier user stands for nothing.
 */
export class InstrumentSlots {
  readonly #most: number;
  readonly #slotBits: number;
  readonly #users: Int32Array;
  /** Given back, the one that was given back first in front. */
  #free: number[] = [];
  #nextFree = 0;
  #fresh = 0;

  /** @param most slots that there are at most */
  constructor(most: number) {
    this.#most = most;
    this.#slotBits = Math.max(1, Math.ceil(Math.log2(most)));
    this.#users = new Int32Array(most);
  }

  get used(): number {
    return this.#fresh - (this.#free.length - this.#nextFree);
  }

  /** One more than the highest slot that was ever given out. */
  get end(): number {
    return this.#fresh;
  }

  /** Undefined when all are taken. Slots that were given back come first, so that arrays do not grow. */
  take(): number | undefined {
    if (this.#nextFree < this.#free.length) return this.#takeFree();
    return this.#fresh < this.#most ? this.#fresh++ : undefined;
  }

  giveBack(slot: number): void {
    this.#users[slot] = (this.#users[slot]! + 1) & (2 ** (tagBits - this.#slotBits) - 1);
    this.#free.push(slot);
  }

  tagOf(slot: number): number {
    return (this.#users[slot]! << this.#slotBits) | slot;
  }

  /** The slot of a tag; -1 for one of an earlier user. For the tick path. */
  slotOf(tag: number): number {
    const slot = tag & (2 ** this.#slotBits - 1);
    return this.#users[slot] === tag >> this.#slotBits ? slot : -1;
  }

  #takeFree(): number {
    const slot = this.#free[this.#nextFree++]!;
    if (2 * this.#nextFree >= this.#free.length) {
      this.#free = this.#free.slice(this.#nextFree);
      this.#nextFree = 0;
    }
    return slot;
  }
}
