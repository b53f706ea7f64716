/** Penalties halve in this time. */
const halfLifeMs = 5 * 60_000;
const penaltyPerDisconnect = 15;
const penaltyPerLoginFailure = 25;
const penaltyPerRefusal = 1;

export type QualityEvent = 'disconnect' | 'login_failure' | 'refusal';

const penalties: Readonly<Record<QualityEvent, number>> = {
  disconnect: penaltyPerDisconnect,
  login_failure: penaltyPerLoginFailure,
  refusal: penaltyPerRefusal,
};

/** A connection's score, 0–100: 100 less the penalties of what went wrong, which fade with time. */
export class Quality {
  #penalty = 0;
  #atMs = 0;

  record(event: QualityEvent, nowMs: number): void {
    this.#penalty = Math.min(100, this.#faded(nowMs) + penalties[event]);
    this.#atMs = nowMs;
  }

  score(nowMs: number): number {
    return Math.round(100 - this.#faded(nowMs));
  }

  #faded(nowMs: number): number {
    return this.#penalty * 0.5 ** (Math.max(0, nowMs - this.#atMs) / halfLifeMs);
  }
}
