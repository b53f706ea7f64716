import { attacks } from '../hostile/attacks.js';
import { Child } from '../processes/child.js';
import { packagePath } from '../../src/base/paths.js';
import { spreadOf } from '../figures/spread.js';
import { runGateway, startOtherGateway, type Beside } from './gatewayRun.js';
import { pushLoad } from './pairedRuns.js';
import { combine } from './result.js';
import type { RunFigures } from './runFigures.js';
import type { Scenario } from './scenario.js';
import { conditionsOf } from './settings.js';

/** Another address than that of the honest client. */
const hostileAddress = '127.0.0.66';

/** The live load of one honest client: what it loses, and how late it is, beside hostile ones. */
export const honestLoad = {
  seconds: 10,
  warmup: 1,
  runs: 1,
  clients: 1,
  each: 300,
  instruments: 300,
  rate: 600,
  connections: 4,
};

/**
 * One honest client beside each kind of hostile ones. They take their part of the machine wherever they go, which other
 * machines would not; so its latency is held against that of a run in which they attack another gateway on this machine.
 */
export const fairness: Scenario = {
  name: 'fairness',
  summary:
    'one client with 300 instruments beside hostile ones: what it loses, and its latency where they attack its gateway and where they attack another one',
  run: async (settings, say) => {
    const conditions = conditionsOf(honestLoad, settings);
    // The limits are those that a gateway has when nobody sets any.
    const options = { ...pushLoad(conditions), trace: false, config: { limits: {} } };
    const other = await startOtherGateway(options);
    const attacked = new Map<string, Pair[]>();
    try {
      for (let run = 1; run <= conditions.runs; run++)
        for (const name of Object.keys(attacks)) {
          const elsewhere = await runGateway({ ...options, beside: hostileClients(name, other.port) });
          const here = await runGateway({ ...options, beside: hostileClients(name) });
          attacked.set(name, [...(attacked.get(name) ?? []), { elsewhere, here }]);
          say(
            `${name}: lost ${here.lost}, p99 ${here.p99_ms} ms, of another gateway ${elsewhere.p99_ms} ms; ${Math.round(here.gateway_rss_mb)} MB`,
          );
        }
    } finally {
      await other.stop();
    }
    const figures = [...attacked].map(([name, pairs]) => [name, figuresOf(pairs)] as const);
    const worst = Math.max(...figures.map(([, each]) => each['p99_over_elsewhere']!));
    const all = [...attacked.values()].flat();
    return {
      ...combine(
        'fairness',
        { ...conditions, arrivals: 'poisson' },
        all.map(({ here }) => here),
      ),
      attacks: Object.fromEntries(figures),
      elsewhere_p99_ms: spreadOf(all.map(({ elsewhere }) => elsewhere.p99_ms)),
      ratio: 1 / worst,
      ratio_of:
        'the p99 while hostile clients attack another gateway over the worst one while they attack this one',
    };
  },
};

/** The same hostile clients beside another gateway and beside the honest client's own. */
interface Pair {
  readonly elsewhere: RunFigures;
  readonly here: RunFigures;
}

function figuresOf(pairs: readonly Pair[]): Readonly<Record<string, number>> {
  const here = pairs.map((each) => each.here);
  const p99 = (runs: readonly RunFigures[]): number => spreadOf(runs.map((each) => each.p99_ms)).median;
  return {
    lost: Math.max(...here.map((run) => run.lost)),
    p99_over_elsewhere: p99(here) / p99(pairs.map((each) => each.elsewhere)),
    rss_mb: spreadOf(here.map((run) => run.gateway_rss_mb)).median,
  };
}

/**
 * Hostile clients of one kind, in a process of their own, during the window.
 *
 * @param elsewhere the port of another gateway that they attack; by default they attack the honest client's
 */
export function hostileClients(name: string, elsewhere?: number): Beside {
  let hostile: Child | undefined;
  return {
    prepare: async (port) => {
      const script = packagePath('dist', 'bench', 'hostile', 'main.js');
      hostile = new Child('the hostile clients', process.execPath, [
        script,
        String(elsewhere ?? port),
        hostileAddress,
        name,
      ]);
      await hostile.next('them to be ready', (line) => line === 'ready' || undefined);
    },
    begin: () => hostile!.send('begin'),
    end: () => hostile!.stop('SIGKILL'),
  };
}
