import { setTimeout as delay } from 'node:timers/promises';
import {
  allocateRing,
  capacityWord,
  ringHeader,
  ringHeaderBytes,
  type RingKind,
} from '../ring/ringMemory.js';
import { TickRecord, tickRecordBytes } from '../ring/tickRecord.js';

/**
 * The tape: every tick that the quote book has accepted, in the order in which clients see them, for readers in other
 * threads (storage, recorder, history). A ring in shared memory with one writer, the main thread, and any number of
 * readers with cursors of their own.
 *
 *   byte 0    i32 magic, capacity, record bytes, header bytes (ringMemory.ts), fields of a row, slots, bytes of a tick
 *        64   u32 claimed   number of the record being written, plus one
 *        68   u32 head      records written
 *        72   u32 parked    the newest head that a reader has begun to wait at
 *        76   u32 number of the first record
 *        128  capacity records; record n lies at n & (capacity - 1)
 *        then slots × c[96]   EXCHANGE.id in latin1, NUL-padded: written before the slot's first record, and then as it is
 *
 *   record 0            the vendor's record as it came (tickRecord.ts): all t = 320 bytes of it where a reader wants them,
 *                       or only the first t = 16, with slot and receive time
 *          t            f64 × fields   the row: the values that clients see, NaN absent (quoteFields.ts)
 *          t + 8f       i32 flags, u32 version of the instrument's state
 *
 * The counters are 32 bits wide and wrap, so only differences count. The writer never waits: it stores claimed, the
 * record, then head. A reader at cursor c
 *   - has nothing to read while c = head;
 *   - is lapped once head - c > capacity: record c was overwritten, and it learns how many it missed;
 *   - copies record c and loads claimed afterwards: if claimed - c > capacity, the copy may be torn and is thrown away.
 *
 * A reader that has emptied the tape leaves it alone for some ms. Where nothing has come meanwhile, it notes in parked where
 * it waits, and then waits for head to differ from there; the writer stores head and then looks at parked, once per batch.
 * All of these are sequentially consistent, so either the writer sees the reader or the reader sees the record. Anyone who
 * waits at a place before the batch was woken with an earlier one, or its thread has ended: nobody takes the note back. Waking
 * somebody takes the writer longer than all else that it does in a batch: while ticks keep coming, it wakes nobody.
 */
const kind: RingKind = { name: 'a tape', magic: 0x65706174, minCapacity: 1, maxCapacity: 1 << 20 };
const keyBytes = 96;
/** Of a vendor's record: number, slot, receive time. */
const tickHeadBytes = 16;
const mostSlots = 65_536;
/** Readers gather ticks for so long. */
const gatherMs = 20;

const Header = {
  capacity: capacityWord,
  fields: 4,
  slots: 5,
  tickBytes: 6,
  claimed: 16,
  head: 17,
  parked: 18,
  firstSequence: 19,
} as const;

/** The part of the quote book that the writer reads: an instrument's newest state. */
export interface StateSource {
  version(slot: number): number;
  /** Bit mask. */
  flags(slot: number): number;
  /** Writes all fields of the instrument to `into`, from `at` on. */
  copyRow(slot: number, into: Float64Array, at: number): void;
}

/** Settings of a tape. */
export interface TapeSettings {
  /** Instruments' slots are below it. */
  readonly slots?: number;
  /** Keep the vendor's records whole, for readers who want more of them than slot and receive time. */
  readonly wholeTicks?: boolean;
  /** Number of the first record, for tests at the wrap of the counters. */
  readonly firstSequence?: number;
}

function recordBytesFor(header: Int32Array): number {
  return header[Header.tickBytes]! + header[Header.fields]! * 8 + 8;
}

/**
 * An empty tape.
 *
 * @param capacity records, a power of two; each takes 24 bytes, or 328 with whole ticks, and 8 for each field
 * @param fields values in a row
 */
export function allocateTape(
  capacity: number,
  fields: number,
  { slots = mostSlots, wholeTicks = true, firstSequence = 0 }: TapeSettings = {},
): SharedArrayBuffer {
  const tickBytes = wholeTicks ? tickRecordBytes : tickHeadBytes;
  const { memory, header } = allocateRing(kind, capacity, tickBytes + fields * 8 + 8, slots * keyBytes);
  header[Header.fields] = fields;
  header[Header.slots] = slots;
  header[Header.tickBytes] = tickBytes;
  header[Header.claimed] = firstSequence | 0;
  header[Header.head] = firstSequence | 0;
  header[Header.parked] = firstSequence | 0;
  header[Header.firstSequence] = firstSequence | 0;
  return memory;
}

/** Checks the header. @throws if the memory is no tape */
function headerOf(tape: SharedArrayBuffer): Int32Array {
  return ringHeader(tape, kind, recordBytesFor, (header) => header[Header.slots]! * keyBytes);
}

