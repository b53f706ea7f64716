import { text } from 'node:stream/consumers';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { load } from '../config/sources.js';
import { freePort, freePorts } from '../e2e/ports.js';
import { until, untilIs } from '../helpers/until.js';
import { startRedis, type RedisServer } from '../storage/redisServer.js';
import { lineOf, storeMany, tickAsJson, timeOfTick } from './storedTicks.js';
import { addressOf, ask, page, serveTicks, slowReader, volumesOf, type Served } from './tickServer.js';

const stream = 'qactpmd:ticks:SHFE.rb2601';
const pipelineEntries = 2000;

interface Stored extends Served {
  redis: RedisServer;
  /** A client of the test's own. */
  client: Redis;
}

interface Setup {
  port?: number;
  /** Of the server. */
  options?: string[];
  /** Of the gateway, beside the port. */
  settings?: object;
}

async function serve({ port, options = [], settings = {} }: Setup = {}): Promise<Stored> {
  const redis = await startRedis(port ?? (await freePort()), ...options);
  const client = new Redis({ port: redis.port, retryStrategy: () => null });
  client.on('error', () => undefined);
  onTestFinished(() => client.disconnect());
  const served = await serveTicks({
    source: { kind: 'redis', redis: load({ file: { redis_port: redis.port, ...settings } }).redis },
    queries: 4,
    waiting: 4,
  });
  return { redis, client, ...served };
}

/** Stores ticks from the first one on. */
async function store(client: Redis, count: number): Promise<void> {
  for (let begin = 0; begin < count; begin += pipelineEntries) {
    const pipeline = client.pipeline();
    for (let index = begin; index < Math.min(count, begin + pipelineEntries); index++)
      pipeline.xadd(stream, `${timeOfTick(index)}-0`, 'time', timeOfTick(index), 'tick', lineOf(index));
    await pipeline.exec();
  }
}

const day = 'from=20260105&to=20260106';

describe('ticks from Redis', () => {
  it('come as they were stored', async () => {
    const { client } = await serve();
    await store(client, 3000);
    const all = await page(day);
    expect(all).toMatchObject({ source: 'redis', complete_from: timeOfTick(0), count: 3000, next: null });
    expect(all.ticks).toEqual(Array.from({ length: 3000 }, (_, index) => tickAsJson(index)));
    const some = await page(`from=${timeOfTick(2345)}&to=${timeOfTick(2400)}`);
    expect(some.ticks).toEqual(Array.from({ length: 55 }, (_, index) => tickAsJson(2345 + index)));
  });

  it('come page by page', async () => {
    const { client } = await serve();
    await store(client, 2600);
    const volumes: unknown[] = [];
    let query = `${day}&limit=1000`;
    for (;;) {
      const some = await page(query);
      volumes.push(...volumesOf(some));
      const { next } = some;
      if (next === null) break;
      query = `limit=1000&cursor=${next}`;
    }
    expect(volumes).toEqual(Array.from({ length: 2600 }, (_, index) => index));
  });

  it('have no gap that a client is not reported, where ticks after the cursor were dropped between two pages', async () => {
    const { client } = await serve();
    await store(client, 30);
    const next = (await page(`${day}&limit=10`)).next!;
    await client.xtrim(stream, 'MINID', timeOfTick(9));
    const second = await page(`limit=10&cursor=${next}`);
    expect(volumesOf(second)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    await client.xtrim(stream, 'MINID', timeOfTick(20));
    const response = await ask(`limit=10&cursor=${second.next!}`);
    expect(response.status).toBe(410);
    expect(await response.json()).toMatchObject({ error: { code: 'cursor_expired' } });
  });

  it('break off where ticks are dropped before they could be read', async () => {
    const { client, pool } = await serve();
    await store(client, 30_000);
    const response = await slowReader('from=20260105&to=20260301&limit=100000');
    await untilIs('all chunks to wait for the reader', () => pool.counters.chunks, 4);
    await client.xtrim(stream, 'MINID', timeOfTick(29_500));
    await expect(text(response)).rejects.toThrow('aborted');
    expect(pool.counters).toMatchObject({ failed: 1, answered: 0, chunks: 0 });
  });

  it('are found where they came late or early, since ids never step back', async () => {
    const { client } = await serve();
    const add = (idMs: number, index: number): Promise<string | null> =>
      client.xadd(stream, `${idMs}-*`, 'time', timeOfTick(index), 'tick', lineOf(index));
    await add(timeOfTick(100), 100);
    // The first is behind its predecessor, the second ahead of its receipt.
    await add(timeOfTick(100), 50);
    await add(timeOfTick(101), 160);
    await add(timeOfTick(170), 170);
    const volumes = async (from: number, to: number): Promise<unknown[]> =>
      volumesOf(await page(`from=${timeOfTick(from)}&to=${timeOfTick(to)}`));
    expect(await volumes(50, 51)).toEqual([50]);
    expect(await volumes(160, 161)).toEqual([160]);
    expect(await volumes(100, 170)).toEqual([100, 160]);
  });

  it('are skipped where somebody else has written what is no tick', async () => {
    const { client } = await serve();
    await store(client, 2);
    await client.xadd(stream, `${timeOfTick(2)}-0`, 'hello', 'world');
    await client.xadd(stream, `${timeOfTick(3)}-0`, 'tick', 'a,b,c');
    await client.xadd(stream, `${timeOfTick(4)}-0`, 'time', timeOfTick(4), 'tick', lineOf(4));
    expect(volumesOf(await page(day))).toEqual([0, 1, 4]);
    await client.set('qactpmd:ticks:SHFE.rb2605', 'no stream');
    expect((await fetch(addressOf('', 'rb2605'))).status).toBe(503);
  });

  it('are hundreds of thousands in one answer, with no more memory than ever, while ticks continue', async () => {
    const { client, pool, world } = await serve();
    const count = 300_000;
    await storeMany(client, stream, count);

    const live = await world.connectAction();
    await live.subscribe(['rb2601']);
    await live.settled();
    let sent = 0;
    const ticking = setInterval(
      () => world.tickAlone('rb2601', { volume: 1000 + sent, millisec: sent++ % 1000 }),
      2,
    );
    try {
      const { status, body } = await ask(
        `from=20260105&to=20260301&limit=${count}&format=csv&fields=timestamp`,
      );
      expect(status).toBe(200);
      let lines = -1;
      let last = '';
      for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
        const read = last + Buffer.from(chunk).toString('latin1');
        const rows = read.split('\n');
        last = rows.pop()!;
        for (const row of rows) {
          if (lines >= 0 && Number(row) !== timeOfTick(lines)) throw new Error(`line ${lines} is ${row}`);
          lines++;
        }
      }
      expect({ lines, last }).toEqual({ lines: count, last: '' });
    } finally {
      clearInterval(ticking);
    }
    expect(pool.counters).toMatchObject({ answered: 1, ticks: count, chunks: 0, failed: 0 });
    expect(pool.counters.mostChunks).toBeLessThanOrEqual(4);
    const frames = await live.settled();
    expect(frames.filter((frame) => frame['action'] === 'market_data')).toHaveLength(sent);
  }, 120_000);
});

