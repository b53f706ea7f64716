import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spreadOf } from '../figures/spread.js';
import { makeRecording } from '../processes/recording.js';
import { runReplay, type ReplayFigures } from './replayRun.js';
import { combine, type ScenarioResult } from './result.js';
import type { RunFigures } from './runFigures.js';
import type { Scenario } from './scenario.js';
import { conditionsOf, type Conditions } from './settings.js';

/** Recorded seconds: with 1,000 ticks in each, 5 million ticks where figures are to be kept, else a million. */
const thoroughSeconds = 5000;
const briefSeconds = 1000;

/** A replay has no intended times, so no latencies; and one client that is not the load generator. */
function runFiguresOf(run: ReplayFigures): RunFigures {
  return {
    offered_per_s: run.ticks_per_s,
    delivered_per_s: run.ticks_per_s,
    ticks_per_s: run.ticks_per_s,
    lost: run.lost + run.lost_by_client,
    lost_before: 0,
    duplicated: 0,
    reordered: 0,
    stale: 0,
    behind: 0,
    unseen: 0,
    p50_ms: 0,
    p99_ms: 0,
    p999_ms: 0,
    max_ms: 0,
    gateway_cpu_pct: run.gateway_cpu_pct,
    gateway_main_cpu_pct: run.gateway_main_cpu_pct,
    gateway_rss_mb: run.gateway_rss_mb,
    gateway_threads: 0,
    ticks_taken: run.ticks,
    missed_in_rings: run.missed_in_rings,
    front_cpu_pct: run.front_cpu_pct,
    load_cpu_pct: 0,
    load_capacity_per_s: 0,
    mb_per_s: 0,
    frames_per_read: 0,
    drains_ms: [],
    hops: undefined,
    loop_lag_ms: undefined,
    gc: undefined,
    cpuprofile: undefined,
    sample: '',
  };
}

function resultOf(
  conditions: Conditions,
  bytesPerTick: number,
  runs: readonly ReplayFigures[],
): ScenarioResult {
  const digests = [...new Set(runs.map(({ digest }) => digest))];
  return {
    ...combine('replay', { ...conditions, ticks: runs[0]!.ticks }, runs.map(runFiguresOf)),
    ceiling: {
      ticks_per_s: spreadOf(runs.map((run) => run.ticks_per_s)),
      recorded_bytes_per_tick: bytesPerTick,
      deterministic: digests.length === 1,
      digests,
    },
  };
}

/** A recording through a simulated front into the gateway's book at maximum speed, again and again with the same outcome. */
export const replay: Scenario = {
  name: 'replay',
  summary:
    'a recording of 500 instruments through a front into the book at maximum speed: ticks/s, lost 0, one digest',
  run: async (settings, say) => {
    const conditions = conditionsOf(
      {
        seconds: settings.thorough ? thoroughSeconds : briefSeconds,
        warmup: 0,
        runs: 2,
        clients: 1,
        each: 5,
        instruments: 500,
        rate: 1000,
        connections: 1,
      },
      { ...settings, full: false },
    );
    const folder = mkdtempSync(join(tmpdir(), 'qactpmd-recording-'));
    try {
      const ticks = Math.round(conditions.seconds * conditions.rate);
      const recording = makeRecording(folder, {
        ticks,
        instruments: conditions.instruments,
        rate: conditions.rate / conditions.instruments,
      });
      const runs: ReplayFigures[] = [];
      for (let round = 1; round <= conditions.runs; round++) {
        const run = await runReplay(recording, recording.keys.slice(0, conditions.each));
        runs.push(run);
        say(
          `replay ${round}/${conditions.runs}: ${Math.round(run.ticks_per_s)} ticks/s, ` +
            `lost ${run.lost + run.lost_by_client}, digest ${run.digest}`,
        );
      }
      return resultOf(conditions, recording.bytes / ticks, runs);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
