import { retryDelayMs } from './backoff.js';

/** A session that lost no refusal for so long asks again as soon as at first when it does. */
const calmMs = 300_000;

/**
 * When a session that has lost refusals asks for all its instruments again. Which ids were refused is not known: what the
 * front has it has once, and what it does not want it refuses again. Ever later, lest a front that refuses thousands be
 * asked without end.
 */
export class LostRefusals {
  readonly #spread: number;
  #askAt = Infinity;
  /** Times that everything was asked for again, without a calm between them. */
  #asked = 0;
  #lastLoss = -Infinity;

  /** @param spread 0 to 1: the session's share of the spreading of retries */
  constructor(spread: number) {
    this.#spread = spread;
  }

  /** When to ask, ms on the caller's clock; Infinity where nothing is lost. */
  get askAt(): number {
    return this.#askAt;
  }

  /** Refusals were lost. In how many ms everything is asked for again; undefined where that was settled before. */
  lost(now: number): number | undefined {
    if (now - this.#lastLoss > calmMs) this.#asked = 0;
    this.#lastLoss = now;
    if (this.#askAt !== Infinity) return undefined;
    const delayMs = retryDelayMs(++this.#asked, 0, this.#spread);
    this.#askAt = now + delayMs;
    return delayMs;
  }

  /** Everything is being asked for, by this or by a login. */
  askedForAll(): void {
    this.#askAt = Infinity;
  }
}
