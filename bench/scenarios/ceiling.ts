import type { BaselineKind } from '../baselines/server.js';
import { pairedRatio, pairedRatioBetween, type Spread } from '../figures/spread.js';
import { instruments, spreadOverClients } from '../instruments.js';
import { combine } from './result.js';
import type { RunFigures } from './runFigures.js';
import type { Scenario } from './scenario.js';
import { conditionsOf, type Conditions } from './settings.js';
import {
  ceilingBetween,
  ceilingFigures,
  deliveriesPerCpuS,
  sustainedByBaseline,
  sustainedByGateway,
  type SustainedCeiling,
} from './sustained.js';

interface CeilingShape {
  readonly name: string;
  readonly summary: string;
  readonly preset: Conditions;
  /** What the gateway is compared with, and the tick rate at which each search begins; the first gives the ratio. */
  readonly against: readonly { readonly kind: BaselineKind; readonly startRate: number }[];
}

/** Rates that are tried: a coarse search takes less than a minute. */
const coarse = { gateway: 2, baseline: 2 };
const fine = { gateway: 4, baseline: 5 };
const sustained = (ceilings: readonly SustainedCeiling[]): number[] =>
  ceilings.map(({ best }) => best?.deliveredPerS ?? 0);
const perCpuS = (ceilings: readonly SustainedCeiling[]): number[] => ceilings.map(deliveriesPerCpuS);

interface Ratios {
  readonly ratio: number;
  readonly ratio_spread: Spread;
  readonly ratio_of: string;
  readonly cpu_ratio: Spread;
}

/** Of what both sustain; on a machine so busy that one of them sustained nothing, of what a second of CPU delivers. */
function ratiosOf(gateway: readonly SustainedCeiling[], other: readonly SustainedCeiling[]): Ratios {
  const cpuRatio = pairedRatio(perCpuS(gateway), perCpuS(other));
  const held = [...sustained(gateway), ...sustained(other)].every((each) => each > 0);
  const ratio = held ? pairedRatioBetween(gateway.map(ceilingBetween), other.map(ceilingBetween)) : cpuRatio;
  return {
    ratio: ratio.median,
    ratio_spread: ratio,
    ratio_of: held ? 'sustained deliveries' : 'deliveries per CPU second',
    cpu_ratio: cpuRatio,
  };
}

/** A scenario that raises the rate until p99 passes 50 ms, for the gateway and for others in turn. */
export function ceiling(shape: CeilingShape): Scenario {
  return {
    name: shape.name,
    summary: shape.summary,
    run: async (settings, say) => {
      const conditions = conditionsOf(shape.preset, settings);
      const attempts = settings.full ? fine : coarse;
      const ids = instruments(conditions.instruments);
      const plan = spreadOverClients(ids, conditions.clients, conditions.each);
      const common = {
        instruments: ids,
        plan,
        warmupS: conditions.warmup,
        seconds: conditions.seconds,
      };
      const gateway: SustainedCeiling[] = [];
      const others = shape.against.map(() => [] as (SustainedCeiling & { readonly lost: number })[]);
      const runs: RunFigures[] = [];
      for (let round = 1; round <= conditions.runs; round++) {
        const found = await sustainedByGateway(
          {
            ...common,
            protocol: 'action',
            feed: { arrivals: 'poisson', rate: 0 },
            supply: 'library',
            connections: conditions.connections,
            trace: false,
          },
          { startRate: conditions.rate, attempts: attempts.gateway },
        );
        gateway.push(found.ceiling);
        const best = found.runs.find((run) => run.delivered_per_s === found.ceiling.best?.deliveredPerS);
        runs.push(best ?? found.runs[0]!);
        say(`${shape.name} ${round}/${conditions.runs}: the gateway sustains ${found.ceiling.rate} ticks/s`);
        for (const [index, { kind, startRate }] of shape.against.entries()) {
          const other = await sustainedByBaseline(
            kind,
            { ...common, sample: runs[0]!.sample },
            { startRate, attempts: attempts.baseline },
          );
          others[index]!.push(other);
          say(`${shape.name} ${round}/${conditions.runs}: ${kind} sustains ${other.rate} ticks/s`);
        }
      }
      const ratios = others.map((other) => ratiosOf(gateway, other));
      const compared = Object.fromEntries(
        shape.against.map(({ kind }, index) => [
          kind,
          {
            ...ceilingFigures(others[index]!),
            lost: others[index]!.reduce((sum, { lost }) => sum + lost, 0),
            ...ratios[index]!,
          },
        ]),
      );
      return {
        ...combine(shape.name, { ...conditions, arrivals: 'poisson', p99_limit_ms: 50 }, runs),
        ceiling: ceilingFigures(gateway),
        baseline: compared,
        ...ratios[0]!,
      };
    },
  };
}
