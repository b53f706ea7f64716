import { get, type IncomingMessage } from 'node:http';
import { expect, onTestFinished } from 'vitest';
import { HistoryPool, type HistoryPoolParts } from '../../src/history/historyPool.js';
import { World } from '../server/world.js';

export interface Served {
  readonly pool: HistoryPool;
  readonly world: World;
}

export interface Page {
  instrument_id: string;
  from: number;
  to: number | null;
  source: string;
  complete_from: number | null;
  ticks: Record<string, unknown>[];
  count: number;
  next: string | null;
}

/** Of the server that the test has started last. */
let port = 0;

/** A pool whose threads do not fail. */
export function poolOf(options: Omit<HistoryPoolParts, 'onFault'>): HistoryPool {
  return new HistoryPool({
    ...options,
    onFault: (error) => {
      throw error;
    },
  });
}

/** A server that answers history queries, until the test ends. */
export async function serveTicks(options: Omit<HistoryPoolParts, 'onFault'>): Promise<Served> {
  const pool = poolOf(options);
  const world = await World.start({ history: pool });
  onTestFinished(async () => {
    await world.stop();
    await pool.close();
  });
  port = world.port;
  return { pool, world };
}

/** @param instrument as it stands in the address */
export function addressOf(query: string, instrument = 'rb2601'): string {
  return `http://127.0.0.1:${port}/api/history/ticks?instrument=${instrument}&${query}`;
}

export function ask(query: string, init: RequestInit = {}): Promise<Response> {
  return fetch(addressOf(query), init);
}

export async function page(query: string): Promise<Page> {
  const response = await ask(query);
  expect(response.status).toBe(200);
  return (await response.json()) as Page;
}

export function volumesOf({ ticks }: Page): unknown[] {
  return ticks.map(({ volume }) => volume);
}

/** A client that reads nothing of the answer until it is told to. */
export function slowReader(query: string, localAddress = '127.0.0.1'): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = get(addressOf(query), { agent: false, localAddress }, (response) => {
      response.pause();
      response.on('error', () => undefined);
      resolve(response);
    });
    request.on('error', reject);
    onTestFinished(() => void request.destroy());
  });
}
