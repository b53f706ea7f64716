import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { expect, it, onTestFinished } from 'vitest';
import { packagePath } from '../../src/paths.js';
import type { RecorderSpec } from '../../src/recorder/messages.js';
import { RecorderProgress } from '../../src/recorder/recorderProgress.js';
import { TapeMarket } from '../storage/tapeMarket.js';

/** Word of the tape's header that counts the readers which wait. */
const parkedWord = 18;
const wakes = 60_000;
const mostSpins = 10_000;

it('the recorder’s thread needs no memory for having waited', { timeout: 60_000 }, async () => {
  const market = new TapeMarket(['SHFE.rb2605'], 1024);
  const folder = mkdtempSync(join(tmpdir(), 'qactpmd-recorder-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  // Nothing is wanted, so that waiting is all that it does.
  const settings = { folder, fileBytes: 1e9, intervalMs: 1000, patterns: [], holidays: [] };
  const progress = new RecorderProgress().memory;
  const spec: RecorderSpec = { ...settings, tape: market.tape, progress };
  const worker = new Worker(packagePath('dist', 'workers', 'recorder.js'), {
    workerData: spec,
    resourceLimits: { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 16 },
  });
  let failure = '';
  worker.on('error', (error: Error) => (failure = error.message));
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  const header = new Int32Array(market.tape, 0, 32);
  for (let i = 0; i < wakes && failure === ''; i++) {
    for (let spins = 0; spins < mostSpins && Atomics.load(header, parkedWord) === 0; spins++);
    market.batch(1);
    for (let spins = 0; spins < mostSpins && Atomics.load(header, parkedWord) !== 0; spins++);
    if (i % 100 === 0) await turn();
  }
  worker.postMessage({ type: 'stop' });
  await ended;
  expect(failure).toBe('');
});
