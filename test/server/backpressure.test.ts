import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until, untilIs } from '../helpers/until.js';
import { World, type Frame, type TestClient } from './world.js';

const kib = 1024;
const ids = ['rb2410', 'cu2406', 'm2409'];
let world: World;
beforeEach(async () => {
  world = await World.start({
    backpressure: {
      lagBytes: 256 * kib,
      holdBytes: 64 * kib,
      resumeBytes: 16 * kib,
      cutBytes: 2048 * kib,
      stallMs: 60_000,
      stallCheckMs: 20,
    },
  });
});
afterEach(() => world.stop());

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const volumeOf = (frame: Frame): number => (frame['data'] as { volume: number }).volume;

/** Ticks, some in each turn of the event loop, until the condition holds; the number of ticks of each instrument. */
async function tickUntil(condition: () => boolean): Promise<number> {
  let ticks = 0;
  for (; ticks < 200_000 && !condition(); ticks += 50) {
    for (let i = 0; i < 50; i++) for (const id of ids) world.tick(id);
    world.server.onBatchEnd();
    await turn();
  }
  if (!condition()) throw new Error('200,000 ticks were not enough');
  return ticks;
}

async function subscribed(options: Frame = {}): Promise<TestClient> {
  const client = await world.connectAction();
  await client.subscribe(ids, options);
  await client.settled();
  return client;
}

describe('a push client that reads too slowly', () => {
  it('leaves its channels with a bounded buffer, and others are not disturbed', async () => {
    const slow = await subscribed();
    const quick = await subscribed();
    slow.socket.pause();
    const ticks = await tickUntil(() => world.server.counters.laggedClients === 1);
    const before = world.server.counters.totalMessages;
    for (let i = 0; i < 1000; i++) for (const id of ids) world.tick(id);
    expect(world.server.counters.totalMessages - before).toBe(3000);
    const frames = await quick.settled();
    expect(frames.filter((frame) => frame['instrument_id'] === 'm2409').map(volumeOf)).toEqual(
      Array.from({ length: ticks + 1000 }, (_, i) => 101 + i),
    );
    expect(slow.closedWith).toBeUndefined();
  });

  it('gets the newest state when it reads again, and every tick from then on', async () => {
    const client = await subscribed();
    client.socket.pause();
    const ticks = await tickUntil(() => world.server.counters.laggedClients === 1);
    for (let i = 0; i < 1000; i++) for (const id of ids) world.tick(id);
    const last = 100 + ticks + 1000;
    client.socket.resume();
    const newest = new Map<string, number[]>(ids.map((id) => [id, []]));
    const take = (frame: Frame): void => {
      newest.get(frame['instrument_id'] as string)!.push(volumeOf(frame));
    };
    while (ids.some((id) => newest.get(id)!.at(-1) !== last)) take(await client.next());
    for (let i = 0; i < 10; i++) for (const id of ids) world.tick(id);
    (await client.settled()).forEach(take);
    for (const volumes of newest.values()) {
      const gaps = volumes.flatMap((volume, i) => (i > 0 && volume !== volumes[i - 1]! + 1 ? [i] : []));
      expect(volumes[0]).toBe(101);
      expect(gaps).toHaveLength(1);
      expect(volumes[gaps[0]!]).toBe(last);
      expect(volumes.at(-1)).toBe(last + 10);
    }
  });

  it('loses and repeats nothing when no further tick comes', async () => {
    const client = await subscribed();
    client.socket.pause();
    const volumes: number[] = [];
    for (let i = 0; world.server.counters.laggedClients === 0; i++) {
      if (i % 20 === 0) await turn();
      world.tick('rb2410');
      volumes.push(101 + i);
    }
    client.socket.resume();
    const frames: Frame[] = [];
    while (frames.length < volumes.length) frames.push(await client.next());
    world.tick('rb2410');
    frames.push(...(await client.settled()));
    expect(frames.map(volumeOf)).toEqual([...volumes, 101 + volumes.length]);
  });

  it('is caught up with a whole frame where it gets diffs', async () => {
    const client = await subscribed({ diff: true, fields: ['volume', 'last_price', 'upper_limit_price'] });
    client.socket.pause();
    await tickUntil(() => world.server.counters.laggedClients === 1);
    world.tick('rb2410', { lastPrice: 1, doubles: { upperLimitPrice: 9 } });
    world.tick('rb2410', { lastPrice: 1, doubles: { upperLimitPrice: 9 } });
    client.socket.resume();
    const state: Frame = {};
    while (state['upper_limit_price'] !== 9) {
      const frame = await client.next();
      if (frame['instrument_id'] === 'rb2410') Object.assign(state, frame['data']);
    }
    world.tick('rb2410', { lastPrice: 2, doubles: { upperLimitPrice: 9 } });
    for (const frame of await client.settled())
      if (frame['instrument_id'] === 'rb2410') Object.assign(state, frame['data']);
    const { slot } = world.directory.resolve('rb2410')!;
    expect(state).toEqual({
      last_price: 2,
      upper_limit_price: 9,
      volume: 100 + world.book.version(slot),
    });
  });

  it('may change its mind meanwhile', async () => {
    const client = await subscribed();
    client.socket.pause();
    await tickUntil(() => world.server.counters.laggedClients === 1);
    client.send({ action: 'unsubscribe', instruments: ['rb2410', 'cu2406'] });
    client.send({ action: 'subscribe', instruments: ['m2409', 'IF2406'], fields: ['volume'] });
    await until('the new set', () => !world.wanted.has('rb2410') && world.wanted.has('IF2406'));
    world.tick('m2409');
    world.tick('IF2406');
    client.socket.resume();
    while ((await client.next())['instrument_id'] !== 'IF2406');
    for (const id of ['rb2410', 'm2409', 'IF2406']) world.tick(id);
    const frames = await client.settled();
    expect(frames.map((frame) => [frame['instrument_id'], Object.keys(frame['data'] as Frame)])).toEqual([
      ['m2409', ['volume']],
      ['IF2406', ['volume']],
    ]);
  });

  it('has less leave when all clients together have much unread', async () => {
    await world.stop();
    world = await World.start({
      backpressure: {
        lagBytes: 512 * 1024 * kib,
        scarceLagBytes: 512 * kib,
        totalBytes: 256 * kib,
      },
    });
    const client = await subscribed();
    client.socket.pause();
    await tickUntil(() => world.server.counters.laggedClients === 1);
    client.socket.resume();
    const { slot } = world.directory.resolve('rb2410')!;
    const last = 100 + world.book.version(slot);
    for (;;) {
      const frame = await client.next();
      if (frame['instrument_id'] === 'rb2410' && volumeOf(frame) === last) break;
    }
  });

  it('may leave for good while it lags', async () => {
    const client = await subscribed();
    client.socket.pause();
    await tickUntil(() => world.server.counters.laggedClients === 1);
    client.socket.terminate();
    await untilIs('the client to leave', () => world.server.counters.activeSessions, 0);
    expect(world.wanted.size).toBe(0);
    for (const id of ids) world.tick(id);
  });
});

