import type { WorkQueue, Worker } from '../fairness/workQueue.js';
import type { ServedInstrument } from '../shared/servedMarket.js';

/** Instruments that are looked up among a session's subscriptions in one step. */
const lookupsPerStep = 1024;

/** The part of a session that announcements need. */
export interface Listener {
  /** False where the session has no subscriptions, so that no announcement concerns it. */
  readonly listens: boolean;
}

interface Refusal {
  readonly instrument: ServedInstrument;
  readonly reason: string;
}

export interface AnnouncementParts<Session extends Listener> {
  readonly queue: WorkQueue;
  readonly sessions: ReadonlySet<Session>;
  /** The front has refused the instrument: tells the session, if it has subscribed it. */
  refused(session: Session, instrument: ServedInstrument, reason: string): void;
  /** The instrument has lost its place on a connection: tells the session, if it has subscribed it. */
  displaced(session: Session, instrument: ServedInstrument): void;
}

/**
 * Tells all sessions what has become of instruments. Any client can name thousands of instruments that a front then
 * refuses, and each refusal concerns every session, so sessions are gone through in steps, in turns with the requests of
 * clients.
 */
export class Announcements<Session extends Listener> implements Worker {
  /** Of no address: it takes turns with all of them. */
  readonly account: object = this;
  isQueued = false;
  isDelayed = false;
  readonly #parts: AnnouncementParts<Session>;
  // By slot, which may have gone to another instrument by the time that the last session learns of it.
  /** News for the next round of sessions. */
  #refused = new Map<number, Refusal>();
  #displaced = new Map<number, ServedInstrument>();
  /** News of the present round. */
  #displacedNow = new Map<number, ServedInstrument>();
  #round: Generator<undefined, void> | undefined;

  constructor(parts: AnnouncementParts<Session>) {
    this.#parts = parts;
  }

  /** The front has refused an instrument, for a reason that clients are shown. */
  refuse(instrument: ServedInstrument, reason: string): void {
    this.#refused.set(instrument.slot, { instrument, reason });
    this.#run();
  }

  /** Instruments have lost their places on connections. */
  displace(instruments: readonly ServedInstrument[]): void {
    if (instruments.length === 0) return;
    for (const instrument of instruments) this.#displaced.set(instrument.slot, instrument);
    this.#run();
  }

  /** The instrument has a place: who has not yet learned of the loss hears nothing of it. */
  serve(slot: number): void {
    this.#displaced.delete(slot);
    this.#displacedNow.delete(slot);
  }

  /** Tells everybody what is still to be told. */
  finish(): void {
    while (this.#hasMore) this.step();
  }

  msInDebt(): number {
    return 0;
  }

  charge(): void {
    // It is nobody's request.
  }

  delayed(): void {
    // It has no allowance that it could use up.
  }

  step(): boolean {
    this.#round ??= this.#tell();
    if (this.#round.next().done === true) this.#round = undefined;
    return this.#hasMore;
  }

  get #hasMore(): boolean {
    return this.#round !== undefined || this.#refused.size + this.#displaced.size > 0;
  }

  /** Does what fits into the present slice at once. */
  #run(): void {
    const { queue } = this.#parts;
    let now = performance.now();
    while (this.#hasMore && queue.mayRun(this, now)) {
      const before = now;
      this.step();
      now = performance.now();
      queue.charge(this, now - before, now);
    }
    if (this.#hasMore) queue.add(this);
  }

  *#tell(): Generator<undefined, void> {
    const refused = this.#refused;
    const displaced = this.#displaced;
    this.#refused = new Map();
    this.#displaced = new Map();
    this.#displacedNow = displaced;
    let lookups = 0;
    for (const session of this.#parts.sessions) {
      if (++lookups % lookupsPerStep === 0) yield;
      if (!session.listens) continue;
      for (const { instrument, reason } of refused.values()) {
        this.#parts.refused(session, instrument, reason);
        if (++lookups % lookupsPerStep === 0) yield;
      }
      for (const instrument of displaced.values()) {
        this.#parts.displaced(session, instrument);
        if (++lookups % lookupsPerStep === 0) yield;
      }
    }
  }
}
