import { Admission } from './unprovenAdmission.js';
import { isWaiting, type Demand } from './instrumentCounts.js';
import { ConnectionRecord, type ConnectionPlan, type ConnectionStatus } from './connectionRecord.js';
import type { CoordinatorEffects, CoordinatorOptions } from './coordinatorOptions.js';
import { Joining } from './lineActivation.js';
import type { Want } from './want.js';
import type { Line, TickKey } from './connectionRecord.js';
import { LineTable } from './lineTable.js';
import type { ConnectionState } from '../workers/workerMessages.js';
import { byNeed, leastNeeded } from './linePriority.js';
import type { LineFacts } from '../measures/quality.js';
import { Rebalancer } from './rebalancer.js';
import { Refusals } from './refusals.js';
import { Roster } from './connectionRoster.js';
import { Settler } from './lineReconciler.js';
import { Shortage } from './shortage.js';
import { Trials } from './probeSubscriptions.js';
import type { Asker } from './unprovenQueue.js';
import { Wishes, type Troubles } from './wantedInstruments.js';

/**
 * Decides which connections carry which instrument.
 *
 * Plain data and no I/O: wishes and events mark instruments as unsettled, `flush` settles them and sends the
 * difference, `pass` does what is due by time. An instrument that was dropped and wanted again in between costs
 * nothing. Invariants after a flush:
 *
 *   - a connection never carries more than its limit, and only one that is logged in is given lines;
 *   - an instrument has at most one line per connection, and lines of different brokers where it can;
 *   - no instrument is without a line, or has fewer than it should, while a connection could take it;
 *   - no instrument has a second line while another that is proven has none for want of room;
 *   - what is unproven has few lines (unprovenAdmission.ts), which give way to what is proven;
 *   - a line that has ticked is not given up for an instrument that never has;
 *   - a line that moves is given up after its successor has become active.
 */
export class Coordinator {
  #options: CoordinatorOptions;
  readonly #effects: CoordinatorEffects;
  readonly #now: () => number;
  readonly #table: LineTable;
  readonly #roster = new Roster();
  readonly #joining: Joining;
  readonly #refusals: Refusals;
  readonly #shortage: Shortage;
  readonly #settler: Settler;
  readonly #trials: Trials;
  readonly #wishes: Wishes;
  readonly #admission: Admission;
  readonly #rebalancer: Rebalancer;

