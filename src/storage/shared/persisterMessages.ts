import type { TapeThreadData } from '../../tape/tapeThread.js';
import type { StorageConfig } from '../../config/gatewayConfig.js';
import type { RedisConfig } from '../../config/redisConfig.js';
import type { StoredQuote } from '../quotes/quoteScan.js';
import { type ThreadLine } from '../../base/logEvents.js';

/** Start data of the persister's thread. */
export interface PersisterData extends TapeThreadData {
  /** Where to begin on the tape, and how far it was read since: persisterProgress.ts. */
  readonly progress: SharedArrayBuffer;
  readonly redis: RedisConfig;
  readonly storage: StorageConfig;
  /** Names this run of the gateway (gatewayRuns.ts); a thread that continues where another one has ended has its name. */
  readonly run: string;
}

/** How it stands; `stored` and `lost` count from the start of the gateway on. */
export interface PersisterStatus {
  readonly connected: boolean;
  /** Round trip of the last pipeline; null while Redis cannot be used. */
  readonly latencyMs: number | null;
  /** Ticks that are known to be in Redis. */
  readonly stored: number;
  /** Ticks that wait in memory, those on the tape too. */
  readonly waiting: number;
  /** Waiting ticks that are still on the tape. */
  readonly behind: number;
  /** Ticks that wait in the file. */
  readonly spilled: number;
  /** Ticks that will never be stored: for want of room, damaged on disk, refused, or overrun on the tape. */
  readonly lost: number;
  /** Age of the oldest tick that is not stored. */
  readonly lagMs: number;
  /** Why nothing is stored at the moment; empty when something is. */
  readonly trouble: string;
  /** Why ticks cannot wait in the file; empty when they can, or are not to. */
  readonly spillTrouble: string;
}

export type PersisterEvent =
  | ThreadLine
  | { readonly type: 'status'; readonly status: PersisterStatus }
  /** Newest states from an earlier run. */
  | { readonly type: 'quotes'; readonly quotes: readonly StoredQuote[]; readonly isLast: boolean }
  /** The last one: the thread exits. */
  | { readonly type: 'stopped'; readonly status: PersisterStatus };
