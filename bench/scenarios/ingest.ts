import { instruments } from '../instruments.js';
import type { RunFigures } from './runFigures.js';
import { combine } from './result.js';
import type { Scenario } from './scenario.js';
import { conditionsOf } from './settings.js';
import { ceilingFigures, sustainedByGateway, type SustainedCeiling } from './sustained.js';

/** Rates that are tried: a coarse search takes less than a minute. */
const attempts = { coarse: 2, fine: 4 };

/** One client with everything: the rate is raised as long as nothing is lost. */
export const ingest: Scenario = {
  name: 'ingest',
  summary: 'one client, 15,000 instruments, the rate raised until ticks are lost or late',
  run: async (settings, say) => {
    const conditions = conditionsOf(
      {
        seconds: 2,
        warmup: 1,
        runs: 1,
        clients: 1,
        each: 15_000,
        instruments: 15_000,
        rate: 60_000,
        connections: 10,
      },
      settings,
    );
    const ids = instruments(conditions.instruments);
    const ceilings: SustainedCeiling[] = [];
    const best: RunFigures[] = [];
    for (let round = 1; round <= conditions.runs; round++) {
      const { ceiling, runs } = await sustainedByGateway(
        {
          protocol: 'action',
          instruments: ids,
          plan: Array.from({ length: conditions.clients }, () => ids),
          feed: { arrivals: 'poisson', rate: 0 },
          supply: 'library',
          connections: conditions.connections,
          warmupS: conditions.warmup,
          seconds: conditions.seconds,
          trace: false,
        },
        { startRate: conditions.rate, attempts: settings.full ? attempts.fine : attempts.coarse },
        (run) => run.lost === 0 && run.missed_in_rings === 0,
      );
      ceilings.push(ceiling);
      best.push(runs.find((run) => run.delivered_per_s === ceiling.best?.deliveredPerS) ?? runs[0]!);
      say(`ingest ${round}/${conditions.runs}: ${ceiling.rate} ticks/s`);
    }
    return {
      ...combine('ingest', { ...conditions, arrivals: 'poisson', supply: 'library' }, best),
      ceiling: ceilingFigures(ceilings),
    };
  },
};