describe('a client that never reads', () => {
  it('is cut off with a line in the log when it gets pushes', async () => {
    await world.stop();
    world = await World.start({
      backpressure: {
        lagBytes: 256 * kib,
        holdBytes: 64 * kib,
        stallMs: 100,
        stallCheckMs: 20,
      },
    });
    const client = await subscribed();
    client.socket.pause();
    await tickUntil(() => world.server.counters.laggedClients === 1);
    await untilIs('the cut', () => world.server.counters.activeSessions, 0);
    expect(world.server.counters.cutOffClients).toBe(1);
    expect(world.logLines.join('')).toMatch(
      /client \d+ at 127\.0\.0\.1 is cut off: it has read nothing for \d+ ms, \d+ bytes wait for it/,
    );
    client.socket.resume();
    expect((await client.closed()).code).toBe(1006);
  });

  it('is cut off when it asks on and on', async () => {
    const client = await world.connectAction();
    client.socket.pause();
    for (let i = 0; i < 20_000 && world.server.counters.activeSessions > 0; i++) {
      client.send({ action: 'list_instruments' });
      if (i % 20 === 0) await turn();
    }
    await untilIs('the cut', () => world.server.counters.activeSessions, 0);
    expect(world.logLines.join('')).toContain('is cut off: it does not read');
  });

  it('costs nothing when it peeks on and on: answers wait and coalesce', async () => {
    const client = await world.connectAid();
    // The list is echoed in every answer, so a long one fills buffers soon.
    const others = Array.from({ length: 4000 }, (_, i) => `m2409-C-${i + 1}`);
    await client.subscribeQuote([...ids, ...others].join(','));
    client.peek();
    await client.rtnData();
    client.socket.pause();
    let ticks = 0;
    for (let unanswered = 0; unanswered < 200; ticks++) {
      const before = world.server.counters.totalMessages;
      client.peek();
      await turn();
      for (const id of ids) world.tick(id, { lastPrice: 3500 + (ticks % 9) });
      world.server.onBatchEnd();
      unanswered = world.server.counters.totalMessages > before ? 0 : unanswered + 1;
    }
    expect(world.server.counters.activeSessions).toBe(1);
    client.socket.resume();
    const volumes: number[] = [];
    const last = 100 + ticks;
    while (volumes.at(-1) !== last)
      volumes.push((await client.rtnData()).quotes['rb2410']!['volume'] as number);
    expect(volumes.length).toBeLessThanOrEqual(ticks - 198);
    expect(volumes).toEqual([...volumes].sort((a, b) => a - b));
  });
});
