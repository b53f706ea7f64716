import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { clusterSlot } from '../../src/redis/clusterSlot.js';
import { allocateProgress, PersisterProgress } from '../../src/storage/shared/persisterProgress.js';
import { until } from '../helpers/until.js';
import { startCluster } from './cluster.js';
import { startHost } from './hosted.js';
import { freePort } from '../e2e/ports.js';
import { startRedis } from './redisServer.js';
import { clientOf, runPersister } from './running.js';
import { readStream } from './storeReader.js';
import { TapeMarket } from './tapeMarket.js';

const keys = ['SHFE.rb2605', 'DCE.m2605', 'CZCE.SR605'];

/** Numbers of the ticks in the streams, in their order. */
async function storedIn(port: number): Promise<number[][]> {
  const client = clientOf(port);
  return Promise.all(keys.map(async (key) => (await readStream(client, key)).map(({ volume }) => volume)));
}

/** Writes ticks, in many batches, so that the thread is during them. */
async function write(market: TapeMarket, batches: number): Promise<void> {
  for (let i = 0; i < batches; i++) {
    market.batch(60);
    await turn();
  }
}

const all = (market: TapeMarket): number[][] =>
  market.volumes.map((count) => Array.from({ length: count }, (_, index) => index + 1));

it('a thread that is killed under load leaves nothing out, stores nothing twice and counts each tick once', async () => {
  const { port } = await startRedis(await freePort());
  const market = new TapeMarket(keys);
  const { host, kill, settled } = startHost(market, { port });
  for (let round = 0; round < 4; round++) {
    const { stored } = host.status();
    await write(market, 20);
    await until('some to be stored', () => host.status().stored > stored);
    await write(market, 20);
    await kill();
    await write(market, 20);
    await until('another thread', () => host.status().connected);
  }
  await settled();
  expect(await storedIn(port)).toEqual(all(market));
  expect(host.status()).toMatchObject({ stored: market.written, lost: 0 });
  expect(host.health().report.restarts).toBe(4);
});

it('what the tape has overwritten meanwhile is counted as lost', async () => {
  const { port } = await startRedis(await freePort());
  const market = new TapeMarket(keys, 1024);
  const { host, kill, settled } = startHost(market, { port });
  market.batch(300);
  await settled();
  await kill();
  market.batch(9000);
  await settled();
  market.batch(300);
  await settled();
  const found = await storedIn(port);
  const { stored, lost } = host.status();
  expect(lost).toBeGreaterThan(7000);
  expect(stored + lost).toBe(9600);
  expect(found.flat()).toHaveLength(stored);
  for (const volumes of found) {
    expect(volumes).toEqual([...new Set(volumes)].sort((a, b) => a - b));
    expect(volumes.at(-1)).toBe(3200);
  }
});

it('a thread that is killed while ticks wait in the file continues behind them', async () => {
  const port = await freePort();
  const market = new TapeMarket(keys);
  const { host, kill, settled } = startHost(market, { port });
  await write(market, 30);
  await until('the file to be used', () => host.status().spilled > 0);
  await kill();
  await write(market, 30);
  await until(
    'another thread',
    () => host.health().report.restarts === 1 && host.status().spilled >= market.written,
  );
  await startRedis(port);
  await write(market, 30);
  await settled();
  expect(await storedIn(port)).toEqual(all(market));
  expect(host.status()).toMatchObject({ stored: market.written, lost: 0 });
});

it('an end while the thread is lost leaves what is on the tape in the file', async () => {
  const port = await freePort();
  const market = new TapeMarket(keys);
  const { host, spillPath, kill } = startHost(market, { port });
  await write(market, 10);
  await kill();
  await write(market, 10);
  expect(await host.stop(5000)).toBe(true);
  await startRedis(port);
  const next = runPersister(new TapeMarket(keys).tape, port, { storage: { spillPath } });
  await next.settled();
  expect(await storedIn(port)).toEqual(all(market));
  expect(next.persister.status()).toMatchObject({ stored: market.written, lost: 0 });
});

