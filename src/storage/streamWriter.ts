import { Fifo } from '../fifo.js';
import { quoteCommands } from './quoteHash.js';
import type { RedisLink } from './redisLink.js';
import { causeOf, UnknownOutcome, type RedisCommand, type RedisNode, type Reply } from './redisNode.js';
import {
  isRepetition,
  isStored,
  type NewestEntry,
  type Runs,
  type StoredInstrument,
  type TickEntry,
} from './storedInstrument.js';
import { isAfter, nextId, noId, parseStreamId, streamIdText } from './streamId.js';

/** Hashes are written this often at most: of an instrument that ticks faster, its newest state. */
const quoteIntervalMs = 100;
/** How long ticks that Redis has acknowledged are kept, to be written again where it lost them: appendfsync everysec. */
const keptMs = 3000;
const trimIntervalMs = 60_000;
/** As the quote book: so many in a row prove that the newest entry is the one that is wrong. */
const mostLeftOut = 20;
const hourMs = 3_600_000;

export interface WriterSettings {
  /** Most ticks, and most hashes, that are sent together. */
  readonly batchSize: number;
  /** Ticks of each instrument. */
  readonly historyLength: number;
  /** Hours; 0: no limit. */
  readonly historyAge: number;
}

export interface WriterCounters {
  /** Ticks that Redis has acknowledged, or that were found there where no answer had come. */
  stored: number;
  /** Ticks that tell nothing new after the newest of an earlier run. */
  repeated: number;
  /** Ticks that Redis will never take, such as where a key is of another type. */
  refused: number;
  /** Ticks that were acknowledged, were lost by Redis, and have been written again. */
  again: number;
}

/** What one node is to do: each part is a transaction by itself where it has more than one command. */
interface Part {
  readonly commands: RedisCommand[];
  /** Entry of each command that stores one. */
  readonly entries: (TickEntry | undefined)[];
  readonly quotes: StoredInstrument[];
}

/**
 * Writes ticks to streams, and the newest states to hashes, each tick once and in its order.
 *
 * A tick has a name of its own (run and number), and gets its id before it is sent for the first time; it keeps it. So
 * whatever has become of an answer, Redis itself takes no id twice and none that steps back; and the newest entry of the
 * stream, which is read back before anything is sent again, tells which ticks are there. All ticks of a stream that are
 * sent together are one transaction, so none of them can be refused by itself in the midst of others.
 *
 * What has been acknowledged is kept for some seconds: where Redis comes back without it, it is written again.
 */
export class StreamWriter {
  readonly counters: WriterCounters = { stored: 0, repeated: 0, refused: 0, again: 0 };
  /** Why ticks were refused for good, the last time. */
  lastRefusal = '';
  readonly #link: RedisLink;
  readonly #settings: WriterSettings;
  readonly #runs: Runs;
  /** Taken over and not settled, in order. */
  #pending: TickEntry[] = [];
  /** Hashes that are not up to date. */
  readonly #dirty = new Set<StoredInstrument>();
  readonly #instruments: ReadonlyMap<string, StoredInstrument>;
  /** Acknowledged of late, the oldest first. */
  #kept = new Fifo<{ readonly entry: TickEntry; readonly atMs: number }>();
  /** performance.now() */
  #quotesDueAt = 0;
  /** Whether Redis may have lost what it acknowledged. */
  #mustRecheck = false;

  /**
   * @param runs names of the runs that ticks come from, the oldest first
   * @param instruments all that ticks and states come from
   */
  constructor(
    link: RedisLink,
    settings: WriterSettings,
    runs: Runs,
    instruments: ReadonlyMap<string, StoredInstrument>,
  ) {
    this.#link = link;
    this.#settings = settings;
    this.#runs = runs;
    this.#instruments = instruments;
  }

  /** Ticks that are not settled, the oldest first. */
  get pending(): readonly TickEntry[] {
    return this.#pending;
  }

  get hasWork(): boolean {
    return this.#pending.length > 0 || this.#dirty.size > 0 || this.#mustRecheck;
  }

  /** Takes ticks over; they follow those that are pending. */
  add(entries: readonly TickEntry[]): void {
    this.#pending.push(...entries);
  }

