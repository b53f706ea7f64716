import { newestVerified } from '../helpers/generations.js';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { doubleWord, intWord } from '../../src/ring/tickRecord.js';
import { freshFakeLibrary } from '../ctp/fakeLibrary.js';
import { until, untilCounted } from '../helpers/until.js';
import { FrontProcess } from '../simulator/frontProcess.js';
import { freePort } from '../e2e/ports.js';
import { PoolRun } from './poolRun.js';

const runs: PoolRun[] = [];
const fronts: FrontProcess[] = [];

function start(connectionsPerWorker: 'auto' | number = 'auto'): PoolRun {
  const run = new PoolRun(connectionsPerWorker);
  runs.push(run);
  return run;
}

async function startFront(...args: string[]): Promise<{ front: FrontProcess; port: number }> {
  const front = new FrontProcess(['--base-port', String(await freePort()), ...args]);
  fronts.push(front);
  const [port] = await front.ports();
  return { front, port: port! };
}

beforeAll(() => {
  // How soon the simulated library tries again; the vendor's own takes 5 s.
  process.env['QACTPMD_SIM_RECONNECT_MS'] = '50';
});
afterEach(async () => {
  for (const run of runs.splice(0)) await run.end();
  for (const front of fronts.splice(0)) await front.stop('SIGKILL');
});

