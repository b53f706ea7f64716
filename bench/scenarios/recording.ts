import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecordedTicks, wholeRange } from '../../src/recorder/recordedTicks.js';
import { RecordingReader } from '../../src/recorder/recordingReader.js';
import { intWord } from '../../src/ring/tickRecord.js';
import { checkStored } from '../figures/storedTicks.js';
import { runGateway, type RunOptions } from './gatewayRun.js';
import { runKeeping, sum, type Keeping, type KeptTicks } from './keptTicks.js';
import type { RunFigures } from './runFigures.js';
import type { Scenario } from './scenario.js';

/** What one run left in files. */
interface RecordedRun extends KeptTicks {
  readonly bytes: number;
}

/** Live figures while every tick is recorded, and the same without a recorder, in turn. */
export const recording: Scenario = {
  name: 'recording',
  summary: '10,000 ticks/s recorded: what is in the files, and the live latency with and without',
  run: (settings, say) => runKeeping(inFiles, settings, say),
};

const inFiles: Keeping<RecordedRun> = {
  name: 'recording',
  participle: 'recorded',
  conditions: {},
  run: runRecording,
  figures: (left) => ({
    bytes_per_tick: sum(left, (each) => each.bytes) / sum(left, (each) => each.stored),
  }),
  ratioOf: 'p99 without a recorder over p99 with it',
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
      mine.push(ticks.record.i32[intWord.volume]!);
    }
    return {
      numbers: [...numbers.values()],
      bytes: readers.reduce((sum, reader) => sum + reader.bytes, 0),
    };
  } finally {
    for (const reader of readers) reader.close();
  }
}