  /** Forgets what is pending: whoever calls has it. Sent again from the beginning, it gets the same ids. */
  release(): void {
    this.#pending = [];
  }

  /** An instrument has a new state. */
  changed(instrument: StoredInstrument): void {
    this.#dirty.add(instrument);
  }

  /** Redis is there, maybe anew, maybe another one: nothing that was known of its data holds. */
  recheck(): void {
    this.#mustRecheck = true;
    for (const instrument of this.#instruments.values()) instrument.isKnown = false;
    this.forgetQuotes();
  }

  /** Hashes may hold something else than was written: all are to be written anew. */
  forgetQuotes(): void {
    for (const instrument of this.#instruments.values()) {
      if (instrument.state === 0) continue;
      instrument.written = undefined;
      this.#dirty.add(instrument);
    }
  }

  /**
   * Sends one batch of what is pending.
   *
   * @param isLast hashes are written at once
   * @returns undefined when it is settled, otherwise why it is not
   */
  async flush(isLast = false): Promise<string | undefined> {
    try {
      await this.#readBack();
      this.#leaveOut();
      this.#assignIds();
      const trouble = await this.#send(isLast);
      this.#prune();
      return trouble;
    } catch (error) {
      if (error instanceof UnknownOutcome) return error.message;
      throw error;
    }
  }

  /** Reads the ends of the streams that are about to be written and are not known. */
  async #readBack(): Promise<void> {
    const kept: TickEntry[] = [];
    if (this.#mustRecheck) {
      // Taken over for as long as this takes: where it fails, they come again.
      for (let next = this.#kept.shift(); next !== undefined; next = this.#kept.shift())
        kept.push(next.entry);
      this.#mustRecheck = false;
    }
    const unknown = new Set<StoredInstrument>();
    for (const { instrument } of [...kept, ...this.#pending])
      if (!instrument.isKnown) unknown.add(instrument);
    try {
      await this.#readEnds([...unknown]);
    } catch (error) {
      if (kept.length > 0) this.#mustRecheck = true;
      for (const entry of kept) this.#kept.push({ entry, atMs: Date.now() });
      throw error;
    }
    const lost: TickEntry[] = [];
    for (const entry of kept) {
      if (isStored(entry, entry.instrument.newest, this.#runs)) this.#kept.push({ entry, atMs: Date.now() });
      else lost.push(entry);
    }
    this.counters.again += lost.length;
    this.counters.stored -= lost.length;
    for (const { instrument } of lost) instrument.counted = undefined;
    if (lost.length === 0) return;
    // What was in hand when memory overflowed is in the file too, and may have come back from there.
    const names = new Set(lost.map(({ run, n }) => `${run}.${n}`));
    this.#pending = [...lost, ...this.#pending.filter(({ run, n }) => !names.has(`${run}.${n}`))];
  }

  async #readEnds(instruments: readonly StoredInstrument[]): Promise<void> {
    const byNode = groupBy(instruments, ({ ticksSlot }) => this.#nodeOf(ticksSlot));
    const answers = [...byNode].map(async ([node, list]) => {
      const replies = await node.run(list.map(({ ticksKey }) => ['XINFO', 'STREAM', ticksKey]));
      replies.forEach((reply, index) => this.#takeEnd(list[index]!, reply, node));
    });
    await Promise.all(answers);
  }

  #takeEnd(instrument: StoredInstrument, reply: Reply, node: RedisNode): void {
    if ('error' in reply) {
      const { message } = reply.error;
      const isAbsent = message.includes('no such key');
      // A foreign key of that name: XADD will say so.
      if (!isAbsent && !message.startsWith('WRONGTYPE')) {
        this.#link.consider(reply.error, node);
        throw new UnknownOutcome(causeOf(reply.error));
      }
      instrument.last = noId;
      instrument.newest = undefined;
    } else {
      const end = streamEnd(reply.value);
      instrument.last = end.last;
      instrument.newest = end.newest;
    }
    instrument.isKnown = true;
    instrument.leftOut = 0;
  }

  /** Takes out of `pending` what is in its stream already. */
  #leaveOut(): void {
    this.#pending = this.#pending.filter((entry) => {
      const { instrument } = entry;
      const { newest } = instrument;
      if (newest === undefined) return true;
      if (this.#runs.includes(newest.run)) {
        if (!isStored(entry, newest, this.#runs)) return true;
        this.#count(entry);
        return false;
      }
      if (instrument.leftOut >= mostLeftOut || !isRepetition(entry, newest)) {
        // What follows it has been compared by the quote book.
        instrument.leftOut = mostLeftOut;
        return true;
      }
      instrument.leftOut++;
      this.counters.repeated++;
      return false;
    });
  }

  #assignIds(): void {
    const ends = new Map<StoredInstrument, typeof noId>();
    for (const entry of this.#pending) {
      const last = ends.get(entry.instrument) ?? entry.instrument.last;
      if (entry.id === undefined || !isAfter(entry.id, last))
        entry.id = nextId(last, entry.timeMs, entry.receivedMs);
      ends.set(entry.instrument, entry.id);
    }
  }

  async #send(isLast: boolean): Promise<string | undefined> {
    const { batchSize } = this.#settings;
    const entries = this.#pending.slice(0, batchSize);
    const quotes: StoredInstrument[] = [];
    const isDue = isLast || performance.now() >= this.#quotesDueAt;
    if (isDue) for (const quote of this.#dirty) if (quotes.push(quote) >= batchSize) break;
    // Where some are left, they are next.
    if (isDue && quotes.length === this.#dirty.size) this.#quotesDueAt = performance.now() + quoteIntervalMs;
    const byNode = new Map<RedisNode, Map<number, Part>>();
    const partOf = (slot: number): Part => {
      const node = this.#nodeOf(slot);
      const parts = byNode.get(node) ?? new Map<number, Part>();
      byNode.set(node, parts);
      // Keys of several slots cannot be in one transaction.
      const name = this.#link.isCluster ? slot : 0;
      const part = parts.get(name) ?? { commands: [], entries: [], quotes: [] };
      parts.set(name, part);
      return part;
    };
    for (const entry of entries) this.#addEntry(partOf(entry.instrument.ticksSlot), entry);
    for (const quote of quotes) addQuote(partOf(quote.quoteSlot), quote);
    const settled = new Set<TickEntry>();
    const runs = [...byNode].map(([node, parts]) => this.#run(node, [...parts.values()], settled));
    const troubles = (await Promise.all(runs)).filter((trouble) => trouble !== undefined);
    this.#pending = this.#pending.filter((entry) => !settled.has(entry));
    const isStuck = entries.length > 0 && settled.size === 0;
    return troubles[0] ?? (isStuck ? 'somebody else writes to the same streams' : undefined);
  }

  #addEntry(part: Part, entry: TickEntry): void {
    const { instrument, id, timeMs, text, run, n } = entry;
    const { historyLength, historyAge } = this.#settings;
    part.entries[part.commands.length] = entry;
    part.commands.push([
      ...['XADD', instrument.ticksKey, 'MAXLEN', '~', `${historyLength}`, streamIdText(id!)],
      ...['time', `${timeMs}`, 'tick', text, 'seq', `${run}.${n}`],
    ]);
    const now = Date.now();
    if (historyAge === 0 || now < instrument.trimAtMs) return;
    instrument.trimAtMs = now + trimIntervalMs;
    part.commands.push(['XTRIM', instrument.ticksKey, 'MINID', '~', `${now - historyAge * hourMs}`]);
  }

  /** Sends a node its parts. What is settled by the answers is put into `settled`. Returns what was wrong, if anything. */
  async #run(node: RedisNode, parts: readonly Part[], settled: Set<TickEntry>): Promise<string | undefined> {
    const isTransaction = ({ commands }: Part): boolean => commands.length > 1;
    const commands = parts.flatMap((part) =>
      isTransaction(part) ? [['MULTI'], ...part.commands, ['EXEC']] : part.commands,
    );
    let replies: Reply[];
    try {
      replies = await node.run(commands);
    } catch (error) {
      if (!(error instanceof UnknownOutcome)) throw error;
      for (const part of parts) forget(part);
      return error.message;
    }
    let at = 0;
    let trouble: string | undefined;
    for (const part of parts) {
      const count = part.commands.length + (isTransaction(part) ? 2 : 0);
      const answers = replies.slice(at, at + count);
      at += count;
      const results = isTransaction(part) ? resultsOf(answers) : answers;
      if (results.length === part.commands.length && !isRefusal(results)) {
        this.#settle(part, results, settled);
        continue;
      }
      const error = firstError(answers);
      this.#link.consider(error, node);
      trouble ??= causeOf(error);
    }
    return trouble;
  }

  #settle(part: Part, results: readonly Reply[], settled: Set<TickEntry>): void {
    results.forEach((result, index) => {
      const entry = part.entries[index];
      if (entry === undefined) return;
      const { instrument } = entry;
      if ('value' in result) {
        settled.add(entry);
        instrument.last = entry.id!;
        instrument.newest = { run: entry.run, n: entry.n, text: entry.text };
        this.#count(entry);
        this.#kept.push({ entry, atMs: Date.now() });
      } else if (result.error.message.includes('ID specified in XADD is equal or smaller')) {
        instrument.isKnown = false;
      } else {
        settled.add(entry);
        this.counters.refused++;
        this.lastRefusal = `${instrument.ticksKey}: ${causeOf(result.error)}`;
      }
    });
    for (const quote of part.quotes) {
      quote.written ??= new Float64Array(quote.sent.length);
      quote.written.set(quote.sent);
      if (quote.sentState === quote.state) this.#dirty.delete(quote);
    }
  }

  /** Counts a tick as stored, once: it may be found again, in the file. */
  #count({ instrument, run, n }: TickEntry): void {
    const { counted } = instrument;
    if (counted?.run === run && counted.n >= n) return;
    instrument.counted = { run, n };
    this.counters.stored++;
  }

  #prune(): void {
    const before = Date.now() - keptMs;
    for (let oldest = this.#kept.peek(); oldest !== undefined && oldest.atMs < before;) {
      this.#kept.shift();
      oldest = this.#kept.peek();
    }
  }

