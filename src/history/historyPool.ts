import { setTimeout as delay } from 'node:timers/promises';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import { packagePath } from '../base/paths.js';
import type { HistoryHead, HistoryMessage } from './chunkSender.js';
import type { HistoryQuery } from './query.js';
import type { HistoryFailure } from './chunkSender.js';
import type { SourceSettings } from './sources.js';
import { errorText } from '../base/errorText.js';

/** Start data of a thread of the pool. */
export interface HistoryWorkerData {
  readonly source: SourceSettings;
  /** Of the ticks that go before queries. */
  readonly tape: SharedArrayBuffer | undefined;
}

/** A query; or nothing, for a thread to be there; or the warm-up. */
export type HistoryTask = QueryTask | 'load' | 'warm-up';

export interface QueryTask {
  readonly query: HistoryQuery;
  readonly port: MessagePort;
}

/** Anyone who gets the answer of a query. Nothing is called after `failed`, a last chunk, or a cancel. */
export interface HistoryReceiver {
  /**
   * The next piece of the answer, valid until `release` is called, which lets the query continue. `head` comes with the
   * first piece.
   */
  chunk(bytes: Uint8Array, isLast: boolean, head: HistoryHead | undefined, release: () => void): void;
  /** There will be no more. */
  failed(code: HistoryFailure, message: string): void;
}

export interface HistoryRun {
  /** Nobody wants the answer any more. */
  cancel(): void;
}

/** Why a query is not taken: too many are running and waiting, or too many of the same address. */
export type HistoryRefusal = 'busy' | 'address_busy';

/** Share of the places, of those where queries are answered as of those where they wait, that one address may have. */
export const addressShare = 3 / 4;

export interface HistoryPoolParts {
  readonly source: SourceSettings;
  /** Queries that are answered at once. */
  readonly queries: number;
  /** Queries that wait for their turn. */
  readonly waiting: number;
  /** Hears of a thread's end that no query has learned of. */
  readonly onFault: (error: Error) => void;
}

export interface HistoryCounters {
  /** At the moment: being answered, waiting, and chunks between the threads and the sockets. */
  running: number;
  waiting: number;
  chunks: number;
  /** Most chunks that there ever were at once. */
  mostChunks: number;
  answered: number;
  cancelled: number;
  refused: number;
  failed: number;
  ticks: number;
}

/** A query reads and formats while others wait for Redis or for their clients, so few threads do for many. */
const mostThreads = 2;
/** ms after which a thread without queries ends, but for one. */
const idleMs = 10_000;
/** ms that the end waits for a thread to have loaded. */
const longestLoadMs = 3000;
/** Answers are written into few buffers over and over. */
const resourceLimits = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 256 };

/**
 * Answers history queries in threads of their own. No more than a number of them is answered at once, and no more than
 * another number waits.
 */
export class HistoryPool {
  readonly counters: HistoryCounters = {
    running: 0,
    waiting: 0,
    chunks: 0,
    mostChunks: 0,
    answered: 0,
    cancelled: 0,
    refused: 0,
    failed: 0,
    ticks: 0,
  };
  readonly #options: HistoryPoolParts;
  readonly #waiting = new Set<PoolRun>();
  readonly #running = new Set<PoolRun>();
  #tape: SharedArrayBuffer | undefined;
  /** The first thread is there. */
  #loaded: Promise<void> | undefined;
  #pool: Promise<Piscina> | undefined;
  /** The ends of pools that were given up. */
  readonly #ending = new Set<Promise<void>>();
  #closed = false;

  constructor(options: HistoryPoolParts) {
    this.#options = options;
  }

  /**
   * Starts one thread, which stays: to load and start it during the day would hold up ticks for some 50 ms. To be
   * called before the first query.
   *
   * @param tape of the ticks that queries leave the machine to while they come
   */
  start(tape: SharedArrayBuffer): void {
    this.#tape = tape;
    this.#loaded = this.#prepare().catch((error: unknown) => this.#hearFault(error));
  }

  /** @param address of who asks: some places are always left to others */
  run(query: HistoryQuery, receiver: HistoryReceiver, address: string): HistoryRun | HistoryRefusal {
    const refusal = this.#refusalFor(address);
    if (refusal !== undefined) {
      this.counters.refused++;
      return refusal;
    }
    const run = new PoolRun(
      query,
      address,
      this.counters,
      receiver,
      () => this.#waiting.delete(run) && this.#count(),
    );
    this.#waiting.add(run);
    this.#startNext();
    return run;
  }

