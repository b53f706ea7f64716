import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { StorageConfig } from '../../src/config/gatewayConfig.js';
import { loadConfig } from '../../src/config/load.js';
import type { RedisConfig } from '../../src/config/redisConfig.js';
import { Persister } from '../../src/storage/thread/persister.js';
import type { PersisterEvent } from '../../src/storage/shared/persisterMessages.js';
import { allocateProgress } from '../../src/storage/shared/persisterProgress.js';
import { PoisonTicks } from '../../src/tape/poisonTicks.js';
import { until } from '../helpers/until.js';
import { openClient } from './storeReader.js';

const defaults = loadConfig({ file: undefined, args: { frontAddr: ['sim://'] }, env: {}, cwd: '/' });

export interface RunningOptions {
  readonly redis?: Partial<RedisConfig>;
  readonly storage?: Partial<StorageConfig>;
  readonly run?: string;
  readonly progress?: SharedArrayBuffer;
}

/** A persister in the test's own thread. */
export interface Running {
  readonly persister: Persister;
  readonly events: PersisterEvent[];
  /** `level: text` of what it has logged. */
  lines(): string[];
  /** Keys of the states of an earlier run, and whether all were given. */
  quotes(): { keys: string[]; isWhole: boolean };
  /** Waits until nothing waits to be stored. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

let runs = 0;

export function redisConfig(port: number): RedisConfig {
  return { ...defaults.redis, port };
}

export function temporarySpill(): string {
  const folder = mkdtempSync(join(tmpdir(), 'qactpmd-spill-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts a persister on a tape; it ends with the test. */
export function runPersister(tape: SharedArrayBuffer, port: number, options: RunningOptions = {}): Running {
  const events: PersisterEvent[] = [];
  const storage = { ...defaults.storage, batchTime: 5, ...options.storage };
  const persister = new Persister(
    {
      tape,
      progress: options.progress ?? allocateProgress(),
      poison: new PoisonTicks().spec,
      redis: { ...redisConfig(port), ...options.redis },
      storage:
        options.storage?.spillPath === undefined ? { ...storage, spillPath: temporarySpill() } : storage,
      run: options.run ?? `run${++runs}`,
    },
    (event) => events.push(event),
  );
  persister.start();
  const hasStopped = (): boolean => events.some(({ type }) => type === 'stopped');
  const stop = async (): Promise<void> => {
    if (!hasStopped()) persister.stop();
    await until('the persister to stop', hasStopped);
  };
  onTestFinished(stop);
  return {
    persister,
    events,
    lines: () => events.flatMap((each) => (each.type === 'log' ? [`${each.level}: ${each.text}`] : [])),
    quotes: () => {
      const parts = events.flatMap((each) => (each.type === 'quotes' ? [each] : []));
      const keys = parts.flatMap((part) => part.quotes.map(({ key }) => key));
      return { keys, isWhole: parts.some(({ isLast }) => isLast) };
    },
    settled: async () => {
      await until(
        () => `everything to be stored: ${JSON.stringify(persister.status())}`,
        () => {
          const { waiting, spilled, trouble } = persister.status();
          return waiting === 0 && spilled === 0 && trouble === '';
        },
      );
    },
    stop,
  };
}

export function clientOf(port: number): ReturnType<typeof openClient> {
  const client = openClient(port);
  onTestFinished(() => client.disconnect());
  return client;
}
