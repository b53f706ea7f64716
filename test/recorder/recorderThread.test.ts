import { readdirSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { toPatterns } from '../../src/config/patternList.js';
import { packagePath } from '../../src/base/paths.js';
import type { RecorderSpec } from '../../src/recorder/messages.js';
import { Recorder } from '../../src/recorder/recorder.js';
import { RecorderProgress } from '../../src/recorder/recorderProgress.js';
import { RecordingReader } from '../../src/recorder/recordingReader.js';
import { RecordedTicks, wholeRange } from '../../src/recorder/recordedTicks.js';
import { PoisonTicks } from '../../src/tape/poisonTicks.js';
import { intWord } from '../../src/ring/tickRecord.js';
import { until, untilCounted, untilIs } from '../helpers/until.js';
import { TapeMarket } from '../storage/tapeMarket.js';
import { recordingFolder } from './recordings.js';

const key = 'SHFE.rb2605';
/** Times of receipt whose trading day a recorder cannot find, since the calendar has no end of holidays then. */
const deadlyMs = Date.UTC(2030, 0, 20);
const holidays = Array.from({ length: 120 }, (_, day) =>
  Number(new Date(deadlyMs + (day - 10) * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '')),
);
const settings = { fileBytes: 1e9, intervalMs: 100, patterns: toPatterns(['*']), holidays };

interface Recorded {
  /** Volumes, which number the ticks. */
  readonly volumes: number[];
  /** Ticks that the files say are missing. */
  readonly lost: number;
}

function recordedIn(folder: string): Recorded {
  const readers = readdirSync(folder)
    .sort()
    .map((name) => new RecordingReader(join(folder, name)));
  const ticks = new RecordedTicks(readers, wholeRange, (error) => expect(error.message).toBe(''));
  const volumes: number[] = [];
  while (ticks.next()) volumes.push(ticks.record.i32[intWord.volume]!);
  for (const reader of readers) reader.close();
  return { volumes, lost: readers.reduce((sum, reader) => sum + reader.lost, 0) };
}

const upTo = (count: number, ...without: number[]): number[] =>
  Array.from({ length: count }, (_, i) => i + 1).filter((each) => !without.includes(each));

describe('the recorder’s thread', () => {
  it('is restarted when a tick ends it, and loses that tick alone', async () => {
    const market = new TapeMarket([key], 1024);
    const folder = recordingFolder();
    const recorder = new Recorder({ ...settings, folder }, pino({ level: 'silent' }));
    recorder.start(market.tape);
    market.batch(10);
    await untilIs('ticks in a file', () => recorder.health().report.ticks, 10);
    // Not in a file yet when the thread ends.
    for (let i = 0; i < 5; i++) market.tick();
    market.tick(0, deadlyMs);
    market.batch(5);
    await untilIs('all the others in files', () => recorder.health().report.ticks, 20);
    expect(recorder.health().report).toMatchObject({ missed: 1, lost: 0, restarts: 2, failure: '' });
    // What comes while there is no thread waits for the next one, or for the end.
    market.tick(0, deadlyMs);
    market.batch(5);
    await untilCounted('another end', () => recorder.health().report.restarts, 3);
    expect(recorder.health().report.failure).toMatch(/^its thread crashed: no trading day near/);
    market.batch(5);
    expect(await recorder.stop(5000)).toBe(true);
    const { volumes, lost } = recordedIn(folder);
    expect(volumes).toEqual(upTo(32, 16, 22));
    expect(lost).toBe(2);
  });

  it('counts what was overwritten before it was restarted', async () => {
    const market = new TapeMarket([key], 64);
    const folder = recordingFolder();
    const recorder = new Recorder({ ...settings, folder }, pino({ level: 'silent' }));
    recorder.start(market.tape);
    market.batch(10);
    await untilIs('ticks in a file', () => recorder.health().report.ticks, 10);
    market.tick(0, deadlyMs);
    market.batch(0);
    await untilCounted('an end', () => recorder.health().report.restarts, 1);
    market.batch(200);
    await until('ticks of the next thread', () => recorder.health().report.ticks > 10);
    expect(await recorder.stop(5000)).toBe(true);
    const { volumes, lost } = recordedIn(folder);
    expect(volumes.slice(0, 11)).not.toContain(11);
    expect(volumes.at(-1)).toBe(211);
    expect(recorder.health().report).toMatchObject({ ticks: volumes.length, missed: 211 - volumes.length });
    expect(lost).toBe(211 - volumes.length);
  });

  it('loses the tick that ends it alone where others lie before it that nobody wants', async () => {
    const market = new TapeMarket([key, 'DCE.m2605'], 1024);
    const folder = recordingFolder();
    const recorder = new Recorder(
      { ...settings, patterns: toPatterns([key]), folder },
      pino({ level: 'silent' }),
    );
    for (let i = 0; i < 5; i++) market.tick(1);
    market.tick(0, deadlyMs);
    market.batch(20);
    recorder.start(market.tape);
    await untilIs('all the others in files', () => recorder.health().report.ticks, 10);
    expect(recorder.health().report).toMatchObject({ missed: 1, restarts: 2 });
    expect(await recorder.stop(5000)).toBe(true);
    expect(recordedIn(folder)).toEqual({ volumes: upTo(11, 1), lost: 1 });
  });

  it('loses nothing however often it cannot be started', async () => {
    let failing = 3;
    const onWorker = (worker: Worker): void => void (failing-- > 0 && worker.terminate());
    process.on('worker', onWorker);
    onTestFinished(() => void process.off('worker', onWorker));
    const market = new TapeMarket([key], 64);
    const folder = recordingFolder();
    const recorder = new Recorder({ ...settings, folder }, pino({ level: 'silent' }));
    market.batch(10);
    recorder.start(market.tape);
    await until('ticks in a file', () => recorder.health().report.ticks > 0);
    expect(await recorder.stop(5000)).toBe(true);
    expect(recorder.health().report).toMatchObject({ ticks: 10, missed: 0, restarts: 3 });
    expect(recordedIn(folder)).toEqual({ volumes: upTo(10), lost: 0 });
  });

  it('is restarted however often it is lost while nothing ticks', async () => {
    const threads: Worker[] = [];
    const onWorker = (worker: Worker): void => void threads.push(worker);
    process.on('worker', onWorker);
    onTestFinished(() => void process.off('worker', onWorker));
    const market = new TapeMarket([key], 64);
    const folder = recordingFolder();
    const recorder = new Recorder({ ...settings, folder }, pino({ level: 'silent' }));
    recorder.start(market.tape);
    market.batch(10);
    await untilIs('ticks in a file', () => recorder.health().report.ticks, 10);
    for (const restarts of [1, 2]) {
      await threads.at(-1)!.terminate();
      await until(
        'another thread',
        () => threads.length === restarts + 1 && recorder.health().report.failure === '',
      );
    }
    market.batch(10);
    expect(await recorder.stop(5000)).toBe(true);
    expect(recorder.health().report).toMatchObject({ ticks: 20, missed: 0, restarts: 2 });
    expect(recordedIn(folder)).toEqual({ volumes: upTo(20), lost: 0 });
  });

  it('needs no memory for having waited', async () => {
    const market = new TapeMarket([key], 1024);
    // Nothing is wanted, so that waiting is all that it does.
    const spec: RecorderSpec = {
      ...settings,
      folder: recordingFolder(),
      patterns: [],
      tape: market.tape,
      progress: new RecorderProgress().memory,
      poison: new PoisonTicks().spec,
    };
    const progress = new RecorderProgress(spec.progress);
    const worker = new Worker(packagePath('dist', 'workers', 'recorder.js'), { workerData: spec });
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    const waitOften = async (times: number): Promise<void> => {
      for (let i = 0; i < times; i++) {
        market.batch(1);
        await untilIs('the tick taken', () => progress.get('position'), market.written);
      }
    };
    await waitOften(20);
    const before = await promisesIn(worker);
    await waitOften(150);
    expect((await promisesIn(worker)) - before).toBeLessThan(50);
    worker.postMessage({ type: 'stop' });
    await ended;
  });
});

/** Promises in a thread's heap. */
async function promisesIn(worker: Worker): Promise<number> {
  const { snapshot, nodes, strings } = JSON.parse(await text(await worker.getHeapSnapshot())) as {
    snapshot: { meta: { node_fields: string[] } };
    nodes: number[];
    strings: string[];
  };
  const fields = snapshot.meta.node_fields.length;
  const name = strings.indexOf('Promise');
  let count = 0;
  for (let at = snapshot.meta.node_fields.indexOf('name'); at < nodes.length; at += fields)
    if (nodes[at] === name) count++;
  return count;
}
