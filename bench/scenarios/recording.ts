import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecordedTicks, wholeRange } from '../../src/recorder/recordedTicks.js';
import { RecordingReader } from '../../src/recorder/recordingReader.js';
import { I32 } from '../../src/ring/tickRecord.js';
import { pairedRatio, spreadOf } from '../figures/spread.js';
import { checkStored, type StoredTicks } from '../figures/storedTicks.js';
import { instruments, spreadOverClients } from '../instruments.js';
import { runGateway, type RunOptions } from './gatewayRun.js';
import { combine } from './result.js';
import type { RunFigures } from './runFigures.js';
import type { Scenario } from './scenario.js';
import { conditionsOf } from './settings.js';

/** What one run left in files. */
interface RecordedRun extends StoredTicks {
  /** Ticks that the gateway took in. */
  readonly taken: number;
  readonly bytes: number;
}

/** Live figures while every tick is recorded, and the same without a recorder, in turn. */
export const recording: Scenario = {
  name: 'recording',
  summary: '10,000 ticks/s recorded: what is in the files, and the live latency with and without',
  run: async (settings, say) => {
    const conditions = conditionsOf(
      {
        seconds: 2,
        warmup: 1,
        runs: 5,
        clients: 100,
        each: 10,
        instruments: 500,
        rate: 10_000,
        connections: 1,
      },
      settings,
    );
    const ids = instruments(conditions.instruments);
    const options: RunOptions = {
      protocol: 'action',
      instruments: ids,
      plan: spreadOverClients(ids, conditions.clients, conditions.each),
      feed: { arrivals: 'poisson', rate: conditions.rate / conditions.instruments },
      supply: 'fronts',
      connections: conditions.connections,
      warmupS: conditions.warmup,
      seconds: conditions.seconds,
      trace: true,
    };
    const without: RunFigures[] = [];
    const recording: RunFigures[] = [];
    const recorded: RecordedRun[] = [];
    for (let run = 1; run <= conditions.runs; run++) {
      without.push(await runGateway(options));
      const { figures, left } = await runRecording(options);
      recording.push(figures);
      recorded.push(left);
      say(
        `recording ${run}/${conditions.runs}: p99 ${figures.p99_ms} ms, without ${without.at(-1)!.p99_ms} ms; ` +
          `${left.stored} of ${left.taken} recorded, ${left.missing} missing, ${left.duplicated} twice`,
      );
    }
    const p99 = (runs: readonly RunFigures[]): number[] => runs.map((each) => each.p99_ms);
    const cpu = (runs: readonly RunFigures[]): number[] => runs.map((each) => each.gateway_cpu_pct);
    const sum = (of: (one: RecordedRun) => number): number =>
      recorded.reduce((total, each) => total + of(each), 0);
    const ratio = pairedRatio(p99(without), p99(recording));
    return {
      ...combine('recording', { ...conditions, arrivals: 'poisson' }, recording),
      stored: {
        taken: sum((each) => each.taken),
        stored: sum((each) => each.stored),
        missing: sum((each) => each.missing),
        duplicated: sum((each) => each.duplicated),
        reordered: sum((each) => each.reordered),
        bytes_per_tick: sum((each) => each.bytes) / sum((each) => each.stored),
        p99_with_over_without: pairedRatio(p99(recording), p99(without)),
        cpu_pct_without: spreadOf(cpu(without)),
      },
      ratio: ratio.median,
      ratio_spread: ratio,
      ratio_of: 'p99 without a recorder over p99 with it',
    };
  },
};

async function runRecording(
  options: RunOptions,
): Promise<{ readonly figures: RunFigures; readonly left: RecordedRun }> {
  const folder = mkdtempSync(join(tmpdir(), 'qactpmd-recording-'));
  try {
    const figures = await runGateway({ ...options, config: { ...options.config, record_path: folder } });
    const { numbers, bytes } = recordedIn(folder);
    return { figures, left: { ...checkStored(numbers), taken: figures.ticks_taken, bytes } };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The ticks' numbers by instrument: fronts of a bench run put them into Volume. */
function recordedIn(folder: string): { readonly numbers: number[][]; readonly bytes: number } {
  const readers = readdirSync(folder).map((name) => new RecordingReader(join(folder, name)));
  try {
    const ticks = new RecordedTicks(readers, wholeRange, (error) => {
      throw error;
    });
    const numbers = new Map<string, number[]>();
    while (ticks.next()) {
      let mine = numbers.get(ticks.key);
      if (mine === undefined) numbers.set(ticks.key, (mine = []));
      mine.push(ticks.record.i32[I32.volume]!);
    }
    return {
      numbers: [...numbers.values()],
      bytes: readers.reduce((sum, reader) => sum + reader.bytes, 0),
    };
  } finally {
    for (const reader of readers) reader.close();
  }
}
