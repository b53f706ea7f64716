import { F, fieldCount } from '../market/quoteFields.js';
import { clusterSlot } from './clusterSlot.js';
import { noId, type StreamId } from './streamId.js';
import { decodeTick } from './tickCodec.js';

/** A tick on its way to Redis. */
export interface TickEntry {
  readonly instrument: StoredInstrument;
  /** Name of the run that took it in, and its number there: no two ticks have the same. */
  readonly run: string;
  readonly n: number;
  /** Exchange time, ms since the epoch. */
  readonly timeMs: number;
  /** ms since the epoch. */
  readonly receivedMs: number;
  /** tickCodec.ts */
  readonly text: string;
  /** Since it was sent for the first time. It may have been stored under this id, whatever has become of the answer. */
  id: StreamId | undefined;
}

/** The newest entry of a stream, as it was read back. */
export interface NewestEntry {
  readonly run: string;
  readonly n: number;
  readonly text: string;
}

/** What is known of one instrument's hash and stream. */
export class StoredInstrument {
  readonly key: string;
  readonly quoteKey: string;
  readonly ticksKey: string;
  /** Of the keys, in a cluster. */
  readonly quoteSlot: number;
  readonly ticksSlot: number;
  /** The newest state, to be written to the hash. */
  readonly row = new Float64Array(fieldCount).fill(NaN);
  flags = 0;
  /** ms since the epoch. */
  receivedMs = 0;
  /** Counts the states. */
  state = 0;
  /** Whether the state is of this run: what an earlier one has left on disk is older. */
  isLive = false;
  /** What the hash holds; undefined when that is not known. */
  written: Float64Array | undefined;
  /** What was sent to the hash last. */
  readonly sent = new Float64Array(fieldCount);
  sentState = 0;
  /** Whether `last` and `newest` are those of the stream. */
  isKnown = false;
  last: StreamId = noId;
  newest: NewestEntry | undefined;
  /** The last tick that was counted as stored. */
  counted: { readonly run: string; readonly n: number } | undefined;
  /** Ticks left out in a row because the stream's newest entry, of an earlier run, is not older. */
  leftOut = 0;
  /** When the stream is next trimmed by age, ms since the epoch. */
  trimAtMs = 0;

  /** @param key `EXCHANGE.id` */
  constructor(key: string, prefix: string) {
    this.key = key;
    this.quoteKey = `${prefix}quote:${key}`;
    this.ticksKey = `${prefix}ticks:${key}`;
    this.quoteSlot = clusterSlot(this.quoteKey);
    this.ticksSlot = clusterSlot(this.ticksKey);
  }

  /** Takes a new state in; false when it is the one that was there. */
  take(row: Float64Array, flags: number, receivedMs: number): boolean {
    let same = this.state++ > 0;
    for (let field = 0; same && field < fieldCount; field++) same = Object.is(this.row[field], row[field]);
    this.row.set(row);
    this.flags = flags;
    this.receivedMs = receivedMs;
    return !same;
  }
}

/** Names of the runs whose ticks this process writes, the oldest first: those of spill files, and its own. */
export type Runs = readonly string[];

/** Whether a tick is the stream's newest entry or lies before it; both are of runs that this process writes. */
export function isStored({ run, n }: TickEntry, newest: NewestEntry | undefined, runs: Runs): boolean {
  if (newest === undefined) return false;
  return newest.run === run ? newest.n >= n : runs.indexOf(newest.run) > runs.indexOf(run);
}

/**
 * Whether a tick tells nothing that the newest entry of an earlier run did not tell: a front repeats its last tick to
 * whoever subscribes, and a slower one may repeat older ones.
 */
export function isRepetition({ text }: TickEntry, newest: NewestEntry | undefined): boolean {
  const before = newest === undefined ? undefined : readRow(newest.text);
  const row = readRow(text);
  if (before === undefined || row === undefined) return false;
  for (const field of [F.tradingDay, F.volume, F.timestamp])
    if (row[field] !== before[field]) return row[field]! < before[field]!;
  return row.every((value, field) => Object.is(value, before[field]));
}

function readRow(text: string): Float64Array | undefined {
  const row = new Float64Array(fieldCount);
  return decodeTick(text, row) === undefined ? undefined : row;
}
