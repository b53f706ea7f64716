import type { Worker } from 'node:worker_threads';
import pino from 'pino';
import { onTestFinished } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import type { RedisConfig } from '../../src/config/redisConfig.js';
import { PersisterHost } from '../../src/storage/thread/persisterHost.js';
import { until } from '../helpers/until.js';
import { temporarySpill } from './running.js';
import type { TapeMarket } from './tapeMarket.js';

const defaults = loadConfig({ file: undefined, args: { frontAddr: ['sim://'] }, env: {}, cwd: '/' });

/** A persister in a thread of its own. */
export interface Hosted {
  readonly host: PersisterHost;
  readonly spillPath: string;
  readonly thread: () => Worker;
  /** Ends the present thread in whatever it is doing. */
  readonly kill: () => Promise<void>;
  readonly settled: () => Promise<void>;
}

/** Starts it; it ends with the test. */
export function startHost(
  market: TapeMarket,
  redis: Partial<RedisConfig>,
  options?: ConstructorParameters<typeof PersisterHost>[3],
): Hosted {
  const spillPath = temporarySpill();
  const storage = { ...defaults.storage, spillPath, batchTime: 5 };
  const config = { redis: { ...defaults.redis, ...redis }, storage };
  const threads: Worker[] = [];
  const onWorker = (worker: Worker): void => void threads.push(worker);
  process.on('worker', onWorker);
  const host = new PersisterHost(config, pino({ level: 'silent' }), () => undefined, options);
  host.start(market.tape);
  onTestFinished(async () => {
    await host.stop(5000);
    process.off('worker', onWorker);
  });
  return {
    host,
    spillPath,
    thread: () => threads.at(-1)!,
    kill: async () => {
      await until('a thread', () => threads.length > 0);
      await threads.at(-1)!.terminate();
    },
    settled: () =>
      until(
        () => `everything to be stored: ${JSON.stringify(host.status())}`,
        () => {
          const { stored, lost, trouble } = host.status();
          return stored + lost >= market.written && trouble === '';
        },
      ).then(() => undefined),
  };
}
