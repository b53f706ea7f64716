import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConnectionSpec } from '../../src/coordinator/workers/workerMessages.js';
import type { ConnectionCommand } from '../../src/coordinator/workers/workerPool.js';
import { type FakeLibrary, freshFakeLibrary } from '../ctp/fakeLibrary.js';
import { depthStruct, longIdOffset } from '../ctp/depthStruct.js';
import { until, untilCounted } from '../helpers/until.js';
import { PoolRun } from './poolRun.js';

/** The next release begins well before a connection continues without the one that hangs. */
const deadlines = { answerMs: 3_000, releaseMs: 3_000, nextReleaseMs: 500 };
const stuckMs = 30_000;
const testMs = 60_000;

let fake: FakeLibrary;
let run: PoolRun;

beforeEach(async () => {
  fake = await freshFakeLibrary('fake_newest');
  run = new PoolRun(2, { deadlines });
}, testMs);
afterEach(async () => {
  fake.holdRelease(0);
  fake.holdSubscribe(0);
  await run.end();
});

const created = (): string[] => fake.log().filter((call) => call.startsWith('create'));

/** Brings the n-th session of the fake library as far as its login. */
async function logIn(session: number): Promise<void> {
  await untilCounted('sessions that are open', () => fake.asked('init'), session, stuckMs);
  fake.connected();
  await untilCounted('logins', () => fake.asked('login'), session);
  fake.login(0, Buffer.alloc(1), '', 1, 0);
  await run.reaches(0, 'logged_in');
}

/** Opens connection 0, of which the library will not let go. */
async function openSticking(): Promise<ConnectionSpec> {
  const spec = run.spec(0, 'tcp://a:1', { library: fake.path });
  run.pool.open([spec]);
  run.pool.send({ type: 'subscribe', connection: 0, ids: ['rb2605'], slots: [7] });
  await logIn(1);
  fake.holdNextRelease();
  return spec;
}

/** Opens it again: it logs in, with flow files of its own. */
async function expectAnotherFolder(spec: ConnectionSpec): Promise<void> {
  run.pool.open([spec]);
  run.pool.send({ type: 'subscribe', connection: 0, ids: ['rb2605'], slots: [8] });
  await logIn(2);
  expect(created().at(-1)).toContain('/c0.2/');
}

it(
  'a connection whose library does not let go of it continues in another folder, and holds up no other',
  async () => {
    run.pool.open([run.spec(0, 'tcp://a:1', { library: fake.path }), run.spec(1, 'sim://')]);
    run.pool.send({ type: 'subscribe', connection: 0, ids: ['rb2605'], slots: [7] });
    await run.reaches(1, 'logged_in');
    await logIn(1);
    fake.holdNextRelease();
    run.pool.send({ type: 'reopen', connection: 0, reason: 'silent' });
    await untilCounted('releases that hang', () => fake.asked('release'), 1);
    run.pool.send({ type: 'close', connection: 1 });
    await untilCounted('the other to be closed', () => run.count('closed'), 1, stuckMs);
    expect(run.events.filter((event) => event.type === 'log')).toEqual([]);
    await logIn(2);
    expect(run.states(0).map(({ state, reason }) => `${state} ${reason}`.trim())).toEqual([
      'connecting',
      'connected',
      'logged_in',
      'error silent',
      'connecting the library did not let go of the session within 3 s: opening another one',
      'connected',
      'logged_in',
    ]);
    expect(created().map((call) => /c0[^/]*/.exec(call)![0])).toEqual(['c0', 'c0.2']);
    const depth = depthStruct(584);
    depth.text(longIdOffset, 'rb2605');
    fake.tick(depth.bytes);
    expect(await run.tick(0)).toBe(7);
  },
  testMs,
);

it(
  'a connection whose library does not let go of it is closed nevertheless',
  async () => {
    const spec = await openSticking();
    run.pool.send({ type: 'close', connection: 0 });
    await untilCounted('closed connections', () => run.count('closed'), 1, stuckMs);
    expect(run.events).toContainEqual({
      type: 'log',
      level: 'warn',
      event: 'front_trouble',
      text: 'the library did not let go of the session within 3 s',
      connection: 0,
    });
    await expectAnotherFolder(spec);
  },
  testMs,
);

