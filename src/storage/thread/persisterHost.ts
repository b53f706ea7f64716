import { Worker, type ResourceLimits } from 'node:worker_threads';
import type { GatewayConfig } from '../../config/gatewayConfig.js';
import type { Logger } from '../../log/logging.js';
import { packagePath } from '../../base/paths.js';
import type { PersisterEvent, PersisterOptions, PersisterStatus } from '../shared/persisterMessages.js';
import { allocateProgress, PersisterProgress } from '../shared/persisterProgress.js';
import type { StoredQuote } from '../quotes/quoteScan.js';
import { runName } from '../shared/gatewayRuns.js';
import type { TapeConsumer } from '../../tape/tapeConsumer.js';

const restartMs = 500;
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
 * The persister, from the main thread's side. A thread that is lost is started anew, and goes on with the first tick that
 * is neither in Redis nor in the file nor counted as lost.
 */
export class PersisterHost implements TapeConsumer {
  readonly name = 'storage in Redis';
  readonly #config: Pick<GatewayConfig, 'redis' | 'storage'>;
  readonly #log: Logger;
  readonly #onQuotes: (quotes: readonly StoredQuote[]) => void;
  readonly #heap: ResourceLimits;
  /** Of all threads, for each goes on where the one before has ended. */
  readonly #memory = allocateProgress();
  readonly #progress = new PersisterProgress(this.#memory);
  readonly #run = runName(Date.now());
  #tape: SharedArrayBuffer | undefined;
  #worker: Worker | undefined;
  #status = nothing;
  #restarts = 0;
  #restart: NodeJS.Timeout | undefined;
  #onStopped: ((isDone: boolean) => void) | undefined;
  #endRestore: () => void = () => undefined;
  /** Resolves when the quotes of an earlier run have been read. */
  readonly restored = new Promise<void>((resolve) => (this.#endRestore = resolve));

  constructor(
    config: Pick<GatewayConfig, 'redis' | 'storage'>,
    log: Logger,
    onQuotes: (quotes: readonly StoredQuote[]) => void,
    heap: ResourceLimits = heapMb,
  ) {
    this.#config = config;
    this.#log = log;
    this.#onQuotes = onQuotes;
    this.#heap = heap;
  }

  start(tape: SharedArrayBuffer): void {
    this.#tape = tape;
    this.#open(tape);
  }

  /** How often its thread was lost and started anew. */
  get restarts(): number {
    return this.#restarts;
  }

  status(): PersisterStatus {
    const { stored, lost } = this.#progress;
    return { ...this.#status, stored, lost };
  }

  async stop(deadlineMs: number): Promise<boolean> {
    clearTimeout(this.#restart);
    if (this.#tape === undefined) return true;
    // What came since the last thread was lost is still on the tape.
    const worker = this.#worker ?? this.#open(this.#tape);
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

  #open(tape: SharedArrayBuffer): Worker {
    const { redis, storage } = this.#config;
    const options: PersisterOptions = { tape, progress: this.#memory, redis, storage, run: this.#run };
    const worker = new Worker(packagePath('dist', 'workers', 'persister.js'), {
      name: this.name,
      workerData: options,
      resourceLimits: this.#heap,
    });
    this.#worker = worker;
    let cause = '';
    worker.on('message', (event: PersisterEvent) => this.#onEvent(event));
    worker.on('error', (error: unknown) => {
      cause = error instanceof Error ? error.message : String(error);
    });
    // Not before: until then it may still write, and has the folder.
    worker.on('exit', (code) => {
      if (worker === this.#worker) this.#onLost(tape, cause === '' ? `exit code ${code}` : cause);
    });
    return worker;
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

  #onLost(tape: SharedArrayBuffer, cause: string): void {
    this.#worker = undefined;
    const trouble = `its thread ended: ${cause}`;
    // What waited in its memory waits on the tape now, or in the file.
    this.#status = { ...this.#status, connected: false, latencyMs: null, trouble };
    this.#log.error(`${this.name}: ${trouble}`);
    if (this.#onStopped !== undefined) {
      this.#onStopped(false);
      return;
    }
    this.#restarts++;
    this.#restart = setTimeout(() => this.#open(tape), restartMs);
  }
}