  /** @param now ms on a clock that never steps back */
  constructor(
    options: CoordinatorOptions,
    effects: CoordinatorEffects,
    now: () => number = () => performance.now(),
  ) {
    this.#options = options;
    this.#effects = effects;
    this.#now = now;
    const table = new LineTable(now);
    const roster = this.#roster;
    const add = (want: Want, connection: ConnectionRecord): void => {
      this.#add(want, connection);
    };
    this.#table = table;
    this.#joining = new Joining(table, (slot, connection) => effects.joined(slot, connection), now);
    this.#refusals = new Refusals(table, (slot, code, text) => effects.refused(slot, code, text));
    this.#shortage = new Shortage(table, add, (slot) => effects.displaced(slot));
    this.#settler = new Settler({
      table,
      roster,
      joining: this.#joining,
      refusals: this.#refusals,
      shortage: this.#shortage,
      add,
    });
    this.#trials = new Trials(table, roster);
    this.#wishes = new Wishes(table, this.#trials, this.#shortage);
    this.#admission = new Admission({
      table,
      wishes: this.#wishes,
      limits: options.unproven,
      standing: (slot) => effects.standing(slot),
    });
    this.#rebalancer = new Rebalancer({
      table,
      pick: (want, instead) => roster.pick(this.#options, want, instead),
      move: (line, to) => this.#move(line, to),
    });
  }

  /** Takes other options; what they change is settled at once. */
  configure(options: CoordinatorOptions): void {
    this.#options = options;
    for (const slot of this.#table.wants.keys()) this.#table.unsettled.add(slot);
    this.#rebalancer.layoutChanged();
    this.#settleSome();
  }

  /** @throws when there is one of this index */
  addConnection(index: number, plan: ConnectionPlan): void {
    this.#roster.add(new ConnectionRecord(index, plan, this.#now()));
  }

  /**
   * Takes a new priority or number of subscriptions. What it carries too many goes at once, what nobody wants and second lines first,
   * and is subscribed elsewhere.
   */
  changeConnection(index: number, plan: ConnectionPlan): void {
    const connection = this.#roster.get(index);
    connection.change(plan);
    const excess = connection.load - connection.limit;
    if (excess > 0)
      for (const line of leastNeeded(connection, this.#table.wants).slice(0, excess)) this.#table.drop(line);
    this.#table.noteRoom();
    this.#rebalancer.layoutChanged();
    this.#settleSome();
  }

  /** Moves what the connection carries to others, as far as they have room; `vacated` follows when it carries none. */
  retireConnection(index: number): void {
    const connection = this.#roster.get(index);
    connection.retiring = true;
    for (const line of connection.lines.values()) this.#table.leave(line);
    this.#rebalancer.layoutChanged();
    this.#settleSome();
    this.#tellVacated();
  }

  /** The connection is gone, whatever it carries. */
  removeConnection(index: number): void {
    const connection = this.#roster.get(index);
    for (const line of connection.lines.values()) this.#table.drop(line);
    this.#table.forget(connection);
    this.#roster.remove(index);
    this.#refusals.forget((want) => want.refusedBy?.delete(connection) === true);
    this.#settleSome();
  }

  /**
   * One more session wants the instrument. One that was given up is tried again, so that each session is told.
   *
   * @param asker the session; undefined for the configuration, which needs no proof
   */
  want(slot: number, key: string, asker?: Asker): void {
    this.#admission.want(slot, key, asker);
  }

  /** One session less wants it, which was the asker in `want`. */
  drop(slot: number, asker?: Asker): void {
    this.#admission.drop(slot, asker, this.#now());
  }

  /** What is listed has changed: unproven instruments may be proven now. */
  review(): void {
    this.#admission.review();
  }

  /** How many unproven instruments a session has. */
  unprovenOf(asker: Asker): number {
    return this.#admission.unprovenOf(asker);
  }

  /** Whether somebody wants the instrument, or has wanted it until a moment ago, or it is tried out. */
  knows(slot: number): boolean {
    return this.#table.wants.has(slot) || this.#admission.asks(slot) || this.#table.isMentioned(slot);
  }

  /**
   * Of some instruments that sessions want, those that have to wait: no connection that is logged in carries them, and
   * none will with the next flush, as far as can be told before it.
   */
  waiting(slots: Iterable<number>): number[] {
    this.#admission.admit();
    this.#look();
    let settling = 0;
    for (const want of this.#table.wantsOf(this.#table.unsettled)) if (isWaiting(want)) settling++;
    const isRoomy = settling <= this.#roster.room;
    return [...slots].filter((slot) => {
      if (this.#admission.isQueued(slot)) return true;
      const want = this.#table.wants.get(slot);
      return want !== undefined && isWaiting(want) && !(isRoomy && this.#table.unsettled.has(slot));
    });
  }

  /**
   * Subscribes an instrument that nobody wants to see whether ticks come (probeSubscriptions.ts). `flush` sends it.
   *
   * @returns false where it is subscribed already, or there is no room to spare
   */
  tryOut(slot: number, key: string): boolean {
    if (this.#table.wants.has(slot) || this.#admission.asks(slot) || this.#shortage.size > 0) return false;
    this.#look();
    return this.#trials.begin(slot, key, this.#options.trialShare, this.#now());
  }

  /** Ends a trial, if it goes on. */
  endTrial(slot: number): void {
    this.#trials.end(slot);
  }

  isTrial(slot: number): boolean {
    return this.#trials.has(slot);
  }

  /** A worker reports a connection's state. */
  connectionState(index: number, state: ConnectionState, reason: string): void {
    const connection = this.#roster.find(index);
    if (connection?.takeState(state, reason, this.#now()) !== true) return;
    if (connection.isUp) {
      // A new login may be a new day: what the front has refused before may exist now. And it may have what others refuse.
      this.#refusals.forget((want) => {
        want.refusedBy?.delete(connection);
        return want.failure !== undefined;
      });
      this.#table.noteRoom();
    }
    for (const slot of connection.lines.keys()) this.#table.unsettled.add(slot);
    this.#table.restart(connection);
    this.#rebalancer.layoutChanged();
    this.#settleSome();
  }

  /** A connection's worker is gone, and the subscriptions with it; the connection will be opened anew. */
  workerLost(index: number, reason: string): void {
    const connection = this.#roster.find(index);
    if (connection === undefined) return;
    connection.workerLost = true;
    this.connectionState(index, 'error', reason);
  }

  /** The front was asked for these. */
  requested(index: number, slots: readonly number[]): void {
    const connection = this.#roster.find(index);
    for (const slot of slots) {
      const line = connection?.lines.get(slot);
      if (line?.state === 'pending') this.#table.setState(line, 'subscribing');
    }
  }

  /** Whether `ticked` must hear of the next tick of the slot. For the tick path. */
  awaits(slot: number): boolean {
    return this.#table.awaits(slot);
  }

  /**
   * A tick came by this line. False when it is to be held back until `joined`: a line that joins others may be ahead of
   * them, and what these have still under way would come too late.
   */
  ticked(index: number, slot: number, key: TickKey): boolean {
    const taken = this.#joining.ticked(this.#roster.find(index), slot, key);
    if (this.#table.wants.get(slot)?.ticked === true) this.#admission.ticked(slot);
    return taken;
  }

  /** Whether there is something for `flush` to do. */
  hasUnsettled(): boolean {
    return this.#table.unsettled.size > 0 || this.#table.roomFreed || this.#admission.isDue;
  }

  /** A front refused an instrument (refusals.ts). */
  subscriptionRefused(index: number, slot: number, code: number, text: string): void {
    const connection = this.#roster.find(index);
    if (connection === undefined) return;
    this.#refusals.note(connection, slot, code, text, this.#options.maxRetryCount, this.#now());
  }

  /** What was measured of a connection. */
  observe(index: number, facts: LineFacts): void {
    this.#roster.find(index)?.quality.observe(facts, this.#now());
  }

  /**
   * Settles what changed since the last flush: at most two commands per connection.
   *
   * @param most how many instruments to settle at most, for a caller that has other things to do in between
   * @returns false when some are left for another call
   */
  flush(most = Infinity): boolean {
    if (!this.hasUnsettled() && !this.#table.hasUnsent) return true;
    if (this.#options.graceMs === 0) this.#wishes.expire(Infinity);
    this.#look();
    const { autoFailover } = this.#options;
    let left = most;
    while (left > 0 && this.hasUnsettled()) {
      this.#admission.admit();
      if (this.#table.takeRoomFreed()) {
        this.#look();
        this.#shortage.retry();
      }
      const wants = byNeed(this.#table.takeUnsettled(left), autoFailover);
      left -= wants.length;
      for (const want of wants) {
        if (!this.#admission.maySettle(want)) continue;
        this.#settler.settle(want, this.#options, this.#now());
        this.#admission.settled(want);
      }
      if (this.#shortage.size > 0) this.#endTrials();
      if (!this.hasUnsettled()) this.#makeRoom();
    }
    if (!this.hasUnsettled()) this.#refusals.tellOverLimit();
    this.#table.send(this.#effects);
    this.#tellVacated();
    return !this.hasUnsettled();
  }

  /** What is due by time: to be called about once a second. */
  pass(): void {
    const now = this.#now();
    this.#wishes.expire(now - this.#options.graceMs);
    this.#joining.pass();
    for (const want of this.#table.wantsOf(this.#shortage.lineless()))
      if (want.refusal !== undefined) this.#table.unsettled.add(want.slot);
    this.#admission.pass(now);
    for (const connection of this.#roster.all())
      if (this.#shortage.isShort && connection.probeFrontLimit(now)) this.#table.noteRoom();
    this.#settleSome();
    if (this.#shortage.hasLineless && !this.hasUnsettled()) {
      this.#look();
      this.#makeRoom();
      this.#settleSome();
    }
    if (this.#options.autoFailover && !this.hasUnsettled()) this.#rebalance(now);
  }

  /** How many instruments the connection carries; 0 while it is not logged in, so that no ticks can be expected. */
  instrumentsOf(index: number): number {
    const connection = this.#roster.find(index);
    return connection?.isUp === true ? connection.subscriptions : 0;
  }

  /** Changes with each login of the connection. */
  loginsOf(index: number): number {
    return this.#roster.find(index)?.reconnects ?? 0;
  }

  /** Slots of the instruments that the connection carries, but for those that are tried out. */
  slotsOf(index: number): Iterable<number> {
    const slots = this.#roster.find(index)?.lines.keys() ?? [];
    return this.#trials.size === 0 ? slots : [...slots].filter((slot) => !this.#trials.has(slot));
  }

  status(): ConnectionStatus[] {
    const now = this.#now();
    return [...this.#roster.all()].map((connection) => connection.status(now));
  }

  /** How the instruments stand. */
  demand(): Demand {
    const { states, waiting, unprovenWaiting } = this.#table.census.take(this.#table.wants);
    const queued = this.#admission.waiting;
    const wanted = this.#table.wants.size - this.#trials.size - states.cancelled + queued;
    return {
      wanted,
      waiting,
      refused: states.failed,
      short: this.#shortage.size,
      unproven: this.#admission.unproven,
      unprovenWaiting: unprovenWaiting + queued,
      states: { ...states, pending: states.pending + queued },
    };
  }

  /** Slots of the instruments that are wanted and were not refused. */
  wanted(): Iterable<number> {
    return this.#wishes.all();
  }

  /** The first `most` of those that wait for a line, and of those that were refused. */
  troubles(most: number): Troubles {
    return this.#wishes.troubles(most, this.#admission.queued());
  }

  #makeRoom(): void {
    const { autoFailover, roomSpacingMs } = this.#options;
    this.#shortage.makeRoom(autoFailover, roomSpacingMs, this.#now());
    // A place that has gone from one instrument to another has taken no room.
    this.#look();
  }

  /** Their room is needed. */
  #endTrials(): void {
    if (this.#trials.size === 0) return;
    this.#trials.endAll();
    this.#look();
  }

  #rebalance(now: number): void {
    this.#look();
    this.#rebalancer.pass(this.#options.strategy, this.#roster.open, now);
    this.#settleSome();
  }

  #move(line: Line, to: ConnectionRecord): void {
    this.#table.leave(line);
    this.#add(this.#table.wants.get(line.slot)!, to);
  }

  #add(want: Want, connection: ConnectionRecord): void {
    this.#table.add(want, connection);
    this.#roster.takePlace();
    this.#rebalancer.balanceChanged();
  }

  #look(): void {
    if (this.#roster.look(this.#now())) this.#rebalancer.balanceChanged();
  }

  #settleSome(): void {
    if (!this.flush(this.#options.settledPerTurn)) this.#effects.more();
  }

  #tellVacated(): void {
    for (const connection of this.#roster.all()) {
      if (!connection.retiring || connection.vacated || connection.load > 0) continue;
      connection.vacated = true;
      this.#effects.vacated(connection.index);
    }
  }
}
