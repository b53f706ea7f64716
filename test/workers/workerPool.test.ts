import { readdirSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import type { ConnectionCommand } from '../../src/coordinator/workers/workerPool.js';
import { freshFakeLibrary, loadFakeLibrary } from '../ctp/fakeLibrary.js';
import { until, untilCounted } from '../helpers/until.js';
import { PoolRun } from './poolRun.js';

const runs: PoolRun[] = [];

function start(connectionsPerWorker: 'auto' | number = 'auto'): PoolRun {
  const run = new PoolRun(connectionsPerWorker);
  runs.push(run);
  return run;
}

afterEach(async () => {
  for (const run of runs.splice(0)) await run.end();
});

const indices = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('a worker pool', () => {
  it.each([
    ['auto', 3, 3],
    ['auto', 16, 16],
    ['auto', 20, 4],
    [4, 10, 3],
    [1, 3, 3],
  ] as const)(
    'with %s connections per worker hosts %d connections in %d workers',
    async (per, count, workers) => {
      const run = start(per);
      run.pool.open(indices(count).map((source) => run.spec(source, 'sim://?rate=20')));
      for (const source of indices(count))
        run.pool.send({ type: 'subscribe', connection: source, ids: ['au2612'], slots: [source] });
      for (const source of indices(count)) expect(await run.tick(source)).toBe(source);
      expect(run.count('ready')).toBe(workers);
      await run.close();
      expect(run.count('closed')).toBe(count);
    },
  );

  it('refuses to open what is open, and anything once it stops', async () => {
    const run = start();
    const spec = run.spec(0, 'sim://');
    run.pool.open([spec]);
    expect(() => run.pool.open([spec])).toThrow('c0 (0) is already open');
    await run.reaches(0, 'logged_in');
    expect(() => run.pool.open([spec])).toThrow('already open');
    await run.end();
    expect(() => run.pool.open([spec])).toThrow('stopping');
    run.pool.stop();
  });

  it('has the workers of closed connections do for others', async () => {
    const run = start();
    for (let round = 0; round < 4; round++) {
      const sources = [2 * round, 2 * round + 1];
      run.pool.open(sources.map((source) => run.spec(source, 'sim://')));
      for (const source of sources) await run.reaches(source, 'logged_in');
      for (const source of sources) run.pool.send({ type: 'close', connection: source });
      await untilCounted('sessions to be closed', () => run.count('closed'), 2 * round + 2);
    }
    expect(run.count('ready')).toBe(2);
    await run.end();
  });

  it('drops commands for connections that are not open, which are closed at once', async () => {
    const run = start();
    run.pool.send({ type: 'subscribe', connection: 5, ids: ['a'], slots: [1] });
    run.pool.send({ type: 'close', connection: 5 });
    await until('an event', () => run.events.length > 0);
    expect(run.events).toEqual([{ type: 'closed', connection: 5 }]);
  });

  it('lets a connection be closed before its turn to open has come', async () => {
    const run = start();
    run.pool.open(indices(3).map((source) => run.spec(source, 'sim://')));
    run.pool.send({ type: 'close', connection: 2 });
    await untilCounted('closed', () => run.count('closed'), 1);
    await run.reaches(1, 'logged_in');
    expect(run.state(2)).toBe('none');
  });

  it('opens a closed connection again, on the same ring', async () => {
    const run = start();
    const spec = run.spec(0, 'sim://?rate=200');
    for (let round = 1; round <= 3; round++) {
      run.pool.open([spec]);
      run.pool.send({ type: 'subscribe', connection: 0, ids: ['au2612'], slots: [round] });
      expect(await run.tick(0)).toBe(round);
      run.pool.send({ type: 'close', connection: 0 });
      await untilCounted('closed', () => run.count('closed'), round);
      while (run.readers.get(0)!.next());
    }
  });

  it('reports a worker that dies; its ring is still, and its connections can be opened again', async () => {
    const run = start(2);
    const specs = indices(2).map((source) => run.spec(source, 'sim://?rate=5000'));
    run.pool.open(specs);
    for (const connection of [0, 1]) {
      run.pool.send({ type: 'subscribe', connection, ids: ['au2612'], slots: [1] });
      await run.tick(connection);
    }
    const broken = { type: 'subscribe', connection: 0 } as unknown as ConnectionCommand;
    run.pool.send(broken);
    await untilCounted('reported', () => run.lost.length, 1);
    expect(run.lost[0]!.connections).toEqual([0, 1]);
    expect(run.lost[0]!.error).toContain('undefined');
    for (const reader of run.readers.values()) {
      while (reader.next());
      expect(reader.pending).toBe(false);
    }
    run.pool.open(specs);
    run.pool.send({ type: 'subscribe', connection: 1, ids: ['au2612'], slots: [9] });
    expect(await run.tick(1)).toBe(9);
  });

  it('opens a connection of a lost worker only when the library has let go of its session', async () => {
    const fake = await freshFakeLibrary('fake_newest');
    const run = start(2);
    const spec = run.spec(0, 'tcp://a:1', { library: fake.path });
    run.pool.open([spec]);
    await untilCounted('open', () => fake.asked('init'), 1);
    fake.holdRelease(1);
    try {
      run.pool.send({ type: 'subscribe', connection: 0 } as unknown as ConnectionCommand);
      await untilCounted('reported', () => run.lost.length, 1);
      run.pool.open([spec, run.spec(1, 'sim://')]);
      run.pool.send({ type: 'subscribe', connection: 0, ids: ['rb2605'], slots: [3] });
      await run.reaches(1, 'logged_in');
      expect(fake.asked('create')).toBe(1);
    } finally {
      fake.holdRelease(0);
    }
    await untilCounted('open again', () => fake.asked('init'), 2);
    expect(fake.log().filter((call) => call.startsWith('create'))).toEqual(
      Array(2).fill(`create ${spec.flowFolder}/ 001`),
    );
    fake.connected();
    await untilCounted('the login', () => fake.asked('login'), 1);
    fake.login(0, Buffer.alloc(1), '', 1, 0);
    await untilCounted('subscribed', () => run.requested(0).length, 1);
  });

  it('says of a connection that was being closed when its worker died that it is closed', async () => {
    const run = start(2);
    run.pool.open([run.spec(0, 'sim://'), run.spec(1, 'sim://')]);
    await run.reaches(0, 'logged_in');
    await run.reaches(1, 'logged_in');
    run.pool.send({ type: 'subscribe', connection: 1 } as unknown as ConnectionCommand);
    run.pool.send({ type: 'close', connection: 0 });
    await untilCounted('reported', () => run.lost.length, 1);
    expect(run.lost[0]!.connections).toEqual([1]);
    await untilCounted('closed', () => run.count('closed'), 1);
  });

  it('stops at once while a release hangs, and asks no library for anything', async () => {
    // Of a library that no other test uses here: one of its sessions stays.
    const fake = loadFakeLibrary('fake_6_7_2');
    const run = start(2);
    run.pool.open([0, 1].map((source) => run.spec(source, 'tcp://a:1', { library: fake.path })));
    await untilCounted('sessions that are open', () => fake.asked('init'), 2);
    fake.holdRelease(1);
    try {
      run.pool.send({ type: 'close', connection: 1 });
      await untilCounted('releases that hang', () => fake.asked('release'), 1);
      const before = fake.log().length;
      run.stop();
      fake.connected();
      expect(fake.log().slice(before)).toEqual([]);
    } finally {
      fake.holdRelease(0);
    }
  });

  it('logs in again when more happened than its worker could be told', async () => {
    const fake = await freshFakeLibrary('fake_newest');
    const run = start();
    run.pool.open([run.spec(0, 'tcp://a:1', { library: fake.path })]);
    await untilCounted('open', () => fake.asked('init'), 1);
    fake.connected();
    await untilCounted('logins', () => fake.asked('login'), 1);
    const accept = (): void => fake.login(0, Buffer.alloc(1), '', 1, 0);
    accept();
    await run.reaches(0, 'logged_in');
    await until('events are lost', () => {
      for (let i = 0; i < 20_000; i++) accept();
      return run.events.some(
        (event) => event.type === 'log' && event.text === 'connection events were lost: logging in again',
      );
    });
    expect(run.states(0).map(({ reason }) => reason)).toContain('events of the front were lost');
    // What was said before may still be on its way, so not every answer meets a question.
    await until('logged in', () => {
      accept();
      return run.state(0) === 'logged_in';
    });
  });

  it('asks for everything again when a session had more refused than its worker could be told', async () => {
    const fake = await freshFakeLibrary('fake_newest');
    const run = start();
    run.pool.open([run.spec(0, 'tcp://a:1', { library: fake.path })]);
    run.pool.send({ type: 'subscribe', connection: 0, ids: ['au2612', 'cu2612'], slots: [1, 2] });
    await untilCounted('open', () => fake.asked('init'), 1);
    fake.connected();
    await untilCounted('the login', () => fake.asked('login'), 1);
    fake.login(0, Buffer.alloc(1), '', 1, 0);
    await untilCounted('asked for', () => run.requested(0).length, 1);
    const told = (): boolean =>
      run.events.some(
        (event) => event.type === 'log' && event.text.includes('asking for all instruments again'),
      );
    await until('refusals are lost', () => {
      for (let i = 0; i < 20_000; i++) fake.answer(1, 'cu2612', 6000, 'sub too many insts', 0);
      return told();
    });
    expect(run.events.filter((event) => event.type === 'refused')).toMatchObject([
      { id: 'cu2612', code: 6000 },
    ]);
    await untilCounted('asked for again', () => run.requested(0).length, 2);
    expect(run.requested(0)).toEqual([[1, 2], [1]]);
  });

  it('leaks neither threads nor descriptors in 20 rounds of opening and closing', async () => {
    const use = (): [number, number] => [
      readdirSync('/proc/self/task').length,
      readdirSync('/proc/self/fd').length,
    ];
    const round = async (): Promise<void> => {
      const run = new PoolRun(3);
      run.pool.open(indices(3).map((source) => run.spec(source, 'sim://?rate=300')));
      for (const connection of indices(3)) {
        run.pool.send({ type: 'subscribe', connection, ids: ['au2612'], slots: [1] });
        await run.tick(connection);
      }
      await run.end();
    };
    await round();
    await round();
    const [threads, descriptors] = use();
    for (let i = 0; i < 20; i++) await round();
    await until(
      () => `at most ${threads}, ${descriptors}; ${use().join()}`,
      () => use()[0] <= threads && use()[1] <= descriptors,
    );
  });
});
