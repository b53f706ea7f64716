import type { GatewayConfig } from '../../config/gatewayConfig.js';
import type { Logger } from 'pino';
import type { PersisterEvent, PersisterStatus } from '../shared/persisterMessages.js';
import { allocateProgress, PersisterProgress } from '../shared/persisterProgress.js';
import type { StoredQuote } from '../quotes/quoteScan.js';
import { runName } from '../shared/gatewayRuns.js';
import type { Sink, SinkHealth } from '../../tape/sink.js';
import { TapeThread, type TapeThreadParts } from '../../tape/tapeThread.js';
import type { RedisStatus } from '../shared/redisStatus.js';
import { marked, membersOf } from '../../base/logEvents.js';

/** Instruments and what is on its way; the ticks themselves lie off the heap. */
const heapMb = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 512 };

const nothing: PersisterStatus = {
  connected: false,
  latencyMs: null,
  stored: 0,
  waiting: 0,
  behind: 0,
  spilled: 0,
  lost: 0,
  lagMs: 0,
  trouble: 'it is not connected yet',
  spillTrouble: '',
};

/**
 * The persister, from the main thread's side. A thread that crashes is replaced: the next one resumes at the first tick that
 * is neither in Redis nor in the file nor counted as lost. A tick that crashes it twice is skipped and counts as lost.
 */
export class PersisterHost implements Sink<RedisStatus> {
  readonly name = 'storage in Redis';
  readonly #log: Logger;
  readonly #onQuotes: (quotes: readonly StoredQuote[]) => void;
  /** Shared by all threads: each resumes where the one before has crashed. */
  readonly #memory = allocateProgress();
  readonly #progress = new PersisterProgress(this.#memory);
  readonly #thread: TapeThread<number, PersisterEvent>;
  #status = nothing;
  #endRestore: () => void = () => undefined;
  /** Resolves when the quotes of an earlier run have been read. */
  readonly restored = new Promise<void>((resolve) => (this.#endRestore = resolve));

  /** @param options of the thread; its usual heap where they name none */
  constructor(
    { redis, storage }: Pick<GatewayConfig, 'redis' | 'storage'>,
    log: Logger,
    onQuotes: (quotes: readonly StoredQuote[]) => void,
    options: TapeThreadParts<PersisterEvent>['options'] = {},
  ) {
    this.#log = log;
    this.#onQuotes = onQuotes;
    const run = runName(Date.now());
    this.#thread = new TapeThread({
      name: this.name,
      module: 'persister',
      options: { resourceLimits: heapMb, ...options },
      dataFor: () => ({ progress: this.#memory, redis, storage, run }),
      position: () => this.#progress.next | 0,
      onEvent: (event) => this.#onEvent(event),
      onCrash: (cause) => this.#onCrash(cause),
    });
  }

  start(tape: SharedArrayBuffer): void {
    this.#thread.start(tape);
  }

  status(): PersisterStatus {
    const { stored, lost } = this.#progress;
    return { ...this.#status, stored, lost };
  }

  health(): SinkHealth<RedisStatus> {
    const { connected, latencyMs, trouble, spillTrouble, ...figures } = this.status();
    const report: RedisStatus = {
      enabled: true,
      connected,
      latency: latencyMs === null ? '' : `${latencyMs.toFixed(1)}ms`,
      trouble,
      spill_trouble: spillTrouble,
      stored: figures.stored,
      waiting: figures.waiting,
      spilled: figures.spilled,
      lost: figures.lost,
      lag_ms: Math.round(figures.lagMs),
      restarts: this.#thread.restarts,
    };
    return { failure: [trouble, spillTrouble, connected ? '' : 'not connected'].find(Boolean) ?? '', report };
  }

  async stop(deadlineMs: number): Promise<boolean> {
    const isDone = await this.#thread.stop((withinMs) => withinMs, deadlineMs);
    const { spilled, waiting } = this.status();
    if (isDone && spilled + waiting > 0)
      this.#log.info(`${spilled + waiting} ticks wait for Redis in a file, for the next start`);
    return isDone;
  }

  #onEvent(event: PersisterEvent): void {
    switch (event.type) {
      case 'log':
        this.#log[event.level](membersOf(event), event.text);
        break;
      case 'status':
      case 'stopped':
        this.#status = event.status;
        break;
      case 'quotes':
        this.#onQuotes(event.quotes);
        if (event.isLast) this.#endRestore();
        break;
    }
  }

  #onCrash(cause: string): void {
    const trouble = `its thread crashed: ${cause}`;
    // What waited in its memory waits on the tape now, or in the file.
    this.#status = { ...this.#status, connected: false, latencyMs: null, trouble };
    this.#log.error(marked('thread_crashed'), `${this.name}: ${trouble}`);
  }
}
