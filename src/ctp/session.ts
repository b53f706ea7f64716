import type { ConnectionState } from '../coordinator/workers/workerMessages.js';
import type { LoginGate } from '../coordinator/workers/loginPlaces.js';
import { workerDeadlines } from '../coordinator/workers/workerDeadlines.js';
import { retryDelayMs } from './backoff.js';
import { isFrequencyLimit, judgeLogin, notLoggedInError } from './errors.js';
import { LoginRefusals } from './loginRefusals.js';
import { LostRefusals } from './lostRefusals.js';
import { QuickCloses } from './quickCloses.js';
import { ReturnCode } from './returnCode.js';
import type { SessionCommand, SessionInput } from './sessionMessages.js';
import { SubscriptionQueue } from './subscriptionQueue.js';

const connectTimeoutMs = 15_000;
const loginTimeoutMs = 10_000;
/** Fronts allow one login per second and session. */
const loginSpacingMs = 1_000;
/** Between two looks at whether other logins of the same user have ended. */
const gatePollMs = 200;

/**
 *   idle ── open ─→ connecting ── front_connected ─→ waiting ⇄ logging_in ── accepted ─→ logged_in
 *                       ↑                               │           │                       │
 *                       └────────── front_disconnected ─┴───────────┴───────────────────────┘
 *   any ── will not get better ─→ failed        any ── close ─→ closing ── released ─→ closed
 *   failed for its login ── retry_login ─→ connecting
 *   connecting ── no session ─→ retrying ── time ─→ connecting
 *   any of these ── reopen ─→ reopening ── released or not in time ─→ connecting
 *   any but logged_in ── closed again and again ─→ reopening ── released ─→ retrying
 *
 * `retrying`: the library gave no session, or has none because the front closes them, and is asked again later.
 * `waiting`: the front is connected, but the next login is not due yet.
 */
export type SessionPhase =
  | 'idle'
  | 'connecting'
  | 'retrying'
  | 'waiting'
  | 'logging_in'
  | 'logged_in'
  | 'reopening'
  | 'failed'
  | 'closing'
  | 'closed';

/**
 * What one session does, decided without doing it: inputs and the time go in, commands come out. No clock, no
 * timer, no library. The vendor's library reconnects by itself; after every reconnect the login and all
 * subscriptions are repeated here, as the vendor's manual demands.
 */
export class CtpSession {
  #phase: SessionPhase = 'idle';
  /** The library's object exists: made by `open`, gone with `released`. */
  #exists = false;
  #opens = 0;
  #openFailures = 0;
  #openNotBefore = -Infinity;
  #connectDeadline = Infinity;
  #loginDeadline = Infinity;
  #loginNotBefore = -Infinity;
  #loginFailures = 0;
  #requestId = 0;
  #releaseDeadline = Infinity;
  readonly #loginRefusals: LoginRefusals;
  readonly #lostRefusals: LostRefusals;
  readonly #quickCloses = new QuickCloses();
  readonly #subscriptions = new SubscriptionQueue();

  /**
   * @param fronts for messages
   * @param spread 0 to 1: this session's share of the spreading of retries
   * @param releaseMs see WorkerDeadlines
   * @param gate what the logins of one user have in common; undefined where there is no user
   */
  constructor(
    private readonly fronts: readonly string[],
    private readonly spread: number,
    private readonly releaseMs = workerDeadlines.releaseMs,
    gate?: LoginGate,
  ) {
    this.#loginRefusals = new LoginRefusals(gate);
    this.#lostRefusals = new LostRefusals(spread);
  }

  get phase(): SessionPhase {
    return this.#phase;
  }

