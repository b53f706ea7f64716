import { Redis } from 'ioredis';
import type { RedisConfig } from '../config/redisConfig.js';
import type { HistorySource } from './historySource.js';
import { RedisSource, type ReadStream } from './redisSource.js';
import { WindowSource } from './windowSource.js';

/** Where a thread takes ticks from. */
export type SourceSettings =
  | { readonly kind: 'memory'; readonly window: SharedArrayBuffer }
  | { readonly kind: 'redis'; readonly redis: RedisConfig };

/** A connect or an answer that takes longer counts as an outage. */
const answerTimeoutMs = 5000;

export function sourceOf(settings: SourceSettings): HistorySource {
  if (settings.kind === 'memory') return new WindowSource(settings.window);
  return new RedisSource(redisReader(settings.redis), (key) => `${settings.redis.keyPrefix}ticks:${key}`);
}

/** Connects with the first reading, and anew after a connection has broken. */
function redisReader({ host, port, password }: RedisConfig): ReadStream {
  let client: Redis | undefined;
  return (key, start, end, count) => {
    if (client === undefined || client.status === 'end') {
      client = new Redis({
        host,
        port,
        ...(password === '' ? {} : { password }),
        connectTimeout: answerTimeoutMs,
        commandTimeout: answerTimeoutMs,
        maxRetriesPerRequest: 0,
        retryStrategy: () => null,
      });
      // Whoever waits for an answer hears of it.
      client.on('error', () => undefined);
    }
    return client.xrange(key, start, end, 'COUNT', count);
  };
}
