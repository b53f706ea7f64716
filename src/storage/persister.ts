import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import type { RedisConfig } from '../config/redisConfig.js';
import type { StorageConfig } from '../config/gatewayConfig.js';
import { F, fieldCount } from '../market/quoteFields.js';
import { TapeReader, type TapeRecord } from '../ring/tape.js';
import { readQuotes, type StoredQuote } from './quoteScan.js';
import { RedisLink } from './redisLink.js';
import { UnknownOutcome } from './redisNode.js';
import { SpillFolder } from './spillFolder.js';
import type { SpillLine } from './spillFormat.js';
import { StoredInstrument, type TickEntry } from './storedInstrument.js';
import { StreamWriter } from './streamWriter.js';
import { decodeTick, encodeTick } from './tickCodec.js';
import { TickQueue } from './tickQueue.js';
import { trimStreams } from './trimStreams.js';

const firstPauseMs = 200;
const longestPauseMs = 5000;
/** Records taken from the tape in one turn of the event loop. */
const turnBudget = 1024;
/** By then a server has read all that an earlier connection has left it. */
const settledAfterMs = 5000;
const trimIntervalMs = 600_000;
const longestStopMs = 60_000;
/** For the file, at the end. */
const closingMs = 500;
const megabyte = 1024 * 1024;

/** What the persister's thread is started with. */
export interface PersisterOptions {
  readonly tape: SharedArrayBuffer;
  /** Begin with the tape's first tick rather than with the next one. */
  readonly fromStart: boolean;
  readonly redis: RedisConfig;
  readonly storage: StorageConfig;
  /** Names this run of the persister: no two have the same. */
  readonly run: string;
}

/** How it stands; numbers count from the start of the thread on. */
export interface PersisterStatus {
  readonly connected: boolean;
  /** Round trip of the last pipeline; null while Redis cannot be used. */
  readonly latencyMs: number | null;
  /** Ticks that are known to be in Redis. */
  readonly stored: number;
  /** Ticks that wait in memory, those on the tape too. */
  readonly waiting: number;
  /** Those of them that are still on the tape. */
  readonly behind: number;
  /** Ticks that wait in the file. */
  readonly spilled: number;
  /** Ticks that will never be stored: for want of room, damaged on disk, refused, or overrun on the tape. */
  readonly lost: number;
  /** Age of the oldest tick that is not stored. */
  readonly lagMs: number;
  /** Why nothing is stored at the moment; empty when something is. */
  readonly trouble: string;
}

export type PersisterEvent =
  | { readonly type: 'log'; readonly level: 'info' | 'warn' | 'error'; readonly text: string }
  | { readonly type: 'status'; readonly status: PersisterStatus }
  /** Newest states from an earlier run. */
  | { readonly type: 'quotes'; readonly quotes: readonly StoredQuote[]; readonly isLast: boolean }
  | { readonly type: 'stopped'; readonly status: PersisterStatus };

/**
 * Takes ticks from the tape and puts them into Redis. Whatever Redis does, the tape is read: what cannot be written
 * waits in a queue.
 */
export class Persister {
  readonly #options: PersisterOptions;
  readonly #post: (event: PersisterEvent) => void;
  readonly #reader: TapeReader;
  readonly #link: RedisLink;
  readonly #folder: SpillFolder | undefined;
  readonly #queue: TickQueue;
  readonly #writer: StreamWriter;
  readonly #instruments = new Map<string, StoredInstrument>();
  /** Ticks taken from the tape. */
  #taken = 0;
  #lostAtEnd = 0;
  #trouble = 'it is not connected yet';
  #hasRestored = false;
  /** By key: when the states were received that the hashes held at the start; for what an earlier run has left on disk. */
  readonly #heldSince = new Map<string, number>();
  #toldDisk = '';
  #isToldDown = false;
  #isToldTrouble = false;
  #toldRefusal = '';
  /** When hashes are written anew once more; performance.now(). */
  #settlesAt = Infinity;
  #trimAt = performance.now() + trimIntervalMs;
  #stopping = false;
  #isFinished = false;
  /** The writer has ticks in its hands. */
  #isWriting = false;
  #wake: () => void = () => undefined;

