import { ceiling } from './ceiling.js';
import { failover } from './failover.js';
import { fairness } from './fairness.js';
import { fanout } from './fanout.js';
import { history } from './history.js';
import { ingest } from './ingest.js';
import { recording } from './recording.js';
import { replay } from './replay.js';
import { NotBuilt, type Scenario } from './scenario.js';
import { storage } from './storage.js';

const fanoutPreset = {
  seconds: 2,
  warmup: 1,
  runs: 5,
  clients: 1000,
  each: 10,
  instruments: 500,
  rate: 10_000,
  connections: 1,
};

/** A search takes so many runs that one is all that a minute has room for. */
const searchPreset = { rate: 25_000, seconds: 1.5, warmup: 0.7, runs: 1 };

function notBuilt(name: string, missing: string): Scenario {
  return {
    name,
    summary: `not built yet: ${missing}`,
    run: () => Promise.reject(new NotBuilt(`the scenario ${name} cannot run yet: ${missing}`)),
  };
}

/** Every scenario, in the order in which all of them are run. */
export const scenarios: readonly Scenario[] = [
  fanout({
    name: 'fanout',
    summary: '10,000 ticks/s of 500 instruments to 1,000 clients with 10 each, by push',
    protocol: 'action',
    arrivals: 'poisson',
    supply: 'fronts',
    preset: fanoutPreset,
    calibrated: true,
  }),
  fanout({
    name: 'fanout-aid',
    summary: 'the same by peek_message',
    protocol: 'aid',
    arrivals: 'poisson',
    supply: 'fronts',
    preset: fanoutPreset,
    calibrated: false,
  }),
  fanout({
    name: 'burst',
    summary: '5,000 instruments tick within 10 ms, twice a second; the time until all is delivered',
    protocol: 'action',
    arrivals: 'burst',
    supply: 'fronts',
    preset: { ...fanoutPreset, instruments: 5000, rate: 10_000, seconds: 3, connections: 4 },
    calibrated: false,
  }),
  ceiling({
    name: 'ceiling',
    summary: 'the rate raised until p99 passes 50 ms, against bare publish of the same bytes',
    preset: { ...fanoutPreset, ...searchPreset },
    against: [{ kind: 'bare', startRate: 40_000 }],
  }),
  ingest,
  ceiling({
    name: 'baseline',
    summary: 'sustained deliveries against plain ws + JSON.stringify and against tuned ws',
    preset: { ...fanoutPreset, ...searchPreset },
    against: [
      { kind: 'plain', startRate: 3_000 },
      { kind: 'tuned', startRate: 15_000 },
    ],
  }),
  fanout({
    name: 'memory',
    summary: '90 connections, 25,000 instruments, 1,000 clients: resident memory',
    protocol: 'action',
    arrivals: 'poisson',
    supply: 'fronts',
    preset: {
      ...fanoutPreset,
      instruments: 25_000,
      each: 25,
      rate: 10_000,
      connections: 90,
      seconds: 3,
      runs: 1,
    },
    calibrated: false,
  }),
  failover,
  fairness,
  replay,
  storage,
  recording,
  history,
  notBuilt('cluster', 'scale-out over Redis'),
];
