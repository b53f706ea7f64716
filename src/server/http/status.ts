import type { RedisStatus } from '../../storage/shared/redisStatus.js';
import type { ConnectionHealth, HealthReport } from './health.js';

/** Ids that a list of instruments in the report has at most. */
export const longestInstrumentList = 100;

/** Body of GET /api/status for management; publicStatus gives what everybody may read. What is not known yet is null. */
export interface StatusReport {
  readonly status: HealthReport['status'];
  readonly version: string;
  readonly pid: number;
  /** Seconds since the gateway was made. */
  readonly uptime_s: number;
  readonly strategy: string;
  readonly redundancy: number;
  readonly instruments: InstrumentCounts;
  /** As in /health. */
  readonly redis: RedisStatus;
  /** Bare ids of wanted instruments that have no line, the first of them. */
  readonly waiting: readonly string[];
  /** Wanted instruments that every connection has refused, the first of them. */
  readonly failed: readonly FailedInstrument[];
  readonly connections: readonly ConnectionStatusReport[];
  /** The best first. */
  readonly brokers: readonly BrokerRank[];
}

/** `wanted` is the sum of all but `cancelled`, which no client wants any more. */
export interface InstrumentCounts {
  readonly wanted: number;
  /** Without a line. */
  readonly pending: number;
  /** Asked for, and nothing has come so far. */
  readonly subscribing: number;
  readonly active: number;
  readonly failed: number;
  /** Still subscribed for the grace period. */
  readonly cancelled: number;
  /** With fewer lines than redundancy asks for; some of them may be active. */
  readonly short: number;
}

export interface FailedInstrument {
  readonly id: string;
  /** The vendor's. */
  readonly code: number;
  readonly text: string;
}

export interface ConnectionStatusReport {
  readonly id: string;
  readonly broker_id: string;
  /** Empty where the configuration has none. */
  readonly broker_name: string;
  readonly fronts: readonly string[];
  readonly state: ConnectionHealth['status'];
  /** Why it is not logged in; empty when it is. */
  readonly reason: string;
  /** 0 to 100. */
  readonly quality: number;
  /** Reasons for a quality below 100; empty at 100. */
  readonly why: string;
  readonly subscriptions: number;
  readonly max_subscriptions: number;
  /** 1 (used first) to 10. */
  readonly priority: number;
  /** Since the start. */
  readonly ticks: number;
  /** Recently. */
  readonly ticks_per_s: number | null;
  /** Behind the first line of the same instrument; known of instruments with several lines. */
  readonly delay_p50_ms: number | null;
  readonly delay_p99_ms: number | null;
  /** 0 to 1: of the ticks that several lines had, those that came here first. */
  readonly first_share: number | null;
  readonly reconnects: number;
  readonly login_failures: number | null;
  /** Empty when there was none. */
  readonly last_error: string;
  /** Age of the newest tick; null before the first. */
  readonly last_tick_ms: number | null;
}

/** A broker's place in the table; null where there is nothing to tell it by. */
export interface BrokerRank {
  readonly broker_id: string;
  readonly broker_name: string;
  readonly connections: number;
  readonly ticks: number;
  /** Part of its connections' raced ticks, 0–1, that came first. */
  readonly first_share: number | null;
  /** Mean of its connections' medians, weighted by their ticks. */
  readonly delay_p50_ms: number | null;
  /** The p99 of the broker's worst connection: mixing it with others must not make it look better. */
  readonly delay_p99_ms: number | null;
}
