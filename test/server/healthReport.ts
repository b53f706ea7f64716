import { noTicks } from '../../src/market/quotes/rejections.js';
import type { HealthReport } from '../../src/server/http/health.js';
import { redisStatus } from './redisStatus.js';

/** What a gateway without connections, instruments and ticks reports. */
export const emptyHealth: HealthReport = {
  status: 'healthy',
  connections: [],
  instruments: {
    wanted: 0,
    waiting: 0,
    refused: 0,
    short: 0,
    stale: 0,
    unproven: 0,
    unproven_waiting: 0,
    slots: 0,
    free_slots: 0,
    no_slots: 0,
  },
  ticks: { ...noTicks(), missed: 0 },
  off_session: { instruments: 0, opened_days: [] },
  redis: redisStatus,
};