  /** When the next `time` input is due, ms on the caller's clock; Infinity when nothing is pending. */
  get wakeAt(): number {
    switch (this.#phase) {
      case 'connecting':
        return this.#connectDeadline;
      case 'retrying':
        return this.#openNotBefore;
      case 'waiting':
        return this.#loginNotBefore;
      case 'logging_in':
        return this.#loginDeadline;
      case 'logged_in':
        return Math.min(this.#subscriptions.sendAt, this.#lostRefusals.askAt);
      case 'reopening':
      case 'closing':
        return this.#releaseDeadline;
      case 'idle':
      case 'closed':
      case 'failed':
        return Infinity;
    }
  }

  /** @param now ms on a clock that never steps back */
  step(input: SessionInput, now: number): SessionCommand[] {
    switch (input.type) {
      case 'open':
        return this.#open(now, '');
      case 'opening':
        if (this.#phase === 'connecting') this.#connectDeadline = now + connectTimeoutMs;
        return [];
      case 'open_failed':
        return this.#openFailed(input.text, input.lasting, now);
      case 'start_failed':
        this.#waitToOpen(now);
        return this.#reopen(input.text, now);
      case 'front_connected':
        return this.#connected(now);
      case 'front_disconnected':
        return this.#disconnected(input.text, now);
      case 'login_response':
        return this.#loginResponse(input.code, input.text, now);
      case 'login_failed':
        return this.#loginNotSent(input.code, now);
      case 'error':
        return this.#error(input, now);
      case 'subscribe':
        this.#subscriptions.want(input.ids, input.slots);
        return this.#send(now);
      case 'unsubscribe':
        this.#subscriptions.drop(input.ids);
        return this.#send(now);
      case 'subscribe_failed':
        return this.#subscribeNotSent(input.ids, input.code, now);
      case 'unsubscribe_failed':
        this.#subscriptions.unsubscribeFailed(input.ids, now);
        return [];
      case 'refused':
        return this.#refused(input, now);
      case 'refusals_lost':
        return this.#refusalsLost(input.count, now);
      case 'time':
        return this.#time(now);
      case 'reopen':
        return this.#reopen(input.reason, now);
      case 'retry_login':
        return this.#retryLogin(now);
      case 'close':
        return this.#close(now);
      case 'released':
        return this.#released(now);
    }
  }

  #open(now: number, reason: string): SessionCommand[] {
    if (this.#phase !== 'idle') return [];
    this.#phase = 'connecting';
    this.#exists = true;
    this.#opens++;
    this.#connectDeadline = now + connectTimeoutMs;
    return [state('connecting', reason), { type: 'open' }];
  }

  /** Full disks, used-up descriptors and locked files may get better, a library for another machine does not. */
  #openFailed(text: string, lasting: boolean, now: number): SessionCommand[] {
    this.#exists = false;
    if (this.#phase === 'closing') return this.#closed();
    // What has been open before can be opened.
    if (lasting && this.#opens === 1) return this.#fail(text);
    this.#waitToOpen(now);
    this.#phase = 'retrying';
    return [state('error', text)];
  }

  #waitToOpen(now: number): void {
    this.#openFailures++;
    this.#openNotBefore = now + retryDelayMs(this.#openFailures, 0, this.spread);
  }

  #openWhenDue(now: number, reason: string): SessionCommand[] {
    this.#phase = now < this.#openNotBefore ? 'retrying' : 'idle';
    return this.#open(now, reason);
  }

  #connected(now: number): SessionCommand[] {
    if (!this.#live) return [];
    // Twice without a word between: the front knows of no login and no subscription any more.
    const lost =
      this.#phase === 'connecting' ? [] : this.#disconnected('the front connected again unannounced', now);
    this.#phase = 'waiting';
    return [...lost, state('connected', this.#standing), ...this.#login(now)];
  }

  #disconnected(text: string, now: number): SessionCommand[] {
    if (!this.#live) return [];
    this.#endLogin();
    // Later libraries report a connection only when the front has answered, but each end of one.
    if (this.#phase !== 'logged_in' && this.#quickCloses.closed(now)) {
      this.#waitToOpen(now);
      return this.#reopen(this.#quickCloses.reason(this.fronts), now);
    }
    if (this.#phase !== 'connecting') {
      this.#phase = 'connecting';
      this.#connectDeadline = now + connectTimeoutMs;
      this.#subscriptions.forgetSent();
    }
    return [state('connecting', this.#quickCloses.reason(this.fronts) || text)];
  }

  #login(now: number): SessionCommand[] {
    if (now < this.#loginNotBefore) return [];
    const place = this.#loginRefusals.begin();
    if (place === 'spent') return this.#fail(this.#loginRefusals.givenUp('credentials'));
    if (place === 'busy') {
      this.#loginNotBefore = now + gatePollMs;
      return [];
    }
    this.#phase = 'logging_in';
    this.#loginDeadline = now + loginTimeoutMs;
    this.#loginNotBefore = now + loginSpacingMs;
    this.#requestId++;
    return [{ type: 'login', requestId: this.#requestId }];
  }

  #loginResponse(code: number, text: string, now: number): SessionCommand[] {
    // An answer may also come after it was given up, while the next attempt waits.
    if (this.#phase !== 'logging_in' && this.#phase !== 'waiting') return [];
    const verdict = judgeLogin(code, text);
    if (verdict.kind === 'ok') {
      this.#loginRefusals.accepted();
      this.#phase = 'logged_in';
      this.#loginFailures = 0;
      this.#openFailures = 0;
      this.#quickCloses.loggedIn();
      this.#lostRefusals.askedForAll();
      this.#subscriptions.sendAll(now);
      return [state('logged_in', ''), ...this.#send(now)];
    }
    const reason = `login refused: ${code} ${text}`.trimEnd();
    // A late refusal of credentials counts for the broker, and so it does here.
    if (this.#phase !== 'logging_in' && verdict.kind === 'retry') return [];
    const delayMs = this.#loginRefusals.refused(verdict, code, reason);
    if (delayMs === Infinity) return this.#fail(this.#loginRefusals.givenUp(verdict.kind));
    this.#waitForLogin(now, delayMs);
    return [state('error', reason)];
  }

  /** Refused logins are tried again: the cause may have been corrected. */
  #retryLogin(now: number): SessionCommand[] {
    if (!this.#loginRefusals.retry()) return [];
    this.#loginFailures = 0;
    this.#loginNotBefore = Math.min(this.#loginNotBefore, now + loginSpacingMs);
    if (this.#phase !== 'failed') return [];
    if (!this.#exists) return this.#openWhenDue(now, '');
    // It is being let go of.
    this.#phase = 'reopening';
    this.#releaseDeadline = now + this.releaseMs;
    return [];
  }

  #loginNotSent(code: number, now: number): SessionCommand[] {
    if (this.#phase !== 'logging_in') return [];
    if (code === ReturnCode.badArgument)
      return this.#fail('broker_id, user_id or password is longer than the front allows (10, 15, 40 bytes)');
    this.#waitForLogin(now, 0);
    return [{ type: 'warn', text: `the login could not be sent, code ${code}` }];
  }

  #waitForLogin(now: number, minDelayMs: number): void {
    this.#endLogin();
    this.#phase = 'waiting';
    this.#loginFailures++;
    this.#loginNotBefore = now + retryDelayMs(this.#loginFailures, minDelayMs, this.spread);
  }

  /** Ends a login that is under way, or a session that is logged in. */
  #endLogin(): void {
    this.#loginRefusals.ended();
    if (this.#phase === 'logged_in') this.#loginRefusals.sessionEnded();
  }

  #error(input: SessionInput & { type: 'error' }, now: number): SessionCommand[] {
    const answersLogin = input.requestId === this.#requestId && input.code !== 0;
    if (this.#phase === 'logging_in' && (answersLogin || isFrequencyLimit(input.text)))
      return this.#loginResponse(input.code, input.text, now);
    if (this.#phase === 'logged_in' && input.code === notLoggedInError)
      return this.#loginAgain(input.text, now);
    if (input.code === 0) return [];
    return [{ type: 'warn', text: `the front reports error ${input.code} ${input.text}`.trimEnd() }];
  }

  #loginAgain(text: string, now: number): SessionCommand[] {
    this.#subscriptions.forgetSent();
    this.#waitForLogin(now, 0);
    return [state('connected', `not logged in any more: ${text}`)];
  }

  #subscribeNotSent(ids: readonly string[], code: number, now: number): SessionCommand[] {
    if (code !== ReturnCode.badArgument) {
      this.#subscriptions.subscribeFailed(ids, now);
      return [];
    }
    this.#subscriptions.forget(ids);
    return ids.map((id) => ({ type: 'refused', id, code, text: 'not an instrument id' }));
  }

  #refused(input: SessionInput & { type: 'refused' }, now: number): SessionCommand[] {
    if (input.code === notLoggedInError && this.#phase === 'logged_in')
      return this.#loginAgain(input.text, now);
    if (this.#subscriptions.awaits(input.id)) {
      this.#subscriptions.forget([input.id]);
      return [input];
    }
    // Nobody wants it any more, and so the front need not be told; when it is wanted again, it is asked for again. A
    // late answer to a request that was taken back says nothing about the one that may follow.
    if (!this.#subscriptions.wants(input.id)) this.#subscriptions.forget([input.id]);
    return [];
  }

  #refusalsLost(count: number, now: number): SessionCommand[] {
    // Otherwise the next login asks for everything.
    if (this.#phase !== 'logged_in') return [];
    const delayMs = this.#lostRefusals.lost(now);
    if (delayMs === undefined) return [];
    const text = `${count} refusals were lost: asking for all instruments again in ${delayMs} ms`;
    return [{ type: 'warn', text }];
  }

  #time(now: number): SessionCommand[] {
    if (now < this.wakeAt) return [];
    switch (this.#phase) {
      case 'connecting':
        this.#connectDeadline = Infinity;
        return [state('connecting', `no answer from ${this.fronts.join(', ')}`)];
      case 'retrying':
        return this.#openWhenDue(now, this.#quickCloses.reason(this.fronts));
      case 'waiting':
        return this.#login(now);
      case 'logging_in':
        this.#waitForLogin(now, 0);
        return [state('connected', `login not answered within ${loginTimeoutMs / 1000} s`)];
      case 'reopening':
      case 'closing':
        return this.#notReleased(now);
      case 'idle':
      case 'closed':
      case 'failed':
        return [];
      case 'logged_in':
        if (now >= this.#lostRefusals.askAt) {
          this.#lostRefusals.askedForAll();
          this.#subscriptions.askAgain();
        }
        return this.#send(now);
    }
  }

  #send(now: number): SessionCommand[] {
    return this.#phase === 'logged_in' ? this.#subscriptions.take(now) : [];
  }

  #fail(reason: string): SessionCommand[] {
    if (!this.#live) return [];
    this.#loginRefusals.ended();
    this.#phase = 'failed';
    const report: SessionCommand = { type: 'state', state: 'error', reason, fatal: true };
    return this.#exists ? [report, { type: 'release' }] : [report];
  }

  #reopen(reason: string, now: number): SessionCommand[] {
    if (!this.#live) return [];
    this.#endLogin();
    this.#phase = 'reopening';
    this.#releaseDeadline = now + this.releaseMs;
    this.#subscriptions.forgetSent();
    return [state('error', reason), { type: 'release' }];
  }

  #released(now: number): SessionCommand[] {
    this.#exists = false;
    if (this.#phase === 'closing') return this.#closed();
    return this.#phase === 'reopening' ? this.#openWhenDue(now, this.#quickCloses.reason(this.fronts)) : [];
  }

  /** The library hangs over the release. The session is silent, so its ring may have another writer. */
  #notReleased(now: number): SessionCommand[] {
    const text = `the library did not let go of the session within ${this.releaseMs / 1000} s`;
    this.#exists = false;
    if (this.#phase === 'closing') return [{ type: 'warn', text }, ...this.#closed()];
    return [{ type: 'abandon' }, ...this.#openWhenDue(now, `${text}: opening another one`)];
  }

  #close(now: number): SessionCommand[] {
    if (this.#phase === 'closing' || this.#phase === 'closed') return [];
    this.#loginRefusals.ended();
    const releasing = this.#phase === 'failed' || this.#phase === 'reopening';
    this.#phase = 'closing';
    this.#releaseDeadline = now + this.releaseMs;
    if (!this.#exists) return this.#closed();
    return releasing ? [] : [{ type: 'release' }];
  }

  #closed(): SessionCommand[] {
    this.#phase = 'closed';
    return [{ type: 'closed' }];
  }

  /** Trouble of this session until its next login, in one line; empty if there is none. */
  get #standing(): string {
    return this.#quickCloses.reason(this.fronts) || this.#loginRefusals.words;
  }

  get #live(): boolean {
    return ['connecting', 'waiting', 'logging_in', 'logged_in'].includes(this.#phase);
  }
}

function state(name: ConnectionState, reason: string): SessionCommand {
  return { type: 'state', state: name, reason, fatal: false };
}
