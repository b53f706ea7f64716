import { TapeReader } from './tape.js';

/** Start data with which a thread that reads the tape marks the tick in hand. */
export interface PoisonTicksSpec {
  /** One double: the tape's number of the tick that the thread has in hand, NaN while it has none. */
  readonly inHand: SharedArrayBuffer;
  /** Numbers of ticks that are to be skipped. */
  readonly skips: readonly number[];
}

/**
 * Finds the ticks that end anyone who takes them, so that the threads that follow one another at the tape do not all end there.
 * A tick that two of them had in hand as they ended is skipped from then on. Threads end for other reasons too, such as
 * too little memory to start with: those that have nothing in hand leave nothing out.
 */
export class PoisonTicks {
  readonly #inHand = new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT)).fill(NaN);
  #skips: readonly number[] = [];
  #last = NaN;

  /** For the next thread. */
  get spec(): PoisonTicksSpec {
    return { inHand: this.#inHand.buffer, skips: this.#skips };
  }

  /**
   * A thread has ended.
   *
   * @param position number of the tick at which the next one begins
   */
  threadEnded(position: number): void {
    const number = this.#inHand[0]!;
    this.#inHand[0] = NaN;
    // Numbers wrap: one that is passed will be another tick's.
    this.#skips = this.#skips.filter((each) => ((each - position) | 0) >= 0);
    if (Number.isNaN(number)) return;
    if (number === this.#last) this.#skips = [...this.#skips, number];
    this.#last = number;
  }
}

/** Says which tick it has in hand, and skips those that have ended threads: they count as missed. */
export class GuardedTapeReader extends TapeReader {
  readonly #inHand: Float64Array;
  readonly #skips: Set<number>;
  #skipped = 0;

  /**
   * @param position where to begin, NaN for the tape's first record
   * @throws if the memory is no tape
   */
  constructor(tape: SharedArrayBuffer, position: number, { inHand, skips }: PoisonTicksSpec) {
    super(tape, Number.isNaN(position) ? undefined : position);
    this.#inHand = new Float64Array(inHand);
    this.#skips = new Set(skips);
  }

  override next(): boolean {
    while (super.next()) {
      const number = (this.position - 1) | 0;
      if (!this.#skips.delete(number)) {
        this.#inHand[0] = number;
        return true;
      }
      this.#skipped++;
    }
    this.putDown();
    return false;
  }

  /** The last tick is taken; to be called where next() is not called again at once. */
  putDown(): void {
    this.#inHand[0] = NaN;
  }

  override get missed(): number {
    return super.missed + this.#skipped;
  }
}
