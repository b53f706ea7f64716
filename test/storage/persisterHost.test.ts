import { setImmediate as turn } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import pino from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { PersisterHost } from '../../src/storage/persisterHost.js';
import { until } from '../e2e/processes.js';
import { freePort, startRedis } from './redisServer.js';
import { clientOf, runPersister, temporarySpill } from './running.js';
import { readStream } from './storeReader.js';
import { TapeMarket } from './tapeMarket.js';

const keys = ['SHFE.rb2605', 'DCE.m2605', 'CZCE.SR605'];
const defaults = loadConfig({ file: undefined, args: { frontAddr: ['sim://'] }, env: {}, cwd: '/' });

interface Hosted {
  readonly host: PersisterHost;
  readonly spillPath: string;
  /** Ends the present thread in whatever it is doing. */
  readonly kill: () => Promise<void>;
  readonly settled: () => Promise<void>;
}

function startHost(market: TapeMarket, port: number): Hosted {
  const spillPath = temporarySpill();
  const storage = { ...defaults.storage, spillPath, batchTime: 5 };
  const config = { redis: { ...defaults.redis, port }, storage };
  const threads: Worker[] = [];
  const onWorker = (worker: Worker): void => void threads.push(worker);
  process.on('worker', onWorker);
  const host = new PersisterHost(config, pino({ level: 'silent' }), () => undefined);
  host.start(market.tape);
  onTestFinished(async () => {
    await host.stop(5000);
    process.off('worker', onWorker);
  });
  return {
    host,
    spillPath,
    kill: async () => {
      await until('a thread', () => threads.length > 0);
      await threads.at(-1)!.terminate();
    },
    settled: () =>
      until(
        () => `everything to be stored: ${JSON.stringify(host.status())}`,
        () => {
          const { stored, lost, trouble } = host.status();
          return stored + lost >= market.written && trouble === '';
        },
      ).then(() => undefined),
  };
}

/** Numbers of the ticks in the streams, in their order. */
async function storedIn(port: number): Promise<number[][]> {
  const client = clientOf(port);
  return Promise.all(keys.map(async (key) => (await readStream(client, key)).map(({ volume }) => volume)));
}

/** Writes ticks, in many batches, so that the thread is in the midst of them. */
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
  const { host, kill, settled } = startHost(market, port);
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
  expect(host.restarts).toBe(4);
});

it('what the tape has overwritten meanwhile is counted as lost', async () => {
  const { port } = await startRedis(await freePort());
  const market = new TapeMarket(keys, 1024);
  const { host, kill, settled } = startHost(market, port);
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

it('a thread that is killed while ticks wait in the file goes on behind them', async () => {
  const port = await freePort();
  const market = new TapeMarket(keys);
  const { host, kill, settled } = startHost(market, port);
  await write(market, 30);
  await until('the file to be used', () => host.status().spilled > 0);
  await kill();
  await write(market, 30);
  await until('another thread', () => host.restarts === 1 && host.status().spilled >= market.written);
  await startRedis(port);
  await write(market, 30);
  await settled();
  expect(await storedIn(port)).toEqual(all(market));
  expect(host.status()).toMatchObject({ stored: market.written, lost: 0 });
});

it('an end while the thread is lost leaves what is on the tape in the file', async () => {
  const port = await freePort();
  const market = new TapeMarket(keys);
  const { host, spillPath, kill } = startHost(market, port);
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
