import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { intWord, tickRecordBytes } from '../../src/ring/tickRecord.js';
import {
  allocateTickRing,
  emptyTickRing,
  TickRingReader,
  tickRingCapacityFor,
} from '../../src/ring/tickRing.js';

/** The native writer's steps, one at a time, so that a reader can look in between. */
class StepWriter {
  readonly #words: Int32Array;
  readonly #records: Int32Array;
  readonly #capacity: number;
  #next: number;
  #claimed = false;
  written = 0;

  constructor(ring: SharedArrayBuffer) {
    this.#words = new Int32Array(ring, 0, 32);
    this.#records = new Int32Array(ring, 128);
    this.#capacity = this.#words[1]!;
    this.#next = this.#words[17]!;
  }

  claim(): void {
    if (this.#claimed) return;
    this.#claimed = true;
    Atomics.store(this.#words, 16, (this.#next + 1) | 0);
    this.#record().fill(-1);
  }

  publish(): void {
    this.claim();
    this.#record().fill(this.written);
    this.#record()[intWord.sequence] = this.#next;
    this.#next = (this.#next + 1) | 0;
    Atomics.store(this.#words, 17, this.#next);
    this.#claimed = false;
    this.written++;
  }

  #record(): Int32Array {
    const words = tickRecordBytes / 4;
    const place = this.#next & (this.#capacity - 1);
    return this.#records.subarray(place * words, (place + 1) * words);
  }
}

const firstSequences = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 2 ** 31 - 40, max: 2 ** 31 + 4 }),
  fc.integer({ min: 2 ** 32 - 40, max: 2 ** 32 - 1 }),
  fc.nat(2 ** 32 - 1),
);

describe('a tick ring', () => {
  it('gives every record once and in order, or counts it as missed, across the wrap of its counters', () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant('write' as const), count: fc.integer({ min: 1, max: 40 }) }),
        fc.record({ kind: fc.constant('claim' as const) }),
        fc.record({ kind: fc.constant('read' as const), count: fc.integer({ min: 1, max: 20 }) }),
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5 }), firstSequences, steps, (power, first, list) => {
        const ring = allocateTickRing(2 ** power, first);
        const writer = new StepWriter(ring);
        const reader = new TickRingReader(ring);
        let expected = 0;
        const read = (): boolean => {
          const missed = reader.missed;
          const found = reader.next();
          // Also a call that finds nothing may learn of a loss.
          expected += reader.missed - missed;
          if (!found) return false;
          expect(reader.record.i32[intWord.sequence]).toBe((first + expected) | 0);
          expect(reader.record.i32[intWord.slot]).toBe(expected);
          expect(reader.record.i32[79]).toBe(expected);
          expected++;
          return true;
        };
        for (const step of list) {
          if (step.kind === 'claim') writer.claim();
          else if (step.kind === 'write') for (let i = 0; i < step.count; i++) writer.publish();
          else for (let i = 0; i < step.count; i++) if (!read()) break;
        }
        writer.publish();
        while (read());
        expect(reader.pending).toBe(false);
        expect(expected).toBe(writer.written);
      }),
      { numRuns: 500 },
    );
  });

  it('counts exactly what a lapped reader missed', () => {
    for (const first of [0, 2 ** 31 - 5, 2 ** 32 - 5]) {
      const ring = allocateTickRing(16, first);
      const reader = new TickRingReader(ring);
      const writer = new StepWriter(ring);
      for (let i = 0; i < 16; i++) writer.publish();
      for (let i = 0; i < 16; i++) expect(reader.next()).toBe(true);
      expect(reader.missed).toBe(0);
      for (let i = 0; i < 1000; i++) writer.publish();
      let read = 0;
      while (reader.next()) read++;
      expect(reader.missed + read).toBe(1000);
      expect(read).toBe(14);
    }
  });

  it('does not give a record that is being written over', () => {
    const ring = allocateTickRing(4);
    const writer = new StepWriter(ring);
    const reader = new TickRingReader(ring);
    for (let i = 0; i < 4; i++) writer.publish();
    writer.claim();
    expect(reader.next()).toBe(true);
    expect(reader.record.i32[intWord.sequence]).toBe(1);
    expect(reader.missed).toBe(1);
  });

  it('starts a reader at the next record, or at the first one when asked', () => {
    const ring = allocateTickRing(8, 2 ** 32 - 3);
    const writer = new StepWriter(ring);
    for (let i = 0; i < 5; i++) writer.publish();
    const late = new TickRingReader(ring);
    const early = new TickRingReader(ring, true);
    expect(late.pending).toBe(false);
    expect(late.next()).toBe(false);
    let read = 0;
    while (early.next()) read++;
    expect(read).toBe(5);
    writer.publish();
    expect(late.next()).toBe(true);
    expect(late.record.slot).toBe(5);
  });

  it('keeps the bits of every word, also where they look like a NaN', () => {
    const ring = allocateTickRing(1);
    const words = new Uint32Array(ring);
    const pattern = [0x00000001, 0x7ff00000, 0xffffffff, 0xfff7ffff, 0xdeadbeef, 0x7ff00001];
    for (let i = 0; i < 80; i++) words[32 + i] = pattern[i % pattern.length]!;
    words[16] = words[17] = 1;
    const reader = new TickRingReader(ring, true);
    expect(reader.next()).toBe(true);
    expect(new Uint32Array(reader.record.i32.buffer)).toEqual(words.slice(32));
  });

  it('holds more than two ticks of each instrument, and at least 1,024', () => {
    const many = 1000;
    expect([0, 1, 511, 512, 513, 1000, 1024, 20_000].map((each) => tickRingCapacityFor(each, many))).toEqual([
      1024, 1024, 1024, 2048, 2048, 2048, 4096, 65_536,
    ]);
  });

  it('holds 32 ticks of each instrument as long as all rings together stay small', () => {
    expect([20, 100, 500, 2000, 20_000].map((each) => tickRingCapacityFor(each, 1))).toEqual([
      1024, 4096, 16_384, 65_536, 65_536,
    ]);
    expect([1, 4, 5, 10, 16, 64, 96].map((connections) => tickRingCapacityFor(500, connections))).toEqual([
      16_384, 16_384, 8192, 4096, 4096, 1024, 1024,
    ]);
  });

  it.each([0, -1, 3, 1000, 1.5, Number.NaN, 2 ** 31])('refuses a capacity of %d', (capacity) => {
    expect(() => allocateTickRing(capacity)).toThrow(RangeError);
  });

  it('refuses memory that is no tick ring', () => {
    expect(() => new TickRingReader(new SharedArrayBuffer(0))).toThrow('not a tick ring');
    expect(() => new TickRingReader(new SharedArrayBuffer(4096))).toThrow('not a tick ring');
  });
});

describe('a ring that is emptied', () => {
  it.each([false, true])('is as one that was made again (lossless: %s)', (lossless) => {
    const ring = allocateTickRing(8, 0, lossless);
    const writer = new StepWriter(ring);
    for (let i = 0; i < 11; i++) {
      writer.claim();
      writer.publish();
    }
    new Int32Array(ring, 88, 2).fill(7);
    emptyTickRing(ring);
    expect(new Uint8Array(ring)).toEqual(new Uint8Array(allocateTickRing(8, 0, lossless)));
  });
});
