/** ms for which shares are reckoned. */
const periodMs = 100;
/** Periods whose addresses a part is left for: one that pauses for a moment does not make the others' parts larger. */
const rememberedPeriods = 10;

/** Use of one address. */
interface Share {
  /** Number of the period that `usedMs` is of. */
  period: number;
  usedMs: number;
}

/**
 * Divides a share of the main thread among addresses whose clients choose fields of their own: nobody shares the encoding of
 * such frames, so a tick costs one for each choice. Each address gets an equal part of the share, by how many addresses
 * asked recently. Addresses that nobody has heard of before find theirs, though others may have used all.
 */
export class ViewBudget {
  /** Frames that were not encoded because their addresses had used up their parts. */
  refused = 0;
  readonly #budgetMs: number;
  readonly #shares = new WeakMap<object, Share>();
  #period = 0;
  #periodEndMs = -Infinity;
  /** Addresses that have asked in this period, and in each of those before. */
  #asking = 0;
  readonly #askedBefore = new Uint32Array(rememberedPeriods);
  #mostBefore = 0;

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
    const isLater = nowMs >= this.#periodEndMs + rememberedPeriods * periodMs;
    if (isLater) this.#askedBefore.fill(0);
    else this.#askedBefore[this.#period % rememberedPeriods] = this.#asking;
    this.#mostBefore = Math.max(...this.#askedBefore);
    this.#periodEndMs = nowMs + periodMs;
    this.#period++;
    this.#asking = 0;
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
    const partMs = this.#budgetMs / Math.max(1, this.#mostBefore, this.#asking);
    if (share.usedMs + ms > partMs) return false;
    share.usedMs += ms;
    return true;
  }
}
