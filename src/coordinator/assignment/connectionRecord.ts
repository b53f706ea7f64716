import type { ConnectionState } from '../workers/workerMessages.js';
import { Quality } from '../measures/quality.js';
import { hashOf, type Candidate } from './strategies.js';

/** A front that refused for want of room is offered more again after this time: */
const probeMs = 60_000;
/** this part of what it carries. */
const probePart = 0.05;

/** Orders the ticks of an instrument within a trading day. */
export interface TickKey {
  /** Running total of the trading day. */
  readonly volume: number;
  /** The exchange's time of day. */
  readonly timeMs: number;
}

/**
 * How far a subscription has come. `active`: ticks came, or the front had time to refuse and did not; fronts confirm
 * neither reliably nor one by one. Beside active lines of the instrument, ticks count once these have brought what the
 * new line brought.
 */
export type LineState = 'pending' | 'subscribing' | 'active';

/** One connection's subscription of one instrument. Moments are ms on the coordinator's clock. */
export interface Line {
  readonly slot: number;
  readonly connection: ConnectionRecord;
  state: LineState;
  /** When it came into its present state; for `pending`, since the connection could have asked for it. */
  since: number;
  /** The newest of its ticks that are held back, since lines that are active may have earlier ones under way. */
  ahead: TickKey | undefined;
  /** Since when ticks of it are held back. */
  aheadSince: number;
  /** To be given up as soon as the lines that take its place are active. */
  leaving: boolean;
}

/** A connection as the configuration names it. */
export interface ConnectionPlan {
  readonly id: string;
  readonly brokerId: string;
  readonly fronts: readonly string[];
  readonly maxSubscriptions: number;
  readonly priority: number;
}

export interface ConnectionStatus {
  readonly index: number;
  readonly id: string;
  readonly brokerId: string;
  readonly fronts: readonly string[];
  readonly state: ConnectionState;
  /** One line on what is wrong; empty when nothing is. */
  readonly reason: string;
  /** The last thing that was wrong, also after it was mended; empty when nothing ever was. */
  readonly lastError: string;
  readonly quality: number;
  /** Reasons for a quality below 100; empty at 100. */
  readonly why: string;
  readonly subscriptions: number;
  /** Most lines: the configured number, or fewer if the front has refused more. */
  readonly maxSubscriptions: number;
  readonly priority: number;
  readonly reconnects: number;
  readonly loginFailures: number;
  /** The connection's instruments are moving to others; it will be closed then. */
  readonly retiring: boolean;
}

/** One connection as the coordinator knows it. */
export class ConnectionRecord implements Candidate {
  /** By slot. */
  readonly lines = new Map<number, Line>();
  /** Lines of instruments that nobody wants, which are tried out. */
  probes = 0;
  readonly quality = new Quality();
  readonly hash: number;
  state: ConnectionState = 'disconnected';
  reason = 'not started';
  lastError = '';
  reconnects = 0;
  loginFailures = 0;
  /** Moment of the last login; NaN while it is not logged in. */
  upSince = NaN;
  chosenAt = 0;
  /** The quality as of the last look: one value for all decisions of one moment. */
  score = 100;
  /** The worker was lost: the next one must be told all lines. */
  workerLost = false;
  retiring = false;
  /** It was told that a retiring connection carries nothing any more. */
  vacated = false;
  /** Moment at which it came into its present state. */
  #stateSince: number;
  /** Moment at which it was last not logged in, or made; it may yet come (back) soon. */
  downSince: number;
  /** The front said that it carries no more, and when it said so. */
  #frontLimit = Infinity;
  #limitedAt = 0;
  #plan: ConnectionPlan;

  constructor(
    readonly index: number,
    plan: ConnectionPlan,
    now: number,
  ) {
    this.downSince = now;
    this.#stateSince = now;
    this.#plan = plan;
    this.hash = hashOf(plan.id);
  }

  get plan(): ConnectionPlan {
    return this.#plan;
  }

  /** Takes what may change while it runs: the number of subscriptions, the priority. */
  change(plan: ConnectionPlan): void {
    this.#plan = plan;
  }

  get isUp(): boolean {
    return this.state === 'logged_in';
  }

  /** Logged in, and not about to be closed. */
  get takesLines(): boolean {
    return this.isUp && !this.retiring;
  }

  get load(): number {
    return this.lines.size;
  }

  /** Lines of instruments that somebody wants, or has wanted until a moment ago. */
  get subscriptions(): number {
    return this.lines.size - this.probes;
  }

  get limit(): number {
    return Math.min(this.#plan.maxSubscriptions, this.#frontLimit);
  }

  get priority(): number {
    return this.#plan.priority;
  }

  /**
   * The worker reports a state.
   *
   * @returns whether it is logged in now and was not before, or the other way round
   */
  takeState(state: ConnectionState, reason: string, now: number): boolean {
    const wasUp = this.isUp;
    if (state !== this.state) this.#stateSince = now;
    this.state = state;
    this.reason = reason;
    if (reason !== '') this.lastError = reason;
    if (state === 'error' && !wasUp) {
      this.loginFailures++;
      this.quality.record('login_failure', now);
    }
    if (wasUp === this.isUp) return false;
    if (wasUp) {
      this.reconnects++;
      this.quality.record('disconnect', now);
      this.upSince = NaN;
      this.downSince = now;
    } else {
      this.upSince = now;
      this.#frontLimit = Infinity;
    }
    return true;
  }

  /** The front refused a line for want of room; what it carries now is what it carries at most. */
  limitToLoad(now: number): void {
    this.#frontLimit = Math.min(this.#frontLimit, this.lines.size);
    this.#limitedAt = now;
  }

  /**
   * Tries a little more than the front took last, once in a while: its limit was learned while requests were under way.
   * True when there is more room now.
   */
  probeFrontLimit(now: number): boolean {
    if (this.#frontLimit >= this.#plan.maxSubscriptions || now - this.#limitedAt < probeMs) return false;
    this.#limitedAt = now;
    this.#frontLimit += Math.ceil(this.#frontLimit * probePart) + 1;
    return true;
  }

  status(now: number): ConnectionStatus {
    const { id, brokerId, fronts, priority } = this.#plan;
    return {
      index: this.index,
      id,
      brokerId,
      fronts,
      state: this.state,
      reason: this.reason === '' ? this.#waitsFor(now) : this.reason,
      lastError: this.lastError,
      quality: this.isUp ? this.quality.score(now) : 0,
      why: this.isUp ? this.quality.why(now) : 'not logged in',
      subscriptions: this.subscriptions,
      maxSubscriptions: this.limit,
      priority,
      reconnects: this.reconnects,
      loginFailures: this.loginFailures,
      retiring: this.retiring,
    };
  }

  /** Why it is not logged in though nothing has gone wrong. */
  #waitsFor(now: number): string {
    const seconds = `${Math.max(0, Math.floor((now - this.#stateSince) / 1000))} s`;
    if (this.state === 'connecting')
      return `connecting to ${this.#plan.fronts.join(', ')}, no answer yet (${seconds})`;
    return this.state === 'connected' ? `connected, not logged in yet (${seconds})` : '';
  }
}
