import { fieldCount } from '../../market/quotes/quoteFields.js';
import { argumentBytes } from '../../redis/commandBytes.js';
import { clusterSlot } from '../../redis/clusterSlot.js';
import { TickLine } from '../../tickText/tickText.js';

/** State of one instrument's hash and stream. */
export class StoredInstrument {
  /** Position in StoredInstruments. */
  readonly index: number;
  /** `EXCHANGE.id` */
  readonly key: string;
  readonly quoteKey: string;
  readonly ticksKey: string;
  /** The keys as arguments. */
  readonly quoteArgument: Buffer;
  readonly ticksArgument: Buffer;
  /** Of the keys, in a cluster. */
  readonly quoteSlot: number;
  readonly ticksSlot: number;

  /** The newest state, to be written to the hash. */
  readonly line = new TickLine();
  /** When it was received, ms since the epoch. */
  receivedMs = 0;
  /** Counts the states. */
  state = 0;
  /** Whether the state is of this run: what an earlier one has left on disk is older. */
  isLive = false;

  /** By field: whether the hash may hold something else. */
  unwritten = new Uint8Array(fieldCount).fill(1);
  /** By field: what was sent to the hash last. */
  sent = new Uint8Array(fieldCount);
  /** Whether the hash is to be written (quoteWriter.ts). */
  isDirty = false;
  /** Not before, performance.now(). */
  quoteDueAt = 0;

  /** Whether what follows is what the stream holds. */
  isKnown = false;
  /** Id of its newest entry. */
  lastMs = 0;
  lastN = 0;
  /** Run (gatewayRuns.ts) and number of its newest entry; run -1 when it is of no run that this process writes. */
  newestRun = -1;
  newestN = 0;
  /** The newest entry that is of another run: its run's name, and its line. */
  foreign: { readonly run: string; readonly text: string } | undefined;

  /** Ticks skipped in a row because the stream's newest entry, of another run, is not older. */
  repeated = 0;
  /** When the stream is next trimmed by age, performance.now(). */
  trimAt = 0;

  /** For one batch: its number, and what will be the newest entry when all before was stored. */
  batch = 0;
  planned = { ms: 0, n: 0 };
  plannedRun = -1;
  plannedN = 0;

  /** @param key `EXCHANGE.id` */
  constructor(index: number, key: string, prefix: string) {
    this.index = index;
    this.key = key;
    this.quoteKey = `${prefix}quote:${key}`;
    this.ticksKey = `${prefix}ticks:${key}`;
    this.quoteArgument = argumentBytes(this.quoteKey);
    this.ticksArgument = argumentBytes(this.ticksKey);
    this.quoteSlot = clusterSlot(this.quoteKey);
    this.ticksSlot = clusterSlot(this.ticksKey);
  }

  /** Takes a new state in; false when it is the one that was there. */
  take(row: Float64Array, flags: number, receivedMs: number): boolean {
    this.receivedMs = receivedMs;
    const isChanged = this.line.update(flags, receivedMs, row, this.unwritten);
    return this.state++ === 0 || isChanged;
  }
}

/** All instruments of which there have been ticks. */
export class StoredInstruments {
  readonly all: StoredInstrument[] = [];
  readonly #byKey = new Map<string, StoredInstrument>();
  /** Prefix of all keys in Redis. */
  readonly prefix: string;
  readonly #onNew: (key: string) => void;

  /**
   * @param keys of those that there were before, which get the first places
   * @param onNew a further one has the next place
   */
  constructor(prefix: string, keys: readonly string[], onNew: (key: string) => void) {
    this.prefix = prefix;
    this.#onNew = onNew;
    for (const key of keys) this.#add(key);
  }

  /** Whether there have been ticks of it in this run. @param key `EXCHANGE.id` */
  isLive(key: string): boolean {
    return this.#byKey.get(key)?.isLive === true;
  }

  /** @param key `EXCHANGE.id` */
  of(key: string): StoredInstrument {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    this.#onNew(key);
    return this.#add(key);
  }

  #add(key: string): StoredInstrument {
    const made = new StoredInstrument(this.all.length, key, this.prefix);
    this.all.push(made);
    this.#byKey.set(key, made);
    return made;
  }
}
