import { newestVerified } from '../helpers/generations.js';
import { execFileSync, spawnSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  AbiClient,
  buildAbi,
  buildProduct,
  layouts,
  libraryOf,
  quickReconnect,
  type AbiSession,
} from './abiClient.js';
import { listedIds, RestartableFront, runLifecycle, stageNames, type Outcome } from './abiLifecycle.js';

const { generations } = layouts;
const buildTimeoutMs = 300_000;

/** Instrumented builds that say so in their symbols, and what their options add to the checks. */
const builds = [
  {
    build: 'asan',
    hook: '__asan_init',
    env: {
      ASAN_OPTIONS: 'detect_stack_use_after_return=1:strict_string_checks=1',
      UBSAN_OPTIONS: 'print_stacktrace=1',
    },
  },
  { build: 'tsan', hook: '__tsan_init', env: { TSAN_OPTIONS: 'second_deadlock_stack=1' } },
] as const;

const clients: AbiClient[] = [];
afterEach(async () => {
  // A report of the sanitizer is an error of the client's end.
  for (const open of clients.splice(0)) await open.close();
});

describe.each(builds)('under $build', ({ build, hook, env }) => {
  beforeAll(() => buildAbi(build), buildTimeoutMs);

  function client(extra: Readonly<Record<string, string>> = {}): AbiClient {
    const created = new AbiClient(build, { ...quickReconnect, ...env, ...extra });
    clients.push(created);
    return created;
  }

  it.each(generations)('the library of generation $id is instrumented', ({ id }) => {
    const symbols = execFileSync('nm', ['-D', '--undefined-only', libraryOf(id, build)], {
      encoding: 'utf8',
    });
    expect(symbols).toContain(hook);
  });

  describe('all generations live in one process, with a front that stops and comes back', () => {
    let outcome: Outcome;
    let together: AbiClient;
    beforeAll(async () => {
      together = new AbiClient(build, { ...quickReconnect, ...env });
      const sessions: AbiSession[] = [];
      for (const generation of generations) sessions.push(await together.open(generation));
      outcome = await runLifecycle(sessions);
    }, buildTimeoutMs);
    afterAll(() => together.close());

    it.each(generations.flatMap(({ id }) => stageNames.map((stage) => [id, stage] as const)))(
      '%s %s',
      (id, stage) => {
        const failure = outcome.get(id)!.get(stage);
        if (failure !== undefined) throw failure as Error;
      },
    );
  });

  it.each(['1', '0'])(
    'releases that join the thread: %s, at any moment, amid ticks of a front',
    async (joins) => {
      const front = await RestartableFront.start();
      try {
        const address = await front.address();
        const storms = client({ QACTPMD_SIM_RELEASE_JOINS: joins });
        for (const id of ['2013', '6.3.15', newestVerified]) {
          const session = await storms.open(generations.find((generation) => generation.id === id)!);
          await session.command('quiet on');
          expect(await session.code(`storm ${session.flowPath} ${address} 20`)).toBe(0);
          expect(await session.code(`storm ${session.flowPath} sim://?rate=20000 20`)).toBe(0);
          expect(await session.code(`storm ${session.flowPath} tcp://127.0.0.1:1 7`)).toBe(0);
        }
      } finally {
        await front.stop();
      }
    },
  );

  it('the tick model over days, with every setting, in two threads', () => {
    const program = buildProduct('model_exercise', build);
    const ran = spawnSync(program, { encoding: 'utf8', env: { ...process.env, ...env } });
    expect([ran.status, ran.stderr]).toEqual([0, '']);
    expect(Number(ran.stdout)).toBeGreaterThan(50_000);
  });

  it('the tick model at full speed, futures, options and ids that it does not know', async () => {
    const session = await client().open(generations.at(-1)!);
    await session.command('quiet on');
    await session.begin('sim://?rate=20000&seed=7');
    await session.until(async () => (await session.code('login 9999 gateway')) === 0, 'the login');
    const options = [
      'cu2701C70000',
      'm2701-C-3000',
      'SR701P5400',
      'IO2701-P-4000',
      'm2701-MS-C-3000',
      'l2701F',
    ];
    const unknown = ['x', '2701', 'rb', 'rb2713', 'm2701-C-', 'IO2701', 'SP a2701&a2705', 'm2701-X-3000'];
    await session.command(`subscribe ${[...listedIds(), ...options, ...unknown].join(' ')}`);
    let ticks = 0;
    await session.until(async () => (ticks += (await session.code('count'))!) > 5_000, 'ticks');
  });
});

describe('a build with AddressSanitizer', () => {
  it('ends a client that reads one field more than the library has', async () => {
    const wrong = new AbiClient('asan', { ...quickReconnect, ...builds[0].env });
    const session = await wrong.open(
      generations.find(({ id }) => id === '6.7.8')!,
      libraryOf('6.6.9', 'asan'),
    );
    await session.begin('sim://?rate=1');
    await session.callback('connected');
    await session.code('login 9999 gateway');
    await expect(wrong.close()).rejects.toThrow(/AddressSanitizer: use-after-poison/);
  });
});
