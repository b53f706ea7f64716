import { longestPackedRow, packedNumbers, packRow } from './rowPacking.js';
import { grown } from '../base/growable.js';

/**
 * The window: the newest ticks of all instruments in a fixed piece of shared memory, for gateways without Redis. One
 * thread writes, any number read. Memory that was never used takes no room in the machine.
 *
 *   byte 0     i32 magic, blocks, block bytes
 *        16    f64 time of receipt before which ticks may be missing, since the writer was lapped; 0: never
 *        24    f64 when the window was made, ms since the epoch
 *        32    f64 the tape's number of the first tick that is not in the window; NaN before the first
 *        64    blocks × 16 bytes: u32 number, u32 used bytes, u32 hash of the key, unused
 *        then  blocks × 512 bytes:
 *                0    f64    exchange time of its first row
 *                8    u8 length of the key, then EXCHANGE.id in latin1, 96 bytes at most
 *                then rows, packed (rowPacking.ts); the first does not need the block before
 *
 * A block is one instrument's, and each instrument has one that is being filled. Blocks are taken in turn, and numbered
 * from 1 on (0: being changed; the number wraps, so only differences count); the oldest is used again when none is free.
 * The writer sets the number to 0, writes, sets the number; then, for each row, the bytes and after them `used`. A reader
 * that finds the number unchanged after it has copied the used bytes has a true copy.
 */
const magic = 0x77646f77;
const headerBytes = 64;
const entryWords = 4;
/** One for each instrument at least, so that small ones cost little where there are many. */
const blockBytes = 512;
const keyLengthAt = 8;
const keyAt = keyLengthAt + 1;
const longestKey = 96;

const Header = { magic: 0, blocks: 1, blockBytes: 2 } as const;
const lossDouble = 2;
const madeDouble = 3;
const positionDouble = 4;
const Entry = { number: 0, used: 1, hash: 2 } as const;

/**
 * A window of about so many bytes.
 *
 * @param madeMs ms since the epoch; tells it from those of other runs
 */
export function allocateWindow(bytes: number, madeMs: number): SharedArrayBuffer {
  const blocks = Math.max(2, Math.floor((bytes - headerBytes) / (blockBytes + entryWords * 4)));
  const memory = new SharedArrayBuffer(headerBytes + blocks * (entryWords * 4 + blockBytes));
  const header = new Int32Array(memory, 0, headerBytes / 4);
  header[Header.magic] = magic;
  header[Header.blocks] = blocks;
  header[Header.blockBytes] = blockBytes;
  const doubles = new Float64Array(memory, 0, headerBytes / 8);
  doubles[madeDouble] = madeMs;
  doubles[positionDouble] = NaN;
  return memory;
}

/** Both sides' views. */
class WindowMemory {
  readonly blocks: number;
  readonly table: Int32Array;
  readonly loss: Float64Array;
  readonly position: Float64Array;
  readonly madeMs: number;
  readonly #memory: SharedArrayBuffer;
  readonly #blocksAt: number;

  /** @throws if the memory is no window */
  constructor(memory: SharedArrayBuffer) {
    const header = new Int32Array(memory, 0, headerBytes / 4);
    if (header[Header.magic] !== magic || header[Header.blockBytes] !== blockBytes)
      throw new TypeError('not a window of ticks');
    this.blocks = header[Header.blocks]!;
    this.table = new Int32Array(memory, headerBytes, this.blocks * entryWords);
    this.loss = new Float64Array(memory, lossDouble * 8, 1);
    this.position = new Float64Array(memory, positionDouble * 8, 1);
    this.madeMs = new Float64Array(memory, 0, headerBytes / 8)[madeDouble]!;
    this.#memory = memory;
    this.#blocksAt = headerBytes + this.blocks * entryWords * 4;
  }

