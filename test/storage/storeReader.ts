import { Redis, type RedisOptions } from 'ioredis';
import { Field, fieldCount } from '../../src/market/quotes/quoteFields.js';
import { decodeTick } from '../../src/tickText/tickCodec.js';

/** An entry of a stream as it was stored. */
export interface StoredTick {
  readonly id: string;
  readonly timeMs: number;
  readonly seq: string;
  readonly volume: number;
  readonly row: Float64Array;
  readonly flags: number;
  readonly receivedMs: number;
}

export function parseEntry([id, fields]: [string, string[]]): StoredTick {
  const member = (name: string): string => fields[fields.indexOf(name) + 1]!;
  const row = new Float64Array(fieldCount);
  const head = decodeTick(member('tick'), row);
  if (head === undefined) throw new Error(`entry ${id} holds no tick: ${member('tick')}`);
  return { id, timeMs: Number(member('time')), seq: member('seq'), volume: row[Field.volume]!, row, ...head };
}

/** Everything in an instrument's stream, the oldest first. */
export async function readStream(redis: Redis, key: string): Promise<StoredTick[]> {
  const ticks: StoredTick[] = [];
  let from = '-';
  for (;;) {
    const entries = await redis.xrange(`qactpmd:ticks:${key}`, from, '+', 'COUNT', 5000);
    ticks.push(...entries.map(parseEntry));
    if (entries.length < 5000) return ticks;
    from = `(${ticks.at(-1)!.id}`;
  }
}

/** A client of a test server; to be closed by anyone who opens it. */
export function openClient(port: number, options: RedisOptions = {}): Redis {
  const client = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 20, ...options });
  client.on('error', () => undefined);
  return client;
}
