/** A sink's part of the health of the whole. */
export interface SinkHealth<Report extends object> {
  /** Why ticks are not kept at the moment, one line; empty while they are. */
  readonly failure: string;
  /** The sink's member of /health. */
  readonly report: Report;
}

/** Something that keeps ticks, and reads them off the tape in a thread of its own: persister, recorder, history window. */
export interface Sink<Report extends object = object> {
  /** Name of the sink in logs. */
  readonly name: string;
  /** Ticks that it may be late by; the usual number where it does not say. Each takes 0.3 kB, whole ones 0.6. */
  readonly tapeRecords?: number;
  /** Whether it needs the vendor's records whole; false where it does not say. */
  readonly wholeTicks?: boolean;
  /** Begins to read, from the tape's first record on. Called once, before any tick. */
  start(tape: SharedArrayBuffer): void;
  /** Reads the tape to its end and finishes, within `deadlineMs`; false when it could not. Called at any moment, once. */
  stop(deadlineMs: number): Promise<boolean>;
  health(): SinkHealth<Report>;
}