/** The part with the keys. */
function keysOf(tape: SharedArrayBuffer, header: Int32Array): Uint8Array {
  return new Uint8Array(tape, ringHeaderBytes + header[Header.capacity]! * recordBytesFor(header));
}

/** The one writer. */
export class TapeWriter {
  readonly #header: Int32Array;
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #keys: Uint8Array;
  readonly #tickWords: number;
  readonly #recordWords: number;
  readonly #mask: number;
  readonly #states: StateSource;
  readonly #keyOf: (slot: number) => string;
  /** By slot: 1 where the key is written. An instrument keeps its slot. */
  readonly #named: Uint8Array;
  #next: number;
  /** Head at the end of the last batch. */
  #ended: number;

  /**
   * @param keyOf `EXCHANGE.id` of an instrument; what is longer than 96 bytes is cut
   * @throws if the memory is no tape
   */
  constructor(tape: SharedArrayBuffer, states: StateSource, keyOf: (slot: number) => string) {
    const header = headerOf(tape);
    this.#header = header;
    this.#tickWords = header[Header.tickBytes]! / 4;
    this.#recordWords = recordBytesFor(header) / 4;
    const words = header[Header.capacity]! * this.#recordWords;
    this.#words = new Int32Array(tape, ringHeaderBytes, words);
    this.#doubles = new Float64Array(tape, ringHeaderBytes, words / 2);
    this.#keys = keysOf(tape, header);
    this.#mask = header[Header.capacity]! - 1;
    this.#named = new Uint8Array(header[Header.slots]!);
    this.#next = header[Header.head]!;
    this.#ended = this.#next;
    this.#states = states;
    this.#keyOf = keyOf;
  }

