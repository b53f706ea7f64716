import { BatchSize } from './batchSize.js';
import { argumentBytes, CommandBytes } from '../../redis/commandBytes.js';
import { QuoteWriter } from '../quotes/quoteWriter.js';
import type { RedisLink } from '../../redis/redisLink.js';
import { causeOf, UnknownOutcome, type RedisNode } from '../../redis/redisNode.js';
import type { PersisterProgress } from '../shared/persisterProgress.js';
import { isNotNewer } from './repeatedTicks.js';
import { isUpTo, ownRun, type GatewayRuns } from '../shared/gatewayRuns.js';
import type { StoredInstrument, StoredInstruments } from '../quotes/storedInstrument.js';
import { otherWriter } from './sharedPrefix.js';
import { readEnds } from './streamEnds.js';
import { findTicks, type FoundTick, type Sought } from './storedSearch.js';
import { nextId, noId } from '../../tickText/streamId.js';
import { TickState } from './tickArena.js';
import type { TickBacklog } from './tickBacklog.js';
import { planBatch } from './tickBatch.js';
import { outcomesOf, writePart, WritePart, type PartOutcome, type PartWriting } from './writeParts.js';

const trimIntervalMs = 60_000;
const hourMs = 3_600_000;

export interface WriterSettings {
  /** Most ticks, and most hashes, that are sent together. */
  readonly batchSize: number;
  /** Ticks of each instrument. */
  readonly historyLength: number;
  /** Hours; 0: no limit. */
  readonly historyAge: number;
}

export interface WriterParts {
  readonly link: RedisLink;
  readonly settings: WriterSettings;
  readonly backlog: TickBacklog;
  readonly instruments: StoredInstruments;
  readonly runs: GatewayRuns;
  /** Gets the ticks that Redis has acknowledged, or that were found there where no answer had come. */
  readonly progress: PersisterProgress;
}

export interface WriterCounters {
  /** Ticks that tell nothing new after the newest of an earlier run. */
  repeated: number;
  /** Ticks that Redis will never take, such as where a key is of another type. */
  refused: number;
  /** Ticks that were acknowledged, were lost by Redis, and have been written again. */
  again: number;
}

/**
 * Writes ticks to streams, and the newest states to hashes, each tick once and in its order.
 *
 * A tick has a name of its own (run and number), and gets its id before it is sent for the first time; it keeps it. So
 * whatever has become of an answer, Redis itself takes no id twice and none that steps back; and the newest entry of the
 * stream, which is read back before anything is sent again, tells which ticks are there. All ticks of a stream that are
 * sent together are one transaction, so none of them can be refused by itself during others.
 *
 * What has been acknowledged is kept for some seconds: where Redis comes back without it, it is written again.
 */
export class StreamWriter {
  readonly counters: WriterCounters = { repeated: 0, refused: 0, again: 0 };
  readonly quotes: QuoteWriter;
  readonly #link: RedisLink;
  readonly #settings: WriterSettings;
  readonly #backlog: TickBacklog;
  readonly #instruments: StoredInstruments;
  readonly #runs: GatewayRuns;
  readonly #progress: PersisterProgress;
  readonly #batchSize: BatchSize;
  readonly #runPrefixes = new Map<number, Uint8Array>();
  readonly #historyLength: Buffer;
  /** Ticks that were refused for good, and why. */
  readonly #refusals = new Set<string>();
  /** Runs of other gateways that write to the same keys, and what is to be said of them. */
  readonly #others = new Set<string>();
  #warnings: string[] = [];
  /** Commands in flight, by server. */
  readonly #commands = new WeakMap<RedisNode, CommandBytes>();
  /** Whether Redis may have lost what it acknowledged. */
  #mustRecheck = false;
  /** Counts the times at which what was known ceased to hold. */
  #rechecks = 0;
  /** Ticks that need not be sent any more, ever so many. */
  #settled = 0;

  constructor({ link, settings, backlog, instruments, runs, progress }: WriterParts) {
    this.#link = link;
    this.#settings = settings;
    this.#backlog = backlog;
    this.#instruments = instruments;
    this.#runs = runs;
    this.#progress = progress;
    this.#batchSize = new BatchSize(settings.batchSize);
    this.quotes = new QuoteWriter(instruments);
    this.#historyLength = argumentBytes(`${settings.historyLength}`);
  }

  get hasWork(): boolean {
    return !this.#backlog.isEmpty || this.quotes.hasWork || this.#mustRecheck;
  }

