import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LoginPlaces, type LoginGate } from '../../src/coordinator/workers/loginPlaces.js';
import { CtpSession } from '../../src/ctp/session.js';
import type { SessionCommand, SessionInput } from '../../src/ctp/sessionMessages.js';

const fronts = ['tcp://a:1', 'tcp://b:2'];

/** A session with a clock that the test moves. */
class Run {
  readonly session: CtpSession;
  now = 1000;

  constructor(gate?: LoginGate) {
    this.session = new CtpSession(fronts, 0, undefined, gate);
  }

  step(...inputs: SessionInput[]): SessionCommand[] {
    return inputs.flatMap((input) => this.session.step(input, this.now));
  }

  after(ms: number): SessionCommand[] {
    this.now += ms;
    return this.step({ type: 'time' });
  }
}

const open: SessionInput = { type: 'open' };
const connected: SessionInput = { type: 'front_connected' };
const lost: SessionInput = { type: 'front_disconnected', text: 'gone, 0x1001' };
const accepted: SessionInput = { type: 'login_response', code: 0, text: '' };
const released: SessionInput = { type: 'released' };
const close: SessionInput = { type: 'close' };
const reopen: SessionInput = { type: 'reopen', reason: 'silent' };
const refusedLogin = (code: number, text = ''): SessionInput => ({ type: 'login_response', code, text });
const subscribe = (...ids: string[]): SessionInput => ({
  type: 'subscribe',
  ids,
  slots: ids.map((_, i) => i),
});

const state = (name: string, reason: unknown = '', fatal = false): object => ({
  type: 'state',
  state: name,
  reason,
  fatal,
});

function loggedIn(): Run {
  const run = new Run();
  run.step(open, connected, accepted);
  return run;
}

