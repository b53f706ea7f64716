import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { Field, fieldCount } from '../../market/quotes/quoteFields.js';
import { GuardedTapeReader } from '../../tape/poisonTicks.js';
import type { TapeRecord } from '../../tape/tape.js';
import { FolderClaim } from '../spill/folderClaim.js';
import { QuoteScan } from '../quotes/quoteScan.js';
import type { PersisterEvent, PersisterData, PersisterStatus } from '../shared/persisterMessages.js';
import { PersisterProgress } from '../shared/persisterProgress.js';
import { PersisterReport } from './persisterReport.js';
import { RedisLink } from '../../redis/redisLink.js';
import { UnknownOutcome } from '../../redis/redisNode.js';
import { ownRun, GatewayRuns } from '../shared/gatewayRuns.js';
import type { SpillFolder } from '../spill/spillFolder.js';
import type { SpillLine } from '../spill/spillFormat.js';
import { StoredInstruments } from '../quotes/storedInstrument.js';
import { StreamTrim } from '../streams/streamTrim.js';
import { StreamWriter } from '../streams/streamWriter.js';
import { TickBacklog } from '../streams/tickBacklog.js';
import { decodeTick } from '../../tickText/tickCodec.js';

const firstPauseMs = 200;
const longestPauseMs = 5000;
/** Records taken from the tape in one turn of the event loop. */
const turnBudget = 1024;
/**
 * By then a server has read what an earlier connection has left it: mostly, and where the network was away, for as long as
 * Linux continues sending what a closed socket held.
 */
const settledAfterMs = [5000, 120_000];
const trimIntervalMs = 600_000;
/** How long keys are gone through at a time, while ticks wait. */
const asideMs = 20;
const longestStopMs = 60_000;
/** For the file, at the end; and how many ticks go to it in a ms at least. */
const closingMs = 500;
const closedPerMs = 50;
const megabyte = 1024 * 1024;

/**
 * Takes ticks from the tape and puts them into Redis. Whatever Redis does, the tape is read: what cannot be written
 * waits in a backlog.
 */
export class Persister {
  readonly #options: PersisterData;
  readonly #post: (event: PersisterEvent) => void;
  readonly #report: PersisterReport;
  readonly #progress: PersisterProgress;
  readonly #reader: GuardedTapeReader;
  readonly #link: RedisLink;
  /** Undefined where there is to be no file. */
  readonly #claim: FolderClaim | undefined;
  readonly #backlog: TickBacklog;
  readonly #writer: StreamWriter;
  readonly #instruments: StoredInstruments;
  readonly #runs: GatewayRuns;
  /** Number of the tape's next tick. */
  #next: number;
  #lostAtEnd = 0;
  #trouble = 'it is not connected yet';
  #hasRestored = false;
  /** Reads the states of an earlier run. */
  #quoteScan: QuoteScan | undefined;
  /** Trims all streams. */
  #streamTrim: StreamTrim | undefined;
  /** When hashes are written again once more, the earliest first; performance.now(). */
  #settles: number[] = [];
  /** performance.now(); never where streams have no age. */
  #trimAt: number;
  #stopping = false;
  #isFinished = false;
  /** The writer has ticks in its hands. */
  #isWriting = false;
  #wake: () => void = () => undefined;
  /** The tick that is being taken. */
  readonly #head = { instrument: 0, run: ownRun, n: 0, timeMs: 0, receivedMs: 0, isOnDisk: false };