  /** Ticks refused for good since the last call, and why. */
  takeRefusals(): string[] {
    const refusals = [...this.#refusals];
    this.#refusals.clear();
    return refusals;
  }

  /** Warnings for the operator since the last call. */
  takeWarnings(): string[] {
    return this.#warnings.splice(0);
  }

  /** Redis is there, maybe again, maybe another one: nothing that was known of its data holds. */
  recheck(): void {
    this.#mustRecheck = true;
    this.#rechecks++;
    for (const instrument of this.#instruments.all) instrument.isKnown = false;
    this.quotes.forget();
  }

  /**
   * Sends one batch of what waits.
   *
   * @param isLast hashes are written at once
   * @returns undefined when it is settled, otherwise why it is not
   */
  async flush(isLast = false): Promise<string | undefined> {
    try {
      const unread = this.#backlog.refill();
      await this.#readBack();
      const trouble = (await this.#send(isLast)) ?? unread;
      if (trouble === undefined) this.#backlog.prune(performance.now());
      return trouble;
    } catch (error) {
      if (error instanceof UnknownOutcome) return error.message;
      throw error;
    }
  }

  /** Reads the ends of the streams that are about to be written, or may have lost something, and are not known. */
  async #readBack(): Promise<void> {
    const isRecheck = this.#mustRecheck;
    const rechecks = this.#rechecks;
    const unknown = this.#unknown(isRecheck);
    this.#mustRecheck = false;
    try {
      if (unknown.length > 0) await readEnds(this.#link, unknown, this.#runs);
      if (rechecks !== this.#rechecks) throw new UnknownOutcome('the connection was renewed');
    } catch (error) {
      for (const instrument of unknown) instrument.isKnown = false;
      this.#mustRecheck ||= isRecheck;
      throw error;
    }
    for (const instrument of unknown) this.#considerOther(instrument);
    if (isRecheck) this.#recover();
  }

  /** Somebody else may have put ticks into a stream just now. */
  #considerOther({ foreign, ticksKey }: StoredInstrument): void {
    const own = this.#runs.name(ownRun);
    const other = foreign === undefined ? undefined : otherWriter(foreign, own);
    if (other === undefined || this.#others.has(other)) return;
    this.#others.add(other);
    this.quotes.isShared = true;
    this.#warnings.push(
      `another gateway writes to redis_key_prefix ${this.#instruments.prefix} too: its run ${other} has stored ticks in ${ticksKey} since this run, ${own}, began; give each gateway a prefix of its own`,
    );
  }

  /** @param isRecheck also those of ticks that are kept */
  #unknown(isRecheck: boolean): StoredInstrument[] {
    const { arena, next } = this.#backlog;
    const unknown = new Set<StoredInstrument>();
    let waiting = 0;
    for (let place = isRecheck ? arena.first : next; place < arena.end; place++) {
      const state = arena.state(place);
      if (state === TickState.done) continue;
      const isBeyond = state === TickState.waiting && waiting++ >= this.#settings.batchSize;
      if (isBeyond && !isRecheck) break;
      const instrument = this.#instrumentOf(place);
      if (!isBeyond && !instrument.isKnown) unknown.add(instrument);
    }
    return [...unknown];
  }

  /** Ticks that were acknowledged and are missing wait again. */
  #recover(): void {
    const { arena } = this.#backlog;
    const now = performance.now();
    // The newest first: so the marks of what was counted go back.
    for (let place = arena.end - 1; place >= arena.first; place--) {
      if (arena.state(place) !== TickState.stored) continue;
      const instrument = this.#instrumentOf(place);
      if (isUpTo(arena.run(place), arena.n(place), instrument.newestRun, instrument.newestN)) {
        arena.setStored(place, now);
        continue;
      }
      this.#backlog.again(place);
      this.counters.again++;
      const run = arena.run(place);
      this.#progress.uncount(instrument.index, this.#runs.mark(run), arena.n(place));
    }
  }

  async #send(isLast: boolean): Promise<string | undefined> {
    const backlog = this.#backlog;
    const size = this.#batchSize.now;
    const passed: number[] = [];
    const places = planBatch(backlog, this.#instruments, this.#runs, size, {
      onFound: (place, instrument) => this.#count(place, instrument),
      onPassed: (place) => passed.push(place),
      onRepeated: () => this.counters.repeated++,
    });
    if (passed.length > 0) await this.#lookForPassed(passed);
    const quotes = this.quotes.due(isLast ? this.#settings.batchSize : size, isLast);
    const byNode = this.#partsOf(places, quotes);
    backlog.depart(places.length === 0 ? 0 : places.at(-1)! + 1);
    const settledBefore = this.#settled;
    const begin = performance.now();
    const sent = [...byNode].map(([node, parts]) => this.#sendParts(node, [...parts.values()]));
    const troubles = (await Promise.all(sent)).filter((trouble) => trouble !== undefined);
    this.#batchSize.took(performance.now() - begin);
    backlog.land();
    const isStuck = places.length > 0 && this.#settled === settledBefore;
    return troubles[0] ?? (isStuck ? 'somebody else writes to the same streams' : undefined);
  }

  /** Parts for each server, by slot in a cluster. */
  #partsOf(
    places: readonly number[],
    quotes: readonly StoredInstrument[],
  ): Map<RedisNode, Map<number, WritePart>> {
    const byNode = new Map<RedisNode, Map<number, WritePart>>();
    const partOf = (slot: number): WritePart => {
      const node = this.#link.nodeOf(slot);
      if (node === undefined) {
        for (const quote of quotes) this.quotes.changed(quote);
        throw new UnknownOutcome('no server is known to have the key');
      }
      let parts = byNode.get(node);
      if (parts === undefined) byNode.set(node, (parts = new Map<number, WritePart>()));
      // Keys of several slots cannot be in one transaction.
      const name = this.#link.isCluster ? slot : 0;
      let part = parts.get(name);
      if (part === undefined) parts.set(name, (part = new WritePart()));
      return part;
    };
    const now = performance.now();
    for (const place of places) {
      const instrument = this.#instrumentOf(place);
      const part = partOf(instrument.ticksSlot);
      part.ticks.push(place);
      if (this.#settings.historyAge === 0 || now < instrument.trimAt) continue;
      instrument.trimAt = now + trimIntervalMs;
      part.trims.push(instrument);
    }
    for (const quote of quotes) partOf(quote.quoteSlot).quotes.push(quote);
    return byNode;
  }

  /** Sends a server its parts, and settles what is settled by the answers. Returns what was wrong, if anything. */
  async #sendParts(node: RedisNode, parts: readonly WritePart[]): Promise<string | undefined> {
    const commands = this.#commands.get(node) ?? new CommandBytes();
    this.#commands.set(node, commands);
    commands.clear();
    const writing = this.#writing();
    for (const part of parts) writePart(part, commands, writing);
    if (commands.count === 0) return undefined;
    try {
      const replies = await node.send(commands);
      let trouble: string | undefined;
      const outcomes = outcomesOf(parts, replies);
      // Before those that come after them are settled: ticks are counted in their order.
      const late = await this.#lookForLate(outcomes);
      for (const outcome of outcomes) {
        if (outcome.refusal === undefined) this.#settle(outcome, late);
        else {
          this.#link.consider(outcome.refusal, node);
          for (const quote of outcome.part.quotes) this.quotes.refused(quote);
          trouble ??= causeOf(outcome.refusal);
        }
      }
      return trouble;
    } catch (error) {
      if (!(error instanceof UnknownOutcome)) throw error;
      // The socket may still have their bytes.
      this.#commands.delete(node);
      for (const part of parts) this.#forget(part);
      return error.message;
    }
  }