  bytes(block: number): Uint8Array {
    return new Uint8Array(this.#memory, this.#blocksAt + block * blockBytes, blockBytes);
  }

  firstTime(block: number): Float64Array {
    return new Float64Array(this.#memory, this.#blocksAt + block * blockBytes, 1);
  }
}

/** The one writer. */
export class WindowWriter {
  readonly #memory: WindowMemory;
  readonly #bytes: Uint8Array;
  readonly #blocksAt: number;
  readonly #packed = new Uint8Array(longestPackedRow);
  /** By slot: the block that is being filled, -1 where there is none. */
  #open = new Int32Array(1024).fill(-1);
  /** By slot: the numbers of the last row. */
  #before = new Float64Array(1024 * packedNumbers);
  /** By block: its slot, -1 while it has none. */
  readonly #owners: Int32Array;
  #nextBlock = 0;
  #nextNumber: number;

  /**
   * Continues where an earlier writer of the same window has ended.
   *
   * @param firstNumber number of the first block, for tests at the wrap
   * @throws if the memory is no window
   */
  constructor(memory: SharedArrayBuffer, firstNumber = 1) {
    this.#memory = new WindowMemory(memory);
    this.#bytes = new Uint8Array(memory);
    this.#blocksAt = memory.byteLength - this.#memory.blocks * blockBytes;
    this.#owners = new Int32Array(this.#memory.blocks).fill(-1);
    this.#nextNumber = firstNumber | 0;
    this.#resume();
  }

  /** Where on the tape the next writer continues; NaN before this is set. */
  get position(): number {
    return this.#memory.position[0]!;
  }

  /** To be set after each tick: a writer that ends between the two has its successor write that tick again. */
  set position(position: number) {
    this.#memory.position[0] = position;
  }

  /** Ticks received before it may be missing. */
  lost(receiveMs: number): void {
    this.#memory.loss[0] = receiveMs;
  }

  /** @param slot the instrument's, the same at all times */
  append(
    slot: number,
    key: string,
    values: Float64Array,
    flags: number,
    receiveMs: number,
    timeMs: number,
  ): void {
    if (slot >= this.#open.length) this.#grow(slot);
    const { table } = this.#memory;
    const before = slot * packedNumbers;
    let block = this.#open[slot]!;
    let length = 0;
    if (block >= 0) length = packRow(values, flags, receiveMs, this.#before, before, this.#packed, 0);
    if (block < 0 || table[block * entryWords + Entry.used]! + length > blockBytes) {
      block = this.#take(slot, key, timeMs);
      this.#before.fill(NaN, before, before + packedNumbers);
      length = packRow(values, flags, receiveMs, this.#before, before, this.#packed, 0);
    }
    const entry = block * entryWords;
    const used = table[entry + Entry.used]!;
    const at = this.#blocksAt + block * blockBytes + used;
    for (let i = 0; i < length; i++) this.#bytes[at + i] = this.#packed[i]!;
    Atomics.store(table, entry + Entry.used, used + length);
  }

  #resume(): void {
    const { table, blocks } = this.#memory;
    let newest: number | undefined;
    for (let block = 0; block < blocks; block++) {
      const number = table[block * entryWords + Entry.number]!;
      if (number === 0 || (newest !== undefined && ((number - newest) | 0) < 0)) continue;
      newest = number;
      this.#nextBlock = (block + 1) % blocks;
      this.#nextNumber = after(number);
    }
  }

  /** Begins the next block in turn for an instrument. */
  #take(slot: number, key: string, timeMs: number): number {
    const block = this.#nextBlock;
    this.#nextBlock = (block + 1) % this.#memory.blocks;
    const owner = this.#owners[block]!;
    if (owner >= 0 && this.#open[owner] === block) this.#open[owner] = -1;
    this.#owners[block] = slot;
    this.#open[slot] = block;

    const { table } = this.#memory;
    const entry = block * entryWords;
    Atomics.store(table, entry + Entry.number, 0);
    const bytes = this.#memory.bytes(block);
    const keyed = keyBytesOf(key);
    bytes.set(keyed, keyLengthAt);
    this.#memory.firstTime(block)[0] = timeMs;
    table[entry + Entry.hash] = hashOf(key);
    Atomics.store(table, entry + Entry.used, keyLengthAt + keyed.length);
    Atomics.store(table, entry + Entry.number, this.#nextNumber);
    this.#nextNumber = after(this.#nextNumber);
    return block;
  }

  #grow(slot: number): void {
    this.#open = grown(this.#open, slot + 1, -1);
    this.#before = grown(this.#before, this.#open.length * packedNumbers);
  }
}

/** A block as a reader has found it. */
export interface WindowBlock {
  readonly index: number;
  readonly number: number;
  readonly firstTimeMs: number;
}

/** Any reader. */
export class WindowReader {
  readonly #memory: WindowMemory;

  /** @throws if the memory is no window */
  constructor(memory: SharedArrayBuffer) {
    this.#memory = new WindowMemory(memory);
  }

  /** When the window was made, ms since the epoch. */
  get madeMs(): number {
    return this.#memory.madeMs;
  }

  /** Ticks received before it may be missing; 0 where none is. */
  get lossMs(): number {
    return this.#memory.loss[0]!;
  }

  /** The tape's number of the first tick that is not in the window; NaN before the first. */
  get position(): number {
    return this.#memory.position[0]!;
  }

  /** Share of the window that is in use, 0 to 1. */
  get fill(): number {
    const { table, blocks } = this.#memory;
    // Taken in turn, so those that were never used are the last ones.
    let used = 0;
    let unused = blocks;
    while (used < unused) {
      const middle = (used + unused) >>> 1;
      if (Atomics.load(table, middle * entryWords + Entry.used) === 0) unused = middle;
      else used = middle + 1;
    }
    return used / blocks;
  }

  /** An instrument's blocks, oldest first. */
  blocksOf(key: string): WindowBlock[] {
    const { table, blocks } = this.#memory;
    const hash = hashOf(key);
    const keyed = keyBytesOf(key);
    const found: WindowBlock[] = [];
    for (let index = 0; index < blocks; index++) {
      const entry = index * entryWords;
      const number = Atomics.load(table, entry + Entry.number);
      if (number === 0 || table[entry + Entry.hash] !== hash) continue;
      const isKey = keyed.equals(this.#memory.bytes(index).subarray(keyLengthAt, keyLengthAt + keyed.length));
      const firstTimeMs = this.#memory.firstTime(index)[0]!;
      if (isKey && Atomics.load(table, entry + Entry.number) === number)
        found.push({ index, number, firstTimeMs });
    }
    return found.sort((a, b) => (a.number - b.number) | 0);
  }

  /** A copy of the rows that a block has so far; undefined when it is another one by now. */
  rowsOf({ index, number }: WindowBlock): Uint8Array | undefined {
    const { table } = this.#memory;
    const entry = index * entryWords;
    const used = Atomics.load(table, entry + Entry.used);
    const bytes = this.#memory.bytes(index);
    const rows = bytes.slice(keyAt + bytes[keyLengthAt]!, used);
    return Atomics.load(table, entry + Entry.number) === number ? rows : undefined;
  }
}

/** A key as a block has it: its length, then its bytes. */
function keyBytesOf(key: string): Buffer {
  const bytes = Buffer.from(`\0${key}`, 'latin1').subarray(0, 1 + longestKey);
  bytes[0] = bytes.length - 1;
  return bytes;
}

/** The number after another; 0 is none. */
function after(number: number): number {
  return (number + 1) | 0 || 1;
}

/** FNV-1a. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return hash;
}
