import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { chunkBytes, chunksPerQuery } from '../../src/history/chunkSender.js';
import { allocateWindow, type WindowWriter } from '../../src/history/tickWindow.js';
import { appendTick, fillWindow, stepMs, tickAsJson, timeOfTick } from '../history/storedTicks.js';
import {
  addressOf,
  ask,
  page,
  serveTicks,
  slowReader,
  type Page,
  type Served,
} from '../history/tickServer.js';
import { untilIs } from '../helpers/until.js';
import { World } from './world.js';

const key = 'SHFE.rb2601';

interface Filled extends Served {
  writer: WindowWriter;
}

/** A server whose window has ticks of rb2601. */
async function serve({ ticks = 0, megabytes = 16, queries = 4, waiting = 4 } = {}): Promise<Filled> {
  const memory = allocateWindow(megabytes * 1_048_576, 1);
  const writer = fillWindow(memory, 0, key, 0, ticks);
  const served = await serveTicks({ source: { kind: 'memory', window: memory }, queries, waiting });
  return { writer, ...served };
}

/** As CSV has a value of JSON. */
function cellOf(value: unknown): string {
  if (Array.isArray(value)) return value.join('|');
  return typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value);
}

const day = 'from=20260105&to=20260110';

describe('GET /api/history/ticks', () => {
  it('gives the ticks of an interval, and none at its end', async () => {
    await serve({ ticks: 1000 });
    const [from, to] = [timeOfTick(100), timeOfTick(110)];
    const { ticks, ...head } = await page(`from=${from}&to=${to}`);
    expect(head).toEqual({
      instrument_id: key,
      from,
      to,
      source: 'memory',
      complete_from: timeOfTick(0),
      count: 10,
      next: null,
    });
    expect(ticks).toEqual(Array.from({ length: 10 }, (_, index) => tickAsJson(100 + index)));
  });

  it('says where ticks come from before the first one', async () => {
    await serve({ ticks: 10 });
    const response = await ask(day);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'access-control-allow-origin': '*',
      'x-history-source': 'memory',
      'x-history-complete-from': `${timeOfTick(0)}`,
    });
    expect(response.headers.get('access-control-expose-headers')).toContain('x-history-complete-from');
  });

  it('gives the same ticks as ndjson and csv', async () => {
    await serve({ ticks: 25 });
    const lines = (await (await ask(`${day}&format=ndjson`)).text()).split('\n');
    expect(lines.pop()).toBe('');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(
      Array.from({ length: 25 }, (_, index) => tickAsJson(index)),
    );

    const response = await ask(`${day}&format=csv`);
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    const [header, ...rows] = (await response.text()).trimEnd().split('\n');
    expect(header!.split(',')).toEqual(Object.keys(tickAsJson(0)));
    expect(rows).toHaveLength(25);
    for (const [index, row] of rows.entries())
      expect(row.split(',')).toEqual(Object.values(tickAsJson(index)).map((value) => cellOf(value)));
  });

  it('gives the fields that are asked for', async () => {
    await serve({ ticks: 3 });
    const { ticks } = await page(
      `${day}&fields=flags,ask_price5,update_millisec,update_time,instrument_id,volume`,
    );
    expect(ticks[1]).toEqual({
      instrument_id: key,
      update_time: '09:00:00',
      update_millisec: 500,
      volume: 1,
      ask_price5: null,
      flags: [],
    });
  });

  it.each(['json', 'ndjson', 'csv'])(
    'comes page by page as %s, nothing missing and nothing twice',
    async (format) => {
      await serve({ ticks: 250 });
      const volumes: number[] = [];
      let next: string | undefined;
      let pages = 0;
      do {
        const cursor = next === undefined ? day : `cursor=${next}`;
        const body = await (await ask(`${cursor}&limit=50&fields=volume&format=${format}`)).text();
        next = /(?:"next":"|# next=)([\w-]+)/.exec(body)?.[1];
        if (format === 'csv') volumes.push(...[...body.matchAll(/^\d+$/gm)].map(Number));
        else volumes.push(...[...body.matchAll(/"volume":(\d+)/g)].map(([, volume]) => Number(volume)));
        pages++;
      } while (next !== undefined);
      expect(pages).toBe(5);
      expect(volumes).toEqual(Array.from({ length: 250 }, (_, index) => index));
    },
  );

  it('says that nothing is kept of an instrument', async () => {
    await serve();
    expect(await page(day)).toMatchObject({ ticks: [], count: 0, next: null, complete_from: null });
    expect(await (await ask(`${day}&format=ndjson`)).text()).toBe('');
    expect((await (await ask(`${day}&format=csv`)).text()).trimEnd().split('\n')).toHaveLength(1);
  });

  it('takes ticks in from one moment to the next', async () => {
    const { writer } = await serve({ ticks: 5 });
    expect((await page(day)).count).toBe(5);
    appendTick(writer, 0, key, 5);
    expect((await page(day)).count).toBe(6);
  });

  it('refuses what is wrong, and says what', async () => {
    await serve();
    const response = await ask('limit=many');
    expect(response.status).toBe(400);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(await response.json()).toEqual({
      error: {
        code: 'invalid_query',
        message: 'limit must be an integer from 1 to 10000000; not "many"',
        parameter: 'limit',
        value: 'many',
      },
    });
  });

  it.each(['..%2f..%2fetc%2fpasswd', '%00', 'rb2601%00', '%ff', 'x'.repeat(3000), '*', '%0d%0aset-cookie:x'])(
    'refuses the instrument %s',
    async (instrument) => {
      await serve();
      const address = addressOf('', instrument);
      const response = await fetch(address);
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({
        error: { code: 'unknown_instrument', parameter: 'instrument' },
      });
      expect(response.headers.get('set-cookie')).toBeNull();
    },
  );

  it.each([
    ['RB2407', ['rb2407']],
    ['SHFE.Rb2407', ['SHFE.rb2407']],
    ['SR2407', ['SR407']],
    ['xyz9', []],
  ])('says what may have been meant by %s', async (instrument, suggestions) => {
    await serve();
    const address = addressOf('', instrument);
    const response = await fetch(address);
    expect(response.status).toBe(404);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    const { error } = (await response.json()) as { error: { message: string } };
    expect(error).toMatchObject({ code: 'unknown_instrument', value: instrument, suggestions });
    expect(error.message).toContain(`no such instrument: "${instrument}" (`);
    for (const each of suggestions) expect(error.message).toContain(`did you mean ${each}?`);
    expect((await fetch(address, { method: 'HEAD' })).status).toBe(404);
  });

  it('knows a cursor whose ticks are gone', async () => {
    const { writer } = await serve({ ticks: 100, megabytes: 0.1 });
    const { next } = await page(`${day}&limit=10`);
    for (let index = 100; index < 20_000; index++) appendTick(writer, 0, key, index);
    const response = await ask(`cursor=${next!}`);
    expect(response.status).toBe(410);
    expect(await response.json()).toMatchObject({ error: { code: 'cursor_expired' } });
  });

  it('answers HEAD without a query, and a preflight', async () => {
    const { pool } = await serve({ ticks: 5 });
    const head = await ask(`${day}&format=csv`, { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(head.headers.get('content-type')).toContain('text/csv');
    expect((await ask('limit=0', { method: 'HEAD' })).status).toBe(400);
    const preflight = await ask('', { method: 'OPTIONS' });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
    expect(pool.counters.answered).toBe(0);
  });

  it('is not there where nothing is kept', async () => {
    const world = await World.start();
    onTestFinished(() => world.stop());
    const response = await fetch(`http://127.0.0.1:${world.port}/api/history/ticks?instrument=rb2601`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: 'history_off' } });
  });
});

