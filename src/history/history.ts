import type { Logger } from 'pino';
import type { GatewayConfig } from '../config/gatewayConfig.js';
import { HistoryPool, type HistoryReceiver, type HistoryRefusal, type HistoryRun } from './historyPool.js';
import type { HistoryQuery } from './query.js';
import { WindowReader } from './tickWindow.js';
import { WindowThread } from './windowThread.js';
import type { Sink, SinkHealth } from '../tape/sink.js';
import { marked } from '../base/logEvents.js';

export type HistorySettings = Pick<GatewayConfig, 'redisEnabled' | 'redis' | 'history'>;

/** The history part of /health. */
export interface HistoryStatus {
  readonly source: 'redis' | 'memory';
  /** MB of the window that hold ticks; 0 without one. */
  readonly memory_mb: number;
  /** Queries, at the moment. */
  readonly running: number;
  readonly waiting: number;
  /** Queries, since the start. */
  readonly answered: number;
  readonly cancelled: number;
  readonly refused: number;
  readonly failed: number;
  /** Ticks that were given. */
  readonly ticks: number;
  /** Chunks of answers on their way to clients, at the moment and at most. */
  readonly chunks: number;
  readonly most_chunks: number;
  /** How often the thread that keeps ticks in memory crashed and was replaced. */
  readonly restarts: number;
}

const bytesPerMb = 1_048_576;

/** Whether a configuration keeps ticks for queries. */
export function keepsHistory({ redisEnabled, history }: HistorySettings): boolean {
  return redisEnabled || history.memory > 0;
}

/** Stored ticks for clients that ask: from Redis where that is on, otherwise from a window in memory. */
export class History implements Sink<HistoryStatus> {
  readonly name = 'history';
  readonly #settings: HistorySettings;
  readonly #pool: HistoryPool;
  /** Fed from the tape; undefined where ticks are in Redis. */
  readonly #window: WindowThread | undefined;
  readonly #reader: WindowReader | undefined;

  constructor(settings: HistorySettings, log: Logger) {
    this.#settings = settings;
    const { redisEnabled, redis, history } = settings;
    this.#window = redisEnabled ? undefined : new WindowThread(history.memory * bytesPerMb, log);
    this.#reader = this.#window === undefined ? undefined : new WindowReader(this.#window.memory);
    this.#pool = new HistoryPool({
      source:
        this.#window === undefined
          ? { kind: 'redis', redis }
          : { kind: 'memory', window: this.#window.memory },
      queries: history.queries,
      waiting: history.queue,
      onFault: (error: Error) =>
        log.error(
          marked('thread_crashed', { err: error }),
          'a thread that answers history queries has crashed',
        ),
    });
  }

  get tapeRecords(): number {
    return this.#window?.tapeRecords ?? 0;
  }

  /**
   * Starts the threads that answer, and the one that keeps ticks in memory. To be called before the first query.
   *
   * @param tape of the ticks that are kept, and that queries leave the machine to while they arrive
   */
  start(tape: SharedArrayBuffer): void {
    this.#pool.start(tape);
    this.#window?.start(tape);
  }

  /** @param address of who asks */
  run(query: HistoryQuery, receiver: HistoryReceiver, address: string): HistoryRun | HistoryRefusal {
    return this.#pool.run(query, receiver, address);
  }

  health(): SinkHealth<HistoryStatus> {
    const { mostChunks, ...counters } = this.#pool.counters;
    const used = (this.#reader?.fill ?? 0) * this.#settings.history.memory;
    const report: HistoryStatus = {
      source: this.#settings.redisEnabled ? 'redis' : 'memory',
      memory_mb: Math.round(used * 10) / 10,
      ...counters,
      most_chunks: mostChunks,
      restarts: this.#window?.restarts ?? 0,
    };
    return { failure: '', report };
  }

  /** Ends all queries, their threads, and the window. */
  async stop(): Promise<boolean> {
    await this.#pool.close();
    await this.#window?.stop();
    return true;
  }
}
