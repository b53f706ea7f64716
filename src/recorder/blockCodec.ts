import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import { intWord, tickRecordBytes } from '../ring/tickRecord.js';
import {
  blockHeaderBytes,
  encodeBlockHeader,
  maxBlockRecords,
  maxKeyBytes,
  RecordingError,
  type BlockHeader,
} from './recordingFormat.js';
import { grown } from '../base/growable.js';

const words = tickRecordBytes / 4;
/** Words before it are the block's own: flags and slot. */
const firstVendorWord = intWord.receiveTimeLow;
/** With the XOR before it, level 1 is as small as level 3 within a tenth, and in two thirds of the time. */
const deflateLevel = 1;
const lineFeed = '\n';

/** Keys as the gateway makes them: EXCHANGE.id in printable ASCII. */
export const keyForm = /^[A-Z]{2,8}\.[\x20-\x7e]{1,80}$/;

/** The flags of a block's record: their mask, undefined where unknown. */
export function recordedFlags(sequence: number): number | undefined {
  return sequence === 0 ? undefined : sequence >> 1;
}

/** A block that is yet to get its place in a file. */
export interface PackedBlock {
  readonly header: Omit<BlockHeader, 'fileId' | 'lostBefore'>;
  readonly payload: Buffer;
}

/** A block as it lies in a file. */
export function sealBlock({ header, payload }: PackedBlock, fileId: number, lostBefore: number): Buffer {
  const sealed = encodeBlockHeader({ ...header, fileId, lostBefore: Math.min(lostBefore, 0xffffffff) });
  return Buffer.concat([sealed, payload]);
}

/** Gathers records and makes one block of them. */
export class BlockBuilder {
  readonly #capacity: number;
  readonly #i32: Int32Array;
  readonly #indices = new Map<string, number>();
  #keys: string[] = [];
  /** Copies of the newest record of each instrument, vendor words as they came. */
  #last = new Int32Array(256 * words);
  #count = 0;
  /** Least and greatest receive time so far, as the high and the low word of their ns. */
  readonly #first: [number, number] = [0, 0];
  readonly #newest: [number, number] = [0, 0];