describe('a long answer', () => {
  const ticks = 60_000;
  const all = `from=20260105&to=20260301&limit=${ticks * 2}`;
  /** More than what a connection holds that nobody reads from. */
  const answerBytes = ticks * 500;

  it('comes whole', async () => {
    await serve({ ticks });
    const { count, ticks: got } = await page(all);
    expect(count).toBe(ticks);
    expect(got.map(({ volume }) => volume)).toEqual(Array.from({ length: ticks }, (_, index) => index));
  });

  it('waits for a slow reader with a few chunks, and lets others pass', async () => {
    const { pool } = await serve({ ticks });
    const slow = await slowReader(all);
    await untilIs('all chunks to wait for the reader', () => pool.counters.chunks, chunksPerQuery);
    expect((await page('from=20260105&to=20260106&limit=10')).count).toBe(10);
    expect(pool.counters.answered).toBe(1);
    expect(pool.counters.mostChunks).toBeLessThanOrEqual(chunksPerQuery + 1);

    const body = await text(slow);
    expect((JSON.parse(body) as Page).count).toBe(ticks);
    expect(body.length).toBeGreaterThan(answerBytes / 2);
    expect(body.length).toBeGreaterThan(chunksPerQuery * chunkBytes * 10);
    await untilIs('the query to end', () => pool.counters.running, 0);
    expect(pool.counters).toMatchObject({ chunks: 0, answered: 2, failed: 0 });
  });

  it('stops when its client leaves', async () => {
    const { pool } = await serve({ ticks });
    const slow = await slowReader(all);
    await untilIs('all chunks to wait for the reader', () => pool.counters.chunks, chunksPerQuery);
    slow.destroy();
    await untilIs('the query to end', () => pool.counters.running, 0);
    expect(pool.counters).toMatchObject({ cancelled: 1, answered: 0, failed: 0, chunks: 0, waiting: 0 });
  });

  it('breaks off, and the client can tell, when the server closes', async () => {
    const { pool, world } = await serve({ ticks });
    const slow = await slowReader(all);
    await untilIs('all chunks to wait for the reader', () => pool.counters.chunks, chunksPerQuery);
    await world.server.close(1000);
    await expect(text(slow)).rejects.toThrow('aborted');
    await untilIs('the query to end', () => pool.counters.running, 0);
  });

  it('breaks off when its ticks are dropped from memory meanwhile', async () => {
    const { pool, writer } = await serve({ ticks, megabytes: 3 });
    const slow = await slowReader(all);
    await untilIs('all chunks to wait for the reader', () => pool.counters.chunks, chunksPerQuery);
    for (let index = ticks; index < ticks * 3; index++) appendTick(writer, 0, key, index);
    await expect(text(slow)).rejects.toThrow('aborted');
    expect(pool.counters).toMatchObject({ failed: 1, answered: 0 });
  });

  it('keeps others waiting, and then refuses them', async () => {
    const { pool } = await serve({ ticks, queries: 2, waiting: 1 });
    const slow = [await slowReader(all), await slowReader(all)];
    await untilIs('two queries to wait for their readers', () => pool.counters.chunks, 2 * chunksPerQuery);
    const small = 'from=20260105&to=20260106&limit=3';
    const third = page(small);
    await untilIs('the third to wait', () => pool.counters.waiting, 1);

    const fourth = await ask(small);
    expect(fourth.status).toBe(503);
    expect(fourth.headers.get('retry-after')).toBe('1');
    expect(fourth.headers.get('access-control-allow-origin')).toBe('*');
    expect(await fourth.json()).toMatchObject({ error: { code: 'history_busy' } });

    slow[0]!.destroy();
    expect((await third).count).toBe(3);
    expect((await page(small)).count).toBe(3);
    expect((JSON.parse(await text(slow[1]!)) as Page).count).toBe(ticks);
    await untilIs('all queries to end', () => pool.counters.running, 0);
    expect(pool.counters).toMatchObject({ waiting: 0, cancelled: 1, refused: 1, answered: 3 });
  });

  it('leaves places to other addresses, whatever one address asks for', async () => {
    const { pool } = await serve({ ticks, queries: 4, waiting: 1 });
    const slow = [await slowReader(all), await slowReader(all), await slowReader(all)];
    await untilIs('three to be answered', () => pool.counters.running, 3);
    const small = 'from=20260105&to=20260106&limit=3';
    const fourth = page(small);
    await untilIs('the fourth to wait, though there is room', () => pool.counters.waiting, 1);
    const fifth = await ask(small);
    expect(fifth.status).toBe(429);
    expect(fifth.headers.get('retry-after')).toBe('1');
    expect(await fifth.json()).toMatchObject({ error: { code: 'history_busy' } });

    expect(JSON.parse(await text(await slowReader(small, '127.0.0.2')))).toMatchObject({ count: 3 });
    expect(pool.counters).toMatchObject({ waiting: 1, answered: 1, refused: 1 });
    for (const each of slow) each.destroy();
    expect((await fourth).count).toBe(3);
  });

  it('is forgotten when its client leaves before its turn', async () => {
    const { pool } = await serve({ ticks, queries: 1, waiting: 1 });
    const slow = await slowReader(all);
    await untilIs('the first query to wait for its reader', () => pool.counters.chunks, chunksPerQuery);
    const leaving = new AbortController();
    const second = ask(all, { signal: leaving.signal });
    await untilIs('the second to wait', () => pool.counters.waiting, 1);
    leaving.abort();
    await expect(second).rejects.toThrow();
    await untilIs('the second to be forgotten', () => pool.counters.waiting, 0);
    expect((JSON.parse(await text(slow)) as Page).count).toBe(ticks);
    await untilIs('the query to end', () => pool.counters.running, 0);
    expect(pool.counters).toMatchObject({ cancelled: 1, answered: 1 });
  });

  it('survives clients that come and go by the hundred', async () => {
    const { pool } = await serve({ ticks: 5000 });
    for (let round = 0; round < 20; round++)
      await Promise.allSettled(
        Array.from({ length: 10 }, (_, index) => ask(all, { signal: AbortSignal.timeout(index) })),
      );
    await untilIs('all queries to end', () => pool.counters.running + pool.counters.waiting, 0);
    expect(pool.counters).toMatchObject({ failed: 0, chunks: 0 });
    expect((await page(`from=${timeOfTick(0)}&to=${timeOfTick(0) + 10 * stepMs}`)).count).toBe(10);
  });
});
