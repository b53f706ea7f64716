const first = 64;
/** A batch that takes less may be larger, one that takes more is too large. */
const shortMs = 500;
const longMs = 1500;

/**
 * How many ticks are sent together. It begins small and grows as long as Redis answers soon, so that a slow line is not
 * given more than it carries before an answer counts as missing: nothing would ever be stored.
 */
export class BatchSize {
  readonly #most: number;
  #now: number;

  /** @param most what it never exceeds */
  constructor(most: number) {
    this.#most = most;
    this.#now = Math.min(first, most);
  }

  get now(): number {
    return this.#now;
  }

  /** A batch of the present size was answered, or its answer was given up. */
  took(ms: number): void {
    if (ms < shortMs) this.#now = Math.min(2 * this.#now, this.#most);
    else if (ms > longMs) this.#now = Math.max(1, this.#now >>> 1);
  }
}
