import type { BaselineKind } from '../baselines/server.js';
import { findCeiling, type Attempt, type Ceiling } from '../figures/ceiling.js';
import { BaselineBench } from './baselineRun.js';
import { runGateway, type RunFigures, type RunOptions } from './gatewayRun.js';

/** A system is overrun when a hundredth of its deliveries take longer. */
const p99LimitMs = 50;

/** A try at a rate, with what else is told about it. */
export interface Sustained extends Attempt {
  /** Of the main thread, which serves the clients: elsewhere the gateway's ticks are made. */
  readonly cpu_pct: number;
  readonly load_cpu_pct: number;
}

export interface SustainedSearch {
  /** Ticks per second of the first try. */
  readonly startRate: number;
  readonly attempts: number;
}

/** The highest tick rate that the gateway sustains. Each try has processes of its own. */
export async function sustainedByGateway(
  options: RunOptions,
  search: SustainedSearch,
  holds: (run: RunFigures) => boolean = () => true,
): Promise<{ readonly ceiling: Ceiling<Sustained>; readonly runs: readonly RunFigures[] }> {
  const runs: RunFigures[] = [];
  const ceiling = await findCeiling({ ...search, p99LimitMs }, async (rate) => {
    const run = await runGateway({
      ...options,
      feed: { ...options.feed, rate: rate / options.instruments.length },
    });
    runs.push(run);
    return {
      p99Ms: holds(run) ? run.p99_ms : Infinity,
      deliveredPerS: run.delivered_per_s,
      offeredPerS: run.offered_per_s,
      cpu_pct: run.gateway_main_cpu_pct,
      load_cpu_pct: run.load_cpu_pct,
    };
  });
  return { ceiling, runs };
}

/** The highest tick rate that a baseline sustains, in one process, and what was lost over all tries. */
export async function sustainedByBaseline(
  kind: BaselineKind,
  options: Pick<RunOptions, 'instruments' | 'plan' | 'warmupS' | 'seconds'> & { readonly sample: string },
  search: SustainedSearch,
): Promise<Ceiling<Sustained> & { readonly lost: number }> {
  const bench = await BaselineBench.start({ kind, ...options });
  try {
    const ceiling = await findCeiling({ ...search, p99LimitMs }, async (rate) => {
      const { p99_ms, delivered_per_s, offered_per_s, cpu_pct, load_cpu_pct } = await bench.at(rate);
      return {
        p99Ms: p99_ms,
        deliveredPerS: delivered_per_s,
        offeredPerS: offered_per_s,
        cpu_pct,
        load_cpu_pct,
      };
    });
    return { ...ceiling, lost: await bench.lost() };
  } finally {
    await bench.stop();
  }
}

/**
 * Deliveries per second of the serving thread's own CPU time, at the rate where that is best. Unlike the ceiling it
 * hardly depends on who else uses the machine.
 */
export function deliveriesPerCpuS({ attempts }: Ceiling<Sustained>): number {
  return Math.max(
    ...attempts.map(({ result }) => (100 * result.deliveredPerS) / Math.max(1, result.cpu_pct)),
  );
}

/** A ceiling as it goes into a result. */
export function ceilingFigures(ceilings: readonly Ceiling<Sustained>[]): Readonly<Record<string, unknown>> {
  const best = ceilings.map(({ best }) => best?.deliveredPerS ?? 0);
  return {
    sustained_deliveries_per_s: best.map(Math.round),
    sustained_ticks_per_s: ceilings.map(({ rate }) => rate),
    deliveries_per_cpu_s: ceilings.map((each) => Math.round(deliveriesPerCpuS(each))),
    cpu_pct_there: ceilings.map(({ best: at }) => Math.round(at?.cpu_pct ?? 0)),
    load_cpu_pct_there: ceilings.map(({ best: at }) => Math.round(at?.load_cpu_pct ?? 0)),
    attempts: ceilings.map(({ attempts }) =>
      attempts.map(({ rate, result }) => [
        rate,
        Math.round(result.deliveredPerS),
        Number.isFinite(result.p99Ms) ? result.p99Ms : 'lost',
      ]),
    ),
  };
}
