import { I32, TickRecord, tickRecordBytes } from '../ring/tickRecord.js';
import type { DecodedBlock } from './blockCodec.js';
import { RecordingError } from './recordingFormat.js';
import type { RecordingReader } from './recordingReader.js';

const words = tickRecordBytes / 4;
/** Sources of several files are kept apart: they are lines of their own. */
const sourcesPerFile = 4096;

export interface TickRange {
  /** Receive times, ns since the epoch, both included. */
  readonly fromNs: bigint;
  readonly toNs: bigint;
}

/** All there is. */
export const wholeRange: TickRange = { fromNs: -(1n << 63n), toNs: (1n << 63n) - 1n };

/** A range as words, for bigints are slow. */
interface Bounds {
  readonly fromHigh: number;
  readonly fromLow: number;
  readonly toHigh: number;
  readonly toLow: number;
}

function boundsOf({ fromNs, toNs }: TickRange): Bounds {
  const low = (ns: bigint): number => Number(BigInt.asUintN(32, ns));
  return {
    fromHigh: Number(fromNs >> 32n),
    fromLow: low(fromNs),
    toHigh: Number(toNs >> 32n),
    toLow: low(toNs),
  };
}

function isWithin(high: number, low: number, { fromHigh, fromLow, toHigh, toLow }: Bounds): boolean {
  if (high < fromHigh || (high === fromHigh && low < fromLow)) return false;
  return high < toHigh || (high === toHigh && low <= toLow);
}

function isEarlier(one: FileCursor, other: FileCursor): boolean {
  return one.high < other.high || (one.high === other.high && one.low < other.low);
}

/** Walks one file's blocks. */
class FileCursor {
  /** Receive time of the present tick: the high and the low word of its ns since the epoch. */
  high = 0;
  low = 0;
  key = '';
  words = new Int32Array(0);
  /** The present tick's first word. */
  at = -words;
  readonly #reader: RecordingReader;
  readonly #bounds: Bounds;
  readonly #onDamage: (error: RecordingError) => void;
  #block: DecodedBlock | undefined;
  #next: number;
  readonly #end: number;

  constructor(reader: RecordingReader, range: TickRange, onDamage: (error: RecordingError) => void) {
    this.#reader = reader;
    this.#bounds = boundsOf(range);
    this.#onDamage = onDamage;
    const { from, to } = reader.between(range.fromNs, range.toNs);
    this.#next = from;
    this.#end = to;
  }

  /** Goes to the next tick of the range; false at the end. */
  next(): boolean {
    for (;;) {
      this.at += words;
      const block = this.#block;
      if (block === undefined || this.at >= this.words.length) {
        if (!this.#nextBlock()) return false;
        continue;
      }
      this.high = this.words[this.at + I32.receiveTimeHigh]!;
      this.low = this.words[this.at + I32.receiveTimeLow]! >>> 0;
      if (!isWithin(this.high, this.low, this.#bounds)) continue;
      this.key = block.keys[this.words[this.at + I32.slot]!]!;
      return true;
    }
  }

  #nextBlock(): boolean {
    while (this.#next < this.#end) {
      try {
        this.#block = this.#reader.read(this.#next++);
      } catch (error) {
        if (!(error instanceof RecordingError)) throw error;
        this.#onDamage(error);
        continue;
      }
      this.words = new Int32Array(this.#block.records);
      this.at = -words;
      return true;
    }
    return false;
  }
}

/**
 * The ticks of one or several recordings: a file's in its own order, several files' merged by receive time.
 */
export class RecordedTicks {
  /** The present tick; its sequence and slot mean nothing, sources of different files differ. */
  readonly record = new TickRecord();
  /** Its instrument, EXCHANGE.id. */
  key = '';
  #cursors: { readonly cursor: FileCursor; readonly firstSource: number }[] = [];
  #present: FileCursor | undefined;

  /** @param onDamage hears of each block that cannot be read; it is left out */
  constructor(
    readers: readonly RecordingReader[],
    range: TickRange,
    onDamage: (error: RecordingError) => void,
  ) {
    readers.forEach((reader, file) => {
      const cursor = new FileCursor(reader, range, onDamage);
      if (cursor.next()) this.#cursors.push({ cursor, firstSource: file * sourcesPerFile });
    });
  }

  /** Takes the next tick into `record` and `key`; false at the end. */
  next(): boolean {
    const last = this.#present;
    if (last !== undefined && !last.next())
      this.#cursors = this.#cursors.filter(({ cursor }) => cursor !== last);
    let earliest = this.#cursors[0];
    if (earliest === undefined) return false;
    for (const each of this.#cursors) if (isEarlier(each.cursor, earliest.cursor)) earliest = each;
    const { cursor, firstSource } = earliest;
    this.#present = cursor;
    const { i32 } = this.record;
    for (let word = 0; word < words; word++) i32[word] = cursor.words[cursor.at + word]!;
    i32[I32.source]! += firstSource;
    this.key = cursor.key;
    return true;
  }
}