it(
  'a connection of a lost worker continues in another folder when the library does not let go of it',
  async () => {
    const spec = await openSticking();
    run.pool.send({ type: 'subscribe', connection: 0 } as unknown as ConnectionCommand);
    await untilCounted('reported losses', () => run.lost.length, 1);
    await expectAnotherFolder(spec);
  },
  testMs,
);

describe('a worker that hangs in the library', () => {
  /** Leaves the worker of connection 0 and its neighbour in a call that does not return. */
  async function hang(): Promise<void> {
    run.pool.open([run.spec(0, 'tcp://a:1', { library: fake.path }), run.spec(1, 'sim://')]);
    await run.reaches(1, 'logged_in');
    run.pool.send({ type: 'subscribe', connection: 1, ids: ['au2612'], slots: [8] });
    await run.tick(1);
    await logIn(1);
    fake.holdSubscribe(1);
    run.pool.send({ type: 'subscribe', connection: 0, ids: ['rb2605'], slots: [7] });
    await untilCounted('calls that hang', () => fake.asked('subscribe'), 1);
  }

  /** Opens the neighbour elsewhere: under another index, on another ring. */
  async function openElsewhere(): Promise<void> {
    run.pool.open([run.spec(2, 'sim://')]);
    run.pool.send({ type: 'subscribe', connection: 2, ids: ['au2612'], slots: [9] });
    expect(await run.tick(2)).toBe(9);
  }

  it(
    'loses the connection over which it hangs, while the ticks of the others flow until they are open elsewhere',
    async () => {
      await hang();
      await untilCounted('hangs that are noticed', () => run.stranded.length, 1, stuckMs);
      expect(run.stranded).toEqual([{ connections: [1], error: 'the worker hangs in the vendor library' }]);
      expect(run.lost).toEqual([{ connections: [0], error: 'the worker hangs in the vendor library' }]);
      await openElsewhere();
      const neighbour = run.readers.get(1)!;
      while (neighbour.next());
      expect(await run.tick(1), 'the old line still ticks').toBe(8);
      run.pool.send({ type: 'close', connection: 1 });
      await untilCounted('old lines that are closed', () => run.count('closed'), 1);
      while (neighbour.next());
      expect(await run.tick(2)).toBe(9);
      expect(neighbour.next(), 'a closed line is silent').toBe(false);
    },
    testMs,
  );

  it(
    'closes its connection nevertheless',
    async () => {
      await hang();
      run.pool.send({ type: 'close', connection: 0 });
      await untilCounted('closed connections', () => run.count('closed'), 1, stuckMs);
      expect(run.lost).toEqual([]);
      expect(run.stranded).toMatchObject([{ connections: [1] }]);
    },
    testMs,
  );

  it(
    'keeps its thread, and with too many of them no other is started until one returns',
    async () => {
      await run.end();
      run = new PoolRun(2, { deadlines, mostHanging: 1 });
      await hang();
      await untilCounted('reported losses', () => run.lost.length, 1, stuckMs);
      const elsewhere = run.spec(2, 'sim://');
      run.pool.open([elsewhere]);
      await untilCounted('reported losses, the refusal among them', () => run.lost.length, 2, stuckMs);
      expect(run.lost[1]).toEqual({
        connections: [2],
        error: '1 workers hang in vendor libraries, and no other is started',
      });
      run.pool.send({ type: 'close', connection: 1 });
      fake.holdSubscribe(0);
      let refused = 1;
      const isOpen = (): boolean => {
        if (run.lost.length > refused) {
          refused = run.lost.length;
          run.pool.open([elsewhere]);
        }
        return run.state(2) === 'logged_in';
      };
      await until('the other to be open', isOpen, stuckMs);
    },
    testMs,
  );
});
