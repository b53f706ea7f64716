import { Worker } from 'node:worker_threads';
import type { GatewayConfig } from '../config/gatewayConfig.js';
import type { Logger } from '../logging.js';
import { packagePath } from '../paths.js';
import type { PersisterEvent, PersisterOptions, PersisterStatus } from './persisterMessages.js';
import { allocateProgress } from './persisterProgress.js';
import type { StoredQuote } from './quoteScan.js';
import { runName } from './runs.js';
import type { TapeConsumer } from './storage.js';

const restartMs = 1000;

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
};

/** The persister, from the main thread's side. */
export class PersisterHost implements TapeConsumer {
  readonly name = 'storage in Redis';
  readonly #config: Pick<GatewayConfig, 'redis' | 'storage'>;
  readonly #log: Logger;
  readonly #onQuotes: (quotes: readonly StoredQuote[]) => void;
  /** Of all threads, for each goes on where the one before has ended. */
  readonly #progress = allocateProgress();
  readonly #run = runName(Date.now());
  #tape: SharedArrayBuffer | undefined;
  #worker: Worker | undefined;
  #status = nothing;
  /** Of threads that have ended by themselves. */
  #storedBefore = 0;
  #lostBefore = 0;
  #restart: NodeJS.Timeout | undefined;
  #onStopped: ((isDone: boolean) => void) | undefined;
  #endRestore: () => void = () => undefined;
  /** Resolves when the quotes of an earlier run have been read. */
  readonly restored = new Promise<void>((resolve) => (this.#endRestore = resolve));

  constructor(
    config: Pick<GatewayConfig, 'redis' | 'storage'>,
    log: Logger,
    onQuotes: (quotes: readonly StoredQuote[]) => void,
  ) {
    this.#config = config;
    this.#log = log;
    this.#onQuotes = onQuotes;
  }

  start(tape: SharedArrayBuffer): void {
    this.#tape = tape;
    this.#open();
  }

  status(): PersisterStatus {
    const { stored, lost } = this.#status;
    return { ...this.#status, stored: this.#storedBefore + stored, lost: this.#lostBefore + lost };
  }

  async stop(deadlineMs: number): Promise<boolean> {
    clearTimeout(this.#restart);
    const worker = this.#worker;
    if (worker === undefined) return true;
    let timer: NodeJS.Timeout | undefined;
    const isDone = await new Promise<boolean>((resolve) => {
      this.#onStopped = resolve;
      timer = setTimeout(() => resolve(false), deadlineMs);
      worker.postMessage(deadlineMs);
    });
    clearTimeout(timer);
    this.#worker = undefined;
    await worker.terminate();
    const { spilled, waiting } = this.status();
    if (isDone && spilled + waiting > 0)
      this.#log.info(`${spilled + waiting} ticks wait for Redis in a file, for the next start`);
    return isDone;
  }

  #open(): void {
    const { redis, storage } = this.#config;
    const options: PersisterOptions = {
      tape: this.#tape!,
      progress: this.#progress,
      redis,
      storage,
      run: this.#run,
    };
    const worker = new Worker(packagePath('dist', 'workers', 'persister.js'), { workerData: options });
    this.#worker = worker;
    worker.on('message', (event: PersisterEvent) => this.#onEvent(event));
    worker.on('error', (error) => this.#onEnded(error instanceof Error ? error.message : String(error)));
    worker.on('exit', () => this.#onEnded('it ended'));
  }

  #onEvent(event: PersisterEvent): void {
    switch (event.type) {
      case 'log':
        this.#log[event.level](event.text);
        break;
      case 'status':
        this.#status = event.status;
        break;
      case 'quotes':
        this.#onQuotes(event.quotes);
        if (event.isLast) this.#endRestore();
        break;
      case 'stopped':
        this.#status = event.status;
        this.#onStopped?.(true);
        break;
    }
  }

  #onEnded(error: string): void {
    if (this.#worker === undefined) return;
    this.#worker = undefined;
    const { stored, lost } = this.#status;
    this.#storedBefore += stored;
    this.#lostBefore += lost;
    this.#status = { ...nothing, trouble: error };
    this.#log.error(`storage in Redis: ${error}; starting it anew`);
    this.#onStopped?.(false);
    if (this.#onStopped === undefined) this.#restart = setTimeout(() => this.#open(), restartMs);
  }
}
