import { spreadOf, type Spread } from '../figures/spread.js';
import { instruments } from '../instruments.js';
import {
  faultKinds,
  runFailover,
  silenceTimeoutS,
  type FaultFigures,
  type FaultKind,
} from './failoverRun.js';
import type { RunFigures } from './runFigures.js';
import { combine } from './result.js';
import type { Scenario } from './scenario.js';
import { conditionsOf } from './settings.js';

const redundancies = [1, 2] as const;

/** A fault under one redundancy, over its rounds. */
export interface FaultSummary {
  readonly redundancy: number;
  readonly fault: FaultKind;
  /** The longest gap of any instrument in each round. */
  readonly gap_ms: Spread;
  /** Of one client that has every instrument, over all rounds: while the front was down, and when it came back. */
  readonly lost: number;
  readonly lost_on_return: number;
  /** Instruments of which a tick was lost, in the median round. */
  readonly interrupted: number;
}

function summaryOf(redundancy: number, fault: FaultKind, all: readonly FaultFigures[]): FaultSummary {
  const rounds = all.filter((each) => each.fault === fault);
  return {
    redundancy,
    fault,
    gap_ms: spreadOf(rounds.map(({ gap_ms }) => gap_ms)),
    lost: rounds.reduce((sum, { lost }) => sum + lost, 0),
    lost_on_return: rounds.reduce((sum, each) => sum + each.lost_on_return, 0),
    interrupted: spreadOf(rounds.map(({ interrupted }) => interrupted)).median,
  };
}

/**
 * A front's process is stopped, continues, another is killed, is started again, round after round. What holds for
 * every client (losses, duplicates, order, latencies) is that of the run with redundancy 2: with a single line, ticks of
 * the moment of a failure are lost, since no front sends them again.
 */
export const failover: Scenario = {
  name: 'failover',
  summary: '2 connections, 500 instruments, 5,000 ticks/s: a front is killed or stopped, redundancy 1 and 2',
  run: async (settings, say) => {
    const conditions = conditionsOf(
      {
        seconds: 0,
        warmup: 0,
        runs: 3,
        clients: 10,
        each: 500,
        instruments: 500,
        rate: 5000,
        connections: 2,
      },
      settings,
    );
    const ids = instruments(conditions.instruments);
    const faults: FaultSummary[] = [];
    const redundant: RunFigures[] = [];
    for (const redundancy of redundancies) {
      const figures = await runFailover({
        instruments: ids,
        plan: Array.from({ length: conditions.clients }, () => ids),
        rate: conditions.rate / conditions.instruments,
        redundancy,
        rounds: conditions.runs,
      });
      if (redundancy > 1) redundant.push(figures.run);
      for (const fault of faultKinds) {
        const summary = summaryOf(redundancy, fault, figures.faults);
        const { median, least, most } = summary.gap_ms;
        const gap = `gap ${median.toFixed(1)} ms (${least.toFixed(1)}–${most.toFixed(1)})`;
        say(
          `failover ${fault}, redundancy ${redundancy}: ${gap}, ${summary.lost} lost, ${summary.lost_on_return} on return`,
        );
        faults.push(summary);
      }
    }
    const { clients, rate, runs } = conditions;
    const given = { clients, instruments: ids.length, rate, connections: 2, arrivals: 'poisson' };
    const result = combine('failover', { ...given, silence_timeout_s: silenceTimeoutS }, redundant);
    return {
      ...result,
      conditions: { ...result.conditions, runs },
      gap_ms: faults.find(({ redundancy, fault }) => redundancy === 1 && fault === 'SIGKILL')!.gap_ms.median,
      faults,
    };
  },
};
