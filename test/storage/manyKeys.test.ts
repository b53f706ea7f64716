import { expect, it } from 'vitest';
import { KeyScan } from '../../src/redis/keyScan.js';
import { RedisLink } from '../../src/redis/redisLink.js';
import { StreamTrim } from '../../src/storage/streams/streamTrim.js';
import { until, untilIs } from '../helpers/until.js';
import { freePort } from '../e2e/ports.js';
import { startRedis } from './redisServer.js';
import { clientOf, redisConfig, runPersister, temporarySpill } from './running.js';
import { readStream } from './storeReader.js';
import { TapeMarket } from './tapeMarket.js';

const keys = ['SHFE.rb2605', 'DCE.m2605'];
const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** A server with so many keys of somebody else. */
async function startCrowdedRedis(count: number): Promise<number> {
  const { port } = await startRedis(await freePort(), '--enable-debug-command', 'local');
  await clientOf(port).call('DEBUG', 'POPULATE', `${count}`, 'other');
  return port;
}

async function openLink(port: number): Promise<RedisLink> {
  const link = new RedisLink(redisConfig(port), { onUp: () => undefined, onDown: () => undefined });
  link.start();
  await until('the server', () => link.isUp);
  return link;
}

it('ticks are stored while the states of an earlier run are looked for among many other keys', async () => {
  const port = await startCrowdedRedis(300_000);
  const redis = clientOf(port);
  const held = { flags: 0, received: Date.now(), volume: 777 };
  for (let i = 0; i < 600; i++) await redis.hset(`qactpmd:quote:SHFE.old${i}`, held);
  const asked: string[] = [];
  const monitor = await redis.monitor();
  monitor.on('monitor', (_time: string, [name]: string[]) => asked.push(name!.toUpperCase()));
  const market = new TapeMarket(keys);
  market.batch(1000);
  const running = runPersister(market.tape, port);
  await until('the states', () => running.quotes().isWhole);
  await running.settled();
  await untilIs('the hashes', async () => await redis.hget(`qactpmd:quote:${keys[1]!}`, 'volume'), '500');
  await until('all to be seen', () => asked.includes('HSET'));
  monitor.disconnect();
  expect(new Set(running.quotes().keys)).toEqual(
    new Set(Array.from({ length: 600 }, (_, i) => `SHFE.old${i}`)),
  );
  expect(asked.indexOf('XADD')).toBeGreaterThan(0);
  expect(asked.indexOf('XADD')).toBeLessThan(asked.lastIndexOf('SCAN'));
  expect(asked.filter((name) => name === 'SCAN').length).toBeGreaterThanOrEqual(300);
  for (const key of keys)
    expect((await readStream(redis, key)).map(({ volume }) => volume)).toEqual(numbers(500));
});

it('states that an earlier run has left on disk wait for the hashes to be known, and ticks do not', async () => {
  const spillPath = temporarySpill();
  const market = new TapeMarket(keys);
  const first = runPersister(market.tape, await freePort(), { storage: { spillPath } });
  market.batch(200);
  await untilIs('all to be on disk', () => first.persister.status().spilled, 200);
  await first.stop();
  const port = await startCrowdedRedis(300_000);
  const redis = clientOf(port);
  await redis.hset(`qactpmd:quote:${keys[1]!}`, { flags: 0, received: Date.now(), volume: 777 });
  const asked: string[] = [];
  const monitor = await redis.monitor();
  monitor.on('monitor', (_time: string, [name]: string[]) => asked.push(name!.toUpperCase()));
  const second = runPersister(new TapeMarket(keys).tape, port, { storage: { spillPath } });
  await untilIs('the hash', async () => await redis.hget(`qactpmd:quote:${keys[0]!}`, 'volume'), '100');
  await second.settled();
  await until('all to be seen', () => asked.includes('HSET'));
  monitor.disconnect();
  expect(asked.indexOf('XADD')).toBeLessThan(asked.lastIndexOf('SCAN'));
  expect(asked.indexOf('HSET')).toBeGreaterThan(asked.lastIndexOf('SCAN'));
  await second.stop();
  expect(await redis.hget(`qactpmd:quote:${keys[1]!}`, 'volume')).toBe('777');
});

it('streams are trimmed some at a time, and no other keys', async () => {
  const port = await startCrowdedRedis(5000);
  const redis = clientOf(port);
  for (let i = 0; i < 250; i++)
    for (const ms of ['1000', '2000', '3000']) await redis.xadd(`q:ticks:${i}`, `${ms}-0`, 'time', ms);
  await redis.xadd('x:ticks:1', '1000-0', 'time', '1000');
  const link = await openLink(port);
  const trim = new StreamTrim(link, 'q:', 2000.7);
  let steps = 0;
  for (; !trim.isDone; steps++) await trim.step();
  link.close();
  expect(steps).toBeGreaterThanOrEqual(6);
  for (let i = 0; i < 250; i++) expect(await redis.xlen(`q:ticks:${i}`)).toBe(2);
  expect(await redis.xlen('x:ticks:1')).toBe(1);
});

it('a scan gives each key of its prefix, so many at a time, and none that begins otherwise', async () => {
  const { port } = await startRedis(await freePort());
  const redis = clientOf(port);
  const wanted = Array.from({ length: 2500 }, (_, i) => `q{a}-b.c:_x:quote:${i}`);
  await redis.mset(
    Object.fromEntries([...wanted, 'q{a}-bxc:_x:quote:1', 'q:quote:1'].map((key) => [key, ''])),
  );
  const link = await openLink(port);
  const scan = new KeyScan(link.nodes(), 'q{a}-b.c:_x:quote:');
  const found = new Set<string>();
  const counts: number[] = [];
  while (!scan.isDone)
    await scan.step(100, (_node, some) => {
      counts.push(some.length);
      for (const key of some) found.add(key);
      return Promise.resolve();
    });
  link.close();
  expect(found).toEqual(new Set(wanted));
  expect(Math.max(...counts)).toBe(100);
  expect(scan.refusal).toBeUndefined();
});