  /** Writes a tick that the book has just accepted, and the state that it made. */
  append(tick: TickRecord): void {
    const { slot, i32 } = tick;
    if (this.#named[slot] === 0) this.#name(slot);
    const words = this.#words;
    const tickWords = this.#tickWords;
    const begin = (this.#next & this.#mask) * this.#recordWords;
    this.#next = (this.#next + 1) | 0;
    Atomics.store(this.#header, Header.claimed, this.#next);
    // Words, not doubles: copying an integer pair as a double could change the bits of a NaN.
    for (let i = 0; i < tickWords; i++) words[begin + i] = i32[i]!;
    this.#states.copyRow(slot, this.#doubles, (begin + tickWords) / 2);
    const end = begin + this.#recordWords;
    words[end - 2] = this.#states.flags(slot);
    words[end - 1] = this.#states.version(slot);
    Atomics.store(this.#header, Header.head, this.#next);
  }

  /** Wakes the readers that wait. To be called once after each batch. True where there may have been any. */
  endBatch(): boolean {
    const written = (this.#next - this.#ended) >>> 0;
    if (written === 0) return false;
    this.#ended = this.#next;
    if ((this.#next - Atomics.load(this.#header, Header.parked)) >>> 0 > written) return false;
    Atomics.notify(this.#header, Header.head);
    return true;
  }

  #name(slot: number): void {
    this.#keys.set(Buffer.from(this.#keyOf(slot), 'latin1').subarray(0, keyBytes), slot * keyBytes);
    this.#named[slot] = 1;
  }
}

/** A reader's private copy of one record. Overwritten by the following next(). */
export class TapeRecord {
  /** The vendor's record; only slot and receive time of it where the tape has no whole ticks. */
  readonly tick: TickRecord;
  /** The instrument's state as clients see it, in the order of quoteFields; NaN absent. */
  readonly row: Float64Array;
  /** Both, with flags and version behind them. */
  readonly words: Int32Array;
  readonly #keys: Uint8Array;
  /** By slot: an instrument keeps its slot. */
  readonly #texts: string[] = [];

  /** @param keys of all slots, as they are on the tape */
  constructor(fields: number, keys: Uint8Array) {
    const memory = new ArrayBuffer(tickRecordBytes + fields * 8 + 8);
    this.tick = new TickRecord(memory);
    this.row = new Float64Array(memory, tickRecordBytes, fields);
    this.words = new Int32Array(memory);
    this.#keys = keys;
  }

  /** Bit mask. */
  get flags(): number {
    return this.words[this.words.length - 2]!;
  }

  /** Number of the instrument's state, counted from 1 on; wraps. */
  get version(): number {
    return this.words[this.words.length - 1]! >>> 0;
  }

  /** `EXCHANGE.id`. */
  get key(): string {
    const { slot } = this.tick;
    return (this.#texts[slot] ??= this.#decodeKey(slot));
  }

  #decodeKey(slot: number): string {
    const padded = Buffer.from(this.#keys.subarray(slot * keyBytes, (slot + 1) * keyBytes));
    const end = padded.indexOf(0);
    return padded.toString('latin1', 0, end < 0 ? keyBytes : end);
  }
}

/** Sees whether ticks come, without reading them, in any thread. */
export class TapeWatch {
  readonly #header: Int32Array;
  #seen: number;

  /** @throws if the memory is no tape */
  constructor(tape: SharedArrayBuffer) {
    this.#header = headerOf(tape);
    this.#seen = Atomics.load(this.#header, Header.head);
  }

  /** Whether something was written since the last look. */
  look(): boolean {
    const before = this.#seen;
    this.#seen = Atomics.load(this.#header, Header.head);
    return this.#seen !== before;
  }
}

/** Follows the tape at its own pace, in any thread. */
export class TapeReader {
  /** The last record that next() took. */
  readonly record: TapeRecord;

  readonly #header: Int32Array;
  readonly #words: Int32Array;
  readonly #capacity: number;
  readonly #recordWords: number;
  readonly #tickWords: number;
  /** Records given up beyond the lap itself, so that the writer does not lap the reader again at once. */
  readonly #margin: number;
  #cursor: number;
  #missed = 0;

  /**
   * @param position where to begin: the `position` of another reader of this tape; the first record where it is not given.
   *   What was overwritten since is counted as missed
   * @throws if the memory is no tape
   */
  constructor(tape: SharedArrayBuffer, position?: number) {
    this.#header = headerOf(tape);
    this.#capacity = this.#header[Header.capacity]!;
    this.#words = new Int32Array(tape, ringHeaderBytes);
    this.#margin = this.#capacity >>> 3;
    this.#cursor = position === undefined ? this.#header[Header.firstSequence]! : position | 0;
    this.record = new TapeRecord(this.#header[Header.fields]!, keysOf(tape, this.#header));
    this.#recordWords = recordBytesFor(this.#header) / 4;
    this.#tickWords = this.#header[Header.tickBytes]! / 4;
  }

  /** Takes the next record into `record`; false when there is none. Records lost to a lap are counted. */
  next(): boolean {
    for (;;) {
      const cursor = this.#cursor;
      const behind = (Atomics.load(this.#header, Header.head) - cursor) >>> 0;
      if (behind === 0) return false;
      if (behind <= this.#capacity) {
        this.#copy(cursor);
        const claimed = Atomics.load(this.#header, Header.claimed);
        if ((claimed - cursor) >>> 0 <= this.#capacity) {
          this.#cursor = (cursor + 1) | 0;
          return true;
        }
      }
      this.#giveUp();
    }
  }

  /** The number of the record that next() takes next: 32 bits that wrap, for another reader to continue from. */
  get position(): number {
    return this.#cursor;
  }

  /** Records that were overwritten before this reader came to them. */
  get missed(): number {
    return this.#missed;
  }

  /** Records that wait to be taken; more than the capacity when some are lost already. */
  get behind(): number {
    return (Atomics.load(this.#header, Header.head) - this.#cursor) >>> 0;
  }

  /**
   * Resolves when there is something to take, but not before ticks have had some ms to gather in, or when the time is over.
   */
  async wait(timeoutMs = Infinity): Promise<void> {
    const pauseMs = Math.min(gatherMs, timeoutMs);
    await delay(pauseMs);
    if (this.behind > 0 || timeoutMs <= pauseMs) return;
    this.#park();
    await Atomics.waitAsync(this.#header, Header.head, this.#cursor, timeoutMs - pauseMs).value;
  }

  /** Notes where this reader waits, unless another one waits further on: then this one has something to take. */
  #park(): void {
    for (;;) {
      const parked = Atomics.load(this.#header, Header.parked);
      // Loaded later, so parked is not ahead of it.
      const head = Atomics.load(this.#header, Header.head);
      if ((head - parked) >>> 0 <= (head - this.#cursor) >>> 0) return;
      if (Atomics.compareExchange(this.#header, Header.parked, parked, this.#cursor) === parked) return;
    }
  }

  #copy(cursor: number): void {
    const from = this.#words;
    const into = this.record.words;
    const count = this.#recordWords;
    const tickWords = this.#tickWords;
    const start = (cursor & (this.#capacity - 1)) * count;
    for (let i = 0; i < tickWords; i++) into[i] = from[start + i]!;
    // What the tape does not have of the vendor's record stays 0.
    const skipped = tickRecordBytes / 4 - tickWords;
    for (let i = tickWords; i < count; i++) into[i + skipped] = from[start + i]!;
  }

  // The oldest record that is surely whole is claimed - capacity.
  #giveUp(): void {
    const claimed = Atomics.load(this.#header, Header.claimed);
    const oldest = (claimed - this.#capacity) | 0;
    const head = Atomics.load(this.#header, Header.head);
    // head may have moved past the claim that was read; never jump beyond what is written.
    const room = (head - oldest) >>> 0;
    const next = (oldest + Math.min(this.#margin, room)) | 0;
    this.#missed += (next - this.#cursor) >>> 0;
    this.#cursor = next;
  }
}
