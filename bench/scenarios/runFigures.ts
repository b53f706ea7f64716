import type { Hops } from '../figures/hops.js';
import type { LoadHistory, LoadWindow } from '../processes/load.js';

/** What one run gave. */
export interface RunFigures {
  /** Deliveries that were due, per second: ticks of the window times their subscribers. */
  readonly offered_per_s: number;
  readonly delivered_per_s: number;
  readonly ticks_per_s: number;
  /** From the window's begin to the end of the run. */
  readonly lost: number;
  /** Until the window's begin: while the clients came in, and in the warm-up. */
  readonly lost_before: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly stale: number;
  /** Instruments of which some client did not end on the last state that any client has. */
  readonly behind: number;
  /** Ticks that were due 250 ms before the front was frozen and that no client has. */
  readonly unseen: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly p999_ms: number;
  readonly max_ms: number;
  readonly gateway_cpu_pct: number;
  readonly gateway_main_cpu_pct: number;
  readonly gateway_rss_mb: number;
  readonly gateway_threads: number;
  /** Ticks that the gateway took in since its start. */
  readonly ticks_taken: number;
  /** Ticks that the main thread read too late. */
  readonly missed_in_rings: number;
  readonly front_cpu_pct: number;
  readonly load_cpu_pct: number;
  /** Deliveries per second of the load generator's own CPU time: what it could take. */
  readonly load_capacity_per_s: number;
  readonly mb_per_s: number;
  /** Deliveries in one read of a client: how much goes together in one write. */
  readonly frames_per_read: number;
  readonly drains_ms: readonly number[];
  readonly hops: Hops | undefined;
  readonly loop_lag_ms: { readonly p50: number; readonly p99: number; readonly max: number } | undefined;
  readonly gc: { readonly count: number; readonly total_ms: number; readonly max_ms: number } | undefined;
  readonly cpuprofile: string | undefined;
  /** A market_data frame, for baselines that are to send the same bytes; '' in runs of the aid protocol. */
  readonly sample: string;
}

/** What the histories say. */
export type Verdict = Pick<
  RunFigures,
  'lost' | 'lost_before' | 'duplicated' | 'reordered' | 'stale' | 'behind' | 'unseen'
>;

const msPerS = 1000;

/** In ms. */
export function latenciesOf(
  window: LoadWindow,
): Pick<RunFigures, 'p50_ms' | 'p99_ms' | 'p999_ms' | 'max_ms'> {
  return {
    p50_ms: window.p50_us / msPerS,
    p99_ms: window.p99_us / msPerS,
    p999_ms: window.p999_us / msPerS,
    max_ms: window.max_us / msPerS,
  };
}

/** What the load generator did, and could do. */
export function loadUse(
  window: LoadWindow,
): Pick<RunFigures, 'load_cpu_pct' | 'load_capacity_per_s' | 'mb_per_s' | 'frames_per_read'> {
  return {
    load_cpu_pct: (100 * window.cpu_us) / window.window_us,
    load_capacity_per_s: (window.delivered * 1e6) / Math.max(1, window.cpu_us),
    mb_per_s: window.bytes / window.window_us,
    frames_per_read: window.delivered / Math.max(1, window.reads),
  };
}

/**
 * The clients' histories against what must have arrived at least. Where the flow has stopped, all clients must agree; where
 * ticks are made in the library it continues, and a client may be some ms behind another. A tick that no client has may also be one that a
 * late front had not sent when it was frozen, so it is lost only where the front had time enough.
 */
export function judge(
  protocol: 'action' | 'aid',
  history: LoadHistory,
  atLeast: ReadonlyMap<string, number>,
  stopped: boolean,
): Verdict {
  let behind = history.silent;
  let unseen = 0;
  for (const [id, [least, most]] of Object.entries(history.last)) {
    if (least < (stopped ? most : Math.min(most, atLeast.get(id) ?? 0))) behind++;
    unseen += Math.max(0, (atLeast.get(id) ?? 0) - most);
  }
  return {
    lost: protocol === 'action' ? history.missing : 0,
    lost_before: protocol === 'action' ? history.missing_before : 0,
    duplicated: history.repeated,
    reordered: history.late,
    stale: history.stale,
    behind,
    unseen,
  };
}
