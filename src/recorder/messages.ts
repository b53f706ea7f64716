import type { InstrumentPattern } from '../market/instrumentPattern.js';

/** What the recorder's thread is started with (its workerData). */
export interface RecorderSpec {
  readonly tape: SharedArrayBuffer;
  /** From the tape's first record on; otherwise from what is written next. */
  readonly fromStart: boolean;
  readonly folder: string;
  readonly fileBytes: number;
  readonly intervalMs: number;
  readonly patterns: readonly InstrumentPattern[];
  /** Weekdays without trading, yyyymmdd. */
  readonly holidays: readonly number[];
}

/** What /health shows of the recorder. */
export interface RecorderFigures {
  /** Ticks in files. */
  readonly ticks: number;
  readonly files: number;
  readonly bytes: number;
  /** Ticks that wait on the tape, in a block, or for the disk. */
  readonly behind: number;
  /** Ticks that were overwritten before the recorder came to them. */
  readonly missed: number;
  /** Ticks that found no place on the disk. */
  readonly lost: number;
  /** The file that is written now; empty before the first. */
  readonly file: string;
  /** Why the disk refuses; empty while it does not. */
  readonly failure: string;
}

export type RecorderEvent =
  | { readonly type: 'figures'; readonly figures: RecorderFigures }
  | { readonly type: 'log'; readonly level: 'info' | 'error'; readonly text: string };

/** Take what is left, write it and end. */
export interface RecorderCommand {
  readonly type: 'stop';
}
