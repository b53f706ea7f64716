import type { TickRecord } from './tickRecord.js';

/** Takes the ticks. */
export interface TickSink {
  /** One tick; the record is reused after the call returns. */
  onTick(tick: TickRecord): void;
  /** The ticks since the last call were one batch: what they changed may be sent now. */
  onBatchEnd(): void;
}

/** Where ticks come from: the rings of this process, or another node. */
export interface TickSource {
  start(sink: TickSink): void;
  /** No call to the sink follows. */
  stop(): void;
  /** Ticks that were lost before they could be read, since the start. */
  readonly missed: number;
}
