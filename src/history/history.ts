import type { Logger } from 'pino';
import type { GatewayConfig } from '../config/gatewayConfig.js';
import { HistoryPool, type HistoryReceiver, type HistoryRefusal, type HistoryRun } from './historyPool.js';
import type { HistoryQuery } from './query.js';
import { WindowReader } from './tickWindow.js';
import { WindowThread } from './windowThread.js';

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
}

const bytesPerMb = 1_048_576;

/** Stored ticks for whoever asks: from Redis where that is on, otherwise from a window in memory. */
export class History {
  /** To be fed from the tape; undefined where ticks come from Redis or are not kept. */
  readonly window: WindowThread | undefined;
  readonly #reader: WindowReader | undefined;
  readonly #pool: HistoryPool | undefined;
  readonly #settings: HistorySettings;

  constructor(settings: HistorySettings, log: Logger) {
    this.#settings = settings;
    const { redisEnabled, redis, history } = settings;
    const limits = {
      queries: history.queries,
      waiting: history.queue,
      onFault: (error: Error) => log.error({ err: error }, 'a thread that answers history queries has ended'),
    };
    if (redisEnabled) {
      this.#pool = new HistoryPool({ source: { kind: 'redis', redis }, ...limits });
    } else if (history.memory > 0) {
      this.window = new WindowThread(history.memory * bytesPerMb, log);
      const { memory } = this.window;
      this.#reader = new WindowReader(memory);
      this.#pool = new HistoryPool({ source: { kind: 'memory', window: memory }, ...limits });
    }
  }

  /**
   * Starts the threads that answer. To be called before the first query.
   *
   * @param tape of the ticks that queries leave the machine to while they come
   */
  start(tape: SharedArrayBuffer): void {
    this.#pool?.start(tape);
  }

  /** False where no ticks are kept. */
  get isOn(): boolean {
    return this.#pool !== undefined;
  }

  /** @param address of who asks */
  run(query: HistoryQuery, receiver: HistoryReceiver, address: string): HistoryRun | HistoryRefusal {
    return this.#pool?.run(query, receiver, address) ?? 'busy';
  }

  /** Undefined where no ticks are kept. */
  status(): HistoryStatus | undefined {
    if (this.#pool === undefined) return undefined;
    const { mostChunks, ...counters } = this.#pool.counters;
    const used = (this.#reader?.fill ?? 0) * this.#settings.history.memory;
    return {
      source: this.#settings.redisEnabled ? 'redis' : 'memory',
      memory_mb: Math.round(used * 10) / 10,
      ...counters,
      most_chunks: mostChunks,
    };
  }

  /** Ends all queries and their threads; the window is stopped by whoever started it. */
  async close(): Promise<void> {
    await this.#pool?.close();
  }
}
