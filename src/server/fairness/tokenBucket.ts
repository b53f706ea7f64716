/**
 * An allowance that refills at a steady rate, up to a burst. A cost is charged after it is known, so the level may fall
 * below zero; anyone who is in debt waits until it is paid. Times are in ms by any clock that never steps back.
 */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  #level: number;
  #atMs: number;

  /**
   * @param perSecond tokens that flow in each second; more than 0
   * @param burst tokens that a full bucket holds; more than 0
   */
  constructor(perSecond: number, burst: number, nowMs: number) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#level = burst;
    this.#atMs = nowMs;
  }

  /** Takes tokens out, below zero if need be. */
  charge(tokens: number, nowMs: number): void {
    this.#refill(nowMs);
    this.#level -= tokens;
  }

  /** Takes tokens out if there are as many; false, and nothing taken, otherwise. */
  tryTake(tokens: number, nowMs: number): boolean {
    this.#refill(nowMs);
    if (this.#level < tokens) return false;
    this.#level -= tokens;
    return true;
  }

  /** Time in ms until the level is above zero; 0 when it is. */
  msInDebt(nowMs: number): number {
    this.#refill(nowMs);
    return this.#level > 0 ? 0 : -this.#level / this.#perMs + Number.MIN_VALUE;
  }

  /** Whether nothing is missing, so that a new bucket would be no different. */
  isFull(nowMs: number): boolean {
    this.#refill(nowMs);
    return this.#level >= this.#burst;
  }

  #refill(nowMs: number): void {
    if (nowMs <= this.#atMs) return;
    this.#level = Math.min(this.#burst, this.#level + (nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
  }
}