it('a thread that is killed when one node of a cluster has answered and another one has not counts each tick once', async () => {
  const nodes = await startCluster();
  const months = Array.from({ length: 12 }, (_, index) => `SHFE.rb26${`${index + 1}`.padStart(2, '0')}`);
  const isOnLast = (key: string): boolean => clusterSlot(`qactpmd:ticks:${key}`) >= 10_923;
  expect(months.some(isOnLast) && !months.every(isOnLast)).toBe(true);
  const market = new TapeMarket(months);
  const clusterNodes = nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
  const { host, kill, settled } = startHost(market, { clusterNodes });
  market.batch(120);
  await settled();
  nodes[2]!.process.kill('SIGSTOP');
  market.batch(60);
  await until('the other nodes to answer', () => host.status().stored > 120);
  expect(host.status().stored).toBeLessThan(180);
  await kill();
  nodes[2]!.process.kill('SIGCONT');
  await settled();
  expect(host.status()).toMatchObject({ stored: 180, lost: 0 });
  for (const { port } of nodes)
    for (const key of (await clientOf(port).keys('qactpmd:ticks:*')).map((name) => name.slice(14)))
      expect((await readStream(clientOf(port), key)).map(({ volume }) => volume)).toEqual(
        Array.from({ length: 15 }, (_, index) => index + 1),
      );
});

it('a tick that crashes the thread is skipped after the second time, is counted as lost, and nothing else is lost', async () => {
  const { port } = await startRedis(await freePort());
  const market = new TapeMarket([keys[0]!]);
  const execArgv = ['--import', fileURLToPath(new URL('poisonTick.js', import.meta.url))];
  const { host, settled } = startHost(market, { port }, { execArgv });
  market.batch(700);
  await until('some to be stored', () => host.status().stored > 0);
  market.batch(300);
  await settled();
  expect(host.status()).toMatchObject({ stored: 999, lost: 1 });
  expect(host.health().report.restarts).toBe(2);
  market.batch(1000);
  await settled();
  expect(host.status()).toMatchObject({ stored: 1998, lost: 2 });
  expect(host.health().report.restarts).toBe(4);
  const stored = (await readStream(clientOf(port), keys[0]!)).map(({ volume }) => volume);
  expect(stored).toEqual(
    Array.from({ length: 2000 }, (_, index) => index + 1).filter((volume) => volume % 1000 !== 777),
  );
});

it('a thread that crashes during a stop is replaced, and its ticks wait in the file', async () => {
  const { port } = await startRedis(await freePort());
  const market = new TapeMarket([keys[0]!]);
  const execArgv = ['--import', fileURLToPath(new URL('poisonTick.js', import.meta.url))];
  const { host } = startHost(market, { port }, { execArgv });
  await until('a connection', () => host.status().connected);
  market.batch(1000);
  expect(await host.stop(20_000)).toBe(true);
  const { stored, spilled, lost } = host.status();
  expect({ kept: stored + spilled, lost }).toEqual({ kept: 999, lost: 1 });
});

it('a thread whose heap is exhausted is followed by one that continues where it was', async () => {
  const { port } = await startRedis(await freePort());
  const market = new TapeMarket(keys);
  const heap = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 32 };
  const { host, thread, settled } = startHost(market, { port }, { resourceLimits: heap });
  await write(market, 20);
  await until('some to be stored', () => host.status().stored > 0);
  await write(market, 20);
  // What it is told takes more than it has.
  thread().postMessage(Array.from({ length: 1_500_000 }, () => ({})));
  await write(market, 20);
  await until('another thread', () => host.health().report.restarts === 1 && host.status().connected);
  await write(market, 20);
  await settled();
  expect(await storedIn(port)).toEqual(all(market));
  expect(host.status()).toMatchObject({ stored: market.written, lost: 0 });
});

it('what was counted is known to the next thread, by instrument and run', () => {
  const memory = allocateProgress();
  const first = new PersisterProgress(memory);
  for (const key of keys) first.add(key);
  for (const n of [0, 3, 6]) first.count(0, 7, n);
  first.count(1, 7, 4);
  const second = new PersisterProgress(memory);
  expect(second.keys).toEqual(keys);
  for (const n of [0, 3, 6, 9]) second.count(0, 7, n);
  for (const n of [1, 4]) second.count(1, 7, n);
  second.count(2, 7, 0);
  expect(second.stored).toBe(6);
  // Redis has lost two of them, which are written again.
  for (const n of [9, 6]) second.uncount(0, 7, n);
  expect(second.stored).toBe(4);
  for (const n of [3, 6, 9]) new PersisterProgress(memory).count(0, 7, n);
  second.count(0, 8, 0);
  expect(second.stored).toBe(7);
});
