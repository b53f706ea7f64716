import { writeFileSync } from 'node:fs';
import { slowerHop } from '../figures/hops.js';
import { pairedRatio, spreadOf } from '../figures/spread.js';
import { instruments, spreadOverClients } from '../instruments.js';
import type { Arrivals } from '../processes/fronts.js';
import { BaselineBench, type BaselineFigures } from './baselineRun.js';
import { runGateway, type RunOptions } from './gatewayRun.js';
import type { RunFigures } from './runFigures.js';
import { combine } from './result.js';
import type { Scenario } from './scenario.js';
import { conditionsOf, type Conditions } from './settings.js';

interface FanoutShape {
  readonly name: string;
  readonly summary: string;
  readonly protocol: 'action' | 'aid';
  readonly arrivals: Arrivals;
  readonly supply: 'fronts' | 'library';
  readonly preset: Conditions;
  /** Run bare publish in between, at the same rate, as a measure of the machine. */
  readonly calibrated: boolean;
  readonly config?: Readonly<Record<string, unknown>>;
}

const perDelivery = (cpuPct: number, deliveredPerS: number): number => cpuPct / Math.max(1, deliveredPerS);

/** What the hops say about a run that was made slow, compared with one that was not. */
async function nameOfSlow(options: RunOptions, slow: RunFigures): Promise<string> {
  const usual = await runGateway({ ...options, slow: undefined });
  if (usual.hops === undefined || slow.hops === undefined) throw new Error('the hops were not measured');
  const { hop, byMs } = slowerHop(usual.hops, slow.hops);
  return `${options.slow ?? 'nothing'} was made slow; the hop that became slower is ${hop}, by ${byMs.toFixed(2)} ms`;
}

/** A scenario that offers a fixed rate to a number of clients, run after run, and looks at what arrives when. */
export function fanout(shape: FanoutShape): Scenario {
  return {
    name: shape.name,
    summary: shape.summary,
    run: async (settings, say) => {
      const conditions = conditionsOf(shape.preset, settings);
      const ids = instruments(conditions.instruments);
      const plan = spreadOverClients(ids, conditions.clients, conditions.each);
      const options: RunOptions = {
        protocol: shape.protocol,
        instruments: ids,
        plan,
        feed: { arrivals: shape.arrivals, rate: conditions.rate / conditions.instruments },
        supply: shape.supply,
        connections: conditions.connections,
        warmupS: conditions.warmup,
        seconds: conditions.seconds,
        trace: true,
        slow: settings.slow,
        ...(shape.config === undefined ? {} : { config: shape.config }),
      };
      const runs: RunFigures[] = [];
      const bare: BaselineFigures[] = [];
      for (let run = 1; run <= conditions.runs; run++) {
        const profile = settings.profile !== undefined && run === conditions.runs;
        const figures = await runGateway({ ...options, profile });
        runs.push(figures);
        if (profile) writeFileSync(settings.profile, figures.cpuprofile ?? '');
        const { p99_ms, gateway_cpu_pct } = figures;
        if (settings.slow !== undefined) say(await nameOfSlow(options, figures));
        say(`${shape.name} ${run}/${conditions.runs}: p99 ${p99_ms} ms, CPU ${gateway_cpu_pct.toFixed(0)} %`);
        if (!shape.calibrated) continue;
        const bench = await BaselineBench.start({
          kind: 'bare',
          instruments: ids,
          plan,
          sample: figures.sample,
          warmupS: Math.min(0.5, conditions.warmup),
          seconds: conditions.seconds,
        });
        bare.push(await bench.at(conditions.rate));
        await bench.stop();
      }
      const result = combine(
        shape.name,
        { ...conditions, protocol: shape.protocol, arrivals: shape.arrivals, supply: shape.supply },
        runs,
      );
      if (bare.length === 0) return result;
      const ratio = pairedRatio(
        bare.map((each) => perDelivery(each.cpu_pct, each.delivered_per_s)),
        runs.map((each) => perDelivery(each.gateway_cpu_pct, each.delivered_per_s)),
      );
      return {
        ...result,
        calibration: {
          what: 'bare uWebSockets.js publish of the same bytes at the same rate',
          p50_ms: spreadOf(bare.map((each) => each.p50_ms)).median,
          p99_ms: spreadOf(bare.map((each) => each.p99_ms)).median,
          cpu_pct: spreadOf(bare.map((each) => each.cpu_pct)).median,
          delivered_per_s: spreadOf(bare.map((each) => each.delivered_per_s)).median,
          ratio: 'CPU per delivery of bare publish over that of the gateway',
        },
        ratio: ratio.median,
        ratio_spread: ratio,
      };
    },
  };
}
