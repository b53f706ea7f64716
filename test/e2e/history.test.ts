import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { storeMany } from '../history/storedTicks.js';
import { freePort } from './ports.js';
import { startRedis } from '../storage/redisServer.js';
import { Client } from './client.js';
import { GatewayProcess } from './processes.js';
import { until, untilIs } from '../helpers/until.js';

let gateway: GatewayProcess | undefined;
afterEach(async () => {
  await gateway?.stop('SIGKILL');
});

interface History {
  source: string;
  running: number;
  chunks: number;
  memory_mb: number;
}

interface Page {
  source: string;
  ticks: { volume: number; timestamp: number }[];
  count: number;
  next: string | null;
}

/** A gateway whose library makes ticks by itself, `rate` a second, and a client of one instrument that gets them. */
async function start(rate: number, config: object = {}): Promise<{ client: Client; instrument: string }> {
  gateway = new GatewayProcess({
    connections: [{ connection_id: 'one', front_addr: `sim://?rate=${rate}` }],
    ...config,
  });
  await gateway.loggedIn();
  const client = await Client.connect(`${await gateway.url()}?protocol=action`);
  client.send({ action: 'list_instruments', search: 'rb' });
  const list = await client.next('the list', (frame) => frame['action'] === 'list_instruments');
  const instrument = (list['instruments'] as string[])[0]!;
  client.send({ action: 'subscribe', instruments: [instrument], fields: ['volume', 'timestamp'] });
  return { client, instrument };
}

async function ask(query: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${await gateway!.port()}/api/history/ticks?${query}`);
}

async function history(): Promise<History> {
  return ((await gateway!.health()).body as unknown as { history: History }).history;
}

function volumesOf(client: Client): number[] {
  return client.frames
    .filter((frame) => frame['action'] === 'market_data')
    .map((frame) => (frame['data'] as { volume: number }).volume);
}

/** A client that reads nothing of the answer until it is told to. */
async function openSlowly(query: string): Promise<IncomingMessage> {
  const address = `http://127.0.0.1:${await gateway!.port()}/api/history/ticks?${query}`;
  return new Promise((resolve, reject) => {
    const request = get(address, { agent: false }, (response) => resolve(response.pause()));
    request.on('error', reject);
    onTestFinished(() => void request.destroy());
  });
}

describe('stored ticks of a gateway without Redis', () => {
  it('are those that clients have seen, in the same order, page by page', async () => {
    const { client, instrument } = await start(500);
    await until('a thousand ticks', () => volumesOf(client).length >= 1000);
    const seen = volumesOf(client);
    const stored: number[] = [];
    let cursor = '';
    await until('the newest of them to be stored', async () => {
      const page = (await (await ask(`instrument=${instrument}&limit=300${cursor}`)).json()) as Page;
      expect(page.source).toBe('memory');
      stored.push(...page.ticks.map(({ volume }) => volume));
      if (page.next === null) return true;
      cursor = `&cursor=${page.next}`;
      return false;
    });
    expect(holds(stored, seen)).toBe(true);
    expect((await history()).memory_mb).toBeGreaterThan(0);
    await client.close();
  });
});

/** Whether one list is in the other, in one piece. Ticks without a trade have the volume of the one before. */
function holds(stored: readonly number[], seen: readonly number[]): boolean {
  return `,${stored.join()},`.includes(`,${seen.join()},`);
}

describe('stored ticks of a gateway with Redis', () => {
  it('are those that clients have seen, and the gateway stops in order during an answer', async () => {
    const redis = await startRedis(await freePort());
    const store = new Redis({ port: redis.port });
    onTestFinished(() => store.disconnect());
    const { client, instrument } = await start(500, { redis_enabled: true, redis_port: redis.port });
    await until('some hundred ticks', () => volumesOf(client).length >= 300);
    const seen = volumesOf(client);
    await until('all of them to be stored', async () => {
      const page = (await (await ask(`instrument=${instrument}`)).json()) as Page;
      expect(page.source).toBe('redis');
      const stored = page.ticks.map(({ volume }) => volume);
      return holds(stored, seen);
    });

    await storeMany(store, 'qactpmd:ticks:SHFE.rb2601', 60_000);
    const slow = await openSlowly('instrument=SHFE.rb2601&from=20260105&to=20260301&limit=100000');
    await untilIs('the answer to wait for its reader', async () => (await history()).chunks, 4);
    const before = volumesOf(client).length;
    await until('more ticks', () => volumesOf(client).length > before + 100);
    expect(await gateway!.stop()).toBe(0);
    await expect(text(slow)).rejects.toThrow('aborted');
  });
});

describe('a gateway that keeps no ticks', () => {
  it('says so', async () => {
    const { client, instrument } = await start(10, { history_memory: 0 });
    const response = await ask(`instrument=${instrument}`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: 'history_off' } });
    expect(await history()).toBeUndefined();
    await client.close();
  });
});
