import type { TickOrigin } from './tickFaults.js';

/** A logged-in session as the market sees it. */
export interface Subscriber {
  readonly outbox: {
    flush(): void;
    /** Bytes that its client has not taken yet. */
    readonly backlog: number;
  };
  /** Takes one tick: bytes `start` to `end` of `frames`, valid during the call. */
  deliver(index: number, frames: Buffer, start: number, end: number): void;
}

/** Source of the fronts' ticks: the simulated exchange, or a recorded day. */
export interface Market {
  /** The market's clock, ms since the epoch. */
  now(): number;
  /** The current trading day, yyyymmdd. */
  tradingDay(): number;
  /** Bare ids of all there is. */
  listedIds(): ReadonlySet<string>;
  isListed(id: string): boolean;
  /**
   * Subscribes to the listed ones among `ids` and sends each one's newest tick, or the one that was the newest `ageMs`
   * ago where that is known; the others stay silent.
   */
  subscribe(subscriber: Subscriber, ids: readonly string[], ageMs?: number): void;
  unsubscribe(subscriber: Subscriber, ids: readonly string[]): void;
  /** Forgets a subscriber and all its subscriptions. */
  drop(subscriber: Subscriber): void;
  /** Sends ticks beyond the schedule. */
  sendExtra(subscriber: Subscriber, count: number): void;
  /** Facts about a tick that its faults may need. */
  originOf(index: number): TickOrigin;
  /** To be called when the clock was set. */
  clockSet(): void;
  close(): void;
}
