/** Somebody who reads the tape in a thread of its own: persister, recorder, history window. */
export interface TapeConsumer {
  /** As it is named where it hangs. */
  readonly name: string;
  /** Ticks that it may be late by; more where it does not say. Each takes 0.3 kB, whole ones 0.6. */
  readonly tapeRecords?: number;
  /** It wants the vendor's records whole. */
  readonly wholeTicks?: boolean;
  /** Begins to read, from the tape's first record on. Called once, before any tick. */
  start(tape: SharedArrayBuffer): void;
  /** Reads the tape to its end and finishes, within `deadlineMs`; false when it could not. Called at any moment, once. */
  stop(deadlineMs: number): Promise<boolean>;
}
