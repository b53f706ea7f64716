import { pairedRatio, spreadOf, type Spread } from '../figures/spread.js';
import { instruments, spreadOverClients } from '../instruments.js';
import type { RunOptions } from './gatewayRun.js';
import { combine, type ScenarioResult } from './result.js';
import type { RunFigures } from './runFigures.js';
import type { Conditions } from './settings.js';

/** Runs without and with what a scenario is about, in turn. */
export interface PairedRuns<Left> {
  readonly without: readonly RunFigures[];
  readonly with: readonly RunFigures[];
  /** What each run with it has left. */
  readonly left: readonly Left[];
}

export interface PairedPlan<Left> {
  readonly runs: number;
  without(): Promise<RunFigures>;
  with(): Promise<{ readonly figures: RunFigures; readonly left: Left }>;
  /** A line's end on what a run has left. */
  tell(left: Left): string;
}

/** The live load of both: ticks from fronts, pushed to action clients, with each hop timed. */
export function pushLoad(conditions: Conditions): RunOptions {
  const ids = instruments(conditions.instruments);
  return {
    protocol: 'action',
    instruments: ids,
    plan: spreadOverClients(ids, conditions.clients, conditions.each),
    feed: { arrivals: 'poisson', rate: conditions.rate / conditions.instruments },
    supply: 'fronts',
    connections: conditions.connections,
    warmupS: conditions.warmup,
    seconds: conditions.seconds,
    trace: true,
  };
}

/** A without, a with, a without, and so on, so that whatever else the machine does meets both. */
export async function runInTurn<Left>(
  name: string,
  plan: PairedPlan<Left>,
  say: (line: string) => void,
): Promise<PairedRuns<Left>> {
  const without: RunFigures[] = [];
  const withIt: RunFigures[] = [];
  const left: Left[] = [];
  for (let run = 1; run <= plan.runs; run++) {
    const base = await plan.without();
    const other = await plan.with();
    without.push(base);
    withIt.push(other.figures);
    left.push(other.left);
    say(
      `${name} ${run}/${plan.runs}: p99 ${other.figures.p99_ms} ms, without ${base.p99_ms} ms; ${plan.tell(other.left)}`,
    );
  }
  return { without, with: withIt, left };
}

/** The figures of the runs with it, beside those of the runs without. */
export function pairedResult(
  scenario: string,
  conditions: Readonly<Record<string, unknown>>,
  runs: PairedRuns<unknown>,
  stored: Readonly<Record<string, unknown>>,
  ratioOf: string,
): ScenarioResult {
  const ratioBy = (field: 'p50_ms' | 'p99_ms'): Spread =>
    pairedRatio(
      runs.with.map((each) => each[field]),
      runs.without.map((each) => each[field]),
    );
  const ratio = pairedRatio(
    runs.without.map((each) => each.p99_ms),
    runs.with.map((each) => each.p99_ms),
  );
  return {
    ...combine(scenario, conditions, runs.with),
    stored: {
      ...stored,
      p99_with_over_without: ratioBy('p99_ms'),
      p50_with_over_without: ratioBy('p50_ms'),
      cpu_pct_without: spreadOf(runs.without.map((each) => each.gateway_cpu_pct)),
      rss_mb_without: spreadOf(runs.without.map((each) => each.gateway_rss_mb)),
    },
    ratio: ratio.median,
    ratio_spread: ratio,
    ratio_of: ratioOf,
  };
}
