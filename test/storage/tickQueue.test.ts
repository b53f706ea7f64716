import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { expect, it } from 'vitest';
import { SpillFolder } from '../../src/storage/spillFolder.js';
import { StoredInstrument, type TickEntry } from '../../src/storage/storedInstrument.js';
import { TickQueue } from '../../src/storage/tickQueue.js';
import { temporarySpill } from './running.js';

const megabyte = 1024 * 1024;
const instrument = new StoredInstrument('SHFE.rb2605', '');

function entry(n: number): TickEntry {
  return { instrument, run: 'run', n, timeMs: 0, receivedMs: 0, text: 'y'.repeat(200), id: undefined };
}

it('a disk that refuses is left alone for a while, but asked at the end', () => {
  const path = temporarySpill();
  const folder = SpillFolder.open(path, megabyte, 'run');
  const queue = new TickQueue({
    memoryBytes: 3500,
    folder,
    inHand: () => [],
    fromLine: ({ n }) => entry(n),
  });
  rmSync(path, { recursive: true });
  for (let n = 0; n < 11; n++) queue.push(entry(n));
  expect({ kept: queue.inMemory, lost: queue.lost }).toEqual({ kept: 10, lost: 1 });
  mkdirSync(path);
  queue.push(entry(11));
  expect(readdirSync(path)).toEqual([]);
  expect(queue.close([])).toBe(0);
  const next = SpillFolder.open(path, megabyte, 'next');
  expect(next.read().map(({ n }) => n)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});
