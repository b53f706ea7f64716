import { intWord, TickRecord, tickRecordBytes } from '../ring/tickRecord.js';
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
      this.high = this.words[this.at + intWord.receiveTimeHigh]!;
      this.low = this.words[this.at + intWord.receiveTimeLow]! >>> 0;
      if (!isWithin(this.high, this.low, this.#bounds)) continue;
      this.key = block.keys[this.words[this.at + intWord.slot]!]!;
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

/** A file whose ticks come when their time has. */
interface Waiting {
  readonly file: number;
  readonly reader: RecordingReader;
  readonly firstNs: bigint;
}

/** A file whose ticks have begun. */
interface Open {
  readonly file: number;
  readonly cursor: FileCursor;
}

/**
 * The ticks of one or several recordings: a file's in its own order, several files' merged by receive time. Only files whose
 * time has come hold a block in memory.
 */
export class RecordedTicks {
  /** The present tick; its slot means nothing, and sources of different files differ. */
  readonly record = new TickRecord();
  /** Instrument of the tick, `EXCHANGE.id`. */
  key = '';
  /** File of the tick: index among the readers. */
  file = 0;
  /** Hears of each file that has no further ticks. */
  onEnd: (file: number) => void = () => undefined;
  readonly #range: TickRange;
  readonly #onDamage: (error: RecordingError) => void;
  /** The latest first. */
  readonly #waiting: Waiting[];
  #open: Open[] = [];
  #present: Open | undefined;

  /** @param onDamage learns of each block that cannot be read; it is skipped */
  constructor(
    readers: readonly RecordingReader[],
    range: TickRange,
    onDamage: (error: RecordingError) => void,
  ) {
    this.#range = range;
    this.#onDamage = onDamage;
    this.#waiting = readers
      .flatMap((reader, file) => {
        const { from, to } = reader.between(range.fromNs, range.toNs);
        const firstNs = reader.firstNsFrom(from);
        return from < to && firstNs !== undefined ? [{ file, reader, firstNs }] : [];
      })
      .sort((a, b) => (a.firstNs < b.firstNs ? 1 : a.firstNs > b.firstNs ? -1 : b.file - a.file));
  }

  /** Takes the next tick into `record` and `key`; false at the end. */
  next(): boolean {
    const last = this.#present;
    if (last !== undefined && !last.cursor.next()) {
      this.#open = this.#open.filter((each) => each !== last);
      this.onEnd(last.file);
    }
    this.#openDue();
    let earliest = this.#open[0];
    this.#present = earliest;
    if (earliest === undefined) return false;
    for (const each of this.#open) if (isEarlier(each.cursor, earliest.cursor)) earliest = each;
    const { cursor, file } = earliest;
    this.#present = earliest;
    const { i32 } = this.record;
    for (let word = 0; word < words; word++) i32[word] = cursor.words[cursor.at + word]!;
    // A file may hold any number there.
    i32[intWord.connection] = file * sourcesPerFile + (i32[intWord.connection]! & (sourcesPerFile - 1));
    this.file = file;
    this.key = cursor.key;
    return true;
  }

  /** Opens every file that may have a tick before those of the open ones. */
  #openDue(): void {
    for (;;) {
      const next = this.#waiting.at(-1);
      if (next === undefined) return;
      const high = Number(next.firstNs >> 32n);
      const low = Number(BigInt.asUintN(32, next.firstNs));
      if (this.#open.some(({ cursor }) => cursor.high < high || (cursor.high === high && cursor.low < low)))
        return;
      this.#waiting.pop();
      const cursor = new FileCursor(next.reader, this.#range, this.#onDamage);
      if (cursor.next()) this.#open.push({ file: next.file, cursor });
      else this.onEnd(next.file);
    }
  }
}
