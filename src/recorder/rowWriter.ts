import type { HistoryRow } from '../history/storedRow.js';

/** Writes ticks into a file, one by one. Everything throws the system's error where the disk refuses. */
export interface RowWriter {
  /** @param key EXCHANGE.id; the row may be reused after the call */
  add(key: string, row: HistoryRow): void;
  /** Writes what is left. */
  finish(): void;
}