  /** @param capacity records of a block at most */
  constructor(capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1 || capacity > maxBlockRecords)
      throw new RangeError(`a block has 1 to ${maxBlockRecords} records, not ${capacity}`);
    this.#capacity = capacity;
    this.#i32 = new Int32Array(capacity * words);
  }

  get count(): number {
    return this.#count;
  }

  get full(): boolean {
    return this.#count === this.#capacity;
  }

  /**
   * Appends the record in the first 80 words of `record`. The block must not be full.
   *
   * @param flags mask of tickFlags; undefined where they are not known
   * @throws RangeError for a key that no instrument can have
   */
  add(record: Int32Array, key: string, flags?: number): void {
    const index = this.#indices.get(key) ?? this.#begin(key);
    const to = this.#count * words;
    const last = index * words;
    this.#i32[to + intWord.sequence] = flags === undefined ? 0 : 2 * flags + 1;
    this.#i32[to + intWord.slot] = index;
    for (let word = firstVendorWord; word < words; word++) {
      const value = record[word]!;
      this.#i32[to + word] = value ^ this.#last[last + word]!;
      this.#last[last + word] = value;
    }
    const high = record[intWord.receiveTimeHigh]!;
    const low = record[intWord.receiveTimeLow]! >>> 0;
    if (this.#count === 0 || isBefore(high, low, this.#first)) setTime(this.#first, high, low);
    if (this.#count === 0 || !isBefore(high, low, this.#newest)) setTime(this.#newest, high, low);
    this.#count++;
  }

  /** The block; the builder is empty after it. There must be a record. */
  finish(): PackedBlock {
    const text = Buffer.from(this.#keys.map((key) => key + lineFeed).join(''), 'latin1');
    const dictionary = deflateRawSync(text, { level: deflateLevel });
    const raw = new Uint8Array(this.#i32.buffer, 0, this.#count * tickRecordBytes);
    const records = deflateRawSync(raw, { level: deflateLevel });
    const block: PackedBlock = {
      header: {
        payloadCrc: crc32(records, crc32(dictionary)),
        dictionaryStored: dictionary.length,
        dictionaryBytes: text.length,
        recordsStored: records.length,
        records: this.#count,
        instruments: this.#keys.length,
        firstNs: toNs(...this.#first),
        lastNs: toNs(...this.#newest),
      },
      payload: Buffer.concat([dictionary, records]),
    };
    this.#last.fill(0, 0, this.#keys.length * words);
    this.#indices.clear();
    this.#keys = [];
    this.#count = 0;
    return block;
  }

  #begin(key: string): number {
    if (!keyForm.test(key) || key.length > maxKeyBytes)
      throw new RangeError(`${JSON.stringify(key)} is no instrument`);
    const index = this.#keys.push(key) - 1;
    this.#indices.set(key, index);
    this.#last = grown(this.#last, (index + 1) * words);
    return index;
  }
}

/** The records of a block, in the order in which they came. */
export interface DecodedBlock {
  readonly count: number;
  /** Keys by the records' slots. */
  readonly keys: readonly string[];
  /** Record i lies at 320 · i; its slot is its place among the keys. */
  readonly records: ArrayBuffer;
}

/**
 * Checks and unpacks the two parts that follow a block's header.
 *
 * @throws RecordingError when they are not what the header says; never reads or allocates past the format's bounds
 */
export function decodeBlock(header: BlockHeader, payload: Buffer): DecodedBlock {
  const keys = decodeDictionary(header, payload);
  const bytes = inflate(
    payload.subarray(header.dictionaryStored),
    header.records * tickRecordBytes,
    'the records',
  );
  // A buffer of its own: Node may hand out a part of a pool, at any offset.
  const records = new Int32Array(header.records * words);
  new Uint8Array(records.buffer).set(bytes);
  undoXor(records, keys.length);
  return { count: header.records, keys, records: records.buffer };
}

/**
 * The keys of a block alone; `payload` is all of it, since one checksum covers both parts.
 *
 * @throws RecordingError as decodeBlock does
 */
export function decodeDictionary(header: BlockHeader, payload: Buffer): string[] {
  if (payload.length !== header.dictionaryStored + header.recordsStored)
    throw new RecordingError('the block is cut short');
  if (crc32(payload) !== header.payloadCrc) throw new RecordingError('the block is damaged (checksum)');
  const text = inflate(
    payload.subarray(0, header.dictionaryStored),
    header.dictionaryBytes,
    'the list of instruments',
  ).toString('latin1');
  const keys = text.split(lineFeed);
  if (keys.pop() !== '' || keys.length !== header.instruments || new Set(keys).size !== keys.length)
    throw new RecordingError('the list of instruments is not as long as the block says');
  const odd = keys.find((key) => !keyForm.test(key));
  if (odd !== undefined) throw new RecordingError(`${JSON.stringify(odd.slice(0, 40))} is no instrument`);
  return keys;
}

function inflate(stored: Buffer, bytes: number, what: string): Buffer {
  let result: Buffer;
  try {
    result = inflateRawSync(stored, { maxOutputLength: bytes });
  } catch (error) {
    throw new RecordingError(`${what} cannot be unpacked to ${bytes} bytes`, { cause: error });
  }
  if (result.length !== bytes)
    throw new RecordingError(`${what} should be ${bytes} bytes, are ${result.length}`);
  return result;
}

function undoXor(records: Int32Array, instruments: number): void {
  const lastOf = new Int32Array(instruments).fill(-1);
  for (let at = 0; at < records.length; at += words) {
    const index = records[at + intWord.slot]!;
    if (index < 0 || index >= instruments)
      throw new RecordingError('a record names no instrument of its block');
    const last = lastOf[index]!;
    lastOf[index] = at;
    if (last < 0) continue;
    for (let word = firstVendorWord; word < words; word++) records[at + word]! ^= records[last + word]!;
  }
}

function isBefore(high: number, low: number, time: readonly [number, number]): boolean {
  return high < time[0] || (high === time[0] && low < time[1]);
}

function setTime(time: [number, number], high: number, low: number): void {
  time[0] = high;
  time[1] = low;
}

function toNs(high: number, low: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

/** Of the header and what follows it. */
export function blockBytes(header: BlockHeader): number {
  return blockHeaderBytes + header.dictionaryStored + header.recordsStored;
}