  /** Ends all queries and threads. Safe to call again. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const run of [...this.#waiting, ...this.#running]) run.cancel();
    // A thread that is ended while it loads native code may take the process with it.
    if (this.#loaded !== undefined)
      await Promise.race([this.#loaded, delay(longestLoadMs, undefined, { ref: false })]);
    await Promise.all([(await this.#pool)?.destroy(), ...this.#ending]);
  }

  /** Queries that could begin at once. */
  get #room(): number {
    return this.#options.queries - this.#running.size;
  }

  #refusalFor(address: string): HistoryRefusal | undefined {
    const { queries, waiting } = this.#options;
    if (this.#closed || this.#waiting.size >= waiting + this.#room) return 'busy';
    const mayRun = countOf(this.#running, address) < shareOf(queries) && this.#room > 0;
    return mayRun || countOf(this.#waiting, address) < shareOf(waiting) ? undefined : 'address_busy';
  }

  #startNext(): void {
    for (const run of this.#waiting) {
      if (this.#room <= 0 || this.#closed) break;
      if (countOf(this.#running, run.address) >= shareOf(this.#options.queries)) continue;
      this.#waiting.delete(run);
      this.#running.add(run);
      // Its place is free when the thread is done with it, though its client may be gone long before.
      void run.start(this.#threads()).finally(() => {
        this.#running.delete(run);
        this.#startNext();
      });
    }
    this.#count();
  }

  #count(): void {
    this.counters.running = this.#running.size;
    this.counters.waiting = this.#waiting.size;
  }

  async #prepare(): Promise<void> {
    const pool = await this.#threads();
    await pool.run('load' satisfies HistoryTask);
    pool.run('warm-up' satisfies HistoryTask).catch((error: unknown) => this.#hearFault(error));
  }

  /** At the end nobody waits for what is broken off. */
  #hearFault(error: unknown): void {
    if (!this.#closed) this.#options.onFault(error as Error);
  }

  #threads(): Promise<Piscina> {
    this.#pool ??= import('piscina').then(({ Piscina }) => {
      const { queries, source } = this.#options;
      const maxThreads = Math.min(mostThreads, queries);
      const workerData: HistoryWorkerData = { source, tape: this.#tape };
      const pool = new Piscina({
        filename: packagePath('dist', 'workers', 'history.js'),
        minThreads: 1,
        maxThreads,
        concurrentTasksPerWorker: Math.ceil(queries / maxThreads),
        idleTimeout: idleMs,
        // A thread that waits for queries must still learn of its connection to Redis.
        atomics: 'disabled',
        workerData,
        resourceLimits,
      });
      return pool.on('error', (error: Error) => this.#giveUp(pool, error));
    });
    return this.#pool;
  }

  /**
   * A thread that cannot be started is not started again by its pool, and what waits for it would wait forever. Others of
   * the pool may still be loading native code, and are ended when they must have done so.
   */
  #giveUp(pool: Piscina, error: Error): void {
    this.#options.onFault(error);
    this.#pool = undefined;
    for (const run of this.#running) run.fault(error);
    const end = delay(longestLoadMs, undefined, { ref: false })
      .then(() => pool.destroy())
      .catch(this.#options.onFault)
      .finally(() => this.#ending.delete(end));
    this.#ending.add(end);
  }
}

function shareOf(places: number): number {
  return Math.ceil(places * addressShare);
}

function countOf(runs: ReadonlySet<PoolRun>, address: string): number {
  let count = 0;
  for (const run of runs) if (run.address === address) count++;
  return count;
}

/** A promise that is only ever rejected, and that nobody need wait for. */
function rejection(): { readonly promise: Promise<never>; reject(error: Error): void } {
  let reject!: (error: Error) => void;
  const promise = new Promise<never>((_resolve, rejectIt) => (reject = rejectIt));
  promise.catch(() => undefined);
  return { promise, reject };
}

/** One query, from the main thread's side. */
class PoolRun implements HistoryRun {
  readonly address: string;
  readonly #query: HistoryQuery;
  readonly #counters: HistoryCounters;
  readonly #receiver: HistoryReceiver;
  /** Takes it out of the queue. */
  readonly #leave: () => void;
  #port: MessagePort | undefined;
  /** Rejects when the threads are gone. */
  readonly #lost = rejection();
  #ended = false;
  /** Chunks that have come and are not released. */
  #chunks = 0;

  constructor(
    query: HistoryQuery,
    address: string,
    counters: HistoryCounters,
    receiver: HistoryReceiver,
    leave: () => void,
  ) {
    this.address = address;
    this.#query = query;
    this.#counters = counters;
    this.#receiver = receiver;
    this.#leave = leave;
  }

  /** Resolves when the thread is done with it, whether it was answered or not. */
  async start(threads: Promise<Piscina>): Promise<void> {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const closed = new Promise((resolve) => port1.once('close', resolve));
    port1.on('message', (message: HistoryMessage) => this.#hear(message));
    const task: QueryTask = { query: this.#query, port: port2 };
    try {
      const pool = await threads;
      await Promise.race([pool.run(task, { transferList: [port2] }), this.#lost.promise]);
      // The last message may come later than the word that the task is done, but not later than the end of the port.
      await closed;
      this.#fail('internal_error', 'the query ended without an answer');
    } catch (error) {
      this.#fail('internal_error', errorText(error));
    }
  }

  /** The threads are gone. */
  fault(error: Error): void {
    this.#fail('internal_error', error.message);
    this.#lost.reject(error);
  }

  cancel(): void {
    if (this.#ended) return;
    this.#counters.cancelled++;
    this.#end();
  }

  #hear(message: HistoryMessage): void {
    if (this.#ended) return;
    if (message.type === 'failed') this.#fail(message.code, message.message);
    else this.#take(message);
  }

  #take({ memory, length, isLast, head, ticks }: Extract<HistoryMessage, { type: 'chunk' }>): void {
    this.#chunks++;
    this.#counters.chunks++;
    this.#counters.mostChunks = Math.max(this.#counters.mostChunks, this.#counters.chunks);
    if (isLast) {
      this.#counters.answered++;
      this.#counters.ticks += ticks;
      this.#end();
    }
    let isReleased = false;
    this.#receiver.chunk(new Uint8Array(memory, 0, length), isLast, head, () => {
      if (isReleased || this.#ended) return;
      isReleased = true;
      this.#chunks--;
      this.#counters.chunks--;
      this.#port!.postMessage(memory, [memory]);
    });
  }

  #fail(code: HistoryFailure, message: string): void {
    if (this.#ended) return;
    this.#counters.failed++;
    this.#end();
    this.#receiver.failed(code, message);
  }

  #end(): void {
    this.#ended = true;
    this.#counters.chunks -= this.#chunks;
    this.#leave();
    // The thread learns of it and stops.
    this.#port?.close();
  }
}
