/** What the gateway says of itself; /health adds the time and the server's own figures. */
export interface HealthReport {
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  readonly connections: readonly ConnectionHealth[];
  readonly redis: { readonly connected: boolean; readonly latency: string };
  /** Further members of the response. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface ConnectionHealth {
  readonly id: string;
  readonly status: 'disconnected' | 'connecting' | 'connected' | 'logged_in' | 'error';
  /** 0 to 100. */
  readonly quality: number;
  readonly subscriptions: number;
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
  /** How often a push client began to lag. */
  readonly laggedClients: number;
  /** Clients that were cut off because they did not read. */
  readonly cutOffClients: number;
}

/** Body of GET /health: the names are fixed by the protocol, more may be added. */
export function healthBody(report: HealthReport, counters: ServerCounters, nowMs: number): string {
  const { status, connections, redis, details } = report;
  return JSON.stringify({
    ...details,
    status,
    timestamp: `${new Date(nowMs).toISOString().slice(0, 19)}Z`,
    connections,
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
    },
    redis,
  });
}
