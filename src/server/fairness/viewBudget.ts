/** ms for which shares are reckoned. */
const periodMs = 100;

/** What an address has used. */
interface Share {
  /** Number of the period that `usedMs` is of. */
  period: number;
  usedMs: number;
}

/**
 * Divides a share of the main thread among addresses whose clients choose fields of their own: nobody shares the encoding of
 * such frames, so a tick costs one for each choice. Each address gets an equal part of the share, by how many addresses
 * asked in the period before.
 */
export class ViewBudget {
  /** Frames that were not encoded because their addresses had used up their parts. */
  refused = 0;
  readonly #budgetMs: number;
  readonly #shares = new WeakMap<object, Share>();
  #period = 0;
  #periodEndMs = -Infinity;
  #usedMs = 0;
  /** Addresses that have asked in this period, and in the one before. */
  #asking = 0;
  #askedBefore = 0;

  /** @param percent of the main thread, above 0 */
  constructor(percent: number) {
    this.#budgetMs = (percent / 100) * periodMs;
  }

  /** When the present period ends, ms; shares are whole again then. */
  get periodEndMs(): number {
    return this.#periodEndMs;
  }

  /** To be called before `take`, once for each batch of ticks. */
  advance(nowMs: number): void {
    if (nowMs < this.#periodEndMs) return;
    const isNext = nowMs < this.#periodEndMs + periodMs;
    this.#periodEndMs = nowMs + periodMs;
    this.#period++;
    this.#askedBefore = isNext ? this.#asking : 0;
    this.#asking = 0;
    this.#usedMs = 0;
  }

  /**
   * Charges an address for an encoding, if it has enough of its part left.
   *
   * @param account one object for each address
   * @param ms of the main thread
   */
  take(account: object, ms: number): boolean {
    let share = this.#shares.get(account);
    if (share === undefined) {
      share = { period: -1, usedMs: 0 };
      this.#shares.set(account, share);
    }
    if (share.period !== this.#period) {
      share.period = this.#period;
      share.usedMs = 0;
      this.#asking++;
    }
    const partMs = this.#budgetMs / Math.max(1, this.#askedBefore, this.#asking);
    if (share.usedMs + ms > partMs || this.#usedMs + ms > this.#budgetMs) return false;
    share.usedMs += ms;
    this.#usedMs += ms;
    return true;
  }
}
