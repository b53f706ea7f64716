import { setImmediate as turn } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { intWord } from '../../src/ring/tickRecord.js';
import { allocateTickRing, TickRingReader } from '../../src/ring/tickRing.js';
import { untilCounted, untilIs } from '../helpers/until.js';
import { hammeredRecord, loadRingHammer, type RingHammer } from '../native/ringHammer.js';

const records = 2_000_000;
const readsPerTurn = 50_000;
const giveRoomEach = 3;

describe('a native writer at full speed', () => {
  let hammer: RingHammer;
  beforeAll(() => {
    hammer = loadRingHammer();
  });

  async function follow(
    ring: SharedArrayBuffer,
    first: number,
    readers: readonly TickRingReader[],
  ): Promise<void> {
    const bytes = new Uint8Array(ring);
    expect(hammer.start(bytes, bytes.length, null, -1, first, records, 0, 0)).toBe(0);
    const read = readers.map(() => 0);
    const expected = readers.map(() => first);
    for (let more = true; more;) {
      more = hammer.running() === 1;
      for (const [k, reader] of readers.entries()) {
        for (let i = 0; i < readsPerTurn && reader.next(); i++) {
          read[k]!++;
          const n = (first + read[k]! + reader.missed - 1) >>> 0;
          // Plain comparisons: expect() for each of millions of records would take minutes.
          if (hammeredRecord(reader.record) !== n)
            throw new Error(`record ${n} is torn or out of order, after ${expected[k]}`);
          if (i % giveRoomEach === 0) reader.giveRoom();
          if (reader.record.i32[intWord.sequence] !== (n | 0))
            throw new Error(`record ${n} has another number`);
          expected[k] = n;
        }
        reader.giveRoom();
        more ||= reader.pending;
      }
      await turn();
    }
    for (const [k, reader] of readers.entries()) expect(read[k]! + reader.missed).toBe(records);
  }

  it('is followed without a torn, lost or reordered record that is not reported', async () => {
    const ring = allocateTickRing(1024);
    const reader = new TickRingReader(ring);
    await follow(ring, 0, [reader]);
    expect(reader.missed).toBeLessThan(records);
  });

  it('is followed by several readers on a tiny ring, across the wrap of the counters', async () => {
    const first = 2 ** 32 - records / 2;
    const ring = allocateTickRing(4, first);
    await follow(ring, first, [new TickRingReader(ring), new TickRingReader(ring)]);
  });

  it('is followed across 2^31', async () => {
    const first = 2 ** 31 - records / 2;
    const ring = allocateTickRing(256, first);
    await follow(ring, first, [new TickRingReader(ring)]);
  });

  it('waits for the reader of a lossless ring, so that nothing is missed, across the wrap of the counters', async () => {
    const first = 2 ** 32 - records / 2;
    const ring = allocateTickRing(1024, first, true);
    const reader = new TickRingReader(ring);
    await follow(ring, first, [reader]);
    expect([reader.missed, reader.writerGaveUp]).toEqual([0, 0]);
  });

  it('is never further ahead of the reader of a lossless ring than the ring holds, and stops waiting when told', async () => {
    const ring = allocateTickRing(64, 0, true);
    const reader = new TickRingReader(ring);
    const bytes = new Uint8Array(ring);
    expect(hammer.start(bytes, bytes.length, null, -1, 0, 100, 0, 0)).toBe(0);
    await untilCounted('the ring to be full', () => hammer.written(), 64);
    for (let i = 0; i < 10; i++) expect(reader.next()).toBe(true);
    reader.giveRoom();
    await untilCounted('ten more records', () => hammer.written(), 74);
    expect(hammer.running()).toBe(1);
    hammer.stopWaiting();
    await untilIs('the writer to end', () => hammer.running(), 0);
    expect(hammer.written()).toBe(100);
  });

  it('gives the reader of a lossless ring up that takes nothing for long, until it moves again', async () => {
    const ring = allocateTickRing(64, 0, true);
    const reader = new TickRingReader(ring);
    const bytes = new Uint8Array(ring);
    expect(hammer.start(bytes, bytes.length, null, -1, 0, 1000, 0, 0)).toBe(0);
    await untilIs('the writer to end', () => hammer.running(), 0);
    expect([hammer.written(), reader.writerGaveUp]).toEqual([1000, 1]);
    let read = 0;
    while (reader.next()) read++;
    expect(read + reader.missed).toBe(1000);
    reader.giveRoom();
    expect(hammer.start(bytes, bytes.length, null, -1, 1000, 100, 0, 0)).toBe(0);
    await untilCounted('the ring to be full', () => hammer.written(), 64);
    expect(hammer.running()).toBe(1);
    hammer.stopWaiting();
    await untilIs('the writer to end', () => hammer.running(), 0);
  });
});
