import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Field, fieldCount } from '../../src/market/quotes/quoteFields.js';
import { decodeTick } from '../../src/tickText/tickCodec.js';
import { checkStored } from '../figures/storedTicks.js';
import { RedisProcess } from '../processes/redis.js';
import { runGateway, type RunOptions } from './gatewayRun.js';
import { runKeeping, type Keeping, type KeptTicks } from './keptTicks.js';
import type { RunFigures } from './runFigures.js';
import type { Scenario } from './scenario.js';

/** Live figures while every tick is stored in Redis, and the same without Redis, in turn. */
export const storage: Scenario = {
  name: 'storage',
  summary: '10,000 ticks/s stored in Redis: what is stored, and the live latency with and without',
  run: (settings, say) => runKeeping(inRedis, settings, say),
};

const inRedis: Keeping<KeptTicks> = {
  name: 'storage',
  participle: 'stored',
  conditions: { appendfsync: 'everysec' },
  run: runStoring,
  figures: () => ({}),
  ratioOf: 'p99 without Redis over p99 with it',
};

async function runStoring(
  options: RunOptions,
): Promise<{ readonly figures: RunFigures; readonly left: KeptTicks }> {
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
          return row[Field.volume]!;
        }),
      );
    }
  } finally {
    client.disconnect();
  }
  return numbers;
}
