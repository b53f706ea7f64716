import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { packagePath } from '../../src/base/paths.js';
import { allocateTape, TapeReader, TapeWatch, TapeWriter, type StateSource } from '../../src/tape/tape.js';
import { TickRecord } from '../../src/ring/tickRecord.js';
import { makeTick } from '../market/ticks.js';
import { until, untilIs } from '../helpers/until.js';

const fields = 3;

/** Each state is the tick's number, in every field. */
class NumberedStates implements StateSource {
  number = 0;
  onCopy: () => void = () => undefined;
  version(): number {
    return this.number;
  }
  flags(): number {
    return ~this.number;
  }
  copyRow(_slot: number, into: Float64Array, at: number): void {
    into.fill(this.number, at, at + fields);
    this.onCopy();
  }
}

interface Written {
  readonly states: NumberedStates;
  readonly tape: SharedArrayBuffer;
  append(): void;
  endBatch(): boolean;
}

/** Where a reader has begun to wait last. */
function parkedAt(tape: SharedArrayBuffer): number {
  return Atomics.load(new Int32Array(tape), 18);
}

function writeTo(capacity: number, firstSequence = 0, wholeTicks = true): Written {
  const tape = allocateTape(capacity, fields, { slots: 5, wholeTicks, firstSequence });
  const states = new NumberedStates();
  const writer = new TapeWriter(tape, states, (slot) => `SHFE.rb${slot}`);
  const tick = new TickRecord();
  return {
    states,
    tape,
    append: () => {
      tick.i32.fill(states.number);
      // The slot.
      tick.i32[1] = states.number % 5;
      writer.append(tick);
      states.number++;
    },
    endBatch: () => writer.endBatch(),
  };
}

/** Words of a vendor's record that a tape without whole ones keeps. */
const headWords = 4;

/** Fails unless all parts of the reader's record are those of tick n. */
function expectTick({ record }: TapeReader, n: number, wholeTicks = true): void {
  const words = [...record.tick.i32];
  const kept = (index: number): number => (wholeTicks || index < headWords ? n | 0 : 0);
  expect(words.filter((word, index) => word !== (index === 1 ? n % 5 : kept(index)))).toEqual([]);
  expect([...record.row]).toEqual([n, n, n]);
  expect([record.flags, record.version, record.key]).toEqual([~n, n, `SHFE.rb${n % 5}`]);
}

const firstSequences = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 2 ** 31 - 40, max: 2 ** 31 + 4 }),
  fc.integer({ min: 2 ** 32 - 40, max: 2 ** 32 - 1 }),
);

