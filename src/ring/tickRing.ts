import { allocateRing, capacityWord, ringHeader, ringHeaderBytes, type RingKind } from './ringMemory.js';
import { TickRecord, tickRecordBytes } from './tickRecord.js';

/**
 * A tick ring in shared memory: one writer (a vendor thread, libs/bridge/tick_ring.h), any number of readers.
 *
 *   byte 0    i32 magic, capacity, record bytes, header bytes (ringMemory.ts)
 *        64   u32 claimed   number of the record being written, plus one
 *        68   u32 head      records written
 *        72   u32 ticks whose instrument has no slot
 *        76   u32 callbacks that came with a null pointer
 *        80   u32 number of the first record
 *        84   i32 lossless  1: the writer waits while the ring is full
 *        88   u32 taken     records that the reader has taken, in a lossless ring
 *        92   u32 times that the writer gave up waiting
 *        128  capacity records; record n lies at n & (capacity - 1)
 *
 * The counters are 32 bits wide and wrap, so only differences count. The writer never waits: it stores claimed,
 * the record, then head. A reader at cursor c
 *   - has nothing to read while c = head;
 *   - is lapped once head - c > capacity: record c was overwritten;
 *   - copies record c and loads claimed afterwards: if claimed - c > capacity, the copy may be torn.
 *
 * A lossless ring, for replays, has one reader, which says from time to time how far it is. Its writer is never more than
 * the capacity ahead of that: nothing is lapped, and the vendor's thread is held up instead. A reader that takes nothing
 * for 2 s is not waited for until it moves again.
 * x86-64 keeps loads in order and stores in order; the vendor's library exists for x86-64 alone.
 */
const maxCapacity = 1 << 22;
const kind: RingKind = { name: 'a tick ring', magic: 0x6b636974, minCapacity: 1, maxCapacity };

const Header = {
  capacity: capacityWord,
  claimed: 16,
  head: 17,
  unknownInstruments: 18,
  nullPointers: 19,
  firstSequence: 20,
  lossless: 21,
  taken: 22,
  gaveUp: 23,
} as const;

/** Words of the header that say what kind of ring it is. */
const commonWords = 16;

/** Ticks per instrument that a reader may be late by: 16 s on exchanges, and 0.4 s at 80 per second. */
const ticksHeld = 32;
const leastPerConnection = 1024;
/** Records of all connections' rings together, 21 MB, as long as each has the least that it needs. */
const sharedRecords = 65_536;

/**
 * Records for one of so many connections' rings: 32 ticks of each of its instruments where there is memory for that,
 * and where there are many connections (which then have each a small part of the ticks) their share of 65,536 records; a
 * power of two, at least 1,024 and more than two ticks of each instrument.
 */
export function tickRingCapacityFor(maxSubscriptions: number, connections: number): number {
  const share = sharedRecords / Math.max(1, connections);
  let capacity = leastPerConnection;
  while (
    capacity < maxCapacity &&
    (capacity <= 2 * maxSubscriptions || (capacity < ticksHeld * maxSubscriptions && 2 * capacity <= share))
  )
    capacity *= 2;
  return capacity;
}

/**
 * An empty ring.
 *
 * @param capacity records, a power of two
 * @param firstSequence number of its first record, for tests at the wrap of the counters
 * @param lossless the writer waits for the one reader
 */
export function allocateTickRing(capacity: number, firstSequence = 0, lossless = false): SharedArrayBuffer {
  const { memory, header } = allocateRing(kind, capacity, tickRecordBytes);
  header[Header.claimed] = firstSequence | 0;
  header[Header.head] = firstSequence | 0;
  header[Header.firstSequence] = firstSequence | 0;
  header[Header.lossless] = lossless ? 1 : 0;
  header[Header.taken] = firstSequence | 0;
  return memory;
}

/** Makes a ring that nobody writes into any more as new, for another writer. */
export function emptyTickRing(ring: SharedArrayBuffer): void {
  const header = ringHeader(ring, kind, () => tickRecordBytes);
  const common = header.slice(0, commonWords);
  const lossless = header[Header.lossless]!;
  new Int32Array(ring).fill(0);
  header.set(common);
  header[Header.lossless] = lossless;
}

/** Follows one ring at its own pace. Cheap enough to have many per ring; not shared between threads. */
export class TickRingReader {
  /** The last record that next() took. Overwritten by the following next(). */
  readonly record = new TickRecord();

  readonly #header: Int32Array;
  readonly #words: Int32Array;
  readonly #capacity: number;
  /** Records given up beyond the lap itself, so that the writer does not lap the reader again at once. */
  readonly #margin: number;
  readonly #lossless: boolean;
  #cursor: number;
  #missed = 0;

  /**
   * @param fromStart begin with the ring's first record rather than with the next one to be written
   * @throws if the memory is no tick ring
   */
  constructor(ring: SharedArrayBuffer, fromStart = false) {
    this.#header = ringHeader(ring, kind, () => tickRecordBytes);
    this.#capacity = this.#header[Header.capacity]!;
    this.#words = new Int32Array(ring, ringHeaderBytes);
    this.#margin = this.#capacity >>> 3;
    this.#lossless = this.#header[Header.lossless] === 1;
    this.#cursor = fromStart ? this.#header[Header.firstSequence]! : Atomics.load(this.#header, Header.head);
    this.giveRoom();
  }

  /** Takes the next record into `record`; false when there is none. Records lost to a lap are counted. */
  next(): boolean {
    for (;;) {
      const cursor = this.#cursor;
      const head = Atomics.load(this.#header, Header.head);
      const behind = (head - cursor) >>> 0;
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

  /** In a lossless ring, lets the writer have the places of the records that were taken. */
  giveRoom(): void {
    if (this.#lossless) Atomics.store(this.#header, Header.taken, this.#cursor);
  }

  /** Times that a lossless ring's writer gave up waiting for its reader. */
  get writerGaveUp(): number {
    return Atomics.load(this.#header, Header.gaveUp) >>> 0;
  }

  /** Records that were overwritten before this reader came to them. */
  get missed(): number {
    return this.#missed;
  }

  /** True while next() would find something. */
  get pending(): boolean {
    return Atomics.load(this.#header, Header.head) !== this.#cursor;
  }

  /** Records that were ever written, by this reader taken or not; 32 bits, wraps. */
  get written(): number {
    return Atomics.load(this.#header, Header.head);
  }

  /** Ticks that the writer dropped because their instrument had no slot. */
  get unknownInstruments(): number {
    return Atomics.load(this.#header, Header.unknownInstruments) >>> 0;
  }

  /** Callbacks without data that the writer ignored. */
  get nullPointers(): number {
    return Atomics.load(this.#header, Header.nullPointers) >>> 0;
  }

  // Words, not doubles: copying an integer pair as a double could change the bits of a NaN.
  #copy(cursor: number): void {
    const words = this.#words;
    const into = this.record.i32;
    const start = (cursor & (this.#capacity - 1)) * (tickRecordBytes / 4);
    for (let i = 0; i < tickRecordBytes / 4; i++) into[i] = words[start + i]!;
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
