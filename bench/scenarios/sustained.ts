import type { BaselineKind } from '../baselines/server.js';
import { findCeiling, type Attempt, type Ceiling } from '../figures/ceiling.js';
import type { Between } from '../figures/spread.js';
import { BaselineBench } from './baselineRun.js';
import { runGateway, type RunOptions } from './gatewayRun.js';
import type { RunFigures } from './runFigures.js';

/** A system is overrun when a hundredth of its deliveries take longer. */
const p99LimitMs = 50;

/** A try at a rate, with what else is told about it. */
export interface Sustained extends Attempt {
  /** Of the main thread, which serves the clients: elsewhere the gateway's ticks are made. */
  readonly cpu_pct: number;
  readonly load_cpu_pct: number;
  readonly frames_per_read: number;
}

/** A ceiling, and what the system delivers when it is offered more. */
export interface SustainedCeiling extends Ceiling<Sustained> {
  readonly overrun: Sustained;
}

export interface SustainedSearch {
  /** Ticks per second of the first try. */
  readonly startRate: number;
  readonly attempts: number;
}

/**
 * What is offered to see what a system delivers at most: more than does not hold, and, since others on the machine may
 * have been why it did not, a multiple of the first try.
 */
const overrunShare = 1.3;
const overrunStarts = 2;

/** Searches the ceiling, then overruns the system. */
async function ceilingAndOverrun(
  search: SustainedSearch,
  attempt: (rate: number) => Promise<Sustained>,
): Promise<SustainedCeiling> {
  const ceiling = await findCeiling({ ...search, p99LimitMs }, attempt);
  const beyond = Number.isFinite(ceiling.broken) ? ceiling.broken : ceiling.rate;
  const overrun = Math.max(overrunShare * beyond, overrunStarts * search.startRate);
  return { ...ceiling, overrun: await attempt(Math.round(overrun)) };
}

/** The highest tick rate that the gateway sustains. Each try has processes of its own. */
export async function sustainedByGateway(
  options: RunOptions,
  search: SustainedSearch,
  holds: (run: RunFigures) => boolean = () => true,
): Promise<{ readonly ceiling: SustainedCeiling; readonly runs: readonly RunFigures[] }> {
  const runs: RunFigures[] = [];
  const ceiling = await ceilingAndOverrun(search, async (rate) => {
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
      frames_per_read: run.frames_per_read,
    };
  });
  return { ceiling, runs };
}

/** The highest tick rate that a baseline sustains, in one process, and what was lost over all tries. */
export async function sustainedByBaseline(
  kind: BaselineKind,
  options: Pick<RunOptions, 'instruments' | 'plan' | 'warmupS' | 'seconds'> & { readonly sample: string },
  search: SustainedSearch,
): Promise<SustainedCeiling & { readonly lost: number }> {
  const bench = await BaselineBench.start({ kind, ...options });
  try {
    const ceiling = await ceilingAndOverrun(search, async (rate) => {
      const { p99_ms, delivered_per_s, offered_per_s, cpu_pct, load_cpu_pct, frames_per_read } =
        await bench.at(rate);
      return {
        p99Ms: p99_ms,
        deliveredPerS: delivered_per_s,
        offeredPerS: offered_per_s,
        cpu_pct,
        load_cpu_pct,
        frames_per_read,
      };
    });
    return { ...ceiling, lost: await bench.lost() };
  } finally {
    await bench.stop();
  }
}

/**
 * Deliveries per second of the serving thread's own CPU time when the system is overrun. Only there can it be compared:
 * below, a system that is held up by others makes fewer, larger writes, and so seems the cheaper the busier the
 * machine is.
 */
export function deliveriesPerCpuS({ overrun }: SustainedCeiling): number {
  return (100 * overrun.deliveredPerS) / Math.max(1, overrun.cpu_pct);
}

/** What the ceiling is known to lie between, in deliveries per second. */
export function ceilingBetween({ rate, broken, best }: Ceiling<Sustained>): Between {
  const least = best?.deliveredPerS ?? 0;
  return { least, most: (least * broken) / Math.max(1, rate) };
}

/** A ceiling as it goes into a result. */
export function ceilingFigures(ceilings: readonly SustainedCeiling[]): Readonly<Record<string, unknown>> {
  const best = ceilings.map(({ best }) => best?.deliveredPerS ?? 0);
  return {
    sustained_deliveries_per_s: best.map(Math.round),
    sustained_ticks_per_s: ceilings.map(({ rate }) => rate),
    not_sustained_ticks_per_s: ceilings.map(({ broken }) => (Number.isFinite(broken) ? broken : null)),
    overrun_deliveries_per_cpu_s: ceilings.map((each) => Math.round(deliveriesPerCpuS(each))),
    overrun_frames_per_read: ceilings.map(({ overrun }) => Math.round(10 * overrun.frames_per_read) / 10),
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
