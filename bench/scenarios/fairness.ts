import { attacks } from '../hostile/attacks.js';
import { Child } from '../processes/child.js';
import { packagePath } from '../../src/paths.js';
import { spreadOf } from '../figures/spread.js';
import { runGateway, type Beside } from './gatewayRun.js';
import { pushLoad } from './pairedRuns.js';
import { combine } from './result.js';
import type { RunFigures } from './runFigures.js';
import type { Scenario } from './scenario.js';
import { conditionsOf } from './settings.js';

/** Another address than that of the honest client. */
const hostileAddress = '127.0.0.66';

/** The live load of one honest client: what it loses, and how late it is, beside hostile ones. */
export const honestLoad = {
  seconds: 5,
  warmup: 1,
  runs: 1,
  clients: 1,
  each: 300,
  instruments: 300,
  rate: 600,
  connections: 4,
};

/** One honest client beside each kind of hostile ones. */
export const fairness: Scenario = {
  name: 'fairness',
  summary:
    'one client with 300 instruments beside hostile ones: what it loses, and its latency with and without',
  run: async (settings, say) => {
    const conditions = conditionsOf(honestLoad, settings);
    const options = { ...pushLoad(conditions), trace: false };
    const alone: RunFigures[] = [];
    const beside: Record<string, RunFigures[]> = {};
    for (let run = 1; run <= conditions.runs; run++)
      for (const name of Object.keys(attacks)) {
        alone.push(await runGateway(options));
        const figures = await runGateway({ ...options, beside: hostileClients(name) });
        (beside[name] ??= []).push(figures);
        say(
          `${name}: lost ${figures.lost}, p99 ${figures.p99_ms} ms, without ${alone.at(-1)!.p99_ms} ms; ${Math.round(figures.gateway_rss_mb)} MB`,
        );
      }
    const undisturbed = spreadOf(alone.map((each) => each.p99_ms));
    const figuresOf = (runs: readonly RunFigures[]): Readonly<Record<string, number>> => ({
      lost: Math.max(...runs.map((each) => each.lost)),
      p99_over_undisturbed: spreadOf(runs.map((each) => each.p99_ms)).median / undisturbed.median,
      rss_mb: spreadOf(runs.map((each) => each.gateway_rss_mb)).median,
    });
    const attacked = Object.entries(beside).map(([name, runs]) => [name, figuresOf(runs)] as const);
    const worst = Math.max(...attacked.map(([, figures]) => figures['p99_over_undisturbed']!));
    return {
      ...combine('fairness', { ...conditions, arrivals: 'poisson' }, Object.values(beside).flat()),
      attacks: Object.fromEntries(attacked),
      undisturbed_p99_ms: undisturbed,
      ratio: 1 / worst,
      ratio_of: 'the undisturbed p99 over the worst one beside hostile clients',
    };
  },
};

/** Hostile clients of one kind, in a process of their own, during the window. */
export function hostileClients(name: string): Beside {
  let hostile: Child | undefined;
  return {
    prepare: async (port) => {
      const script = packagePath('dist', 'bench', 'hostile', 'main.js');
      hostile = new Child('the hostile clients', process.execPath, [
        script,
        String(port),
        hostileAddress,
        name,
      ]);
      await hostile.next('them to be ready', (line) => line === 'ready' || undefined);
    },
    begin: () => hostile!.send('begin'),
    end: () => hostile!.stop('SIGKILL'),
  };
}
