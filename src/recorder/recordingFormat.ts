import { crc32 } from 'node:zlib';
import { dayToUtcMs } from '../market/calendar/tradingCalendar.js';
import { tickRecordBytes } from '../ring/tickRecord.js';

/**
 * A recording: one file header and then blocks, each of which stands by itself. Little-endian throughout.
 *
 *   file header, 32 bytes
 *     0   c[8]  "QMDTICKS"
 *     8   u32   version, 1
 *     12  u32   bytes of a record, 320
 *     16  u32   file id, random: blocks of other files are never taken for this one's
 *     20  u32   trading day in which the file was begun, yyyymmdd
 *     24  u32   unused, 0
 *     28  u32   crc32 of bytes 0 to 27
 *
 *   block header, 64 bytes, then its dictionary, then its records, both by deflate (raw)
 *     0   u32   "QBLK"
 *     4   u32   crc32 of bytes 8 to 63
 *     8   u32   crc32 of dictionary and records as they are stored
 *     12  u32   file id
 *     16  u32   bytes of the dictionary as stored
 *     20  u32   bytes of the dictionary as text
 *     24  u32   bytes of the records as stored
 *     28  u32   number of records
 *     32  u32   number of instruments
 *     36  u32   ticks that were lost between the block before and this one
 *     40  i64   least receive time of the records, ns since the epoch
 *     48  i64   greatest receive time
 *     56  u64   unused, 0
 *
 * The dictionary is the instruments' keys (EXCHANGE.id, latin1), each ended by a line feed. A record is the vendor's, or one
 * made from the state that clients saw where the vendor's lacked part of it (src/ring/tickRecord.ts), with twice the mask of its flags (src/market/quotes/tickFlags.ts) and 1 as sequence, 0 where they are
 * not known; its place in the dictionary as slot; and the 32-bit words from the third on XORed with those of the record
 * before it of the same instrument in the block, the first one's with zeros.
 *
 * A file is only ever appended to. What a crash leaves of the last block is a torn tail: it is cut at reading.
 */
export const fileHeaderBytes = 32;
export const blockHeaderBytes = 64;
export const formatVersion = 1;
export const fileExtension = '.ticks';

const fileMagic = Buffer.from('QMDTICKS', 'latin1');
export const blockMagic = Buffer.from('QBLK', 'latin1');
const blockMark = blockMagic.readUInt32BE(0);

/** Bounds that no lawful block passes, so that a hostile one cannot ask for memory: 21 MB of records at most. */
export const maxBlockRecords = 65_536;
export const maxKeyBytes = 96;
/** Stored sizes: deflate adds no more than this to what it cannot compress. */
export const storedBound = (bytes: number): number => bytes + (bytes >>> 8) + 64;

/** A file or a block that is not what the format says; the message ends the sentence "FILE: at byte OFFSET …". */
export class RecordingError extends Error {
  override readonly name = 'RecordingError';
}

export interface FileHeader {
  readonly fileId: number;
  /** yyyymmdd. */
  readonly tradingDay: number;
}

export interface BlockHeader {
  readonly fileId: number;
  readonly payloadCrc: number;
  readonly dictionaryStored: number;
  readonly dictionaryBytes: number;
  readonly recordsStored: number;
  readonly records: number;
  readonly instruments: number;
  /** Ticks that were lost between the block before and this one. */
  readonly lostBefore: number;
  /** ns since the epoch. */
  readonly firstNs: bigint;
  readonly lastNs: bigint;
}

export function encodeFileHeader({ fileId, tradingDay }: FileHeader): Buffer {
  const bytes = Buffer.alloc(fileHeaderBytes);
  fileMagic.copy(bytes);
  bytes.writeUInt32LE(formatVersion, 8);
  bytes.writeUInt32LE(tickRecordBytes, 12);
  bytes.writeUInt32LE(fileId, 16);
  bytes.writeUInt32LE(tradingDay, 20);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 28)), 28);
  return bytes;
}

