import { UnprovenAdmission } from './unprovenAdmission.js';
import { isWaiting, type CoordinatorCounts } from './instrumentCounts.js';
import { ConnectionRecord, type ConnectionPlan, type ConnectionStatus } from './connectionRecord.js';
import type { CoordinatorEffects, CoordinatorSettings } from './coordinatorSettings.js';
import { LineActivation } from './lineActivation.js';
import type { Want } from './want.js';
import type { Line, TickKey } from './connectionRecord.js';
import { LineTable } from './lineTable.js';
import type { ConnectionState } from '../workers/workerMessages.js';
import { byPriority, lowestPriority } from './linePriority.js';
import type { LineFacts } from '../measures/quality.js';
import { Rebalancer } from './rebalancer.js';
import { Refusals } from './refusals.js';
import { ConnectionRoster } from './connectionRoster.js';
import { LineReconciler } from './lineReconciler.js';
import { Shortage } from './shortage.js';
import { ProbeSubscriptions } from './probeSubscriptions.js';
import type { UnprovenClient } from './unprovenQueue.js';
import { WantedInstruments, type TroubledInstruments } from './wantedInstruments.js';

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
  #options: CoordinatorSettings;
  readonly #effects: CoordinatorEffects;
  readonly #now: () => number;
  readonly #table: LineTable;
  readonly #roster = new ConnectionRoster();
  readonly #activation: LineActivation;
  readonly #refusals: Refusals;
  readonly #shortage: Shortage;
  readonly #reconciler: LineReconciler;
  readonly #probes: ProbeSubscriptions;
  readonly #wanted: WantedInstruments;
  readonly #admission: UnprovenAdmission;
  readonly #rebalancer: Rebalancer;

  /** @param now ms on a clock that never steps back */
  constructor(
    options: CoordinatorSettings,
    effects: CoordinatorEffects,
    now: () => number = () => performance.now(),
  ) {
    this.#options = options;
    this.#effects = effects;
    this.#now = now;
    const table = new LineTable(now);
    const roster = this.#roster;
    const add = (want: Want, record: ConnectionRecord): void => {
      this.#add(want, record);
    };
    this.#table = table;
    this.#activation = new LineActivation(table, (slot, record) => effects.joined(slot, record), now);
    this.#refusals = new Refusals(table, (slot, code, text) => effects.refused(slot, code, text));
    this.#shortage = new Shortage(table, add, (slot) => effects.displaced(slot));
    this.#reconciler = new LineReconciler({
      table,
      roster,
      activation: this.#activation,
      refusals: this.#refusals,
      shortage: this.#shortage,
      add,
    });
    this.#probes = new ProbeSubscriptions(table, roster);
    this.#wanted = new WantedInstruments(table, this.#probes, this.#shortage);
    this.#admission = new UnprovenAdmission({
      table,
      wanted: this.#wanted,
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
  configure(options: CoordinatorSettings): void {
    this.#options = options;
    for (const slot of this.#table.wants.keys()) this.#table.unsettled.add(slot);
    this.#rebalancer.layoutChanged();
    this.#settleSome();
  }

  /** @throws when there is one of this index */
  addConnection(connection: number, plan: ConnectionPlan): void {
    this.#roster.add(new ConnectionRecord(connection, plan, this.#now()));
  }

  /**
   * Takes a new priority or number of subscriptions. What it carries too many goes at once, what nobody wants and second lines first,
   * and is subscribed elsewhere.
   */
  changeConnection(connection: number, plan: ConnectionPlan): void {
    const record = this.#roster.get(connection);
    record.change(plan);
    const excess = record.load - record.limit;
    if (excess > 0)
      for (const line of lowestPriority(record, this.#table.wants).slice(0, excess)) this.#table.drop(line);
    this.#table.noteRoom();
    this.#rebalancer.layoutChanged();
    this.#settleSome();
  }

  /** Moves what the connection carries to others, as far as they have room; `vacated` follows when it carries none. */
  retireConnection(connection: number): void {
    const record = this.#roster.get(connection);
    record.retiring = true;
    for (const line of record.lines.values()) this.#table.leave(line);
    this.#rebalancer.layoutChanged();
    this.#settleSome();
    this.#tellVacated();
  }

  /** The connection is gone, whatever it carries. */
  removeConnection(connection: number): void {
    const record = this.#roster.get(connection);
    for (const line of record.lines.values()) this.#table.drop(line);
    this.#table.forget(record);
    this.#roster.remove(connection);
    this.#refusals.forget((want) => want.refusedBy?.delete(record) === true);
    this.#settleSome();
  }

  /**
   * One more session wants the instrument. One that was given up is tried again, so that each session is told.
   *
   * @param client the session; undefined for the configuration, which needs no proof
   */
  want(slot: number, key: string, client?: UnprovenClient): void {
    this.#admission.want(slot, key, client);
  }

  /** One session less wants it, which was the asker in `want`. */
  drop(slot: number, client?: UnprovenClient): void {
    this.#admission.drop(slot, client, this.#now());
  }

  /** The list has changed: unproven instruments may be proven now. */
  review(): void {
    this.#admission.review();
  }

  /** How many unproven instruments a session has. */
  unprovenOf(client: UnprovenClient): number {
    return this.#admission.unprovenOf(client);
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
    return this.#probes.begin(slot, key, this.#options.probeShare, this.#now());
  }

  /** Ends a trial, if it continues. */
  endTrial(slot: number): void {
    this.#probes.end(slot);
  }

  isTrial(slot: number): boolean {
    return this.#probes.has(slot);
  }

  /** A worker reports a connection's state. */
  connectionState(connection: number, state: ConnectionState, reason: string): void {
    const record = this.#roster.find(connection);
    if (record?.takeState(state, reason, this.#now()) !== true) return;
    if (record.isUp) {
      // A new login may be a new day: what the front has refused before may exist now. And it may have what others refuse.
      this.#refusals.forget((want) => {
        want.refusedBy?.delete(record);
        return want.failure !== undefined;
      });
      this.#table.noteRoom();
    }
    for (const slot of record.lines.keys()) this.#table.unsettled.add(slot);
    this.#table.restart(record);
    this.#rebalancer.layoutChanged();
    this.#settleSome();
  }

  /** A connection's worker is gone, and the subscriptions with it; the connection will be reopened. */
  workerLost(connection: number, reason: string): void {
    const record = this.#roster.find(connection);
    if (record === undefined) return;
    record.workerLost = true;
    this.connectionState(connection, 'error', reason);
  }

  /** The front was asked for these. */
  requested(connection: number, slots: readonly number[]): void {
    const record = this.#roster.find(connection);
    for (const slot of slots) {
      const line = record?.lines.get(slot);
      if (line?.state === 'pending') this.#table.setState(line, 'subscribing');
    }
  }

  /** Whether `ticked` must learn of the next tick of the slot. For the tick path. */
  awaits(slot: number): boolean {
    return this.#table.awaits(slot);
  }

  /**
   * A tick came by this line. False when it is to be held back until `joined`: a line that joins others may be ahead of
   * them, and what these have still under way would come too late.
   */
  ticked(connection: number, slot: number, key: TickKey): boolean {
    const taken = this.#activation.ticked(this.#roster.find(connection), slot, key);
    if (this.#table.wants.get(slot)?.ticked === true) this.#admission.ticked(slot);
    return taken;
  }

  /** Whether there is something for `flush` to do. */
  hasUnsettled(): boolean {
    return this.#table.unsettled.size > 0 || this.#table.roomFreed || this.#admission.isDue;
  }

  /** A front refused an instrument (refusals.ts). */
  subscriptionRefused(connection: number, slot: number, code: number, text: string): void {
    const record = this.#roster.find(connection);
    if (record === undefined) return;
    this.#refusals.note(record, slot, code, text, this.#options.maxRetryCount, this.#now());
  }

  /** Takes measurements of a connection. */
  observe(connection: number, facts: LineFacts): void {
    this.#roster.find(connection)?.quality.observe(facts, this.#now());
  }

  /**
   * Settles what changed since the last flush: at most two commands per connection.
   *
   * @param most how many instruments to settle at most, for a caller that has other things to do in between
   * @returns false when some are left for another call
   */
  flush(most = Infinity): boolean {
    if (!this.hasUnsettled() && !this.#table.hasUnsent) return true;
    if (this.#options.graceMs === 0) this.#wanted.expire(Infinity);
    this.#look();
    const { autoFailover } = this.#options;
    let left = most;
    while (left > 0 && this.hasUnsettled()) {
      this.#admission.admit();
      if (this.#table.takeRoomFreed()) {
        this.#look();
        this.#shortage.retry();
      }
      const wants = byPriority(this.#table.takeUnsettled(left), autoFailover);
      left -= wants.length;
      for (const want of wants) {
        if (!this.#admission.maySettle(want)) continue;
        this.#reconciler.settle(want, this.#options, this.#now());
        this.#admission.settled(want);
      }
      if (this.#shortage.size > 0) this.#endProbes();
      if (!this.hasUnsettled()) this.#makeRoom();
    }
    if (!this.hasUnsettled()) this.#refusals.tellOverLimit();
    this.#table.send(this.#effects);
    this.#tellVacated();
    return !this.hasUnsettled();
  }

  /** Does what is due by time. To be called about once a second. */
  pass(): void {
    const now = this.#now();
    this.#wanted.expire(now - this.#options.graceMs);
    this.#activation.pass();
    for (const want of this.#table.wantsOf(this.#shortage.lineless()))
      if (want.refusal !== undefined) this.#table.unsettled.add(want.slot);
    this.#admission.pass(now);
    for (const record of this.#roster.all())
      if (this.#shortage.isShort && record.probeFrontLimit(now)) this.#table.noteRoom();
    this.#settleSome();
    if (this.#shortage.hasLineless && !this.hasUnsettled()) {
      this.#look();
      this.#makeRoom();
      this.#settleSome();
    }
    if (this.#options.autoFailover && !this.hasUnsettled()) this.#rebalance(now);
  }

  /** How many instruments the connection carries; 0 while it is not logged in, so that no ticks can be expected. */
  instrumentsOf(connection: number): number {
    const record = this.#roster.find(connection);
    return record?.isUp === true ? record.subscriptions : 0;
  }

  /** Changes with each login of the connection. */
  loginsOf(connection: number): number {
    return this.#roster.find(connection)?.reconnects ?? 0;
  }

  /** Slots of the instruments that the connection carries, but for those that are tried out. */
  slotsOf(connection: number): Iterable<number> {
    const slots = this.#roster.find(connection)?.lines.keys() ?? [];
    return this.#probes.size === 0 ? slots : [...slots].filter((slot) => !this.#probes.has(slot));
  }

  status(): ConnectionStatus[] {
    const now = this.#now();
    return [...this.#roster.all()].map((record) => record.status(now));
  }

  /** How the instruments stand. */
  demand(): CoordinatorCounts {
    const { states, waiting, unprovenWaiting } = this.#table.counter.take(this.#table.wants);
    const queued = this.#admission.waiting;
    const wanted = this.#table.wants.size - this.#probes.size - states.cancelled + queued;
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
    return this.#wanted.all();
  }

  /** The first `most` of those that wait for a line, and of those that were refused. */
  troubles(most: number): TroubledInstruments {
    return this.#wanted.troubles(most, this.#admission.queued());
  }

  #makeRoom(): void {
    const { autoFailover, roomSpacingMs } = this.#options;
    this.#shortage.makeRoom(autoFailover, roomSpacingMs, this.#now());
    // A place that has gone from one instrument to another has taken no room.
    this.#look();
  }

  /** Ends all probes, because their slots are needed. */
  #endProbes(): void {
    if (this.#probes.size === 0) return;
    this.#probes.endAll();
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

  #add(want: Want, record: ConnectionRecord): void {
    this.#table.add(want, record);
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
    for (const record of this.#roster.all()) {
      if (!record.retiring || record.vacated || record.load > 0) continue;
      record.vacated = true;
      this.#effects.vacated(record.index);
    }
  }
}