describe('a session', () => {
  it('logs in as soon as its front is connected, then subscribes', () => {
    const run = new Run();
    expect(run.step(open)).toEqual([state('connecting'), { type: 'open' }]);
    expect(run.step(subscribe('a', 'b'))).toEqual([]);
    expect(run.step(connected)).toEqual([state('connected'), { type: 'login', requestId: 1 }]);
    expect(run.step(accepted)).toEqual([
      state('logged_in'),
      { type: 'subscribe', ids: ['a', 'b'], slots: [0, 1] },
    ]);
    expect(run.session.wakeAt).toBe(Infinity);
  });

  it('logs in and subscribes to everything again after each reconnect', () => {
    const run = loggedIn();
    run.step(subscribe('a', 'b'));
    run.now += 5000;
    run.step({ type: 'unsubscribe', ids: ['a'] });
    expect(run.step(lost)).toEqual([state('connecting', 'gone, 0x1001')]);
    expect(run.step(subscribe('c'))).toEqual([]);
    expect(run.step(connected)).toEqual([state('connected'), { type: 'login', requestId: 2 }]);
    expect(run.step(accepted)).toEqual([
      state('logged_in'),
      { type: 'subscribe', ids: ['b', 'c'], slots: [1, 0] },
    ]);
  });

  it.each(['waiting', 'logging_in', 'logged_in'])(
    'begins again when its front connects a second time without having been lost, while %s',
    (phase) => {
      const run = new Run();
      run.step(subscribe('a'), open, connected);
      if (phase === 'waiting') run.step(refusedLogin(60));
      if (phase === 'logged_in') run.step(accepted);
      expect(run.session.phase).toBe(phase);
      run.now += 10_000;
      expect(run.step(connected)).toEqual([
        state('connecting', 'the front connected again unannounced'),
        state('connected'),
        { type: 'login', requestId: 2 },
      ]);
      expect(run.step(accepted)).toEqual([state('logged_in'), { type: 'subscribe', ids: ['a'], slots: [0] }]);
    },
  );

  it('logs in once per second at most, however often the front comes and goes', () => {
    const run = new Run();
    const logins: number[] = [];
    const note = (commands: SessionCommand[]): void => {
      for (const command of commands) if (command.type === 'login') logins.push(run.now);
    };
    run.step(open);
    for (let i = 0; i < 100; i++) {
      run.now += 150;
      note(run.step(connected, { type: 'time' }));
      run.now += 150;
      note(run.step({ type: 'time' }, lost));
    }
    expect(logins.length).toBeGreaterThan(5);
    for (let i = 1; i < logins.length; i++) expect(logins[i]! - logins[i - 1]!).toBeGreaterThanOrEqual(1000);
  });

  describe('whose front accepts and closes at once', () => {
    const door = (times: number): string =>
      `tcp://a:1, tcp://b:2 accepts and closes, ${times} times since the last login`;
    /** The front takes the connection and closes it, so often, with so many ms between. */
    const bounce = (run: Run, times: number, everyMs = 1): SessionCommand[] => {
      const commands: SessionCommand[] = [];
      for (let i = 0; i < times; i++) {
        run.now += everyMs;
        commands.push(...run.step(connected, lost));
      }
      return commands;
    };

    it('is given up at the fifth close within a second, and opened again later and later', () => {
      const run = new Run();
      run.step(open);
      expect(bounce(run, 4).filter(({ type }) => type === 'release')).toEqual([]);
      expect(bounce(run, 1).slice(-2)).toEqual([state('error', door(5)), { type: 'release' }]);
      const waits: number[] = [];
      for (let i = 1; i < 9; i++) {
        expect(run.step(released), 'a pause, in which the reason stays').toEqual([]);
        waits.push(run.session.wakeAt - run.now);
        expect(run.after(waits.at(-1)!)).toEqual([state('connecting', door(5 * i)), { type: 'open' }]);
        const commands = bounce(run, 5);
        expect(commands.slice(-2)).toEqual([state('error', door(5 * i + 5)), { type: 'release' }]);
        expect(commands).toContainEqual(state('connected', door(5 * i)));
      }
      expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
    });

    it('is given up as well where the library reports the ends of connections alone', () => {
      const run = new Run();
      run.step(open);
      for (let i = 0; i < 4; i++) expect(run.step(lost)).toEqual([state('connecting', 'gone, 0x1001')]);
      expect(run.step(lost)).toEqual([state('error', door(5)), { type: 'release' }]);
    });

    it('is forgiven with a login', () => {
      const run = new Run();
      run.step(open);
      bounce(run, 5);
      run.step(released);
      run.after(1000);
      run.now += 1000;
      expect(run.step(connected, accepted)).toEqual([
        state('connected', door(5)),
        { type: 'login', requestId: 2 },
        state('logged_in'),
      ]);
      expect(run.step(lost)).toEqual([state('connecting', 'gone, 0x1001')]);
      expect(bounce(run, 4)).not.toContainEqual({ type: 'release' });
      expect(bounce(run, 1).slice(-2)).toEqual([state('error', door(5)), { type: 'release' }]);
      run.step(released);
      expect(run.session.wakeAt - run.now).toBe(1000);
    });

    it('is left to the library where the closes are seldom, and closed when it is told to', () => {
      const run = new Run();
      run.step(open);
      expect(bounce(run, 100, 250)).not.toContainEqual({ type: 'release' });
      bounce(run, 5);
      expect(run.session.phase).toBe('reopening');
      run.step(released);
      expect(run.step(close)).toEqual([{ type: 'closed' }]);
    });
  });

  it('says when no front answers', () => {
    const run = new Run();
    run.step(open);
    expect(run.after(14_999)).toEqual([]);
    expect(run.after(1)).toEqual([state('connecting', 'no answer from tcp://a:1, tcp://b:2')]);
    expect(run.session.wakeAt).toBe(Infinity);
    expect(run.step(connected)).toEqual([state('connected'), { type: 'login', requestId: 1 }]);
  });

  it('tries again when a login is not answered', () => {
    const run = new Run();
    run.step(open, connected);
    expect(run.after(10_000)).toEqual([state('connected', 'login not answered within 10 s')]);
    expect(run.after(1000)).toEqual([{ type: 'login', requestId: 2 }]);
    run.after(10_000);
    expect(run.step(accepted)).toEqual([state('logged_in')]);
  });

  const verdicts: [number, string, 'ok' | 'fatal' | number][] = [
    [0, '', 'ok'],
    [5, 'duplicate', 'ok'],
    ...[3, 4, 9, 11, 13].map((code): [number, string, number] => [code, 'no such user', 3_600_000]),
    [7, 'not inited', 30_000],
    [8, 'front not active', 30_000],
    [60, 'too many sessions', 10_000],
    [6, 'not login yet', 1000],
    [9999, 'unheard of', 1000],
    [-1, 'CTP:api login over limit freq', 1500],
    [0, 'CTP:api login over limit freq', 1500],
    ...[12, 49, 75, 131, 140, 141, 143, 144, 6014, 6015, 6016, 6017, 6018, 6019, 6020, 6021].map(
      (code): [number, string, 'fatal'] => [code, 'no', 'fatal'],
    ),
  ];
  it.each(verdicts)('answers login error %d %s with %s', (code, text, verdict) => {
    const run = new Run();
    run.step(open, connected);
    const commands = run.step(refusedLogin(code, text));
    if (verdict === 'ok') {
      expect(commands).toEqual([state('logged_in')]);
    } else if (verdict === 'fatal') {
      const reason: unknown = expect.stringContaining(
        `login refused: ${code} ${text}: not tried again until`,
      );
      expect(commands).toEqual([state('error', reason, true), { type: 'release' }]);
      expect(run.session.wakeAt).toBe(Infinity);
      expect(run.step(connected, accepted, subscribe('a'))).toEqual([]);
    } else {
      expect(commands).toEqual([state('error', `login refused: ${code} ${text}`)]);
      expect(run.after(verdict - 1)).toEqual([]);
      expect(run.after(1)).toEqual([{ type: 'login', requestId: 2 }]);
    }
  });

  it('waits longer after each refusal, up to a minute, and starts afresh after a success', () => {
    const run = new Run();
    run.step(open, connected);
    const waits: number[] = [];
    for (let i = 0; i < 9; i++) {
      run.step(refusedLogin(9999));
      waits.push(run.session.wakeAt - run.now);
      run.now = run.session.wakeAt;
      run.step({ type: 'time' });
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    run.step(accepted, lost);
    run.now += 1000;
    run.step(connected, refusedLogin(9999));
    expect(run.session.wakeAt - run.now).toBe(1000);
  });

  it('keeps its back-off through a reconnect', () => {
    const run = new Run();
    run.step(open, connected, refusedLogin(3, 'x'));
    run.now += 20_000;
    expect(run.step(lost, connected)).toEqual([
      state('connecting', 'gone, 0x1001'),
      state('connected', 'login refused: 3 x'),
    ]);
    expect(run.after(3_580_000)).toEqual([{ type: 'login', requestId: 2 }]);
  });

  it('spreads its retries', () => {
    const early = new CtpSession(fronts, 1);
    for (const input of [open, connected, refusedLogin(9999)]) early.step(input, 0);
    expect(early.wakeAt).toBe(750);
  });

  it('retries a login that could not be sent, and gives up on one that never can be', () => {
    const run = new Run();
    run.step(open, connected);
    expect(run.step({ type: 'login_failed', code: -3 })).toMatchObject([{ type: 'warn' }]);
    expect(run.after(1000)).toEqual([{ type: 'login', requestId: 2 }]);
    expect(run.step({ type: 'login_failed', code: -102 })).toMatchObject([
      { type: 'state', state: 'error', fatal: true },
      { type: 'release' },
    ]);
  });

  it('takes an error that answers its login for a refusal, and logs others', () => {
    const run = new Run();
    run.step(open, connected);
    expect(run.step({ type: 'error', code: 77, text: 'other', requestId: 0 })).toEqual([
      { type: 'warn', text: 'the front reports error 77 other' },
    ]);
    expect(run.step({ type: 'error', code: 0, text: '', requestId: 1 })).toEqual([]);
    expect(run.step({ type: 'error', code: 3, text: 'no', requestId: 1 })).toEqual([
      state('error', 'login refused: 3 no'),
    ]);
    run.after(3_600_000);
    expect(
      run.step({ type: 'error', code: 0, text: 'api login over limit freq', requestId: 0 }),
    ).toMatchObject([{ state: 'error' }]);
  });

  it.each([
    { type: 'error', code: 6, text: 'not login', requestId: 0 },
    { type: 'refused', id: 'a', code: 6, text: 'not login' },
  ] as const)('logs in again when the front has forgotten it ($type)', (input) => {
    const run = loggedIn();
    run.step(subscribe('a'));
    run.now += 5000;
    expect(run.step(input)).toEqual([state('connected', 'not logged in any more: not login')]);
    expect(run.after(1000)).toEqual([{ type: 'login', requestId: 2 }]);
    expect(run.step(accepted)).toEqual([state('logged_in'), { type: 'subscribe', ids: ['a'], slots: [0] }]);
  });

  it('hands back an id that the front refuses, and does not ask for it again', () => {
    const run = loggedIn();
    run.step(subscribe('a', 'b'));
    const refused: SessionInput = { type: 'refused', id: 'a', code: 6000, text: 'sub too many insts' };
    expect(run.step(refused)).toEqual([refused]);
    expect(run.step(refused)).toEqual([]);
    run.step(lost);
    run.now += 1000;
    expect(run.step(connected, accepted)).toContainEqual({ type: 'subscribe', ids: ['b'], slots: [1] });
  });

  it('does not take the refusal of a request that was taken back for one of the next', () => {
    const run = loggedIn();
    const late: SessionInput = { type: 'refused', id: 'a', code: 6000, text: 'sub too many insts' };
    run.step(subscribe('a'));
    run.now += 50;
    expect(run.step({ type: 'unsubscribe', ids: ['a'] })).toEqual([{ type: 'unsubscribe', ids: ['a'] }]);
    run.now += 50;
    expect(run.step(subscribe('a'), late)).toEqual([]);
    expect(run.step(subscribe('b'))).toEqual([{ type: 'subscribe', ids: ['b'], slots: [0] }]);
    expect(run.after(1899)).toEqual([]);
    expect(run.after(1)).toEqual([{ type: 'subscribe', ids: ['a'], slots: [0] }]);
    expect(run.step(late)).toEqual([late]);
  });

  it('asks again for what was refused while nobody wanted it', () => {
    const run = loggedIn();
    run.step(subscribe('a'));
    run.now += 10;
    expect(run.step({ type: 'unsubscribe', ids: ['a'] }), 'not its turn yet').toEqual([]);
    expect(run.step({ type: 'refused', id: 'a', code: 6000, text: 'sub too many insts' })).toEqual([]);
    run.step(subscribe('a'));
    expect(run.after(1000)).toEqual([{ type: 'subscribe', ids: ['a'], slots: [0] }]);
  });

  it('does not take the refusal of a request before the last login for one of the next', () => {
    const run = loggedIn();
    const late: SessionInput = { type: 'refused', id: 'a', code: 6000, text: 'sub too many insts' };
    run.step(subscribe('a'));
    run.now += 5000;
    run.step({ type: 'error', code: 6, text: 'not login', requestId: 0 });
    run.after(1000);
    expect(run.step(late)).toEqual([]);
    expect(run.step(accepted)).toContainEqual({ type: 'subscribe', ids: ['a'], slots: [0] });
  });

  it('asks for everything again when refusals were lost, ever later, and at once again after a calm', () => {
    const run = loggedIn();
    const ids = Array.from({ length: 700 }, (_, i) => `i${i}`);
    const lostSome: SessionInput = { type: 'refusals_lost', count: 9 };
    const askedFor = (): number => {
      let count = 0;
      while (run.session.wakeAt < Infinity) {
        run.now = run.session.wakeAt;
        for (const command of run.step({ type: 'time' }))
          if (command.type === 'subscribe') count += command.ids.length;
      }
      return count;
    };
    run.step(subscribe(...ids));
    const since = run.now;
    expect(run.step(lostSome)).toMatchObject([{ type: 'warn' }]);
    expect(run.step(lostSome)).toEqual([]);
    expect(askedFor()).toBe(900);
    expect(run.now - since).toBe(1500);
    run.step({ type: 'refused', id: 'i0', code: 6000, text: '' });
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      const from = run.now;
      run.step(lostSome);
      waits.push(run.session.wakeAt - from);
      expect(askedFor()).toBe(699);
    }
    expect(waits).toEqual([2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    run.now += 300_001;
    run.step(lostSome);
    expect(run.session.wakeAt - run.now).toBe(1000);
    run.step({ type: 'unsubscribe', ids });
    expect(askedFor()).toBe(0);
  });

  it('leaves it to the next login to ask for everything where there will be one', () => {
    const run = loggedIn();
    run.step(subscribe('a'), { type: 'refusals_lost', count: 1 }, lost);
    expect(run.step({ type: 'refusals_lost', count: 1 })).toEqual([]);
    run.now += 60_000;
    expect(run.step(connected, accepted)).toContainEqual({ type: 'subscribe', ids: ['a'], slots: [0] });
    expect(run.session.wakeAt).toBe(Infinity);
  });

  it('retries subscriptions that could not be sent, and hands back ids that cannot exist', () => {
    const run = loggedIn();
    run.step(subscribe('a', 'b'));
    expect(run.step({ type: 'subscribe_failed', ids: ['a', 'b'], code: -2 })).toEqual([]);
    expect(run.after(999)).toEqual([]);
    expect(run.after(1)).toEqual([{ type: 'subscribe', ids: ['a', 'b'], slots: [0, 1] }]);
    expect(run.step({ type: 'subscribe_failed', ids: ['a'], code: -102 })).toEqual([
      { type: 'refused', id: 'a', code: -102, text: 'not an instrument id' },
    ]);
    expect(run.session.wakeAt).toBe(Infinity);
    run.now += 1000;
    expect(run.step({ type: 'unsubscribe', ids: ['b'] })).toEqual([{ type: 'unsubscribe', ids: ['b'] }]);
    run.step({ type: 'unsubscribe_failed', ids: ['b'], code: -3 });
    expect(run.after(1000)).toEqual([{ type: 'unsubscribe', ids: ['b'] }]);
  });

  it('gives up on a library that cannot be opened', () => {
    const run = new Run();
    run.step(open);
    expect(run.step({ type: 'open_failed', text: 'x.so: no such file', lasting: true })).toEqual([
      state('error', 'x.so: no such file', true),
    ]);
    expect(run.session.wakeAt).toBe(Infinity);
    expect(run.step(close)).toEqual([{ type: 'closed' }]);
  });

  const noSession: SessionInput = { type: 'open_failed', text: 'no space left', lasting: false };

  it('asks a library that gave no session again, ever later, and keeps its subscriptions', () => {
    const run = new Run();
    run.step(open, subscribe('a'));
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      expect(run.step(noSession)).toEqual([state('error', 'no space left')]);
      waits.push(run.session.wakeAt - run.now);
      // Nothing of this concerns a session that does not exist.
      expect(run.step(connected, lost, accepted, reopen, released)).toEqual([]);
      expect(run.after(waits[i]! - 1)).toEqual([]);
      expect(run.after(1)).toEqual([state('connecting'), { type: 'open' }]);
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
    run.step(connected);
    expect(run.step(accepted)).toContainEqual({ type: 'subscribe', ids: ['a'], slots: [0] });
    run.step(reopen, released, noSession);
    expect(run.session.wakeAt - run.now).toBe(1000);
  });

  it('lets go of a session that did not start, and asks for another one later', () => {
    const run = new Run();
    run.step(open);
    expect(run.step({ type: 'start_failed', text: 'code -101' })).toEqual([
      state('error', 'code -101'),
      { type: 'release' },
    ]);
    expect(run.step(released)).toEqual([]);
    expect(run.after(999)).toEqual([]);
    expect(run.after(1)).toEqual([state('connecting'), { type: 'open' }]);
    run.step({ type: 'start_failed', text: 'code -101' });
    run.now += 2000;
    expect(run.step(released)).toEqual([state('connecting'), { type: 'open' }]);
  });

  it('lets go of a session that is of no use and begins again, with all its subscriptions', () => {
    const run = loggedIn();
    run.step(subscribe('a', 'b'));
    run.now += 5000;
    expect(run.step(reopen)).toEqual([state('error', 'silent'), { type: 'release' }]);
    // What the old session still says, and a second wish, change nothing.
    expect(run.step(reopen, connected, accepted, lost, { type: 'time' }, subscribe('c'))).toEqual([]);
    expect(run.after(14_999)).toEqual([]);
    expect(run.step(released)).toEqual([state('connecting'), { type: 'open' }]);
    expect(run.step(connected)).toEqual([state('connected'), { type: 'login', requestId: 2 }]);
    expect(run.step(accepted)).toEqual([
      state('logged_in'),
      { type: 'subscribe', ids: ['a', 'b', 'c'], slots: [0, 1, 0] },
    ]);
  });

  it('opens another session when the library does not let go of the old one', () => {
    const run = loggedIn();
    run.step(subscribe('a'), reopen);
    expect(run.after(15_000)).toEqual([
      { type: 'abandon' },
      state('connecting', 'the library did not let go of the session within 15 s: opening another one'),
      { type: 'open' },
    ]);
    expect(run.step(connected)).toEqual([state('connected'), { type: 'login', requestId: 2 }]);
    expect(run.step(accepted)).toContainEqual({ type: 'subscribe', ids: ['a'], slots: [0] });
    expect(run.step(close)).toEqual([{ type: 'release' }]);
  });

  it.each([
    ['closes', [close]],
    ['closes while it is opened again', [reopen, close]],
  ])('%s without a library that does not let go', (_how, inputs) => {
    const run = loggedIn();
    run.step(...inputs);
    expect(run.after(15_000)).toEqual([
      { type: 'warn', text: 'the library did not let go of the session within 15 s' },
      { type: 'closed' },
    ]);
    expect(run.step(released, close)).toEqual([]);
  });

  it('is not opened again before it was opened, after it failed or while it closes', () => {
    expect(new Run().step(reopen)).toEqual([]);
    const run = new Run();
    run.step(open, connected, refusedLogin(75));
    expect(run.step(reopen, released)).toEqual([]);
    const other = loggedIn();
    other.step(close);
    expect(other.step(reopen, released)).toEqual([{ type: 'closed' }]);
  });

  it('does not give up on a library that could be opened before', () => {
    const run = loggedIn();
    run.step(reopen, released);
    expect(run.step({ type: 'open_failed', text: 'gone', lasting: true })).toEqual([state('error', 'gone')]);
    expect(run.after(1000)).toEqual([state('connecting'), { type: 'open' }]);
  });

  const ways: [string, SessionInput[], boolean][] = [
    ['idle', [], false],
    ['connecting', [open], true],
    ['waiting', [open, connected, refusedLogin(3)], true],
    ['logging_in', [open, connected], true],
    ['logged_in', [open, connected, accepted], true],
    ['reopening', [open, connected, accepted, reopen], true],
    ['retrying', [open, noSession], false],
  ];
  it.each(ways)('closes from %s', (phase, inputs, exists) => {
    const run = new Run();
    run.step(...inputs);
    expect(run.session.phase).toBe(phase);
    const first = run.step(close);
    if (phase === 'reopening') expect(first).toEqual([]);
    else expect(first).toEqual(exists ? [{ type: 'release' }] : [{ type: 'closed' }]);
    expect(run.step(close, connected, accepted, lost, { type: 'time' }, subscribe('a'))).toEqual([]);
    expect(run.step(released)).toEqual(exists ? [{ type: 'closed' }] : []);
    expect(run.step(released, close)).toEqual([]);
    expect(run.session.phase).toBe('closed');
  });

  it('closes when it had failed and was released before', () => {
    const run = new Run();
    run.step(open, connected, refusedLogin(75), released);
    expect(run.step(close)).toEqual([{ type: 'closed' }]);
  });

  it('keeps its promises through any history', () => {
    const ids = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1 });
    const input: fc.Arbitrary<SessionInput> = fc.oneof(
      fc.constantFrom<SessionInput>(open, connected, lost, accepted, { type: 'time' }),
      fc.constantFrom(3, 6, 8, 60, 9999).map((code) => refusedLogin(code)),
      ids.map((list) => subscribe(...list)),
      ids.map((list): SessionInput => ({ type: 'unsubscribe', ids: list })),
      fc.constantFrom<SessionInput>(
        { type: 'error', code: 6, text: '', requestId: 0 },
        { type: 'refused', id: 'a', code: 16, text: '' },
      ),
      { arbitrary: fc.constantFrom<SessionInput>(close, released, refusedLogin(75), reopen), weight: 1 },
    );
    const steps = fc.array(fc.tuple(input, fc.integer({ min: 0, max: 20_000 })), { maxLength: 80 });
    fc.assert(
      fc.property(steps, (list) => {
        const session = new CtpSession(fronts, 0);
        let now = 0;
        let opens = 0;
        let releases = 0;
        let closes = 0;
        let lastLogin = -Infinity;
        let up = false;
        for (const [one, ms] of list) {
          // The shell wakes the session in time.
          const wake = session.wakeAt;
          const inputs: [SessionInput, number][] = [[one, now + ms]];
          if (wake <= now + ms) inputs.unshift([{ type: 'time' }, Math.max(now, wake)]);
          for (const [each, at] of inputs) {
            now = at;
            const before = session.phase;
            const commands = session.step(each, now);
            if (each.type === 'front_connected' && before === 'connecting') up = true;
            if (each.type === 'front_disconnected') up = false;
            for (const command of commands) {
              if (command.type === 'open') opens++;
              if (command.type === 'release') releases++;
              if (command.type === 'closed') closes++;
              if (command.type === 'login') {
                expect(up).toBe(true);
                expect(now - lastLogin).toBeGreaterThanOrEqual(1000);
                lastLogin = now;
              }
              if (command.type === 'subscribe' || command.type === 'unsubscribe')
                expect(session.phase).toBe('logged_in');
            }
            expect(session.wakeAt === Infinity || session.wakeAt >= now - 20_000).toBe(true);
          }
        }
        expect(releases).toBeLessThanOrEqual(opens);
        expect(closes).toBeLessThanOrEqual(1);
        // Whatever happened: close leads to closed, with at most one release of each session.
        let commands = session.step(close, now);
        if (commands.some(({ type }) => type === 'release')) releases++;
        commands = [...commands, ...session.step(released, now)];
        expect(session.phase).toBe('closed');
        expect(releases).toBeLessThanOrEqual(opens);
        expect(closes + commands.filter(({ type }) => type === 'closed').length).toBe(1);
      }),
      { numRuns: 500 },
    );
  });
});

