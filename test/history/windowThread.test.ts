import type { Worker } from 'node:worker_threads';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { WindowThread } from '../../src/history/windowThread.js';
import { fieldCount } from '../../src/market/quotes/quoteFields.js';
import { allocateTape, TapeWriter } from '../../src/tape/tape.js';
import { until } from '../helpers/until.js';
import { makeTick, testTimeMs } from '../market/ticks.js';
import { World } from '../server/world.js';
import { poolOf } from './tickServer.js';

const tapeRecords = 1024;

interface Page {
  ticks: { volume: number; timestamp: number }[];
  complete_from: number | null;
}

it('a thread of the window that ends has a successor, which continues where it was or says since when', async () => {
  const threads: Worker[] = [];
  const seen = (worker: Worker): number => threads.push(worker);
  process.on('worker', seen);
  onTestFinished(() => void process.off('worker', seen));

  const log: string[] = [];
  const window = new WindowThread(1_048_576, pino({ level: 'error' }, { write: (line) => log.push(line) }));
  const pool = poolOf({
    source: { kind: 'memory', window: window.memory },
    queries: 1,
    waiting: 1,
  });
  onTestFinished(() => pool.close());
  const world = await World.start({ history: pool });
  onTestFinished(() => world.stop());

  const tape = allocateTape(tapeRecords, fieldCount, { wholeTicks: false });
  const writer = new TapeWriter(tape, world.book, (slot) => world.directory.bySlot(slot).key);
  const { slot } = world.directory.resolve('rb2410')!;
  let volume = 0;
  const write = (ticks: number): void => {
    for (const end = volume + ticks; volume < end;) {
      const tick = makeTick({ slot, volume: ++volume, receivedAt: testTimeMs + volume });
      expect(world.book.apply(tick)).toBe(true);
      writer.append(tick);
    }
    writer.endBatch();
  };
  const address = `http://127.0.0.1:${world.port}/api/history/ticks?instrument=rb2410&from=20240411&limit=100000&fields=volume,timestamp`;
  const pageWith = async (newest: number): Promise<Page> => {
    let page: Page | undefined;
    await until(`tick ${newest} to be kept`, async () => {
      page = (await (await fetch(address)).json()) as Page;
      return page.ticks.at(-1)?.volume === newest;
    });
    return page!;
  };
  const volumesOf = ({ ticks }: Page): number[] => ticks.map((tick) => tick.volume);
  const numbers = (end: number): number[] => Array.from({ length: end }, (_, index) => index + 1);

  window.start(tape);
  onTestFinished(async () => {
    await window.stop();
  });
  write(300);
  const first = await pageWith(300);
  expect(volumesOf(first)).toEqual(numbers(300));
  // Nor do those leave anything out that cannot even start.
  let failing = 2;
  const onWorker = (worker: Worker): void => void (failing-- > 0 && worker.terminate());
  process.on('worker', onWorker);
  onTestFinished(() => void process.off('worker', onWorker));
  await threads[0]!.terminate();
  write(700);
  const second = await pageWith(1000);
  expect(volumesOf(second)).toEqual(numbers(1000));
  expect(second.complete_from).toBe(first.ticks[0]!.timestamp);
  expect(log).toHaveLength(3);
  expect(log[0]).toContain('its thread crashed');

  // The one thread for queries was begun with the first of them.
  expect(threads).toHaveLength(5);
  await threads.at(-1)!.terminate();
  write(3 * tapeRecords);
  const third = await pageWith(volume);
  const kept = volumesOf(third);
  expect(kept.slice(0, 1000)).toEqual(numbers(1000));
  expect(kept.slice(1000)).toEqual(
    Array.from({ length: kept.length - 1000 }, (_, index) => volume - kept.length + 1001 + index),
  );
  expect(kept.length).toBeLessThan(1000 + tapeRecords + 1);
  expect(third.complete_from).toBe(testTimeMs + kept[1000]!);
}, 30_000);
