/** What a client may do, and how many there may be. */
export interface ServerLimits {
  readonly maxClients: number;
  /** In the aid set, and again in the action set, of one client. */
  readonly maxInstrumentsPerClient: number;
  /** Bytes of a frame from a client. */
  readonly maxFrameBytes: number;
  /** Frames outside the grammar that a client may send within badFrameWindowMs; the next one closes the session. */
  readonly maxBadFrames: number;
}

export const badFrameWindowMs = 60_000;

/** Counts the bad frames of one session. */
export class BadFrameGauge {
  readonly #max: number;
  #count = 0;
  #windowStartMs = -Infinity;

  constructor(max: number) {
    this.#max = max;
  }

  /** Takes a bad frame at a time in ms; true when it was one too many. */
  add(nowMs: number): boolean {
    if (nowMs - this.#windowStartMs >= badFrameWindowMs) {
      this.#windowStartMs = nowMs;
      this.#count = 0;
    }
    return ++this.#count > this.#max;
  }
}
