import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { blockBytes, decodeBlock, decodeDictionary, type DecodedBlock } from './blockCodec.js';
import {
  blockHeaderBytes,
  blockMagic,
  fileHeaderBytes,
  mayHaveRecords,
  parseBlockHeader,
  parseFileHeader,
  RecordingError,
  type BlockHeader,
} from './recordingFormat.js';

const scanBytes = 1 << 20;
/** A block each second makes 86,400 a day; a file of more than this is none that a recorder has made. */
const maxBlocks = 1 << 20;

/** A block and where it begins. */
export interface BlockPlace {
  readonly offset: number;
  readonly header: BlockHeader;
}

/** A part of a file that cannot be read. */
export interface Damage {
  readonly offset: number;
  readonly bytes: number;
  readonly reason: string;
}

/**
 * A recording opened for reading. Opening walks the blocks' headers, without unpacking any. What is damaged in the
 * midst is skipped and told in `damages`; what a crash left of the last block is `torn`.
 */
export class RecordingReader {
  readonly path: string;
  /** yyyymmdd; undefined where the file header is damaged. */
  readonly tradingDay: number | undefined;
  /** In the order of the file. */
  readonly blocks: readonly BlockPlace[];
  readonly damages: readonly Damage[];
  readonly torn: Damage | undefined;
  readonly #descriptor: number;
  /** Of the file, as it was opened. */
  readonly bytes: number;
  /** Greatest receive time of the blocks up to and with each, and the least of each and those after it. */
  readonly #greatestUpTo: bigint[] = [];
  readonly #leastFrom: bigint[] = [];

