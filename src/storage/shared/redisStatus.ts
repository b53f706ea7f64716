/** The member `redis` of /health and /api/status. */
export interface RedisStatus {
  readonly enabled: boolean;
  readonly connected: boolean;
  /** Round trip of the last pipeline such as "1.2ms"; empty while there is none. */
  readonly latency: string;
  /** Why no ticks are stored; empty when they are. */
  readonly trouble: string;
  /** Why ticks cannot wait in the file; empty when they can, or are not to. */
  readonly spill_trouble: string;
  /** Ticks that are known to be in Redis. */
  readonly stored: number;
  /** Ticks that wait in memory. */
  readonly waiting: number;
  /** Ticks that wait in the file. */
  readonly spilled: number;
  /** Ticks that will never be stored. */
  readonly lost: number;
  /** Age of the oldest tick that is not stored yet. */
  readonly lag_ms: number;
  /** How often the thread that stores was lost and restarted. */
  readonly restarts: number;
}