describe('a connection', () => {
  it('connects, logs in, subscribes, puts ticks into its ring and closes', async () => {
    const run = start();
    const { port } = await startFront('--rate', '50');
    run.pool.open([run.spec(7, `tcp://127.0.0.1:${port}`)]);
    run.pool.send({ type: 'subscribe', connection: 7, ids: ['au2612', 'cu2612'], slots: [11, 12] });
    await run.reaches(7, 'logged_in');
    expect(run.states(7)).toEqual(
      ['connecting', 'connected', 'logged_in'].map((state) => ({
        type: 'state',
        connection: 7,
        state,
        reason: '',
        fatal: false,
      })),
    );
    const seen = new Set<number>();
    for (let i = 0; i < 200 && seen.size < 2; i++) seen.add(await run.tick(7));
    expect([...seen].sort()).toEqual([11, 12]);
    const { record } = run.readers.get(7)!;
    expect(record.connection).toBe(7);
    expect(record.i32[intWord.tradingDay]).toBeGreaterThan(20200101);
    expect(record.i32[intWord.volume]).toBeGreaterThanOrEqual(0);
    expect(record.f64[doubleWord.askPrice1]).toBeGreaterThan(record.f64[doubleWord.bidPrice1]!);
    expect(run.events).toContainEqual({
      type: 'library',
      connection: 7,
      version: expect.stringContaining(newestVerified) as string,
      warning: '',
    });
    run.pool.send({ type: 'close', connection: 7 });
    await untilCounted('closed', () => run.count('closed'), 1);
    expect(run.lost).toEqual([]);
  });

  it('says what its front was asked for, each time it was, and nothing of a batch that was not taken', async () => {
    const fake = await freshFakeLibrary('fake_newest');
    const run = start();
    run.pool.open([run.spec(3, 'tcp://a:1', { library: fake.path })]);
    run.pool.send({ type: 'subscribe', connection: 3, ids: ['au2612', 'cu2612'], slots: [11, 12] });
    await untilCounted('open', () => fake.asked('init'), 1);
    const logIn = async (requests: number): Promise<void> => {
      fake.connected();
      await untilCounted('the login', () => fake.asked('login'), requests);
      fake.login(0, Buffer.alloc(1), '', requests, 0);
      await untilCounted(`${requests} requests`, () => run.requested(3).length, requests);
    };
    await logIn(1);
    run.pool.send({ type: 'unsubscribe', connection: 3, ids: ['cu2612'] });
    await untilCounted('unsubscribed', () => fake.asked('unsubscribe'), 1);
    fake.disconnected(0x1001);
    await logIn(2);
    fake.returnNext(-2);
    run.pool.send({ type: 'subscribe', connection: 3, ids: ['al2612'], slots: [13] });
    await untilCounted('asked for again after a refusal to take it', () => run.requested(3).length, 3);
    expect(fake.asked('subscribe al2612')).toBe(2);
    expect(run.requested(3)).toEqual([[11, 12], [11], [13]]);
  });

  it('gets no more ticks of what it unsubscribed', async () => {
    const run = start();
    run.pool.open([run.spec(0, 'sim://?rate=500')]);
    run.pool.send({ type: 'subscribe', connection: 0, ids: ['au2612', 'cu2612'], slots: [1, 2] });
    while ((await run.tick(0)) !== 1);
    run.pool.send({ type: 'unsubscribe', connection: 0, ids: ['au2612'] });
    let since = 0;
    await until('only the other instrument ticks', () => {
      while (run.readers.get(0)!.next()) since = run.readers.get(0)!.record.slot === 1 ? 0 : since + 1;
      return since > 100;
    });
  });

  it('reports a refused login, and one that will never be accepted as fatal', async () => {
    const run = start();
    const soon = await startFront('--reject-login', '3');
    const never = await startFront('--reject-login', '75');
    run.pool.open([
      run.spec(1, `tcp://127.0.0.1:${soon.port}`),
      run.spec(2, `tcp://127.0.0.1:${never.port}`),
    ]);
    await run.reaches(1, 'error');
    await run.reaches(2, 'error');
    expect(run.states(1).at(-1)).toMatchObject({ fatal: false });
    expect(run.states(1).at(-1)?.reason).toMatch(/^login refused: 3 ./);
    expect(run.states(2).at(-1)).toMatchObject({ fatal: true });
  });

  it('tells every refusal, however many sessions of a worker are refused thousands at once', async () => {
    const sessions = 6;
    const ids = Array.from({ length: 3000 }, (_, i) => `id${i}`);
    const run = start(sessions);
    const { front, port } = await startFront('--control-port', '0');
    await (await front.control()).fault('all', 'subscription_limit', { limit: 1 });
    run.pool.open(Array.from({ length: sessions }, (_, i) => run.spec(i, `tcp://127.0.0.1:${port}`)));
    for (let connection = 0; connection < sessions; connection++)
      run.pool.send({ type: 'subscribe', connection, ids, slots: ids.map((_, i) => i) });
    const refused = (): number => run.count('refused');
    await untilCounted('all are refused', () => refused(), sessions * (ids.length - 1));
    const each = run.events.filter((event) => event.type === 'refused');
    expect(new Set(each.map(({ connection, id }) => `${connection} ${id}`)).size).toBe(each.length);
  });

  it('reports a library that is missing', async () => {
    const run = start();
    run.pool.open([run.spec(0, 'tcp://127.0.0.1:1', { library: '/no/such/library.so' })]);
    await run.reaches(0, 'error');
    expect(run.states(0).at(-1)).toMatchObject({ reason: '/no/such/library.so: no such file', fatal: true });
  });

  it('opens by itself once what kept the library from giving a session is gone', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'qactpmd-blocked-'));
    try {
      const blocked = join(folder, 'flow');
      writeFileSync(blocked, '');
      const run = start();
      run.pool.open([run.spec(0, 'sim://', { flowFolder: join(blocked, 'c0') })]);
      await run.reaches(0, 'error');
      expect(run.states(0).at(-1)).toMatchObject({ fatal: false });
      expect(run.states(0).at(-1)!.reason).toContain('the folder for flow files cannot be made');
      rmSync(blocked);
      await run.reaches(0, 'logged_in');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('comes back by itself when its front was killed, and ticks again', async () => {
    const run = start();
    const { front, port } = await startFront('--rate', '50');
    run.pool.open([run.spec(0, `tcp://127.0.0.1:${port}`)]);
    run.pool.send({ type: 'subscribe', connection: 0, ids: ['au2612'], slots: [1] });
    await run.tick(0);
    await front.stop('SIGKILL');
    await run.reaches(0, 'connecting');
    expect(run.states(0).at(-1)?.reason).toContain('0x1001');
    while (run.readers.get(0)!.next());
    const again = new FrontProcess(['--base-port', String(port), '--rate', '50']);
    fronts.push(again);
    await again.ports();
    await run.reaches(0, 'logged_in');
    expect(await run.tick(0)).toBe(1);
  });
});

describe('closing', () => {
  it.each([
    ['while it opens', 'none', () => Promise.resolve('sim://')],
    ['while no front answers', 'connecting', async () => `tcp://127.0.0.1:${await freePort()}`],
    ['while logged in', 'logged_in', () => Promise.resolve('sim://?rate=20000')],
    [
      'while the login is refused',
      'error',
      async () => {
        const { port } = await startFront('--reject-login', '3');
        return `tcp://127.0.0.1:${port}`;
      },
    ],
    [
      'after a fatal refusal',
      'error',
      async () => {
        const { port } = await startFront('--reject-login', '75');
        return `tcp://127.0.0.1:${port}`;
      },
    ],
  ])('works %s, alone and with the whole pool', async (_when, state, front) => {
    const address = await front();
    const run = start();
    run.pool.open([run.spec(0, address), run.spec(1, address)]);
    for (const connection of [0, 1]) {
      run.pool.send({ type: 'subscribe', connection, ids: ['au2612', 'cu2612'], slots: [1, 2] });
      if (state !== 'none') await run.reaches(connection, state);
    }
    run.pool.send({ type: 'close', connection: 0 });
    await untilCounted('closed', () => run.count('closed'), 1);
    await run.close();
    expect(run.lost).toEqual([]);
  });
});
