import type { GatewayConfig } from '../config/gatewayConfig.js';
import { History, type HistoryStatus } from '../history/history.js';
import type { Logger } from '../logging.js';
import { fieldCount } from '../market/quoteFields.js';
import { allocateTape, TapeWriter, type StateSource } from '../ring/tape.js';
import type { TickRecord } from '../ring/tickRecord.js';
import { RedisMonitor, type RedisStatus } from './redis.js';

/** Ticks that a reader of the tape may be late by: 6 s at 10,000 a second, or two ticks of 30,000 instruments at once. */
const tapeRecords = 65_536;

/** Somebody who reads the tape in a thread of its own: persister, recorder, history window. */
export interface TapeConsumer {
  /** As it is named where it hangs. */
  readonly name: string;
  /** Ticks that it may be late by; more where it does not say. Each takes 0.7 kB. */
  readonly tapeRecords?: number;
  /** Begins to read, from the tape's first record on. Called once, before any tick. */
  start(tape: SharedArrayBuffer): void;
  /** Reads the tape to its end and finishes, within `deadlineMs`; false when it could not. Called at any moment, once. */
  stop(deadlineMs: number): Promise<boolean>;
}

export interface StorageParts {
  readonly config: GatewayConfig;
  readonly book: StateSource;
  /** `EXCHANGE.id` of an instrument. */
  readonly keyOf: (slot: number) => string;
  readonly log: Logger;
}

/** What /health shows. */
export interface StorageStatus {
  readonly redis: RedisStatus;
  /** Absent where no ticks are kept for queries. */
  readonly history?: HistoryStatus;
}

/**
 * Everything that keeps ticks. The main thread writes each tick that the quote book has accepted onto a tape, where
 * somebody reads it at all, and waits for nobody; all else happens in the readers' threads.
 */
export class Storage {
  /** Stored ticks for whoever asks. */
  readonly history: History;
  readonly #parts: StorageParts;
  readonly #consumers: readonly TapeConsumer[];
  readonly #redis: RedisMonitor;
  #tape: TapeWriter | undefined;

  constructor(parts: StorageParts) {
    this.#parts = parts;
    this.#redis = new RedisMonitor(parts.config, parts.log);
    this.history = new History(parts.config, parts.log);
    this.#consumers = this.history.window === undefined ? [] : [this.history.window];
  }

  /** Before the first tick. */
  start(): void {
    this.#redis.start();
    if (this.#consumers.length === 0) return;
    const records = this.#consumers.map((each) => each.tapeRecords ?? tapeRecords);
    const tape = allocateTape(Math.max(...records), fieldCount);
    this.#tape = new TapeWriter(tape, this.#parts.book, this.#parts.keyOf);
    for (const consumer of this.#consumers) consumer.start(tape);
  }

  /** A tick that the book has just accepted. */
  onTick(tick: TickRecord): void {
    this.#tape?.append(tick);
  }

  onBatchEnd(): void {
    this.#tape?.endBatch();
  }

  status(): StorageStatus {
    const history = this.history.status();
    return { redis: this.#redis.status(), ...(history === undefined ? {} : { history }) };
  }

  /** After the last tick: has all readers finish. Returns the names of those that did not within the deadline. */
  async stop(deadlineMs: number): Promise<string[]> {
    await this.history.close();
    const started = this.#tape === undefined ? [] : this.#consumers;
    this.#tape?.endBatch();
    const hung = await Promise.all(
      started.map(async (each) => ((await each.stop(deadlineMs)) ? [] : [each.name])),
    );
    this.#redis.close();
    return hung.flat();
  }
}
