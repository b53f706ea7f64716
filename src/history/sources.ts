import type { RedisConfig } from '../config/redisConfig.js';
import type { HistorySource } from './historySource.js';
import { RedisHistorySource } from './redisSource.js';
import { StreamReader } from './streamReader.js';
import { WindowSource } from './windowSource.js';

/** Where a thread takes ticks from. */
export type SourceSettings =
  | { readonly kind: 'memory'; readonly window: SharedArrayBuffer }
  | { readonly kind: 'redis'; readonly redis: RedisConfig };

export function sourceOf(settings: SourceSettings): HistorySource {
  if (settings.kind === 'memory') return new WindowSource(settings.window);
  const reader = new StreamReader(settings.redis);
  return new RedisHistorySource(
    (key, start, end, count, page) => reader.read(key, start, end, count, page),
    (key) => `${settings.redis.keyPrefix}ticks:${key}`,
  );
}
