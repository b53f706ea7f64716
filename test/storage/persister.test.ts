import { describe, expect, it } from 'vitest';
import { Field } from '../../src/market/quotes/quoteFields.js';
import { allocateProgress, PersisterProgress } from '../../src/storage/shared/persisterProgress.js';
import { until, untilIs } from '../helpers/until.js';
import { freePort } from '../e2e/ports.js';
import { startRedis } from './redisServer.js';
import { clientOf, runPersister } from './running.js';
import { readStream } from './storeReader.js';
import { TapeMarket } from './tapeMarket.js';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('the persister', () => {
  it('stores every tick once and in order, and the newest state', async () => {
    const { port } = await startRedis(await freePort());
    const market = new TapeMarket(['SHFE.rb2605', 'DCE.SP a2605&a2609', 'CZCE.SR605']);
    const running = runPersister(market.tape, port);
    market.batch(3000);
    await until('the first ticks', () => running.persister.status().stored > 0);
    market.batch(3000);
    await running.settled();
    const redis = clientOf(port);
    for (const [slot, key] of market.keys.entries()) {
      const ticks = await readStream(redis, key);
      expect(ticks.map(({ volume }) => volume)).toEqual(numbers(2000));
      expect(ticks.every(({ id, timeMs }) => id === `${timeMs}-0`)).toBe(true);
      expect(new Set(ticks.map(({ seq }) => seq)).size).toBe(2000);
      const name = `qactpmd:quote:${key}`;
      await untilIs('the newest state', async () => await redis.hget(name, 'volume'), '2000');
      const quote = await redis.hgetall(name);
      expect(quote).toMatchObject({ volume: '2000', last_price: '3500', bid_price1: '3499', flags: '0' });
      expect(Number(quote['timestamp'])).toBe(market.beginMs + 2000 * 500);
      expect(quote).not.toHaveProperty('ask_price1');
      market.tick(slot);
    }
    market.batch(0);
    await running.settled();
    // What has become absent is taken out of the hash.
    await until(
      'the newest state',
      async () => !(await redis.hexists('qactpmd:quote:CZCE.SR605', 'bid_price1')),
    );
    expect(running.persister.status()).toMatchObject({ stored: 6003, lost: 0, connected: true, lagMs: 0 });
    expect(running.lines()).toEqual([`info: Redis at 127.0.0.1:${port} is connected`]);
  });

  it('gives ids that never step back, and none from the future', async () => {
    const { port } = await startRedis(await freePort());
    const market = new TapeMarket(['SHFE.rb2605']);
    const running = runPersister(market.tape, port);
    const now = Date.now();
    const offsets = [0, 500, -3_600_000, 500, 59_000, 90_000, 1000, 86_400_000];
    for (const offset of offsets) {
      market.alter = (row) => (row[Field.timestamp] = now + offset);
      market.tick(0, now);
    }
    market.batch(0);
    await running.settled();
    const ticks = await readStream(clientOf(port), 'SHFE.rb2605');
    expect(ticks.map(({ timeMs }) => timeMs - now)).toEqual(offsets);
    expect(ticks.map(({ id }) => id)).toEqual([
      `${now}-0`,
      `${now + 500}-0`,
      `${now + 500}-1`,
      `${now + 500}-2`,
      `${now + 59_000}-0`,
      `${now + 59_000}-1`,
      `${now + 59_000}-2`,
      `${now + 59_000}-3`,
    ]);
  });

  it('continues where the thread before it has ended, with what that did not store and nothing else', async () => {
    const { port } = await startRedis(await freePort());
    const market = new TapeMarket(['SHFE.rb2605', 'DCE.m2605']);
    const progress = allocateProgress();
    const first = runPersister(market.tape, port, { run: 'same', progress });
    market.batch(1000);
    await first.settled();
    await first.stop();
    expect(new PersisterProgress(progress).next).toBe(1000);
    market.batch(500);
    // It did not live to say that it has stored some of these.
    new PersisterProgress(progress).reach(900, 0);
    const second = runPersister(market.tape, port, { run: 'same', progress });
    await second.settled();
    await untilIs('the progress', () => new PersisterProgress(progress).next, 1500);
    const redis = clientOf(port);
    for (const key of market.keys) {
      const ticks = await readStream(redis, key);
      expect(ticks.map(({ volume }) => volume)).toEqual(numbers(750));
      expect(ticks.map(({ seq }) => Number(seq.split('.')[1])).every((n, i) => n >> 1 === i)).toBe(true);
    }
    expect(second.persister.status()).toMatchObject({ lost: 0 });
  });

  it('counts as stored what is in the stream alone, also where somebody else writes to it', async () => {
    const { port } = await startRedis(await freePort());
    const redis = clientOf(port);
    const market = new TapeMarket(['SHFE.rb2605']);
    const running = runPersister(market.tape, port);
    market.batch(100);
    await running.settled();
    const id = (volume: number): string => `${market.beginMs + volume * 500}-0`;
    await redis.xadd('qactpmd:ticks:SHFE.rb2605', id(150), 'other', '1');
    market.batch(100);
    await running.settled();
    const { stored, lost } = running.persister.status();
    const entries = await redis.xrange('qactpmd:ticks:SHFE.rb2605', '-', '+');
    expect({ stored, all: stored + lost }).toEqual({ stored: entries.length - 1, all: 200 });
    expect(lost).toBeGreaterThan(0);
    expect(running.lines().at(-1)).toMatch(/^error: qactpmd:ticks:SHFE\.rb2605: somebody else writes to it/);
  });
});