/** Header at the beginning of a file; `problem` if there is none, `foreign` if it never was a recording. */
export function parseFileHeader(
  bytes: Buffer,
): FileHeader | { readonly problem: string; readonly foreign: boolean } {
  // A crash may leave the first bytes of a header, or none.
  const isOurs = bytes.subarray(0, 8).equals(fileMagic.subarray(0, bytes.length));
  if (bytes.length < fileHeaderBytes) return { problem: 'the file header is cut short', foreign: !isOurs };
  if (crc32(bytes.subarray(0, 28)) !== bytes.readUInt32LE(28))
    return { problem: 'the file header is damaged', foreign: !isOurs };
  const version = bytes.readUInt32LE(8);
  if (version !== formatVersion)
    throw new RecordingError(`the recording is of version ${version}, only ${formatVersion} can be read`);
  const recordBytes = bytes.readUInt32LE(12);
  if (recordBytes !== tickRecordBytes)
    throw new RecordingError(`its records have ${recordBytes} bytes, only ${tickRecordBytes} can be read`);
  const tradingDay = bytes.readUInt32LE(20);
  if (Number.isNaN(dayToUtcMs(tradingDay)))
    return { problem: `the file header names the trading day ${tradingDay}, which is none`, foreign: false };
  return { fileId: bytes.readUInt32LE(16), tradingDay };
}

export function encodeBlockHeader(header: BlockHeader): Buffer {
  const bytes = Buffer.alloc(blockHeaderBytes);
  blockMagic.copy(bytes);
  bytes.writeUInt32LE(header.payloadCrc, 8);
  bytes.writeUInt32LE(header.fileId, 12);
  bytes.writeUInt32LE(header.dictionaryStored, 16);
  bytes.writeUInt32LE(header.dictionaryBytes, 20);
  bytes.writeUInt32LE(header.recordsStored, 24);
  bytes.writeUInt32LE(header.records, 28);
  bytes.writeUInt32LE(header.instruments, 32);
  bytes.writeUInt32LE(header.lostBefore, 36);
  bytes.writeBigInt64LE(header.firstNs, 40);
  bytes.writeBigInt64LE(header.lastNs, 48);
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4);
  return bytes;
}

/** The block header at the start of `bytes`, or what is wrong with it. */
export function parseBlockHeader(bytes: Buffer): BlockHeader | { readonly problem: string } {
  if (bytes.length < blockHeaderBytes) return { problem: 'the block header is cut short' };
  if (bytes.readUInt32BE(0) !== blockMark) return { problem: 'no block begins here' };
  if (crc32(bytes.subarray(8, blockHeaderBytes)) !== bytes.readUInt32LE(4))
    return { problem: 'the block header is damaged' };
  const header: BlockHeader = {
    payloadCrc: bytes.readUInt32LE(8),
    fileId: bytes.readUInt32LE(12),
    dictionaryStored: bytes.readUInt32LE(16),
    dictionaryBytes: bytes.readUInt32LE(20),
    recordsStored: bytes.readUInt32LE(24),
    records: bytes.readUInt32LE(28),
    instruments: bytes.readUInt32LE(32),
    lostBefore: bytes.readUInt32LE(36),
    firstNs: bytes.readBigInt64LE(40),
    lastNs: bytes.readBigInt64LE(48),
  };
  return isPossible(header) ? header : { problem: 'the block header says what cannot be' };
}

/** Whether the block header at an offset names a number of records that may be. */
export function mayHaveRecords(bytes: Buffer, at: number): boolean {
  const records = bytes.readUInt32LE(at + 28);
  return records >= 1 && records <= maxBlockRecords;
}

function isPossible(header: BlockHeader): boolean {
  const { records, instruments, dictionaryBytes } = header;
  return (
    records >= 1 &&
    records <= maxBlockRecords &&
    instruments >= 1 &&
    instruments <= records &&
    dictionaryBytes >= 2 * instruments &&
    dictionaryBytes <= instruments * (maxKeyBytes + 1) &&
    header.dictionaryStored <= storedBound(dictionaryBytes) &&
    header.recordsStored <= storedBound(records * tickRecordBytes) &&
    header.firstNs <= header.lastNs
  );
}
