/**
 * How every ring in shared memory begins, anyone who writes it (libs/bridge states the same for the two that it writes):
 *
 *   byte 0    i32 magic, capacity (power of two), record bytes, header bytes
 *        16   words of the ring's own, the counters from byte 64 on, in a cache line that its readers poll
 *        128  capacity records; record n lies at n & (capacity - 1)
 *        then what else the ring has
 */
export const ringHeaderBytes = 128;
/** Place of the capacity among the header's words. */
export const capacityWord = 1;

const Header = { magic: 0, capacity: capacityWord, recordBytes: 2, headerBytes: 3 } as const;

/** Distinguishes one kind of ring from another. */
export interface RingKind {
  /** With its article, for messages: `a tick ring`. */
  readonly name: string;
  /** Four letters, the first in the lowest byte. */
  readonly magic: number;
  /** Capacities that are allowed, in records. */
  readonly minCapacity: number;
  readonly maxCapacity: number;
}

/**
 * Memory for a ring, with the common words set and all others 0.
 *
 * @param furtherBytes behind the records
 * @throws RangeError if the capacity is not allowed
 */
export function allocateRing(
  { name, magic, minCapacity, maxCapacity }: RingKind,
  capacity: number,
  recordBytes: number,
  furtherBytes = 0,
): { readonly memory: SharedArrayBuffer; readonly header: Int32Array } {
  const isPowerOfTwo = Number.isInteger(capacity) && (capacity & (capacity - 1)) === 0;
  if (!isPowerOfTwo || capacity < minCapacity || capacity > maxCapacity)
    throw new RangeError(
      `the capacity of ${name} is a power of two from ${minCapacity} to ${maxCapacity}, not ${capacity}`,
    );
  const memory = new SharedArrayBuffer(ringHeaderBytes + capacity * recordBytes + furtherBytes);
  const header = new Int32Array(memory, 0, ringHeaderBytes / 4);
  header[Header.magic] = magic;
  header[Header.capacity] = capacity;
  header[Header.recordBytes] = recordBytes;
  header[Header.headerBytes] = ringHeaderBytes;
  return { memory, header };
}

/**
 * The header's words of a ring that somebody else has made.
 *
 * @param recordBytes of this kind's records, where they depend on the header's own words
 * @param furtherBytes behind the records
 * @throws TypeError if the memory is no such ring
 */
export function ringHeader(
  memory: SharedArrayBuffer,
  { name, magic }: RingKind,
  recordBytes: (header: Int32Array) => number,
  furtherBytes: (header: Int32Array) => number = () => 0,
): Int32Array {
  if (memory.byteLength < ringHeaderBytes) throw new TypeError(`not ${name}`);
  const header = new Int32Array(memory, 0, ringHeaderBytes / 4);
  const bytes = recordBytes(header);
  if (
    header[Header.magic] !== magic ||
    header[Header.recordBytes] !== bytes ||
    header[Header.headerBytes] !== ringHeaderBytes ||
    memory.byteLength !== ringHeaderBytes + header[Header.capacity]! * bytes + furtherBytes(header)
  )
    throw new TypeError(`not ${name}`);
  return header;
}