const wrong = refusedLogin(3, 'invalid login');
const threeTimes = (detail = ''): object =>
  state(
    'error',
    `wrong password three times${detail}: not tried again until user_id or password change, or the configuration is reloaded`,
    true,
  );
const logins = (commands: readonly SessionCommand[]): number =>
  commands.filter(({ type }) => type === 'login').length;

describe('sessions of one user', () => {
  it('try a wrong password three times together, however many log in at once', () => {
    const memory = LoginPlaces.allocate();
    const runs = Array.from({ length: 90 }, () => new Run(new LoginPlaces(memory)));
    let tried = 0;
    for (const run of runs) tried += logins(run.step(open, connected));
    expect(tried).toBe(3);
    const last = runs.slice(0, 3).map((run) => run.step(wrong));
    expect(last[0]).toEqual([state('error', 'login refused: 3 invalid login')]);
    expect(last[2]).toEqual([threeTimes(' (login refused: 3 invalid login)'), { type: 'release' }]);
    expect(runs[9]!.after(200)).toEqual([threeTimes(), { type: 'release' }]);
    for (let minute = 0; minute < 200; minute++)
      for (const run of runs) tried += logins(run.after(60_000)) + logins(run.step(lost, connected));
    expect(tried).toBe(3);
  });

  it('wait for each other while the password is not yet proven, and then all log in', () => {
    const memory = LoginPlaces.allocate();
    const runs = Array.from({ length: 9 }, () => new Run(new LoginPlaces(memory)));
    for (const run of runs) run.step(open, connected);
    for (let turn = 0; turn < 3; turn++)
      for (const run of runs)
        if (run.session.phase === 'logging_in') run.step(accepted);
        else run.after(200);
    for (const run of runs) if (run.session.phase === 'logging_in') run.step(accepted);
    expect(runs.map((run) => run.session.phase)).toEqual(Array(9).fill('logged_in'));
  });

  it('do not keep each other waiting with logins that nobody answers or that the front cuts off', () => {
    const memory = LoginPlaces.allocate();
    const [a, b, c, d] = Array.from({ length: 4 }, () => new Run(new LoginPlaces(memory)));
    for (const run of [a!, b!, c!]) expect(logins(run.step(open, connected))).toBe(1);
    expect(logins(d!.step(open, connected))).toBe(0);
    a!.step(lost);
    expect(logins(d!.after(200))).toBe(1);
    b!.after(10_000);
    c!.step(close);
    expect(logins(new Run(new LoginPlaces(memory)).step(open, connected))).toBe(1);
    expect(logins(new Run(new LoginPlaces(memory)).step(open, connected))).toBe(1);
    expect(logins(new Run(new LoginPlaces(memory)).step(open, connected))).toBe(0);
  });

  it('count refusals that come late, and begin to count again after a login', () => {
    const memory = LoginPlaces.allocate();
    const run = new Run(new LoginPlaces(memory));
    run.step(open, connected);
    run.after(10_000);
    expect(run.step(wrong)).toEqual([state('error', 'login refused: 3 invalid login')]);
    expect(logins(run.after(59_999))).toBe(0);
    expect(logins(run.after(1))).toBe(1);
    run.step(wrong);
    expect(logins(run.after(60_000))).toBe(1);
    run.step(accepted, lost);
    run.now += 1000;
    run.step(connected, wrong);
    expect(logins(run.after(60_000))).toBe(1);
    run.step(wrong);
    run.after(60_000);
    expect(run.step(wrong)).toEqual([threeTimes(' (login refused: 3 invalid login)'), { type: 'release' }]);
  });

  it('stop for one whose front refuses what others accept', () => {
    const memory = LoginPlaces.allocate();
    const good = new Run(new LoginPlaces(memory));
    const bad = new Run(new LoginPlaces(memory));
    bad.step(open, connected);
    let tried = 1;
    for (let minute = 0; minute < 20; minute++) {
      bad.step(wrong);
      good.step(open, connected, accepted, lost);
      good.now += 1000;
      tried += logins(bad.after(60_000));
    }
    expect(tried).toBe(3);
    expect(bad.session.phase).toBe('failed');
    expect(logins(good.step(connected))).toBe(1);
  });

  it.each([75, 131, 140, 141, 6014])('all stop at once at error %d', (code) => {
    const memory = LoginPlaces.allocate();
    const [first, second] = [new Run(new LoginPlaces(memory)), new Run(new LoginPlaces(memory))];
    first.step(open, connected, refusedLogin(code));
    expect(first.session.phase).toBe('failed');
    expect(second.step(open, connected)).toEqual([
      state('connecting'),
      { type: 'open' },
      state('connected'),
      threeTimes(),
      { type: 'release' },
    ]);
  });

  it('try again when they are told to, those that were given up and those that wait', () => {
    const places = new LoginPlaces(LoginPlaces.allocate());
    const run = new Run(places);
    run.step(open, connected, wrong);
    places.forget();
    expect(run.step({ type: 'retry_login' })).toEqual([]);
    expect(logins(run.after(1000))).toBe(1);
    run.step(refusedLogin(75));
    places.forget();
    expect(run.step({ type: 'retry_login' })).toEqual([]);
    expect(run.step(released)).toEqual([state('connecting'), { type: 'open' }]);
    run.now += 1000;
    expect(run.step(connected)).toEqual([state('connected'), { type: 'login', requestId: 3 }]);
    run.step(refusedLogin(12), released);
    places.forget();
    expect(run.step({ type: 'retry_login' })).toEqual([state('connecting'), { type: 'open' }]);
  });

  it('that are logged in, or have never been refused, do not heed that', () => {
    const run = loggedIn();
    expect(run.step({ type: 'retry_login' })).toEqual([]);
    expect(run.session.phase).toBe('logged_in');
  });

  it.each([lost, reopen])(
    'are not given up for what others were refused while they were logged in: $type',
    (end) => {
      const memory = LoginPlaces.allocate();
      const good = new Run(new LoginPlaces(memory));
      const bad = new Run(new LoginPlaces(memory));
      good.step(open, connected, accepted);
      bad.step(open, connected, wrong);
      for (let refusal = 0; refusal < 2; refusal++) {
        bad.after(60_000);
        bad.step(wrong);
      }
      expect(bad.session.phase).toBe('failed');
      good.step(end);
      good.now += 1000;
      expect(logins(good.step(released, connected))).toBe(1);
    },
  );

  it('try a password that has changed three times more, however many of them end', () => {
    const memory = LoginPlaces.allocate();
    const runs = Array.from({ length: 9 }, () => new Run(new LoginPlaces(memory)));
    for (const run of runs) run.step(open, connected, accepted);
    let tried = 0;
    for (const run of runs) {
      run.step(lost);
      run.now += 1000;
      tried += logins(run.step(connected));
      run.step(wrong);
    }
    expect(tried).toBe(3);
  });

  it('leave alone places that have gone to others', () => {
    const memory = LoginPlaces.allocate();
    let seconds = 100;
    const places = (): LoginPlaces => new LoginPlaces(memory, () => seconds);
    const [slow, slower] = [places(), places()];
    for (const each of [slow, slower, places()]) each.take();
    seconds += 61;
    for (let i = 0; i < 3; i++) expect(places().take()).toBe('taken');
    slow.giveBack();
    expect(places().take()).toBe('busy');
    expect(slower.refused()).toBe(false);
    seconds += 61;
    for (let i = 0; i < 3; i++) expect(places().take()).toBe('taken');
  });

  it('do not free an account that was barred meanwhile', () => {
    const memory = LoginPlaces.allocate();
    const [slow, barred] = [new LoginPlaces(memory), new LoginPlaces(memory)];
    slow.take();
    barred.barred();
    slow.giveBack();
    expect(slow.take()).toBe('spent');
  });

  it('give back the places of threads that have ended', () => {
    const memory = LoginPlaces.allocate();
    let seconds = 100;
    const places = (): LoginPlaces => new LoginPlaces(memory, () => seconds);
    for (let i = 0; i < 3; i++) expect(places().take()).toBe('taken');
    expect(places().take()).toBe('busy');
    seconds += 61;
    expect(places().take()).toBe('taken');
  });
});