  constructor(options: PersisterOptions, post: (event: PersisterEvent) => void) {
    const { tape, redis, storage, run } = options;
    this.#options = options;
    this.#post = post;
    this.#reader = new TapeReader(tape, options.fromStart);
    this.#folder = this.#openFolder();
    this.#link = new RedisLink(redis, {
      onUp: () => this.#onUp(),
      onDown: (cause) => this.#onDown(cause),
    });
    this.#queue = new TickQueue({
      memoryBytes: storage.spillMemory * megabyte,
      folder: this.#folder,
      inHand: () => this.#writer.pending,
      fromLine: (line) => this.#entryOf(line),
    });
    const runs = [...(this.#folder?.runs ?? []).filter((each) => each !== run), run];
    this.#writer = new StreamWriter(this.#link, storage, runs, this.#instruments);
  }

  start(): void {
    this.#link.start();
    void this.#take();
    void this.#write();
  }

  status(): PersisterStatus {
    const { stored, refused } = this.#writer.counters;
    const oldest = this.#writer.pending[0] ?? this.#queue.oldest;
    return {
      connected: this.#link.isUp,
      latencyMs: this.#link.latencyMs ?? null,
      stored,
      waiting: this.#reader.behind + this.#writer.pending.length + this.#queue.inMemory,
      behind: this.#reader.behind,
      spilled: this.#queue.spilled,
      lost: this.#queue.lost + refused + this.#reader.missed + this.#lostAtEnd,
      lagMs: oldest === undefined ? 0 : Math.max(0, Date.now() - oldest.receivedMs),
      trouble: this.#trouble,
    };
  }

  /**
   * After the last tick: writes as long as Redis takes it, and for no longer than `withinMs`; what is left goes to the
   * file. Tells when it is done.
   */
  stop(withinMs = longestStopMs): void {
    while (this.#reader.next()) this.#takeRecord(this.#reader.record);
    this.#stopping = true;
    // Also while a pipeline is not answered.
    setTimeout(() => this.#finish(), Math.max(0, withinMs - closingMs)).unref();
    this.#wake();
  }

  #openFolder(): SpillFolder | undefined {
    const { storage, run } = this.#options;
    if (storage.spillFile === 0) return undefined;
    try {
      return SpillFolder.open(storage.spillPath, storage.spillFile * megabyte, run);
    } catch (error) {
      this.#log('error', `ticks that wait for Redis are kept in memory alone: ${(error as Error).message}`);
      return undefined;
    }
  }

  #onUp(): void {
    if (this.#isToldDown || !this.#hasRestored)
      this.#log('info', `${this.#link.name} ${this.#isToldDown ? 'answers again' : 'is connected'}`);
    this.#isToldDown = false;
    this.#writer.recheck();
    this.#settlesAt = performance.now() + settledAfterMs;
    this.#wake();
  }

  #onDown(cause: string): void {
    this.#trouble = cause;
    if (!this.#isWriting) this.#putAway();
    if (this.#isToldDown || this.#stopping) return;
    this.#log('warn', `${this.#link.name} cannot be used: ${cause}; trying again`);
    this.#isToldDown = true;
    this.#wake();
  }

  async #take(): Promise<void> {
    for (;;) {
      let taken = 0;
      while (taken < turnBudget && this.#reader.next()) {
        this.#takeRecord(this.#reader.record);
        taken++;
      }
      this.#queue.flush();
      this.#tellDisk();
      if (taken > 0) this.#wake();
      if (taken === turnBudget) await nextTurn();
      else if (this.#stopping) return;
      else await this.#reader.wait();
    }
  }

  #takeRecord(record: TapeRecord): void {
    const { row, flags, key, tick } = record;
    const receivedMs = tick.receiveTimeMs;
    const instrument = this.#instrumentOf(key);
    const isNew = instrument.take(row, flags, receivedMs);
    instrument.isLive = true;
    this.#writer.changed(instrument);
    const n = this.#taken++;
    if (!isNew) return;
    this.#queue.push({
      instrument,
      run: this.#options.run,
      n,
      timeMs: row[F.timestamp]!,
      receivedMs,
      text: encodeTick(flags, receivedMs, row),
      id: undefined,
    });
  }

  #instrumentOf(key: string): StoredInstrument {
    const known = this.#instruments.get(key);
    if (known !== undefined) return known;
    const made = new StoredInstrument(key, this.#options.redis.keyPrefix);
    this.#instruments.set(key, made);
    return made;
  }

  #entryOf({ run, n, key, text }: SpillLine): TickEntry {
    const row = new Float64Array(fieldCount);
    const head = decodeTick(text, row);
    const instrument = this.#instrumentOf(key);
    // A hash never steps back, neither behind this run's ticks nor behind what an earlier run has written to it.
    const isNewest = head !== undefined && head.receivedMs >= (this.#heldSince.get(key) ?? 0);
    if (!instrument.isLive && isNewest) {
      instrument.take(row, head.flags, head.receivedMs);
      this.#writer.changed(instrument);
    }
    return {
      instrument,
      run,
      n,
      timeMs: row[F.timestamp]!,
      receivedMs: head?.receivedMs ?? 0,
      text,
      id: undefined,
    };
  }

  async #write(): Promise<void> {
    let pause = firstPauseMs;
    for (;;) {
      await this.#untilWork();
      if (this.#stopping && this.#isDone()) break;
      const trouble = await this.#writeBatch();
      if (this.#isFinished) return;
      if (trouble === undefined) {
        pause = firstPauseMs;
        continue;
      }
      if (this.#stopping) break;
      this.#putAway();
      await this.#rest(pause);
      pause = Math.min(2 * pause, longestPauseMs);
    }
    this.#finish();
  }

  /** Waits until there is something to write and, unless there is plenty, for more of it. */
  async #untilWork(): Promise<void> {
    const { batchTime, batchSize } = this.#options.storage;
    const hasWork = (): boolean => !this.#queue.isEmpty || this.#writer.hasWork || this.#isDue();
    while (!this.#stopping && !(this.#link.isUp && hasWork())) await this.#rest(1000);
    const atHand = this.#queue.inMemory + this.#writer.pending.length;
    if (this.#stopping || atHand >= batchSize || this.#queue.spilled > 0) return;
    await delay(batchTime);
  }

  /** Redis takes nothing: what waits in memory goes to the file. */
  #putAway(): void {
    if (this.#queue.putBack(this.#writer.pending)) this.#writer.release();
  }

  #isDue(): boolean {
    return performance.now() >= Math.min(this.#settlesAt, this.#trimAt);
  }

  /** Until something happens, or the time is over. */
  async #rest(ms: number): Promise<void> {
    const ending = new AbortController();
    const woken = new Promise<void>((resolve) => (this.#wake = resolve));
    await Promise.race([woken, delay(ms, undefined, { signal: ending.signal }).catch(() => undefined)]);
    ending.abort();
  }

  async #writeBatch(): Promise<string | undefined> {
    if (!this.#link.isUp) return this.#trouble;
    if (performance.now() >= this.#settlesAt) {
      this.#settlesAt = Infinity;
      this.#writer.forgetQuotes();
    }
    this.#isWriting = true;
    const trouble = (await this.#restore()) ?? (await this.#writeNext()) ?? (await this.#trim());
    this.#isWriting = false;
    this.#tellTrouble(trouble);
    this.#tellDisk();
    return trouble;
  }

  #writeNext(): Promise<string | undefined> {
    if (this.#writer.pending.length === 0)
      this.#writer.add(this.#queue.take(this.#options.storage.batchSize));
    return this.#writer.flush(this.#stopping);
  }

  /** Before anything is written: the newest states from an earlier run. Returns what was wrong, if anything. */
  #restore(): Promise<string | undefined> {
    return troubleIn(async () => {
      if (this.#hasRestored) return;
      await readQuotes(this.#link, this.#options.redis.keyPrefix, (quotes, isLast) => {
        for (const { key, receivedMs } of quotes) this.#heldSince.set(key, receivedMs);
        this.#post({ type: 'quotes', quotes, isLast });
      });
      this.#hasRestored = true;
    });
  }

  /** From time to time; returns what was wrong, if anything. */
  #trim(): Promise<string | undefined> {
    const { redis, storage } = this.#options;
    return troubleIn(async () => {
      if (performance.now() < this.#trimAt) return;
      this.#trimAt = performance.now() + trimIntervalMs;
      const before = Date.now() - storage.historyAge * 3_600_000;
      if (storage.historyAge > 0) await trimStreams(this.#link, redis.keyPrefix, before);
    });
  }

  /** Says once why ticks cannot wait on disk. */
  #tellDisk(): void {
    const error = this.#folder?.takeError();
    if (error === undefined || error.message === this.#toldDisk) return;
    this.#toldDisk = error.message;
    this.#log('error', `the file for ticks that wait for Redis: ${error.message}`);
  }

  #tellTrouble(trouble: string | undefined): void {
    // The connection itself knows better why it is gone.
    if (trouble === undefined || this.#link.isUp) this.#trouble = trouble ?? '';
    // An outage is told of by the connection itself.
    const isRefusal = trouble !== undefined && this.#link.isUp;
    if (isRefusal && !this.#isToldTrouble)
      this.#log('warn', `${this.#link.name} does not store ticks: ${trouble}; they wait`);
    if (trouble === undefined && this.#isToldTrouble)
      this.#log('info', `${this.#link.name} stores ticks again`);
    if (isRefusal) this.#isToldTrouble = true;
    else if (trouble === undefined) this.#isToldTrouble = false;
    const { lastRefusal } = this.#writer;
    if (lastRefusal !== this.#toldRefusal) this.#log('error', `${lastRefusal}: such ticks are not stored`);
    this.#toldRefusal = lastRefusal;
  }

  #isDone(): boolean {
    return this.#reader.behind === 0 && this.#queue.isEmpty && !this.#writer.hasWork;
  }

  #finish(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#lostAtEnd = this.#queue.close(this.#writer.pending);
    this.#writer.release();
    this.#link.close();
    this.#post({ type: 'stopped', status: this.status() });
  }

  #log(level: 'info' | 'warn' | 'error', text: string): void {
    this.#post({ type: 'log', level, text });
  }
}

/** Why Redis did not do what was asked of it; undefined when it did. */
async function troubleIn(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof UnknownOutcome) return error.message;
    throw error;
  }
}
