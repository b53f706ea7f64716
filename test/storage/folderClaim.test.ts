import { expect, it } from 'vitest';
import { SpillFolder } from '../../src/storage/spill/spillFolder.js';
import { untilIs } from '../helpers/until.js';
import { freePort } from '../e2e/ports.js';
import { startRedis } from './redisServer.js';
import { clientOf, runPersister, temporarySpill, type Running } from './running.js';
import { readStream } from './storeReader.js';
import { TapeMarket } from './tapeMarket.js';

const keys = ['SHFE.rb2605', 'DCE.m2605'];
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

async function volumesIn(port: number): Promise<number[][]> {
  const redis = clientOf(port);
  return Promise.all(keys.map(async (key) => (await readStream(redis, key)).map(({ volume }) => volume)));
}

async function takenOver(running: Running): Promise<void> {
  await untilIs('the folder to be taken over', () => running.persister.status().spillTrouble, '');
}

it('a folder that is free later is taken over, and what lies there is stored before what waits', async () => {
  const port = await freePort();
  const spillPath = temporarySpill();
  const market = new TapeMarket(keys);
  const first = runPersister(market.tape, port, { storage: { spillPath } });
  market.batch(200);
  await untilIs('all to be on disk', () => first.persister.status().spilled, 200);
  const next = new TapeMarket(keys);
  next.volumes.splice(0, 2, 100, 100);
  const second = runPersister(next.tape, port, { storage: { spillPath } });
  next.batch(100);
  await untilIs('the tape to be read', () => second.persister.status().behind, 0);
  expect(second.persister.status()).toMatchObject({ waiting: 100, spilled: 0, lost: 0 });
  expect(second.persister.status().spillTrouble).toMatch(/ is in use by process \d+ on /);
  await first.stop();
  await takenOver(second);
  expect(second.persister.status()).toMatchObject({ waiting: 0, spilled: 300, lost: 0 });
  next.batch(100);
  await startRedis(port);
  await second.settled();
  next.batch(100);
  await second.settled();
  expect(await volumesIn(port)).toEqual([range(1, 250), range(1, 250)]);
  expect(second.persister.status()).toMatchObject({ stored: 500, lost: 0 });
  expect(second.lines().filter((line) => line.includes('ticks that wait'))).toEqual([
    expect.stringMatching(
      /^error: ticks that wait for Redis are kept in memory alone: .* is in use by .*; trying again$/,
    ),
    `info: ticks that wait for Redis can go to ${spillPath} now`,
  ]);
});

it('of a folder that is taken over late, what later ticks were stored before is lost, and what is stored is not', async () => {
  const { port } = await startRedis(await freePort());
  const spillPath = temporarySpill();
  const market = new TapeMarket(keys);
  const stores = runPersister(market.tape, port, { run: 'first' });
  market.batch(60);
  await stores.settled();
  await stores.stop();
  const waits = runPersister(market.tape, await freePort(), { run: 'first', storage: { spillPath } });
  market.batch(40);
  await untilIs('all to be on disk', () => waits.persister.status().spilled, 100);
  const next = new TapeMarket([keys[0]!]);
  next.volumes[0] = 50;
  const late = runPersister(next.tape, port, { storage: { spillPath } });
  next.batch(10);
  await late.settled();
  await waits.stop();
  await takenOver(late);
  await late.settled();
  next.batch(10);
  await late.settled();
  expect(await volumesIn(port)).toEqual([[...range(1, 30), ...range(51, 70)], range(1, 50)]);
  expect(late.persister.status()).toMatchObject({ stored: 40, lost: 20 });
  expect(late.lines()).toContain(
    'error: qactpmd:ticks:SHFE.rb2605: later ticks were stored while the folder of these was in use by another gateway: such ticks are not stored',
  );
});

it('an end tries once more for a folder that has become free', async () => {
  const spillPath = temporarySpill();
  const other = SpillFolder.open(spillPath, 1e6, 'other');
  const market = new TapeMarket(keys);
  const running = runPersister(market.tape, await freePort(), { storage: { spillPath } });
  market.batch(100);
  other.close();
  await running.stop();
  expect(running.persister.status()).toMatchObject({ spilled: 100, lost: 0 });
});
