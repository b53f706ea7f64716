import type { HistoryStatus } from '../../history/history.js';
import type { BookCounters } from '../../market/quotes/rejections.js';
import type { RecorderStatus } from '../../recorder/recorder.js';
import type { RedisStatus } from '../../storage/shared/redisStatus.js';

/** What the gateway reports of itself in /health; the server adds the time and its own figures. docs/health.md lists all members. */
export interface HealthReport {
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  readonly connections: readonly ConnectionHealth[];
  readonly instruments: InstrumentHealth;
  readonly ticks: BookCounters & { readonly missed: number };
  readonly off_session: OffSessionHealth;
  readonly redis: RedisStatus;
  /** Absent where no ticks are kept for queries. */
  readonly history?: HistoryStatus;
  /** Absent where nothing is recorded. */
  readonly recorder?: RecorderStatus;
}

export interface ConnectionHealth {
  readonly id: string;
  readonly status: 'disconnected' | 'connecting' | 'connected' | 'logged_in' | 'error';
  /** 0 to 100. */
  readonly quality: number;
  readonly subscriptions: number;
  readonly broker_id: string;
  /** Absent where the configuration has none. */
  readonly broker_name?: string;
  readonly reconnects: number;
  readonly ticks: number;
  readonly reason: string;
}

/** Numbers of instruments. */
export interface InstrumentHealth {
  readonly wanted: number;
  readonly waiting: number;
  readonly refused: number;
  readonly short: number;
  readonly stale: number;
  readonly unproven: number;
  readonly unproven_waiting: number;
  readonly slots: number;
  readonly free_slots: number;
  readonly no_slots: number;
}

export interface OffSessionHealth {
  readonly instruments: number;
  /** yyyymmdd */
  readonly opened_days: readonly number[];
}

/** The server's own figures since it started. */
export interface ServerCounters {
  readonly activeSessions: number;
  /** Frames that were sent to clients. */
  readonly totalMessages: number;
  /** Frames from clients that were outside the grammar. */
  readonly badFrames: number;
  /** Clients that were not let in, for any reason but their origin. */
  readonly refusedClients: number;
  /** Web pages of other origins that were not let in. */
  readonly refusedOrigins: number;
  /** HTTP requests that were refused because their address sends too many. */
  readonly refusedRequests: number;
  /** How often a client's requests began to wait for an allowance. */
  readonly delayedClients: number;
  /** Clients closed because too many of their requests waited, or because they made the gateway keep too much. */
  readonly closedOverLimit: number;
  /** Bytes that clients make the gateway keep. */
  readonly keptBytes: number;
  /** Connections cut off because of messages that clients did not end. */
  readonly cutUnfinished: number;
  /** How often no connections were accepted for want of descriptors. */
  readonly acceptPauses: number;
  /** Connections cut off because their address had the most when no descriptor was left. */
  readonly cutConnections: number;
  /** Frames with chosen fields that were not made because their addresses had used up their share. */
  readonly skippedViews: number;
  /** How often a push client began to lag. */
  readonly laggedClients: number;
  /** Clients that were cut off because they did not read. */
  readonly cutOffClients: number;
}

/** Members that the server adds to the report. */
export interface ServerHealth {
  /** UTC, to the second. */
  readonly timestamp: string;
  readonly websocket: { readonly active_sessions: number; readonly total_messages: number };
  readonly limits: {
    readonly refused_clients: number;
    readonly refused_origins: number;
    readonly refused_requests: number;
    readonly delayed_clients: number;
    readonly closed_clients: number;
    readonly kept_bytes: number;
    readonly cut_unfinished: number;
    readonly accept_pauses: number;
    readonly cut_connections: number;
    readonly skipped_views: number;
  };
}

/** Body of GET /health: the names are fixed by the protocol, more may be added. */
export type HealthBody = HealthReport & ServerHealth;

/** The body of GET /health, as JSON. */
export function healthBody(report: HealthReport, counters: ServerCounters, nowMs: number): string {
  const body: HealthBody = {
    ...report,
    timestamp: `${new Date(nowMs).toISOString().slice(0, 19)}Z`,
    websocket: { active_sessions: counters.activeSessions, total_messages: counters.totalMessages },
    limits: {
      refused_clients: counters.refusedClients,
      refused_origins: counters.refusedOrigins,
      refused_requests: counters.refusedRequests,
      delayed_clients: counters.delayedClients,
      closed_clients: counters.closedOverLimit,
      kept_bytes: counters.keptBytes,
      cut_unfinished: counters.cutUnfinished,
      accept_pauses: counters.acceptPauses,
      cut_connections: counters.cutConnections,
      skipped_views: counters.skippedViews,
    },
  };
  return JSON.stringify(body);
}