  constructor(options: PersisterData, post: (event: PersisterEvent) => void) {
    const { tape, progress, poison, redis, storage, run } = options;
    this.#options = options;
    this.#post = post;
    this.#trimAt = storage.historyAge === 0 ? Infinity : performance.now() + trimIntervalMs;
    const [path, maxBytes] = [storage.spillPath, storage.spillFile * megabyte];
    this.#claim = maxBytes === 0 ? undefined : new FolderClaim({ path, maxBytes, run, post });
    const folder = this.#claim?.folder;
    this.#progress = new PersisterProgress(progress);
    // A thread that has ended may have put more into the folder than it could say.
    this.#next = Math.max(this.#progress.next, (folder?.newestOf(run) ?? -1) + 1);
    this.#reader = new GuardedTapeReader(tape, this.#next | 0, poison);
    this.#link = new RedisLink(redis, {
      onUp: () => this.#onUp(),
      onDown: (cause) => this.#onDown(cause),
      onAdvice: (text) => this.#report.advice(text),
    });
    this.#report = new PersisterReport(this.#link, () => this.#claim?.folder, post);
    this.#instruments = new StoredInstruments(redis.keyPrefix, this.#progress.keys, (key) =>
      this.#progress.add(key),
    );
    this.#runs = new GatewayRuns(run, folder?.runs ?? []);
    this.#backlog = new TickBacklog({
      memoryBytes: storage.spillMemory * megabyte,
      folder,
      runs: this.#runs,
      keyOf: (instrument) => this.#instruments.all[instrument]!.key,
      headOf: (line) => this.#headOf(line),
    });
    this.#writer = new StreamWriter({
      link: this.#link,
      settings: storage,
      backlog: this.#backlog,
      instruments: this.#instruments,
      runs: this.#runs,
      progress: this.#progress,
    });
  }

  start(): void {
    const ownFrom = this.#next;
    this.#claim?.start((folder) => this.#takeOver(folder, ownFrom));
    this.#link.start();
    void this.#take();
    void this.#write();
  }

  #spillTrouble(): string {
    const { trouble = '', folder } = this.#claim ?? {};
    return folder === undefined ? trouble : folder.trouble;
  }

  /** To be called now and then: finds out whether a disk that has refused something takes it now. */
  probeDisk(): void {
    this.#backlog.probe();
    this.#reach();
    this.#report.disk();
  }

  status(): PersisterStatus {
    const { waiting, next, arena } = this.#backlog;
    const oldestMs = waiting > 0 ? arena.receivedMs(next) : this.#claim?.folder?.oldestReceivedMs;
    return {
      connected: this.#link.isUp,
      latencyMs: this.#link.latencyMs ?? null,
      stored: this.#progress.stored,
      waiting: this.#reader.behind + waiting,
      behind: this.#reader.behind,
      spilled: this.#backlog.spilled,
      lost: this.#progress.lost,
      lagMs: oldestMs === undefined ? 0 : Math.max(0, Date.now() - oldestMs),
      trouble: this.#trouble,
      spillTrouble: this.#spillTrouble(),
    };
  }

  /**
   * After the last tick: writes as long as Redis takes it, and for no longer than `withinMs`; what is left goes to the
   * file. Tells when it is done.
   */
  stop(withinMs = longestStopMs): void {
    while (this.#reader.next()) this.#takeRecord(this.#reader.record);
    this.#stopping = true;
    const forFile = closingMs + this.#backlog.waiting / closedPerMs;
    // Also while a pipeline is not answered.
    setTimeout(() => this.#finish(), Math.max(0, withinMs - forFile)).unref();
    this.#wake();
  }

  /** @param ownFrom number of the first tick that this thread took from the tape */
  #takeOver(folder: SpillFolder, ownFrom: number): void {
    this.#backlog.takeOver(folder);
    if (folder.isEmpty) return;
    this.#runs.tookOverLate(ownFrom);
    // What was somebody else's in the streams may be of a run that is known now.
    this.#writer.recheck();
    this.#reach();
  }

  #onUp(): void {
    this.#report.up();
    this.#writer.recheck();
    this.#settles = settledAfterMs.map((ms) => performance.now() + ms);
    this.#wake();
  }

  #onDown(cause: string): void {
    this.#trouble = cause;
    if (!this.#isWriting) this.#putAway();
    if (this.#stopping) return;
    this.#report.down(cause);
    this.#wake();
  }

  #putAway(): void {
    this.#backlog.putAway();
    this.#report.disk();
  }

  async #take(): Promise<void> {
    for (;;) {
      let taken = 0;
      while (taken < turnBudget && this.#reader.next()) {
        this.#takeRecord(this.#reader.record);
        taken++;
      }
      this.#reader.putDown();
      this.#backlog.flush();
      this.#reach();
      this.#report.disk();
      if (taken > 0) this.#wake();
      if (taken === turnBudget) await nextTurn();
      else if (this.#stopping) return;
      else await this.#reader.wait();
    }
  }

  #takeRecord(record: TapeRecord): void {
    const { row, flags, key, tick } = record;
    const receivedMs = tick.receiveTimeMs;
    const instrument = this.#instruments.of(key);
    const isNew = instrument.take(row, flags, receivedMs);
    instrument.isLive = true;
    this.#writer.quotes.changed(instrument);
    // The reader's position has 32 bits.
    this.#next += (this.#reader.position - (this.#next | 0)) >>> 0;
    if (!isNew) return;
    const head = this.#head;
    head.instrument = instrument.index;
    head.n = this.#next - 1;
    head.timeMs = row[Field.timestamp]!;
    head.receivedMs = receivedMs;
    this.#backlog.push(head, instrument.line.bytes, instrument.line.length);
  }

  #headOf({ key, text }: SpillLine): { instrument: number; timeMs: number; receivedMs: number } {
    const row = new Float64Array(fieldCount);
    const head = decodeTick(text, row);
    const instrument = this.#instruments.of(key);
    // A hash never steps back behind this run's ticks.
    if (!instrument.isLive && head !== undefined) {
      instrument.take(row, head.flags, head.receivedMs);
      this.#writer.quotes.changed(instrument);
    }
    return {
      instrument: instrument.index,
      timeMs: row[Field.timestamp]!,
      receivedMs: head?.receivedMs ?? 0,
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
      // Redis takes nothing: what waits in memory goes to the file.
      this.#putAway();
      await this.#rest(pause);
      pause = Math.min(2 * pause, longestPauseMs);
    }
    this.#finish();
  }

  /** Waits until there is something to write and, unless there is plenty, for more of it. */
  async #untilWork(): Promise<void> {
    const { batchTime, batchSize } = this.#options.storage;
    const hasWork = (): boolean => this.#writer.hasWork || this.#isDue();
    while (!this.#stopping && !(this.#link.isUp && hasWork())) await this.#rest(1000);
    if (this.#stopping || this.#backlog.waiting >= batchSize || this.#backlog.spilled > 0) return;
    // Clients wait for the states.
    if (!this.#hasRestored) return;
    await delay(batchTime);
  }

  #isDue(): boolean {
    if (!this.#hasRestored || this.#streamTrim !== undefined) return true;
    return performance.now() >= Math.min(this.#settles[0] ?? Infinity, this.#trimAt);
  }

  /** Until something happens, or the time is over. */
  async #rest(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, ms);
    });
    clearTimeout(timer);
  }

  async #writeBatch(): Promise<string | undefined> {
    if (!this.#link.isUp) return this.#trouble;
    if (performance.now() >= (this.#settles[0] ?? Infinity)) {
      this.#settles.shift();
      this.#writer.quotes.forget();
    }
    this.#isWriting = true;
    const isLast = this.#stopping;
    const trouble = (await this.#restore()) ?? (await this.#writer.flush(isLast)) ?? (await this.#trim());
    this.#isWriting = false;
    this.#reach();
    this.#tell(trouble);
    return trouble;
  }

  /** Puts down what another thread need not do again. */
  #reach(): void {
    const { refused } = this.#writer.counters;
    const lost = this.#backlog.lost + refused + this.#reader.missed + this.#lostAtEnd;
    this.#progress.reach(this.#backlog.safeUpTo(this.#next), lost);
  }

  #tell(trouble: string | undefined): void {
    // The connection itself knows better why it is gone.
    if (trouble === undefined || this.#link.isUp) this.#trouble = trouble ?? '';
    for (const warning of this.#writer.takeWarnings()) this.#report.advice(warning);
    this.#report.batch(trouble, this.#writer.takeRefusals());
  }

  /** At the start: some of the newest states from an earlier run. Returns what was wrong, if anything. */
  async #restore(): Promise<string | undefined> {
    if (this.#hasRestored || this.#stopping) return undefined;
    const scan = (this.#quoteScan ??= new QuoteScan(this.#link, this.#options.redis.keyPrefix));
    const trouble = await aWhile(scan, async () => {
      const found = await scan.step();
      // Whatever has ticked has a newer state, and its hash may hold that already.
      const quotes = found.filter(({ key }) => !this.#instruments.isLive(key));
      for (const { key, receivedMs } of quotes) this.#writer.quotes.held(key, receivedMs);
      if (quotes.length > 0) this.#post({ type: 'quotes', quotes, isLast: false });
    });
    if (trouble !== undefined) this.#quoteScan = undefined;
    else if (scan.isDone) {
      this.#hasRestored = true;
      this.#quoteScan = undefined;
      this.#writer.quotes.allHeld();
      this.#post({ type: 'quotes', quotes: [], isLast: true });
      this.#report.restored(scan.refusal);
    }
    return trouble;
  }

  /** From time to time: trims some of the streams. Returns what was wrong, if anything. */
  async #trim(): Promise<string | undefined> {
    const { redis, storage } = this.#options;
    if (this.#stopping) return undefined;
    if (performance.now() >= this.#trimAt) {
      this.#trimAt = performance.now() + trimIntervalMs;
      const before = Date.now() - storage.historyAge * 3_600_000;
      this.#streamTrim = new StreamTrim(this.#link, redis.keyPrefix, before);
    }
    const trim = this.#streamTrim;
    if (trim === undefined) return undefined;
    const trouble = await aWhile(trim, () => trim.step());
    if (trim.isDone || trouble !== undefined) this.#streamTrim = undefined;
    return trouble;
  }

  #isDone(): boolean {
    return this.#reader.behind === 0 && !this.#writer.hasWork;
  }

  #finish(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#claim?.close((folder) => this.#backlog.takeOver(folder));
    this.#lostAtEnd = this.#backlog.close();
    this.#reach();
    this.#link.close();
    this.#post({ type: 'stopped', status: this.status() });
  }
}

/**
 * Continues with something that is done in steps, but not for long.
 *
 * @returns why Redis did not do what was asked of it; undefined when it did
 */
async function aWhile(
  work: { readonly isDone: boolean },
  step: () => Promise<void>,
): Promise<string | undefined> {
  const until = performance.now() + asideMs;
  try {
    while (!work.isDone && performance.now() < until) await step();
    return undefined;
  } catch (error) {
    if (error instanceof UnknownOutcome) return error.message;
    throw error;
  }
}
