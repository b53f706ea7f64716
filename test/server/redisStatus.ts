import type { RedisStatus } from '../../src/storage/shared/redisStatus.js';

/** Redis with ticks stored and waiting, not connected. */
export const redisStatus: RedisStatus = {
  enabled: true,
  connected: false,
  latency: '',
  trouble: 'connection refused',
  spill_trouble: '',
  stored: 1200,
  waiting: 90,
  spilled: 1,
  lost: 0,
  lag_ms: 1500,
  restarts: 0,
};
