import { describe, expect, it } from 'vitest';
import { HistoryError, type HistoryRange } from '../../src/history/historySource.js';
import { allocateWindow, WindowReader, WindowWriter } from '../../src/history/tickWindow.js';
import { WindowSource } from '../../src/history/windowSource.js';
import { appendTick, fillWindow, firstTimeMs, indexOfRow, stepMs, timeOfTick } from './storedTicks.js';

const key = 'SHFE.rb2601';
const all: HistoryRange = { key, fromMs: 0, toMs: Infinity, after: undefined };

interface Read {
  indices: number[];
  positions: string[];
  completeFromMs: number | null;
}

async function read(memory: SharedArrayBuffer, range: Partial<HistoryRange> = {}): Promise<Read> {
  const reading = await new WindowSource(memory).open({ ...all, ...range });
  const result: Read = { indices: [], positions: [], completeFromMs: reading.completeFromMs };
  do {
    while (reading.next()) {
      result.indices.push(indexOfRow(reading.row));
      result.positions.push(reading.position);
    }
  } while (await reading.more());
  return result;
}

function numbers(begin: number, end: number): number[] {
  return Array.from({ length: end - begin }, (_, index) => begin + index);
}

describe('a window of ticks', () => {
  it('gives an instrument its ticks in their order, and no others', async () => {
    const memory = allocateWindow(1_000_000, 1);
    const writer = new WindowWriter(memory);
    for (let index = 0; index < 2000; index++) {
      appendTick(writer, 0, key, index);
      appendTick(writer, 5000, 'SHFE.rb2605', index + 7);
    }
    expect(await read(memory)).toMatchObject({ indices: numbers(0, 2000), completeFromMs: firstTimeMs });
    expect((await read(memory, { key: 'SHFE.rb2605' })).indices).toEqual(numbers(7, 2007));
    expect(await read(memory, { key: 'SHFE.rb260' })).toMatchObject({ indices: [], completeFromMs: null });
  });

  it('keeps the newest when it is full, and says since when', async () => {
    const memory = allocateWindow(64_000, 1);
    fillWindow(memory, 0, key, 0, 10_000);
    const { indices, completeFromMs } = await read(memory);
    expect(indices.at(-1)).toBe(9999);
    expect(indices).toEqual(numbers(indices[0]!, 10_000));
    expect(indices.length).toBeGreaterThan(500);
    expect(completeFromMs).toBe(timeOfTick(indices[0]!));
  });

  it('continues with an instrument whose block was dropped while it was being filled', async () => {
    const memory = allocateWindow(64_000, 1);
    const writer = fillWindow(memory, 1, 'SHFE.rb2605', 0, 3);
    for (let index = 0; index < 5000; index++) appendTick(writer, 0, key, index);
    expect((await read(memory, { key: 'SHFE.rb2605' })).indices).toEqual([]);
    for (let index = 3; index < 6; index++) appendTick(writer, 1, 'SHFE.rb2605', index);
    expect(await read(memory, { key: 'SHFE.rb2605' })).toMatchObject({
      indices: [3, 4, 5],
      completeFromMs: timeOfTick(3),
    });
  });

  it('looks only a little beyond an interval', async () => {
    const memory = allocateWindow(1_000_000, 1);
    fillWindow(memory, 0, key, 0, 5000);
    const { indices } = await read(memory, { fromMs: timeOfTick(2000), toMs: timeOfTick(2100) });
    expect(indices).toEqual(expect.arrayContaining(numbers(2000, 2100)));
    expect(indices.length).toBeLessThan(100 + 2 * (60_000 / stepMs) + 100);
  });

  it('continues after a position', async () => {
    const memory = allocateWindow(1_000_000, 1);
    fillWindow(memory, 0, key, 0, 300);
    const { positions } = await read(memory);
    for (const index of [0, 17, 99, 298, 299])
      expect((await read(memory, { after: positions[index]! })).indices).toEqual(numbers(index + 1, 300));
  });

  it('looks only a little beyond an interval after a position too', async () => {
    const memory = allocateWindow(1_000_000, 1);
    fillWindow(memory, 0, key, 0, 5000);
    const range = { fromMs: timeOfTick(0), toMs: timeOfTick(100) };
    const { positions } = await read(memory, range);
    const { indices } = await read(memory, { ...range, after: positions[50]! });
    expect(indices.slice(0, 49)).toEqual(numbers(51, 100));
    expect(indices.length).toBeLessThan(50 + 60_000 / stepMs + 100);
    const before = { fromMs: timeOfTick(2000), toMs: timeOfTick(2100), after: positions[50]! };
    expect((await read(memory, before)).indices).toEqual(expect.arrayContaining(numbers(2000, 2100)));
  });

  it('says so when the ticks at a position are gone, or were those of another run', async () => {
    const memory = allocateWindow(64_000, 1);
    const writer = fillWindow(memory, 0, key, 0, 10);
    const { positions } = await read(memory);
    for (let index = 10; index < 10_000; index++) appendTick(writer, 0, key, index);
    expect(() => new WindowSource(memory).open({ ...all, after: positions[5]! })).toThrow(HistoryError);
    const other = allocateWindow(64_000, 2);
    fillWindow(other, 0, key, 0, 10);
    expect(() => new WindowSource(other).open({ ...all, after: positions[5]! })).toThrow('earlier run');
  });

  it('breaks off rather than leave a gap when ticks are dropped between two of a reading', async () => {
    const memory = allocateWindow(64_000, 1);
    const writer = fillWindow(memory, 0, key, 0, 500);
    const reading = await new WindowSource(memory).open(all);
    expect(reading.next()).toBe(true);
    for (let index = 500; index < 10_000; index++) appendTick(writer, 0, key, index);
    expect(() => {
      while (reading.next());
    }).toThrow('dropped from memory');
  });

  it('gives all ticks from the moment on that it says it is complete from, or breaks off', async () => {
    const memory = allocateWindow(64_000, 1);
    const writer = fillWindow(memory, 0, key, 0, 500);
    const reading = await new WindowSource(memory).open(all);
    for (let index = 500; index < 10_000; index++) appendTick(writer, 0, key, index);
    const indices: number[] = [];
    expect(() => {
      while (reading.next()) indices.push(indexOfRow(reading.row));
    }).toThrow('dropped from memory');
    expect(timeOfTick(indices[0]!)).toBe(reading.completeFromMs);
    expect(indices).toEqual(numbers(indices[0]!, indices[0]! + indices.length));
  });

  it('survives the wrap of its block numbers', async () => {
    for (const first of [-5, 0x7ffffff8]) {
      const memory = allocateWindow(64_000, 1);
      const writer = new WindowWriter(memory, first);
      for (let index = 0; index < 500; index++) appendTick(writer, 0, key, index);
      const { indices, positions } = await read(memory);
      expect(indices).toEqual(numbers(0, 500));
      for (const index of [0, 250, 499])
        expect((await read(memory, { after: positions[index]! })).indices).toEqual(numbers(index + 1, 500));
    }
  });

  it('is taken over by another writer, and says what may be missing', async () => {
    const memory = allocateWindow(64_000, 1);
    fillWindow(memory, 0, key, 0, 200);
    const writer = new WindowWriter(memory);
    writer.lost(timeOfTick(250));
    for (let index = 250; index < 300; index++) appendTick(writer, 0, key, index);
    expect(await read(memory)).toMatchObject({
      indices: [...numbers(0, 200), ...numbers(250, 300)],
      completeFromMs: timeOfTick(250),
    });
  });

  it('takes memory as it fills', () => {
    const memory = allocateWindow(10_000_000, 1);
    expect(new WindowReader(memory).fill).toBe(0);
    fillWindow(memory, 0, key, 0, 1000);
    expect(new WindowReader(memory).fill).toBeGreaterThan(0);
    expect(new WindowReader(memory).fill).toBeLessThan(0.05);
  });

  it('is not taken for one when it is something else', () => {
    expect(() => new WindowReader(new SharedArrayBuffer(1000))).toThrow('not a window');
  });
});
