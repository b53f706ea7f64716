import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Field, fieldCount } from '../../src/market/quotes/quoteFields.js';
import { packagePath } from '../../src/base/paths.js';
import { encodeTick } from '../../src/tickText/tickCodec.js';
import { spreadOf } from '../figures/spread.js';
import { Child, until } from '../processes/child.js';
import { RedisProcess } from '../processes/redis.js';
import { runGateway, type Beside, type RunOptions } from './gatewayRun.js';
import { pairedResult, pushLoad, runInTurn } from './pairedRuns.js';
import type { Scenario } from './scenario.js';
import { conditionsOf } from './settings.js';

const storedTicks = 1_000_000;
const instrument = 'SHFE.rb2601';
/** 09:00:00 Shanghai on Monday, 5 January 2026; two ticks a second from then on. */
const firstTimeMs = Date.UTC(2026, 0, 5, 1);
const stepMs = 500;
const query = `instrument=${instrument}&from=20260105&to=20260201&limit=${storedTicks}`;
const stream = (prefix: string): string => `${prefix}ticks:${instrument}`;
const queryDeadlineMs = 120_000;
const config = { redis_enabled: true, history_length: 2 * storedTicks, history_age: 0 };
/** Redis does nothing else meanwhile. */
const storedAtOnce = 50_000;
/**
 * Stores ticks that differ in their time and number alone. ARGV: first time, step, count, the line before and after its time.
 */
const storeScript = `
for i = 0, ARGV[3] - 1 do
  local time = string.format('%d', ARGV[1] + i * ARGV[2])
  redis.call('XADD', KEYS[1], time .. '-0', 'time', time, 'tick', ARGV[4] .. time .. ARGV[5], 'seq', 'mb1k2x3y4z.' .. i)
end`;

interface Answer {
  readonly seconds: number;
  readonly bytes: number;
}

/** Live figures while queries for a million stored ticks are answered, one after another, and without them, in turn. */
export const history: Scenario = {
  name: 'history',
  summary: 'queries for 1,000,000 stored ticks beside 2,000 ticks/s: the live latency with and without',
  run: async (settings, say) => {
    const conditions = conditionsOf(
      {
        seconds: 10,
        warmup: 1,
        runs: 1,
        clients: 100,
        each: 10,
        instruments: 500,
        rate: 2000,
        connections: 1,
      },
      settings,
    );
    const options = pushLoad(conditions);
    const folder = mkdtempSync(join(tmpdir(), 'qactpmd-redis-'));
    const redis = await RedisProcess.start(folder);
    try {
      let keys = 0;
      await fill(redis, prefixOf(keys));
      // Each gateway has keys of its own, but for the ticks that are asked for.
      const configured = async (): Promise<RunOptions> => {
        await rename(redis, prefixOf(keys), prefixOf(++keys));
        return {
          ...options,
          config: { ...config, redis_port: redis.port, redis_key_prefix: prefixOf(keys) },
        };
      };
      const runs = await runInTurn(
        'history',
        {
          runs: conditions.runs,
          without: async () => runGateway(await configured()),
          with: async () => {
            const left: Answer[] = [];
            const figures = await runGateway({ ...(await configured()), beside: readerInto(left) });
            return { figures, left };
          },
          tell: (left) => `a query took ${left.map(({ seconds }) => seconds.toFixed(1)).join(' and ')} s`,
        },
        say,
      );
      const answers = runs.left.flat();
      return pairedResult(
        'history',
        {
          ...conditions,
          arrivals: 'poisson',
          ticks: storedTicks,
          format: 'json',
          reader: 'a process of nice 19',
        },
        runs,
        {
          queries: answers.length,
          query_s: spreadOf(answers.map(({ seconds }) => seconds)),
          query_mb: spreadOf(answers.map(({ bytes }) => bytes / 1e6)),
        },
        'p99 without queries over p99 with them',
      );
    } finally {
      await redis.child.stop('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

function prefixOf(run: number): string {
  return `run${run}:`;
}

/** A process that asks for all of the ticks, again and again, as long as the window lasts. */
function readerInto(answers: Answer[]): Beside {
  let reader: Child | undefined;
  return {
    prepare: async (port) => {
      const script = packagePath('dist', 'bench', 'processes', 'historyReader.js');
      const args = [script, String(port), query, String(storedTicks)];
      reader = new Child('the reader of stored ticks', process.execPath, args);
      await reader.next('it to be ready', (line) => line === 'ready' || undefined);
    },
    begin: () => reader!.send('begin'),
    end: async () => {
      reader!.process.stdin!.end();
      answers.push(...(await reader!.next('its answers', answersOf, queryDeadlineMs)));
      await reader!.stop();
    },
  };
}

function answersOf(line: string): Answer[] | undefined {
  return line.startsWith('{"answers"') ? (JSON.parse(line) as { answers: Answer[] }).answers : undefined;
}

async function fill(redis: RedisProcess, prefix: string): Promise<void> {
  const row = new Float64Array(fieldCount).fill(NaN);
  for (let field = 0; field <= Field.askVolume1; field++) row[field] = 3500 + field / 5;
  row[Field.timestamp] = firstTimeMs;
  row[Field.tradingDay] = 20260105;
  const [before, after] = encodeTick(0, firstTimeMs + 3.125, row).split(`,${firstTimeMs},`);
  const client = redis.client();
  try {
    for (let index = 0; index < storedTicks; index += storedAtOnce)
      await client.eval(
        storeScript,
        1,
        stream(prefix),
        firstTimeMs + index * stepMs,
        stepMs,
        storedAtOnce,
        `${before!},`,
        `,${after!}`,
      );
    // So much at once makes Redis write its log again, in a process of its own that takes a core: not beside what is measured.
    let isAsked = false;
    await until('Redis to have written its log anew', async () => {
      if (/aof_rewrite_(in_progress|scheduled):1/.test(await client.info('persistence'))) return undefined;
      if (isAsked) return true;
      await client.bgrewriteaof();
      isAsked = true;
      return undefined;
    });
  } finally {
    client.disconnect();
  }
}

async function rename(redis: RedisProcess, from: string, to: string): Promise<void> {
  const client = redis.client();
  try {
    await client.rename(stream(from), stream(to));
  } finally {
    client.disconnect();
  }
}