describe('Redis as the settings describe it', () => {
  it('is read from the database and as the user that they name', async () => {
    const { client } = await serve({
      settings: { redis_db: 3, redis_username: 'reader', redis_password: 'secret' },
    });
    await client.acl('SETUSER', 'reader', 'on', '>secret', '~*', '+@all');
    await client.select(3);
    await store(client, 5);
    expect((await page(day)).count).toBe(5);
    await client.acl('SETUSER', 'reader', '>other', '<secret');
    await client.client('KILL', 'USER', 'reader');
    expect((await ask(day)).status).toBe(503);
  });

  it('is a cluster whose node in charge is asked', async () => {
    const port = await freePorts(2);
    const { client } = await serve({
      port,
      options: [
        '--cluster-enabled',
        'yes',
        '--cluster-port',
        `${port + 1}`,
        '--cluster-announce-ip',
        '127.0.0.1',
      ],
      settings: { redis_port: 1, redis_cluster_nodes: [`127.0.0.1:${port}`] },
    });
    await client.cluster('ADDSLOTS', ...Array.from({ length: 16_384 }, (_, slot) => slot));
    await until('the cluster to be whole', async () => (await client.cluster('INFO')).includes('state:ok'));
    await store(client, 5);
    expect((await page(day)).count).toBe(5);
  });
});

describe('without Redis', () => {
  it('a query is answered with an error at once, and the next one once Redis is back', async () => {
    const { redis, client } = await serve();
    await store(client, 10);
    expect((await page(day)).count).toBe(10);
    await redis.kill();
    const response = await ask(day);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: { code: 'history_unavailable' } });
    await startRedis(redis.port);
    expect((await page(day)).count).toBe(0);
  });

  it('an answer breaks off, and the client can tell', async () => {
    const { redis, client, pool } = await serve();
    await store(client, 60_000);
    const response = await slowReader('from=20260105&to=20260301&limit=100000');
    await untilIs('all chunks to wait for the reader', () => pool.counters.chunks, 4);
    await redis.kill();
    await expect(text(response)).rejects.toThrow('aborted');
    expect(pool.counters).toMatchObject({ failed: 1, answered: 0, chunks: 0 });
  });
});
