import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConnectionSpec } from '../../src/coordinator/messages.js';
import type { ConnectionCommand } from '../../src/coordinator/workerPool.js';
import { type FakeLibrary, freshFakeLibrary } from '../ctp/fakeLibrary.js';
import { depthStruct, longIdOffset } from '../ctp/depthStruct.js';
import { until, untilCounted } from '../until.js';
import { PoolRun } from './poolRun.js';

/** The next release begins well before a connection goes on without the one that hangs. */
const deadlines = { answerMs: 3_000, releaseMs: 3_000, nextReleaseMs: 500 };
const stuckMs = 30_000;
const testMs = 60_000;

let fake: FakeLibrary;
let run: PoolRun;

beforeEach(async () => {
  fake = await freshFakeLibrary('fake_6_7_13');
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
  'a connection whose library does not let go of it goes on in another folder, and holds up no other',
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
  'a connection whose library does not let go of it is closed all the same',
  async () => {
    const spec = await openSticking();
    run.pool.send({ type: 'close', connection: 0 });
    await untilCounted('closed connections', () => run.count('closed'), 1, stuckMs);
    expect(run.events).toContainEqual({
      type: 'log',
      level: 'warn',
      text: 'the library did not let go of the session within 3 s',
      connection: 0,
    });
    await expectAnotherFolder(spec);
  },
  testMs,
);

it(
  'a connection of a lost worker goes on in another folder when the library does not let go of it',
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
  async function hang(): Promise<ConnectionSpec> {
    const neighbour = run.spec(1, 'sim://');
    run.pool.open([run.spec(0, 'tcp://a:1', { library: fake.path }), neighbour]);
    await run.reaches(1, 'logged_in');
    await logIn(1);
    fake.holdSubscribe(1);
    run.pool.send({ type: 'subscribe', connection: 0, ids: ['rb2605'], slots: [7] });
    await untilCounted('calls that hang', () => fake.asked('subscribe'), 1);
    return neighbour;
  }

  it(
    'is reported lost with all its connections, which others can carry on',
    async () => {
      const neighbour = await hang();
      await untilCounted('reported losses', () => run.lost.length, 1, stuckMs);
      expect(run.lost).toEqual([{ connections: [0, 1], error: 'the worker hangs in the vendor library' }]);
      run.pool.open([neighbour]);
      run.pool.send({ type: 'subscribe', connection: 1, ids: ['au2612'], slots: [9] });
      await until('a tick of the neighbour', () => run.readers.get(1)!.next(), stuckMs);
      expect(run.readers.get(1)!.record.slot).toBe(9);
    },
    testMs,
  );

  it(
    'closes its connection all the same, and its neighbours are reported lost',
    async () => {
      await hang();
      run.pool.send({ type: 'close', connection: 0 });
      await untilCounted('closed connections', () => run.count('closed'), 1, stuckMs);
      expect(run.lost).toEqual([{ connections: [1], error: 'the worker hangs in the vendor library' }]);
    },
    testMs,
  );

  it(
    'keeps its thread, and with too many of them no other is started until one returns',
    async () => {
      await run.end();
      run = new PoolRun(2, { deadlines, mostHanging: 1 });
      const neighbour = await hang();
      await untilCounted('reported losses', () => run.lost.length, 1, stuckMs);
      run.pool.open([neighbour]);
      await untilCounted('reported losses, the refusal among them', () => run.lost.length, 2, stuckMs);
      expect(run.lost[1]).toEqual({
        connections: [1],
        error: '1 workers hang in vendor libraries, and no other is started',
      });
      fake.holdSubscribe(0);
      run.events.length = 0;
      let refused = 1;
      const isOpen = (): boolean => {
        if (run.lost.length > refused) {
          refused = run.lost.length;
          run.pool.open([neighbour]);
        }
        return run.state(1) === 'logged_in';
      };
      await until('the neighbour to be open again', isOpen, stuckMs);
    },
    testMs,
  );
});
