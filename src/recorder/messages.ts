import type { InstrumentPattern } from '../market/instruments/instrumentPattern.js';
import type { TapeThreadData } from '../tape/tapeThread.js';
import { type ThreadLine } from '../base/logEvents.js';

/** Start data of the recorder's thread (its workerData). */
export interface RecorderSpec extends TapeThreadData {
  /** Memory of a RecorderProgress: where to begin, the tape's first record where it has no position. */
  readonly progress: SharedArrayBuffer;
  readonly folder: string;
  readonly fileBytes: number;
  readonly intervalMs: number;
  readonly patterns: readonly InstrumentPattern[];
  /** Weekdays without trading, yyyymmdd. */
  readonly holidays: readonly number[];
}

/** The file that the recorder is writing. */
export interface RecorderTarget {
  /** The file; empty before the first. */
  readonly file: string;
  /** Why the disk refuses; empty while it does not. */
  readonly failure: string;
}

export type RecorderEvent = { readonly type: 'target'; readonly target: RecorderTarget } | ThreadLine;

export type RecorderCommand =
  /** From now on these are the weekdays without trading. */
  | { readonly type: 'holidays'; readonly holidays: readonly number[] }
  /** Take what is left, write it and end. */
  | { readonly type: 'stop' };
