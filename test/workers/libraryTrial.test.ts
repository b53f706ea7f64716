import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { childrenOf, GatewayProcess, isAlive } from '../e2e/processes.js';
import { until, untilCounted } from '../helpers/until.js';
import { builtNative } from '../native/nativeBuild.js';
import { PoolRun } from './poolRun.js';

/** A trial that hangs is given 15 s. */
const hangMs = 30_000;
const testMs = 60_000;

let folder: string;
let marks: string;
let trials: string;
let hanging: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'qactpmd-hang-'));
  marks = join(folder, 'marks');
  trials = join(folder, 'trials');
  mkdirSync(trials);
  hanging = join(folder, 'hanging.so');
  copyFileSync(builtNative('odd_hangs_at_create'), hanging);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const reason = (): string =>
  `${hanging}: it did not return within 15 s when it was asked for a session, so it is not used`;

it(
  'a library that hangs is tried once for all who name it, and holds up nobody else',
  async () => {
    const run = new PoolRun(4);
    vi.stubEnv('ODD_MARKS', marks);
    vi.stubEnv('TMPDIR', trials);
    try {
      const bad = [0, 1, 2];
      run.pool.open([
        ...bad.map((source) => run.spec(source, 'tcp://a:1', { library: hanging })),
        run.spec(3, 'sim://'),
      ]);
      await run.reaches(3, 'logged_in');
      for (const connection of bad) await run.reaches(connection, 'error', hangMs);
      const states = bad.map((connection) => run.states(connection));
      for (const each of states)
        expect(each).toMatchObject([
          { state: 'connecting', reason: '' },
          { reason: reason(), fatal: true },
        ]);
      run.pool.open([run.spec(4, 'tcp://a:1', { library: hanging })]);
      await run.reaches(4, 'error');
      expect(run.states(4).at(-1)!.reason).toBe(reason());
      expect(readFileSync(marks, 'utf8').trimEnd().split('\n')).toHaveLength(1);
      expect(readdirSync(trials)).toEqual([]);
    } finally {
      await run.end();
    }
  },
  testMs,
);

it('a connection is closed at once while its library is being tried', async () => {
  const run = new PoolRun(2);
  vi.stubEnv('ODD_MARKS', marks);
  vi.stubEnv('TMPDIR', trials);
  try {
    run.pool.open([run.spec(0, 'tcp://a:1', { library: hanging })]);
    await until('the trial', () => existsSync(marks));
    run.pool.send({ type: 'reopen', connection: 0, reason: 'silent' });
    run.pool.send({ type: 'close', connection: 0 });
    await untilCounted('closed', () => run.count('closed'), 1);
    expect(run.states(0).map(({ state, fatal }) => [state, fatal])).toEqual([
      ['connecting', false],
      ['error', false],
      ['connecting', false],
    ]);
  } finally {
    await run.end();
  }
});

const gatewayWith = (libraries: string[]): GatewayProcess =>
  new GatewayProcess(
    {
      connections: libraries.map((library, i) => ({
        connection_id: `line_${i}`,
        front_addr: 'sim://',
        ctp_library: library,
      })),
    },
    [],
    { ODD_MARKS: marks, TMPDIR: trials },
  );

it('a gateway starts beside a library that hangs, and says so when it knows', async () => {
  const gateway = gatewayWith([hanging, '']);
  try {
    await until('the trial', () => existsSync(marks));
    await gateway.healthUntil('one line', ({ connections }) => connections[1]!.status === 'logged_in');
    const { connections } = (await gateway.health()).body;
    expect(connections[0]!.status).toBe('connecting');
    expect(childrenOf(gateway.child.pid!)).toHaveLength(1);
  } finally {
    expect(await gateway.stop()).toBe(0);
  }
});

it('a gateway that is stopped amid a trial leaves neither process nor folder', async () => {
  const gateway = gatewayWith([hanging]);
  await until('the trial', () => existsSync(marks));
  const [trial] = childrenOf(gateway.child.pid!);
  expect(isAlive(trial!)).toBe(true);
  expect(await gateway.stop()).toBe(0);
  await until('the end of the trial', () => !isAlive(trial!));
  expect(readdirSync(trials)).toEqual([]);
});