describe('a tape', () => {
  it('gives each of its readers every record once and in order, or counts it as missed, across the wrap', () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant('write' as const), count: fc.integer({ min: 1, max: 40 }) }),
        fc.record({
          kind: fc.constant('read' as const),
          reader: fc.nat(2),
          count: fc.integer({ min: 1, max: 20 }),
        }),
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(fc.nat(5), firstSequences, fc.boolean(), steps, (power, first, wholeTicks, list) => {
        const written = writeTo(2 ** power, first, wholeTicks);
        const readers = [0, 1, 2].map(() => ({ reader: new TapeReader(written.tape), expected: 0 }));
        const read = (of: (typeof readers)[number]): boolean => {
          const missed = of.reader.missed;
          const found = of.reader.next();
          of.expected += of.reader.missed - missed;
          if (found) expectTick(of.reader, of.expected++, wholeTicks);
          return found;
        };
        // A reader that looks while a record is being written sees whole records alone.
        written.states.onCopy = () => void read(readers[0]!);
        for (const step of list) {
          for (let i = 0; i < step.count; i++) {
            if (step.kind === 'write') written.append();
            else if (!read(readers[step.reader]!)) break;
          }
        }
        for (const each of readers) {
          while (read(each));
          expect(each.reader.behind).toBe(0);
          expect(each.expected).toBe(written.states.number);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('keeps the bits of the vendor record, absent values, and long keys as far as there is room', () => {
    const tape = allocateTape(1, 2, { slots: 8 });
    const states: StateSource = {
      version: () => 2 ** 32 - 1,
      flags: () => 127,
      copyRow: (_slot, into, at) => into.set([NaN, -0], at),
    };
    const key = 'x'.repeat(95) + 'éy';
    const writer = new TapeWriter(tape, states, () => key);
    const reader = new TapeReader(tape);
    const tick = makeTick({ slot: 7 });
    tick.i32.set([0x00000001, 0x7ff00000, -1, -524289], 10);
    writer.append(tick);
    expect(reader.next()).toBe(true);
    const { record } = reader;
    expect(record.tick.i32).toEqual(tick.i32);
    expect(record.tick.receiveTimeMs).toBe(tick.receiveTimeMs);
    expect([...record.row]).toEqual([NaN, -0]);
    expect([record.flags, record.version, record.key]).toEqual([127, 2 ** 32 - 1, key.slice(0, 96)]);
  });

  it('starts a reader at the first record', () => {
    const written = writeTo(8, 2 ** 32 - 3);
    for (let i = 0; i < 5; i++) written.append();
    const reader = new TapeReader(written.tape);
    expect(reader.behind).toBe(5);
    for (let i = 0; i < 5; i++) {
      expect(reader.next()).toBe(true);
      expectTick(reader, i);
    }
    expect(reader.next()).toBe(false);
  });

  it('starts a reader where another one was, and counts what was overwritten since', () => {
    for (const first of [0, -3, 0x7ffffffd]) {
      const written = writeTo(8, first);
      for (let i = 0; i < 5; i++) written.append();
      const lost = new TapeReader(written.tape);
      for (let i = 0; i < 3; i++) lost.next();
      const next = new TapeReader(written.tape, lost.position);
      expect(next.next()).toBe(true);
      expectTick(next, 3);
      for (let i = 5; i < 14; i++) written.append();
      const late = new TapeReader(written.tape, lost.position);
      expect(late.next()).toBe(true);
      // Records 3 to 5 were overwritten; one more is given up with them.
      expectTick(late, 7);
      expect(late.missed).toBe(4);
      expect(late.position).toBe((first + 8) | 0);
    }
  });

  it('lets readers wait for the end of a batch, or until the time is over', async () => {
    const written = writeTo(8);
    written.append();
    written.endBatch();
    const readers = [new TapeReader(written.tape, 1), new TapeReader(written.tape, 1)];
    let woken = 0;
    const waits = readers.map((reader) => reader.wait().then(() => woken++));
    await untilIs('one to be parked', () => parkedAt(written.tape), 1);
    await new TapeReader(written.tape, 1).wait(1);
    await new TapeReader(written.tape, 1).wait(20);
    expect(woken).toBe(0);
    // A batch without a tick wakes nobody.
    expect(written.endBatch()).toBe(false);
    written.append();
    expect(written.endBatch()).toBe(true);
    await Promise.all(waits);
    expect(readers.map((reader) => reader.next())).toEqual([true, true]);
    // Nobody waits any more.
    written.append();
    expect(written.endBatch()).toBe(false);
  });

  it('wakes the one that waits furthest on, whoever else noted an earlier place, across the wrap', async () => {
    const written = writeTo(8, 2 ** 32 - 2);
    for (let i = 0; i < 4; i++) {
      written.append();
      written.endBatch();
      const reader = new TapeReader(written.tape, written.states.number - 2);
      const wait = reader.wait();
      await untilIs('it to be parked', () => parkedAt(written.tape), written.states.number - 2);
      // This one has something to take, and notes nothing.
      await new TapeReader(written.tape).wait();
      expect(parkedAt(written.tape)).toBe(written.states.number - 2);
      written.append();
      expect(written.endBatch()).toBe(true);
      await wait;
      expect(reader.next()).toBe(true);
    }
  });

  it('is not reported a thread that has ended while it waited, for longer than a batch', async () => {
    const written = writeTo(8);
    written.append();
    written.endBatch();
    const url = pathToFileURL(packagePath('dist', 'src', 'tape', 'tape.js')).href;
    const worker = new Worker(
      `import(${JSON.stringify(url)}).then(({ TapeReader }) => {
        require('node:worker_threads').parentPort.ref();
        return new TapeReader(require('node:worker_threads').workerData, 1).wait();
      });`,
      { eval: true, workerData: written.tape },
    );
    await untilIs('it to be parked', () => parkedAt(written.tape), 1);
    await worker.terminate();
    written.append();
    expect(written.endBatch()).toBe(true);
    written.append();
    expect(written.endBatch()).toBe(false);
  });

  it('lets a reader find what came without a word while it was gathering', async () => {
    const written = writeTo(8);
    const reader = new TapeReader(written.tape);
    const wait = reader.wait();
    expect(parkedAt(written.tape)).toBe(0);
    written.append();
    await wait;
    expect(reader.next()).toBe(true);
    // What is there before the wait is found by it too.
    written.append();
    await reader.wait();
    expect(reader.next()).toBe(true);
  });

  it.each([0, -1, 3, 1.5, Number.NaN, 2 ** 21])('refuses a capacity of %d', (capacity) => {
    expect(() => allocateTape(capacity, 37)).toThrow(RangeError);
  });

  it('tells anyone who does not read it whether ticks come, across the wrap', () => {
    const written = writeTo(8, 2 ** 32 - 3);
    const watch = new TapeWatch(written.tape);
    expect(watch.look()).toBe(false);
    for (let i = 0; i < 20; i++) {
      written.append();
      written.endBatch();
      expect(watch.look()).toBe(true);
      expect(watch.look()).toBe(false);
    }
  });

  it('refuses memory that is no tape', () => {
    expect(() => new TapeReader(new SharedArrayBuffer(0))).toThrow('not a tape');
    expect(() => new TapeReader(new SharedArrayBuffer(4096))).toThrow('not a tape');
  });
});

/** Reads until it meets the record whose flags are -1, and says what it saw. */
const readerThread = `
const { parentPort, workerData } = require('node:worker_threads');
import(workerData.module).then(async ({ TapeReader }) => {
  const reader = new TapeReader(workerData.tape);
  const { record } = reader;
  let read = 0, waits = 0, torn = 0, backward = 0, last = -1;
  parentPort.on('message', () => undefined);
  for (;;) {
    while (reader.next()) {
      read++;
      const n = record.version;
      const words = record.tick.i32;
      for (let i = 2; i < words.length; i++) if (words[i] !== n) { torn++; break; }
      if (record.row.some((value) => value !== n)) torn++;
      if (n <= last) backward++;
      last = n;
      if (record.flags === -1)
        return parentPort.postMessage({ read, missed: reader.missed, waits, torn, backward });
    }
    waits++;
    await reader.wait();
  }
});`;

describe('a reader in another thread', () => {
  it('sees whole records in their order, knows what it missed, and sleeps in between', async () => {
    const written = writeTo(64, 2 ** 31 - 1000);
    // The flags of number 0 are those that end the reader.
    written.states.number = 1;
    const worker = new Worker(readerThread, {
      eval: true,
      workerData: {
        tape: written.tape,
        module: pathToFileURL(packagePath('dist', 'src', 'tape', 'tape.js')).href,
      },
    });
    onTestFinished(() => void worker.terminate());
    const seen = once(worker, 'message');
    await once(worker, 'online');
    const header = new Int32Array(written.tape);
    const asleep = (): Promise<unknown> =>
      until('the reader to have nothing to read', () => parkedAt(written.tape) === Atomics.load(header, 17));
    for (let burst = 0; burst < 20; burst++) {
      await asleep();
      for (let i = 0; i < 50; i++) written.append();
      written.endBatch();
    }
    await asleep();
    // The first 100 are more than the tape holds, and the reader sleeps until they are there.
    for (let i = 0; i < 50_000; i++) {
      written.append();
      if (i % 100 === 99) written.endBatch();
    }
    written.states.flags = () => -1;
    written.append();
    written.endBatch();
    const [{ read, missed, waits, torn, backward }] = (await seen) as [Record<string, number>];
    expect({ torn, backward, total: read! + missed! }).toEqual({ torn: 0, backward: 0, total: 51_001 });
    expect(read).toBeGreaterThan(0);
    expect(waits).toBeGreaterThan(0);
    expect(missed).toBeGreaterThan(0);
  });
});