  #nodeOf(slot: number): RedisNode {
    const node = this.#link.nodeOf(slot);
    if (node === undefined) throw new UnknownOutcome('no server is known to have the key');
    return node;
  }
}

function addQuote(part: Part, quote: StoredInstrument): void {
  quote.sent.set(quote.row);
  quote.sentState = quote.state;
  part.quotes.push(quote);
  part.commands.push(...quoteCommands(quote.quoteKey, quote, quote.written));
}

/** What is in the hashes and streams of a part is not known any more. */
function forget(part: Part): void {
  for (const entry of part.entries) if (entry !== undefined) entry.instrument.isKnown = false;
  for (const quote of part.quotes) quote.written = undefined;
}

/** The results of a transaction's commands; none when it was not carried out. */
function resultsOf(answers: readonly Reply[]): Reply[] {
  const exec = answers.at(-1);
  if (exec === undefined || 'error' in exec || !Array.isArray(exec.value)) return [];
  return (exec.value as unknown[]).map((value) => (value instanceof Error ? { error: value } : { value }));
}

/** Whether a lone command was refused for a reason that may pass; in a transaction EXEC is refused then. */
function isRefusal(results: readonly Reply[]): boolean {
  const [result] = results;
  return results.length === 1 && 'error' in result! && !/^(WRONGTYPE|ERR) /.test(result.error.message);
}

function firstError(answers: readonly Reply[]): Error {
  for (const answer of answers) if ('error' in answer) return answer.error;
  return new Error('the transaction was not carried out');
}

function streamEnd(info: unknown): { last: typeof noId; newest: NewestEntry | undefined } {
  const pairs = info as unknown[];
  const member = (name: string): unknown => pairs[pairs.indexOf(name) + 1];
  const last = parseStreamId(String(member('last-generated-id'))) ?? noId;
  const entry = member('last-entry');
  if (!Array.isArray(entry)) return { last, newest: undefined };
  const fields = (entry as [string, string[]])[1];
  const [run = '', n] = (fields[fields.indexOf('seq') + 1] ?? '').split('.');
  return { last, newest: { run, n: Number(n), text: fields[fields.indexOf('tick') + 1] ?? '' } };
}

function groupBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
