import type { AdmissionLimits } from '../fairness/admission.js';
import type { RequestLimits } from '../fairness/clientRequests.js';

/** Limits of one client, and of all clients. */
export interface ServerLimits extends AdmissionLimits, RequestLimits {
  /** In the aid set, and again in the action set, of one client. */
  readonly maxInstrumentsPerClient: number;
  /** Bytes that all clients together may make the gateway keep. */
  readonly maxKeptBytes: number;
  /** Bytes of messages that clients have begun and not ended, of all clients together. */
  readonly maxUnfinishedBytes: number;
  /** Share of the main thread, in percent, for frames with fields that clients have chosen, of all clients together. */
  readonly viewWork: number;
  /** Frames outside the grammar that a client may send within badFrameWindowMs; the next one closes the session. */
  readonly maxBadFrames: number;
}

/** Bounds of the interval between heartbeats, in seconds; 0 turns them off. */
export const shortestHeartbeat = 1;
export const longestHeartbeat = 3600;

/** Pings and pongs that a client may send each second, and at once. */
export const controlFramesPerSecond = 10;
export const controlFrameBurst = 100;

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
