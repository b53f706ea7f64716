import type { StoredTicks } from '../figures/storedTicks.js';
import { runGateway, type RunOptions } from './gatewayRun.js';
import { pairedResult, pushLoad, runInTurn } from './pairedRuns.js';
import type { ScenarioResult } from './result.js';
import type { RunFigures } from './runFigures.js';
import { conditionsOf, type Settings } from './settings.js';

/** What one run left behind. */
export interface KeptTicks extends StoredTicks {
  /** Ticks that the gateway took in. */
  readonly taken: number;
}

/** A way to keep ticks. */
export interface Keeping<Kept extends KeptTicks> {
  readonly name: string;
  /** Said of a tick that is kept. */
  readonly participle: string;
  /** Beside those of the load. */
  readonly conditions: Readonly<Record<string, unknown>>;
  /** One run that keeps ticks. */
  run(options: RunOptions): Promise<{ readonly figures: RunFigures; readonly left: Kept }>;
  /** Further figures of what all runs have left. */
  figures(left: readonly Kept[]): Readonly<Record<string, number>>;
  readonly ratioOf: string;
}

/** Live figures while every tick is kept, and the same while none is, in turn. */
export async function runKeeping<Kept extends KeptTicks>(
  keeping: Keeping<Kept>,
  settings: Settings,
  say: (line: string) => void,
): Promise<ScenarioResult> {
  const conditions = conditionsOf(
    {
      seconds: 2,
      warmup: 1,
      runs: 3,
      clients: 100,
      each: 10,
      instruments: 500,
      rate: 10_000,
      connections: 1,
    },
    settings,
  );
  const options = pushLoad(conditions);
  const runs = await runInTurn(
    keeping.name,
    {
      runs: conditions.runs,
      without: () => runGateway(options),
      with: () => keeping.run(options),
      tell: ({ stored, taken, missing, duplicated }) =>
        `${stored} of ${taken} ${keeping.participle}, ${missing} missing, ${duplicated} twice`,
    },
    say,
  );
  return pairedResult(
    keeping.name,
    { ...conditions, arrivals: 'poisson', ...keeping.conditions },
    runs,
    {
      taken: sum(runs.left, (each) => each.taken),
      stored: sum(runs.left, (each) => each.stored),
      missing: sum(runs.left, (each) => each.missing),
      duplicated: sum(runs.left, (each) => each.duplicated),
      reordered: sum(runs.left, (each) => each.reordered),
      ...keeping.figures(runs.left),
    },
    keeping.ratioOf,
  );
}

export function sum<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((total, each) => total + of(each), 0);
}