  /**
   * What is appended after this is not read.
   *
   * @throws RecordingError, naming the file, when it cannot be opened or read, is no file or no recording, of another version,
   *   or has neither a whole header nor a whole block
   */
  constructor(path: string) {
    this.path = path;
    this.#descriptor = open(path);
    try {
      const stats = fstatSync(this.#descriptor);
      if (!stats.isFile()) throw new RecordingError(whatIs(stats));
      this.bytes = stats.size;
      const walk = this.#walk();
      this.tradingDay = walk.tradingDay;
      this.blocks = walk.blocks;
      this.damages = walk.damages;
      this.torn = walk.torn;
    } catch (error) {
      closeSync(this.#descriptor);
      if (!(error instanceof RecordingError)) throw error;
      throw new RecordingError(`${path}: ${error.message}`, { cause: error });
    }
    let greatest = -(1n << 63n);
    for (const { header } of this.blocks) {
      if (header.lastNs > greatest) greatest = header.lastNs;
      this.#greatestUpTo.push(greatest);
    }
    let least = (1n << 63n) - 1n;
    for (const { header } of [...this.blocks].reverse()) {
      if (header.firstNs < least) least = header.firstNs;
      this.#leastFrom.push(least);
    }
    this.#leastFrom.reverse();
  }

  /** Records in the blocks that are whole by their headers. */
  get ticks(): number {
    return this.blocks.reduce((sum, { header }) => sum + header.records, 0);
  }

  /** Ticks that the recorder could not write. */
  get lost(): number {
    return this.blocks.reduce((sum, { header }) => sum + header.lostBefore, 0);
  }

  /** Receive time of the earliest record, ns since the epoch; undefined without a block. */
  get firstNs(): bigint | undefined {
    return this.firstNsFrom(0);
  }

  /** Latest time of receipt in a block and all blocks behind it. */
  firstNsFrom(block: number): bigint | undefined {
    return this.#leastFrom[block];
  }

  get lastNs(): bigint | undefined {
    return this.#greatestUpTo.at(-1);
  }

  /**
   * The blocks that may hold records received between two instants, both included: their range [from, to) in `blocks`.
   * Found by bisection, since the host's clock mostly goes forward.
   */
  between(fromNs: bigint, toNs: bigint): { readonly from: number; readonly to: number } {
    const from = firstWhere(this.blocks.length, (at) => this.#greatestUpTo[at]! >= fromNs);
    const to = firstWhere(this.blocks.length, (at) => this.#leastFrom[at]! > toNs);
    return { from, to: Math.max(from, to) };
  }

  /**
   * Unpacks one block.
   *
   * @throws RecordingError, naming file and offset, when it is damaged
   */
  read(index: number): DecodedBlock {
    return this.#withPayload(index, decodeBlock);
  }

  /** The instruments of one block. Throws as read does. */
  readKeys(index: number): string[] {
    return this.#withPayload(index, decodeDictionary);
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #withPayload<T>(index: number, decode: (header: BlockHeader, payload: Buffer) => T): T {
    const { offset, header } = this.blocks[index]!;
    try {
      return decode(header, this.#take(offset + blockHeaderBytes, blockBytes(header) - blockHeaderBytes));
    } catch (error) {
      if (!(error instanceof RecordingError)) throw error;
      throw new RecordingError(`${this.path}: at byte ${offset}: ${error.message}`, { cause: error });
    }
  }

  #walk(): Pick<RecordingReader, 'tradingDay' | 'torn'> & { blocks: BlockPlace[]; damages: Damage[] } {
    const blocks: BlockPlace[] = [];
    const damages: Damage[] = [];
    const start = parseFileHeader(this.#take(0, fileHeaderBytes));
    let fileId: number | undefined;
    let problem: string | undefined;
    if ('problem' in start) problem = start.problem;
    else fileId = start.fileId;
    const tradingDay = 'problem' in start ? undefined : start.tradingDay;
    // Behind a damaged file header the blocks may be whole; they begin where it ends.
    let offset = Math.min(fileHeaderBytes, this.bytes);
    let damagedFrom = problem === undefined ? offset : 0;
    let torn: Damage | undefined;
    for (;;) {
      const found: BlockPlace | string | undefined =
        offset === this.bytes && problem === undefined ? undefined : this.#blockAt(offset, fileId);
      if (found === undefined) break;
      if (typeof found === 'string') {
        problem ??= found;
        const next = this.#nextBlock(offset + 1, fileId);
        if (next === undefined) {
          torn = { offset: damagedFrom, bytes: this.bytes - damagedFrom, reason: problem };
          break;
        }
        offset = next.offset;
        continue;
      }
      if (problem !== undefined) {
        damages.push({ offset: damagedFrom, bytes: offset - damagedFrom, reason: problem });
        problem = undefined;
      }
      fileId ??= found.header.fileId;
      if (blocks.push(found) > maxBlocks)
        throw new RecordingError(`at byte ${offset}: a recording has ${maxBlocks} blocks at most`);
      offset += blockBytes(found.header);
      damagedFrom = offset;
    }
    if (blocks.length === 0 && 'problem' in start && (start.foreign || this.bytes >= fileHeaderBytes))
      throw new RecordingError(start.foreign ? 'this is no recording' : `at byte 0: ${start.problem}`);
    return { tradingDay, blocks, damages, torn };
  }

  /** The block at an offset, whose first bytes are given, or what is wrong there. */
  #blockAt(
    offset: number,
    fileId: number | undefined,
    bytes = this.#take(offset, blockHeaderBytes),
  ): BlockPlace | string {
    const header = parseBlockHeader(bytes);
    if ('problem' in header) return header.problem;
    if (fileId !== undefined && header.fileId !== fileId) return 'a block of another file begins here';
    if (offset + blockBytes(header) > this.bytes) return 'the block is cut short';
    return { offset, header };
  }

  /** The first block at or after an offset, found by its mark. */
  #nextBlock(from: number, fileId: number | undefined): BlockPlace | undefined {
    for (let base = from; base + blockHeaderBytes <= this.bytes; base += scanBytes) {
      // A header that begins in this chunk may continue in the next.
      const chunk = this.#take(base, scanBytes + blockHeaderBytes - 1);
      const last = chunk.length - blockHeaderBytes;
      for (
        let at = chunk.indexOf(blockMagic);
        at >= 0 && at <= last;
        at = chunk.indexOf(blockMagic, at + 1)
      ) {
        // A file may be full of marks: most are told by this without a checksum.
        if (!mayHaveRecords(chunk, at)) continue;
        const place = this.#blockAt(base + at, fileId, chunk.subarray(at, at + blockHeaderBytes));
        if (typeof place !== 'string') return place;
      }
    }
    return undefined;
  }

  /** So many bytes, or those that there are. */
  #take(offset: number, bytes: number): Buffer {
    const length = Math.max(0, Math.min(bytes, this.bytes - offset));
    const buffer = Buffer.alloc(length);
    let got = 0;
    try {
      while (got < length) {
        const count = readSync(this.#descriptor, buffer, got, length - got, offset + got);
        // Somebody has cut the file since.
        if (count === 0) break;
        got += count;
      }
    } catch (error) {
      const { code = 'unknown cause' } = error as NodeJS.ErrnoException;
      throw new RecordingError(`at byte ${offset + got}: cannot be read (${code})`, { cause: error });
    }
    return buffer.subarray(0, got);
  }
}

/** The least index below `length` of which `holds` is true; it must be false before and true after it. */
function firstWhere(length: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function open(path: string): number {
  try {
    // A pipe must not hold up anyone who opens it.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code = 'unknown cause' } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : `cannot be opened (${code})`;
    throw new RecordingError(`${path}: ${why}`, { cause: error });
  }
}

function whatIs(stats: Stats): string {
  if (stats.isDirectory()) return 'this is a folder; name the recordings in it, such as 20261124-*.ticks';
  return 'this is no file but a device, a pipe or a socket';
}