  #writing(): PartWriting {
    return {
      arena: this.#backlog.arena,
      instrumentOf: (place) => this.#instrumentOf(place),
      runPrefix: (run) => this.#runPrefix(run),
      historyLength: this.#historyLength,
      trimBeforeMs: Date.now() - this.#settings.historyAge * hourMs,
      writeQuote: (instrument, commands) => this.quotes.write(instrument, commands),
    };
  }

  /** @param late what was found of ticks that were refused because later ones are stored, by place */
  #settle({ part, results }: PartOutcome, late: ReadonlyMap<number, FoundTick>): void {
    const { arena } = this.#backlog;
    const now = performance.now();
    part.ticks.forEach((place, index) => {
      const instrument = this.#instrumentOf(place);
      const result = results[index];
      const found = late.get(place);
      if (found?.isStored === false || (found === undefined && result instanceof Error)) {
        this.#settleRefused(place, result as Error, found);
        return;
      }
      this.#settled++;
      if (found === undefined) {
        instrument.lastMs = arena.idMs(place);
        instrument.lastN = arena.idN(place);
        instrument.newestRun = arena.run(place);
        instrument.newestN = arena.n(place);
        instrument.foreign = undefined;
      }
      this.#count(place, instrument);
      this.#backlog.stored(place, now);
    });
    const firstOfQuotes = part.commands - part.quoteOf.length;
    part.quoteOf.forEach(({ quoteKey }, index) => {
      const result = results[firstOfQuotes + index];
      if (result instanceof Error)
        this.#refusals.add(`${quoteKey}: ${causeOf(result)}: it does not get the newest states`);
    });
  }

  /** A tick was refused by itself, and is not in its stream. @param found undefined where no later one is there either */
  #settleRefused(place: number, error: Error, found: FoundTick | undefined): void {
    if (!isPassed(error)) this.#lose(place, causeOf(error));
    else if (found === undefined) this.#instrumentOf(place).isKnown = false;
    else if (found.lines.some((line) => isNotNewer(this.#backlog.arena.text(place), line))) {
      this.#settled++;
      this.counters.repeated++;
      this.#backlog.done(place);
    } else this.#lose(place, 'somebody else writes to it');
  }

  /**
   * Late ticks, which were refused by themselves although ones that come after them are stored, are in their streams all
   * the same where a connection before this one has brought them: its bytes may come to the server after the ends of the
   * streams were read. Otherwise somebody else writes there.
   */
  async #lookForLate(outcomes: readonly PartOutcome[]): Promise<Map<number, FoundTick>> {
    const { arena } = this.#backlog;
    const late = outcomes.flatMap(({ part, results, refusal }) =>
      refusal === undefined ? this.#lateOf(part, results) : [],
    );
    if (late.length === 0) return new Map();
    const found = await this.#find(late, (place) => {
      const id = { ms: arena.idMs(place), n: arena.idN(place) };
      return { from: id, to: id };
    });
    return new Map(late.map((place, index) => [place, found[index]!]));
  }

  #lateOf({ ticks }: WritePart, results: readonly unknown[]): number[] {
    const late: number[] = [];
    const stored = new Set<StoredInstrument>();
    if (!results.some((result) => result instanceof Error)) return late;
    for (let index = ticks.length - 1; index >= 0; index--) {
      const instrument = this.#instrumentOf(ticks[index]!);
      const result = results[index];
      if (!(result instanceof Error)) stored.add(instrument);
      else if (isPassed(result) && stored.has(instrument)) late.push(ticks[index]!);
    }
    return late;
  }

  /** Ticks from a folder that was taken over late: those that are in their streams were counted by whoever wrote them. */
  async #lookForPassed(passed: readonly number[]): Promise<void> {
    const { arena } = this.#backlog;
    const found = await this.#find(passed, (place) => ({
      from: nextId(noId, arena.timeMs(place), arena.receivedMs(place)),
    }));
    passed.forEach((place, index) => {
      if (found[index]!.isStored) {
        this.#settled++;
        this.#backlog.done(place);
      } else
        this.#lose(place, 'later ticks were stored while the folder of these was in use by another gateway');
    });
  }

  #find(
    places: readonly number[],
    whence: (place: number) => Pick<Sought, 'from' | 'to'>,
  ): Promise<FoundTick[]> {
    const { arena } = this.#backlog;
    const sought = places.map((place) => ({
      ...whence(place),
      instrument: this.#instrumentOf(place),
      seq: `${this.#runs.name(arena.run(place))}.${arena.n(place)}`,
    }));
    return findTicks(this.#link, sought);
  }

  /** A tick will never be stored. */
  #lose(place: number, why: string): void {
    this.#settled++;
    this.counters.refused++;
    this.#refusals.add(`${this.#instrumentOf(place).ticksKey}: ${why}: such ticks are not stored`);
    this.#backlog.done(place);
  }

  #count(place: number, instrument: StoredInstrument): void {
    const { arena } = this.#backlog;
    this.#progress.count(instrument.index, this.#runs.mark(arena.run(place)), arena.n(place));
  }

  /** The contents of the hashes and streams of a part are no longer known. */
  #forget(part: WritePart): void {
    for (const place of part.ticks) this.#instrumentOf(place).isKnown = false;
    for (const quote of part.quotes) this.quotes.unknown(quote);
  }

  #instrumentOf(place: number): StoredInstrument {
    return this.#instruments.all[this.#backlog.arena.instrument(place)]!;
  }

  #runPrefix(run: number): Uint8Array {
    const known = this.#runPrefixes.get(run);
    if (known !== undefined) return known;
    const made = Buffer.from(`${this.#runs.name(run)}.`, 'latin1');
    this.#runPrefixes.set(run, made);
    return made;
  }
}

/** Redis refuses a tick's id since the stream is past it. */
function isPassed({ message }: Error): boolean {
  return message.includes('ID specified in XADD is equal or smaller');
}
