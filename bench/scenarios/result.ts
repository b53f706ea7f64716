import { loadavg } from 'node:os';
import type { Hops } from '../figures/hops.js';
import { middleRun, spreadOf, type Spread } from '../figures/spread.js';
import type { FaultSummary } from './failover.js';
import type { RunFigures } from './runFigures.js';

const medianFields = [
  'offered_per_s',
  'delivered_per_s',
  'p50_ms',
  'p99_ms',
  'p999_ms',
  'max_ms',
  'gateway_cpu_pct',
  'gateway_main_cpu_pct',
  'gateway_rss_mb',
  'front_cpu_pct',
  'load_cpu_pct',
  'load_capacity_per_s',
  'frames_per_read',
] as const;
const summedFields = [
  'lost',
  'lost_before',
  'duplicated',
  'reordered',
  'stale',
  'behind',
  'unseen',
  'missed_in_rings',
] as const;

type Figures = Pick<RunFigures, (typeof medianFields)[number] | (typeof summedFields)[number]>;

/** What a scenario prints: figures are medians of its runs, faults their sums. */
export interface ScenarioResult extends Figures {
  readonly scenario: string;
  readonly conditions: Readonly<Record<string, unknown>>;
  /** Least and greatest of the runs, by field. */
  readonly spread: Readonly<Record<string, Spread>>;
  readonly hops?: Hops | undefined;
  readonly loop_lag_ms?: RunFigures['loop_lag_ms'];
  readonly gc?: RunFigures['gc'];
  /** Time to drain a burst: median and greatest. */
  readonly drain_ms?: { readonly median: number; readonly max: number };
  /** For how long news was due that did not come: the median of the scenario's headline fault. */
  readonly gap_ms?: number;
  /** Every fault of a failover. */
  readonly faults?: readonly FaultSummary[];
  /** What was stored, and what that costs. */
  readonly stored?: Readonly<Record<string, unknown>>;
  /** What an honest client got beside each kind of hostile ones. */
  readonly attacks?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Its p99 while the hostile ones attack another gateway on the machine. */
  readonly elsewhere_p99_ms?: Spread;
  readonly baseline?: Readonly<Record<string, unknown>>;
  readonly ceiling?: Readonly<Record<string, unknown>>;
  readonly calibration?: Readonly<Record<string, unknown>>;
  /** Higher is better; what it compares is the scenario's. */
  readonly ratio?: number;
  readonly ratio_spread?: Spread;
  /** What the ratio is of, where that may differ from run to run; ratios of different things are not compared. */
  readonly ratio_of?: string;
  /** Deliveries per second of CPU, the gateway's over the other's. */
  readonly cpu_ratio?: Spread;
  /** The ratio when all was measured a second time. */
  readonly again?: { readonly ratio: number; readonly ratio_spread: Spread; readonly agrees: boolean };
}

/** One result of several runs under the same conditions. Hops, lag and GC are those of the run with the middle p99. */
export function combine(
  scenario: string,
  conditions: Readonly<Record<string, unknown>>,
  runs: readonly RunFigures[],
): ScenarioResult {
  const spread = Object.fromEntries(
    medianFields.map((field) => [field, spreadOf(runs.map((run) => run[field]))]),
  ) as Record<(typeof medianFields)[number], Spread>;
  const medians = Object.fromEntries(medianFields.map((field) => [field, spread[field].median]));
  const sums = Object.fromEntries(
    summedFields.map((field) => [field, runs.reduce((sum, run) => sum + run[field], 0)]),
  );
  const { hops, loop_lag_ms, gc } = middleRun(runs, (run) => run.p99_ms);
  const drains = runs.flatMap((run) => run.drains_ms);
  return {
    scenario,
    conditions: { ...conditions, runs: runs.length, load_average: Math.round(loadavg()[0]! * 10) / 10 },
    ...(medians as Record<(typeof medianFields)[number], number>),
    ...(sums as Record<(typeof summedFields)[number], number>),
    spread,
    hops,
    loop_lag_ms,
    gc,
    ...(drains.length === 0
      ? {}
      : { drain_ms: { median: spreadOf(drains).median, max: Math.max(...drains) } }),
  };
}
