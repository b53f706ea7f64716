import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { F, fieldCount } from '../../src/market/quoteFields.js';
import { decodeTick } from '../../src/storage/tickCodec.js';
import { checkStored, type StoredTicks } from '../figures/storedTicks.js';
import { instruments, spreadOverClients } from '../instruments.js';
import { RedisProcess } from '../processes/redis.js';
import { runGateway, type RunOptions } from './gatewayRun.js';
import { pairedResult, runInTurn } from './pairedRuns.js';
import type { RunFigures } from './runFigures.js';
import type { Scenario } from './scenario.js';
import { conditionsOf } from './settings.js';

/** What one run left in Redis. */
interface StoredRun extends StoredTicks {
  /** Ticks that the gateway took in. */
  readonly taken: number;
}

/** Live figures while every tick is stored in Redis, and the same without Redis, in turn. */
export const storage: Scenario = {
  name: 'storage',
  summary: '10,000 ticks/s stored in Redis: what is stored, and the live latency with and without',
  run: async (settings, say) => {
    const conditions = conditionsOf(
      {
        seconds: 2,
        warmup: 1,
        runs: 3,
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
    const runs = await runInTurn(
      'storage',
      {
        runs: conditions.runs,
        without: () => runGateway(options),
        with: () => runStoring(options),
        tell: ({ stored, taken, missing, duplicated }) =>
          `${stored} of ${taken} stored, ${missing} missing, ${duplicated} twice`,
      },
      say,
    );
    const sum = (of: (one: StoredRun) => number): number =>
      runs.left.reduce((total, each) => total + of(each), 0);
    return pairedResult(
      'storage',
      { ...conditions, arrivals: 'poisson', appendfsync: 'everysec' },
      runs,
      {
        taken: sum((each) => each.taken),
        stored: sum((each) => each.stored),
        missing: sum((each) => each.missing),
        duplicated: sum((each) => each.duplicated),
        reordered: sum((each) => each.reordered),
      },
      'p99 without Redis over p99 with it',
    );
  },
};

async function runStoring(
  options: RunOptions,
): Promise<{ readonly figures: RunFigures; readonly left: StoredRun }> {
  const folder = mkdtempSync(join(tmpdir(), 'qactpmd-redis-'));
  const redis = await RedisProcess.start(folder);
  try {
    const figures = await runGateway({
      ...options,
      config: { ...options.config, redis_enabled: true, redis_port: redis.port },
    });
    return { figures, left: { ...checkStored(await numbersIn(redis)), taken: figures.ticks_taken } };
  } finally {
    await redis.child.stop('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The ticks' numbers by instrument, as they are stored: fronts of a bench run put them into Volume. */
async function numbersIn(redis: RedisProcess): Promise<number[][]> {
  const client = redis.client();
  const row = new Float64Array(fieldCount);
  const numbers: number[][] = [];
  try {
    for (const key of await client.keys('qactpmd:ticks:*')) {
      const entries = await client.xrange(key, '-', '+');
      numbers.push(
        entries.map(([id, fields]) => {
          const line = fields[fields.indexOf('tick') + 1];
          if (line === undefined || decodeTick(line, row) === undefined)
            throw new Error(`${key} ${id} holds no tick`);
          return row[F.volume]!;
        }),
      );
    }
  } finally {
    client.disconnect();
  }
  return numbers;
}
