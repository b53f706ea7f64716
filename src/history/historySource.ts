import type { TickSourceName } from './cursor.js';
import type { StoredRow } from './storedRow.js';

/**
 * A tick may be stored after later ones, up to this late or early by its exchange time: sources look so much further
 * than the interval in ms.
 */
export const overscanMs = 60_000;

/** A request to a source: ticks in stored order, at least those of the range. */
export interface HistoryRange {
  /** `EXCHANGE.id`. */
  readonly key: string;
  /** Exchange time in ms, inclusive. */
  readonly fromMs: number;
  /** Exchange time in ms, exclusive; Infinity where there is no end. */
  readonly toMs: number;
  /** Position of the last tick that is not wanted any more. */
  readonly after: string | undefined;
}

/** Where stored ticks come from. */
export interface HistorySource {
  readonly name: TickSourceName;
  /** @throws HistoryError */
  open(range: HistoryRange): Promise<HistoryReading>;
}

/**
 * Ticks one after another: `next` until it is false, then `more`, and so on until that is false too. There may be some
 * outside of the interval among them.
 */
export interface HistoryReading {
  /** Exchange time in ms of the oldest tick that is kept of the instrument; null where none is. */
  readonly completeFromMs: number | null;
  /** The tick that next() has taken. */
  readonly row: StoredRow;
  /** Position of what next() has taken, for a cursor. */
  readonly position: string;
  next(): boolean;
  /** Waits for more. @throws HistoryError */
  more(): Promise<boolean>;
  close(): void;
}

export type HistoryErrorCode = 'cursor_expired' | 'history_unavailable';

/** Why ticks cannot be given, in words for the client that asked. */
export class HistoryError extends Error {
  constructor(
    readonly code: HistoryErrorCode,
    message: string,
  ) {
    super(message);
  }
}
