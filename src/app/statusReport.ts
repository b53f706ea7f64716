import type { GatewayConfig } from '../config/gatewayConfig.js';
import type { ConnectionReport } from '../coordinator/connections.js';
import type { CoordinatorCounts } from '../coordinator/assignment/instrumentCounts.js';
import { rankBrokers } from '../coordinator/measures/brokerRanking.js';
import { programVersion } from '../base/paths.js';
import type { RedisStatus } from '../storage/shared/redisStatus.js';
import type { HealthReport } from '../server/http/health.js';
import type { ConnectionStatusReport, FailedInstrument, StatusReport } from '../server/http/status.js';

export interface StatusParts {
  readonly status: HealthReport['status'];
  readonly uptimeMs: number;
  readonly config: GatewayConfig;
  readonly demand: CoordinatorCounts;
  readonly redis: RedisStatus;
  /** Bare ids. */
  readonly waiting: readonly string[];
  readonly failed: readonly FailedInstrument[];
  readonly connections: readonly ConnectionReport[];
}

let version: string | undefined;

/** Puts the body of GET /api/status together. */
export function statusReport(parts: StatusParts): StatusReport {
  const { status, uptimeMs, config, demand, redis, waiting, failed, connections } = parts;
  version ??= programVersion();
  return {
    status,
    version,
    pid: process.pid,
    uptime_s: Math.round(uptimeMs / 1000),
    strategy: config.loadBalanceStrategy,
    redundancy: config.redundancy,
    instruments: { wanted: demand.wanted, short: demand.short, ...demand.states },
    redis,
    waiting,
    failed,
    connections: connections.map((each) => connectionReport(each, Date.now())),
    brokers: rankBrokers(connections),
  };
}

function connectionReport(connection: ConnectionReport, now: number): ConnectionStatusReport {
  const { race, lastTickMs } = connection;
  return {
    id: connection.id,
    broker_id: connection.brokerId,
    broker_name: connection.brokerName,
    fronts: connection.fronts,
    state: connection.state,
    reason: reasonOf(connection),
    quality: connection.quality,
    why: connection.why,
    subscriptions: connection.subscriptions,
    max_subscriptions: connection.maxSubscriptions,
    priority: connection.priority,
    ticks: connection.ticks,
    ticks_per_s: rounded(connection.ticksPerSecond),
    delay_p50_ms: rounded(race.delayP50Ms),
    delay_p99_ms: rounded(race.delayP99Ms),
    first_share: rounded(race.firstShare),
    reconnects: connection.reconnects,
    login_failures: connection.loginFailures,
    last_error: connection.lastError,
    last_tick_ms: rounded(now - lastTickMs),
  };
}

function reasonOf({ retiring, isReplaced, reason }: ConnectionReport): string {
  if (retiring) return 'is being closed: its instruments move to others';
  return isReplaced ? 'goes when the connection that replaces it is logged in' : reason;
}

/** To three places; null for what is not known. */
function rounded(value: number): number | null {
  return Number.isNaN(value) ? null : Math.round(value * 1000) / 1000;
}
