import type { ConnectionReport } from '../coordinator/connections.js';
import type { CoordinatorCounts } from '../coordinator/assignment/instrumentCounts.js';
import type { SlotFigures } from '../market/instruments/instrumentSlots.js';
import type { BookCounters } from '../market/quotes/rejections.js';
import type { HealthReport, OffSessionHealth } from '../server/http/health.js';
import type { SinksHealth } from '../sinks/sinks.js';

export interface HealthParts {
  readonly connections: readonly ConnectionReport[];
  readonly demand: CoordinatorCounts;
  readonly sinks: SinksHealth;
  /** Instruments that should tick and do not. */
  readonly stale: number;
  readonly slots: SlotFigures;
  readonly ticks: BookCounters & { readonly missed: number };
  readonly offSession: OffSessionHealth;
}

/**
 * Puts the body of GET /health together. Healthy: every connection is logged in, every proven instrument has its lines, and
 * what keeps ticks can write them; unhealthy: no connection is logged in, not even one that
 * carries on until another has taken its place.
 */
export function healthReport(parts: HealthParts): HealthReport {
  const { connections: all, demand, sinks, stale, slots, ticks, offSession } = parts;
  const connections = all.filter((each) => !each.retiring && !each.isReplaced);
  const { wanted, waiting, refused, short, unproven, unprovenWaiting } = demand;
  const up = connections.filter(isUp).length;
  const whole = up === connections.length && waiting === 0 && short === 0 && sinks.failures.size === 0;
  return {
    status: !all.some(isUp) ? 'unhealthy' : whole ? 'healthy' : 'degraded',
    connections: connections.map((each) => ({
      id: each.id,
      status: each.state,
      quality: each.quality,
      subscriptions: each.subscriptions,
      broker_id: each.brokerId,
      ...brokerNameOf(each),
      reconnects: each.reconnects,
      ticks: each.ticks,
      reason: each.reason,
    })),
    instruments: {
      wanted,
      waiting,
      refused,
      short,
      stale,
      unproven,
      unproven_waiting: unprovenWaiting,
      slots: slots.used,
      free_slots: slots.free,
      no_slots: slots.refused,
    },
    ticks,
    off_session: offSession,
    ...sinks.reports,
  };
}

function isUp({ state }: ConnectionReport): boolean {
  return state === 'logged_in';
}

/** Connections whose broker has no name in the configuration have no such member. */
function brokerNameOf({ brokerName }: ConnectionReport): { broker_name?: string } {
  return brokerName === '' ? {} : { broker_name: brokerName };
}
