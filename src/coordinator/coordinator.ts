import { ConnectionRecord, type ConnectionPlan, type ConnectionStatus } from './connectionRecord.js';
import { isLater, type InstrumentState, type Line, type TickKey, type Want } from './line.js';
import { LineTable, type LineEffects } from './lineTable.js';
import type { ConnectionState } from './messages.js';
import { isWaiting } from './census.js';
import { byNeed, isGood, mayCarry, pickForTrial, spareLines } from './need.js';
import { Rebalancer } from './rebalancer.js';
import type { LineFacts } from './quality.js';
import { hashOf, pickConnection, type Strategy } from './strategies.js';

export type { LineCommand } from './outbox.js';

/** The vendor's error ids: no other connection can mend the first, all others can the second. */
const instrumentNotFound = 16;
const tooManyInstruments = 6000;

/** A front that refuses does so within this time after it was asked. */
const refusalTimeMs = 5_000;
/** Ticks of a line that joins others are held back for this long at most; a line that is active and sound is faster. */
const holdMs = 500;
/** After a login clients' instruments are subscribed first. */
const trialAfterLoginMs = 5_000;
/** A request that the worker never reports as made counts as made after this time. */
const requestTimeMs = 60_000;
/** A connection that has been down for longer is not waited for with a refusal. */
const hopeMs = 30_000;
/** A change of quality that makes a difference to how connections are evened out. */
const scoreStep = 5;

export interface CoordinatorOptions {
  readonly strategy: Strategy;
  /** Move a lost connection's instruments to others that are logged in, and back when there is room again. */
  readonly autoFailover: boolean;
  /** How many connections may refuse an instrument before it is given up. */
  readonly maxRetryCount: number;
  /** How long an instrument that nobody wants any more stays subscribed, while there is room. */
  readonly graceMs: number;
  /** How many lines an instrument shall have, at least 1. */
  readonly redundancy: (slot: number) => number;
  /** How many instruments are settled in one go: other things wait for it. */
  readonly settledPerTurn: number;
  /** Part of each connection on which instruments may be tried out. */
  readonly trialShare: number;
  /** Room is taken from others at most once in this time, since all instruments are looked at for it. */
  readonly roomSpacingMs: number;
}

export interface CoordinatorEffects extends LineEffects {
  /** Every connection that may carry it has refused the instrument, or it does not exist. */
  refused(slot: number, code: number, text: string): void;
  /** A connection that was told to retire carries nothing any more. */
  vacated(connection: number): void;
  /** The ticks of this line that were held back are to be taken in now, in their order. */
  joined(slot: number, connection: number): void;
  /** There is more to settle than one turn may take: `flush` is to be called again soon. */
  more(): void;
}

/** Counts of instruments. */
export interface Demand {
  readonly wanted: number;
  /** Wanted, not refused, and without any line on a connection that is logged in. */
  readonly waiting: number;
  readonly refused: number;
  /** With fewer lines than redundancy asks for and connections could give. */
  readonly short: number;
  readonly states: Readonly<Record<InstrumentState, number>>;
}

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
 *   - no instrument has a second line while another has none for want of room;
 *   - a line that moves is given up after its successor has become active.
 */
export class Coordinator {
  #options: CoordinatorOptions;
  readonly #effects: CoordinatorEffects;
  readonly #now: () => number;
  readonly #connections = new Map<number, ConnectionRecord>();
  readonly #table: LineTable;
  readonly #unsettled = new Set<number>();
  /** Slots that have fewer lines than they should, since no connection that may carry them has room. */
  readonly #short = new Set<number>();
  /** Slots that nobody wants any more, the longest unwanted first, with the moment since when. */
  readonly #cancelled = new Map<number, number>();
  /** Slots that are tried out. */
  readonly #trials = new Set<number>();
  /** Slots that a front refused for want of room since the last flush, with its words. */
  readonly #overLimit = new Map<number, string>();
  /** Connections that may take lines, while decisions are made. */
  #open: ConnectionRecord[] = [];
  /** Free places of the connections that may take lines, while decisions are made. */
  #room = 0;
  /** Slots without any good line for want of room; all of them are short too. */
  readonly #lineless = new Set<number>();
  #madeRoomAt = -Infinity;
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
    this.#table = new LineTable(now);
    this.#rebalancer = new Rebalancer({
      table: this.#table,
      pick: (want, instead) => this.#pick(want, instead),
      move: (line, to) => this.#move(line, to),
    });
  }

  /** Takes other options; what they change is settled at once. */
  configure(options: CoordinatorOptions): void {
    this.#options = options;
    for (const slot of this.#table.wants.keys()) this.#unsettled.add(slot);
    this.#rebalancer.layoutChanged();
    this.#settleSome();
  }

  addConnection(index: number, plan: ConnectionPlan): void {
    if (this.#connections.has(index)) throw new Error(`there is a connection ${index} already`);
    this.#connections.set(index, new ConnectionRecord(index, plan, this.#now()));
  }

  /**
   * Takes a new priority or number of subscriptions. What it carries too many goes at once, what nobody wants and second lines first,
   * and is subscribed elsewhere.
   */
  changeConnection(index: number, plan: ConnectionPlan): void {
    const connection = this.#connection(index);
    connection.change(plan);
    const excess = connection.load - connection.limit;
    if (excess > 0) {
      const others = (line: Line): number => {
        const { count, lines } = this.#table.wants.get(line.slot)!;
        return count === 0
          ? Infinity
          : lines.filter((each) => each !== line && each.state === 'active').length;
      };
      const lines = [...connection.lines.values()].sort((a, b) => compare(others(b), others(a)));
      for (const line of lines.slice(0, excess)) this.#drop(line);
    }
    this.#table.noteRoom();
    this.#rebalancer.layoutChanged();
    this.#settleSome();
  }

  /** Moves what the connection carries to others, as far as they have room; `vacated` follows when it carries none. */
  retireConnection(index: number): void {
    const connection = this.#connection(index);
    connection.retiring = true;
    for (const line of connection.lines.values()) this.#leave(line);
    this.#rebalancer.layoutChanged();
    this.#settleSome();
    this.#tellVacated();
  }

  /** The connection is gone, whatever it carries. */
  removeConnection(index: number): void {
    const connection = this.#connection(index);
    for (const line of connection.lines.values()) this.#drop(line);
    this.#table.forget(connection);
    this.#connections.delete(index);
    this.#forgetRefusals((want) => want.refusedBy?.delete(connection) === true);
    this.#settleSome();
  }

  /** One more session wants the instrument. One that was given up is tried again, so that each session is told. */
  want(slot: number, key: string): void {
    const want = this.#table.wants.get(slot);
    if (want === undefined) {
      this.#table.wants.set(slot, newWant(slot, key, 1, false));
      this.#table.await(slot, true);
    } else {
      if (this.#trials.delete(slot)) this.#table.endTrial(want);
      want.count++;
      want.told = false;
      this.#cancelled.delete(slot);
      if (want.count === 1 || want.failure !== undefined) {
        want.failure = undefined;
        want.refusedBy = undefined;
      }
    }
    this.#table.census.note(slot);
    this.#unsettled.add(slot);
  }

  /** One session less wants it. */
  drop(slot: number): void {
    const want = this.#table.wants.get(slot);
    if (want === undefined || want.count === 0)
      throw new Error(`slot ${slot} was dropped more often than wanted`);
    want.count--;
    if (want.count > 0) return;
    this.#cancelled.set(slot, this.#now());
    this.#table.census.note(slot);
    this.#unsettled.add(slot);
  }

  /**
   * Subscribes an instrument that nobody wants on a connection with room to spare, to see whether ticks come. What clients
   * want goes before: a trial is nowhere counted, makes no line move, and ends when its room is needed, when its
   * connection is lost, or when somebody wants the instrument. `flush` sends it.
   *
   * @returns false where it is subscribed already, or there is no room to spare
   */
  tryOut(slot: number, key: string): boolean {
    if (this.#table.wants.has(slot) || this.#short.size > 0) return false;
    this.#lookAtConnections();
    const now = this.#now();
    const settled = this.#open.filter(({ upSince }) => now - upSince >= trialAfterLoginMs);
    const connection = pickForTrial(settled, this.#options.trialShare);
    if (connection === undefined) return false;
    const want = newWant(slot, key, 0, true);
    this.#table.wants.set(slot, want);
    this.#trials.add(slot);
    this.#table.await(slot, true);
    this.#table.add(want, connection);
    this.#unsettled.add(slot);
    return true;
  }

  /** Ends a trial, if it goes on. */
  endTrial(slot: number): void {
    if (this.#trials.delete(slot)) this.#forget(slot);
  }

  isTrial(slot: number): boolean {
    return this.#trials.has(slot);
  }

  /** A worker reports a connection's state. */
  connectionState(index: number, state: ConnectionState, reason: string): void {
    const connection = this.#connections.get(index);
    if (connection === undefined) return;
    const wasUp = connection.isUp;
    connection.state = state;
    connection.reason = reason;
    if (reason !== '') connection.lastError = reason;
    if (state === 'error' && !wasUp) {
      connection.loginFailures++;
      connection.quality.record('login_failure', this.#now());
    }
    if (wasUp === connection.isUp) return;
    if (wasUp) {
      connection.reconnects++;
      connection.quality.record('disconnect', this.#now());
      connection.upSince = NaN;
      connection.downSince = this.#now();
    } else {
      connection.upSince = this.#now();
      connection.forgetFrontLimit();
      // A new login may be a new day: what the front has refused before may exist now. And it may have what others refuse.
      this.#forgetRefusals((want) => {
        want.refusedBy?.delete(connection);
        return want.failure !== undefined;
      });
      this.#table.noteRoom();
    }
    for (const slot of connection.lines.keys()) this.#unsettled.add(slot);
    this.#table.restart(connection);
    this.#rebalancer.layoutChanged();
    this.#settleSome();
  }

  /** A connection's worker is gone, and the subscriptions with it; the connection will be opened anew. */
  workerLost(index: number, reason: string): void {
    const connection = this.#connections.get(index);
    if (connection === undefined) return;
    connection.workerLost = true;
    this.connectionState(index, 'error', reason);
  }

  /** The front was asked for these. */
  requested(index: number, slots: readonly number[]): void {
    const connection = this.#connections.get(index);
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
    const want = this.#table.wants.get(slot);
    const line = this.#connections.get(index)?.lines.get(slot);
    if (want === undefined || line === undefined) return true;
    want.ticked = true;
    want.inVain = false;
    if (line.state === 'active') {
      want.newest = key;
      for (const each of want.lines)
        if (each.ahead !== undefined && !isLater(each.ahead, key)) this.#activate(each);
    } else if (this.#mustWait(line, want, key)) {
      if (line.ahead === undefined) line.aheadSince = this.#now();
      line.ahead = key;
      return false;
    } else {
      this.#activate(line);
    }
    if (want.lines.every((each) => each.state === 'active')) {
      want.newest = undefined;
      this.#table.await(slot, false);
    }
    return true;
  }

  /** Whether there is something for `flush` to do. */
  hasUnsettled(): boolean {
    return this.#unsettled.size > 0 || this.#table.roomFreed;
  }

  /**
   * A front refused an instrument. For want of room, it waits for room elsewhere; otherwise other connections are tried,
   * and when all have refused, those who want it are told.
   */
  subscriptionRefused(index: number, slot: number, code: number, text: string): void {
    const connection = this.#connections.get(index);
    if (connection === undefined) return;
    const isFull = code === tooManyInstruments;
    // What does not exist says nothing against the connection, and any client can ask for it; nor does a limit.
    const want = this.#table.wants.get(slot);
    if (code !== instrumentNotFound && !isFull && want?.trial !== true)
      connection.quality.record('refusal', this.#now());
    const line = connection.lines.get(slot);
    if (want === undefined || line === undefined) return;
    // The worker has let go of it, unless this crossed with a newer request: so it is told all the same.
    this.#drop(line, false);
    if (isFull) {
      connection.limitToLoad(this.#now());
      this.#overLimit.set(slot, text);
      return;
    }
    want.refusedBy ??= new Set();
    want.refusedBy.add(connection);
    if (code === instrumentNotFound || want.refusedBy.size > this.#options.maxRetryCount)
      this.#giveUp(want, code, text);
    else want.refusal = { code, text };
  }

  /** What was measured of a connection. */
  observe(index: number, facts: LineFacts): void {
    this.#connections.get(index)?.quality.observe(facts, this.#now());
  }

  /**
   * Settles what changed since the last flush: at most two commands per connection.
   *
   * @param most how many instruments to settle at most, for a caller that has other things to do in between
   * @returns false when some are left for another call
   */
  flush(most = Infinity): boolean {
    if (!this.hasUnsettled()) return true;
    if (this.#options.graceMs === 0) this.#expire(Infinity);
    this.#lookAtConnections();
    let left = most;
    while (left > 0 && this.hasUnsettled()) {
      if (this.#table.takeRoomFreed()) for (const slot of this.#short) this.#unsettled.add(slot);
      const wants = this.#takeUnsettled(left);
      left -= wants.length;
      for (const want of wants) this.#settle(want);
      if (this.#short.size > 0) this.#endTrials();
      if (!this.hasUnsettled()) this.#makeRoom();
    }
    if (!this.hasUnsettled()) this.#tellOverLimit();
    this.#table.send(this.#effects);
    this.#tellVacated();
    return !this.hasUnsettled();
  }

  /** What is due by time: to be called about once a second. */
  pass(): void {
    const now = this.#now();
    this.#expire(now - this.#options.graceMs);
    for (const line of this.#table.unconfirmed) {
      const waitMs = line.state === 'subscribing' ? refusalTimeMs : requestTimeMs;
      const isDue = line.ahead === undefined ? now - line.since >= waitMs : now - line.aheadSince >= holdMs;
      if (line.connection.isUp && isDue) this.#activate(line);
    }
    for (const slot of this.#lineless) {
      const want = this.#table.wants.get(slot)!;
      if (want.refusal !== undefined) this.#unsettled.add(slot);
    }
    for (const connection of this.#connections.values())
      if (this.#short.size > 0 && connection.probeFrontLimit(now)) this.#table.noteRoom();
    this.#settleSome();
    if (this.#lineless.size > 0 && !this.hasUnsettled()) {
      this.#lookAtConnections();
      this.#makeRoom();
      this.#settleSome();
    }
    if (this.#options.autoFailover && !this.hasUnsettled()) this.#rebalance(now);
  }

  /** How many instruments the connection carries; 0 while it is not logged in, so that no ticks can be expected. */
  instrumentsOf(index: number): number {
    const connection = this.#connections.get(index);
    return connection?.isUp === true ? connection.subscriptions : 0;
  }

  /** Slots of the instruments that the connection carries, but for those that are tried out. */
  slotsOf(index: number): Iterable<number> {
    const slots = this.#connections.get(index)?.lines.keys() ?? [];
    return this.#trials.size === 0 ? slots : [...slots].filter((slot) => !this.#trials.has(slot));
  }

  status(): ConnectionStatus[] {
    const now = this.#now();
    return [...this.#connections.values()].map((connection) => connection.status(now));
  }

  /** How the instruments stand. */
  demand(): Demand {
    const { states, waiting } = this.#table.census.take(this.#table.wants);
    const wanted = this.#table.wants.size - this.#trials.size - states.cancelled;
    return { wanted, waiting, refused: states.failed, short: this.#short.size, states };
  }

  /** Slots of the instruments that are wanted and were not refused. */
  *wanted(): Iterable<number> {
    for (const { slot, count, failure } of this.#table.wants.values())
      if (count > 0 && failure === undefined) yield slot;
  }

  /** The first `most` of those that wait for a line, and of those that were refused. */
  troubles(most: number): { waiting: number[]; failed: { slot: number; code: number; text: string }[] } {
    const waiting: number[] = [];
    const failed: { slot: number; code: number; text: string }[] = [];
    for (const want of this.#table.wants.values()) {
      if (waiting.length < most && isWaiting(want)) waiting.push(want.slot);
      if (want.count > 0 && want.failure !== undefined && failed.length < most)
        failed.push({ slot: want.slot, ...want.failure });
    }
    return { waiting, failed };
  }

  /** Instruments that were given up are tried again where `isNew` finds new hope. */
  #forgetRefusals(isNew: (want: Want) => boolean): void {
    for (const want of this.#table.wants.values()) {
      if (!isNew(want)) continue;
      want.failure = undefined;
      this.#table.census.note(want.slot);
      this.#unsettled.add(want.slot);
    }
  }

  /** No connection will carry it. Those who want it are told once, however often it is tried again. */
  #giveUp(want: Want, code: number, text: string): void {
    if (want.lines.some((each) => each.connection.isUp)) return;
    want.failure = { code, text };
    this.#table.census.note(want.slot);
    this.#unsettled.add(want.slot);
    this.#tell(want, code, text);
  }

  /** What no front has room for waits, and those who want it know. */
  #tellOverLimit(): void {
    for (const [slot, text] of this.#overLimit) {
      const want = this.#table.wants.get(slot);
      if (want?.lines.length === 0) this.#tell(want, tooManyInstruments, text);
    }
    this.#overLimit.clear();
  }

  #tell(want: Want, code: number, text: string): void {
    if (want.count === 0 || want.told) return;
    want.told = true;
    this.#effects.refused(want.slot, code, text);
  }

  /** Gives the instrument the lines that it should have, as far as there is room, and takes what it has too many. */
  #settle(want: Want): void {
    const { slot } = want;
    if (want.count === 0 || want.failure !== undefined) {
      this.#short.delete(slot);
      this.#lineless.delete(slot);
      for (const line of [...want.lines])
        if (want.failure !== undefined || line.connection.retiring || (want.trial && !line.connection.isUp))
          this.#table.remove(line);
      return;
    }
    const asked = this.#options.redundancy(slot);
    const target = asked === 1 ? 1 : Math.max(1, Math.min(asked, this.#untried(want)));
    // Those that it was to wait for are down.
    for (const line of want.lines) if (line.ahead !== undefined && !hasActive(want)) this.#activate(line);
    let good = want.lines.filter((line) => this.#isGood(line)).length;
    for (const line of want.lines) {
      if (good >= target || !line.leaving || !line.connection.takesLines) continue;
      this.#table.stay(line);
      good++;
    }
    for (; good < target && this.#room > 0; good++) {
      const connection = this.#pick(want);
      if (connection === undefined) break;
      this.#add(want, connection);
    }
    if (good > 0) want.refusal = undefined;
    this.#removeSurplus(want, target - good);
    setMember(this.#short, slot, good < target);
    setMember(this.#lineless, slot, good === 0);
    if (want.refusal !== undefined && !this.#hasHope(want))
      this.#giveUp(want, want.refusal.code, want.refusal.text);
  }

  /** @param missing lines that it lacks; negative when it has too many */
  #removeSurplus(want: Want, missing: number): void {
    const isReplaced =
      missing <= 0 && want.lines.every((line) => !this.#isGood(line) || line.state === 'active');
    let surplus = -missing;
    let kept = 0;
    for (const line of [...want.lines]) {
      if (this.#isGood(line)) {
        if (surplus-- > 0) this.#table.remove(line);
      } else if (line.leaving) {
        if (isReplaced || !line.connection.isUp) this.#table.remove(line);
        // A line of a connection that is down keeps its place while there is no better one: its worker asks again.
      } else if (kept++ >= missing) {
        this.#table.remove(line);
      }
    }
  }

  /** A connection for one more line, or instead of one: of another broker where there is one. */
  #pick(want: Want, instead?: Line): ConnectionRecord | undefined {
    const brokers = new Set<string>();
    for (const line of want.lines)
      if (line !== instead && this.#isGood(line)) brokers.add(line.connection.plan.brokerId);
    const pick = (allowed: (each: ConnectionRecord) => boolean): ConnectionRecord | undefined =>
      pickConnection(this.#options.strategy, want.hash, this.#open, allowed);
    const other =
      brokers.size === 0
        ? undefined
        : pick((each) => mayCarry(each, want) && !brokers.has(each.plan.brokerId));
    return other ?? pick((each) => mayCarry(each, want));
  }

  /** Where instruments wait for their only line and no connection has room, room is taken from what needs it less. */
  #makeRoom(): void {
    const now = this.#now();
    if (this.#lineless.size === 0 || now - this.#madeRoomAt < this.#options.roomSpacingMs) return;
    const needy = this.#wantsOf(this.#lineless).filter((want) => !want.inVain);
    if (needy.length === 0) return;
    this.#madeRoomAt = now;
    const spare = spareLines(this.#table.wants.values(), needy[0]!.count, now);
    for (const want of needy) {
      if (spare.length === 0) break;
      const place = spare.findIndex(
        ({ line, weight }) => mayCarry(line.connection, want) && want.count >= weight,
      );
      if (place < 0) continue;
      const [{ line }] = spare.splice(place, 1) as [(typeof spare)[number]];
      this.#drop(line);
      this.#add(want, line.connection);
      this.#unsettled.add(want.slot);
    }
    // That room has gone to who needed it more.
    this.#table.takeRoomFreed();
  }

  /** Their room is needed. */
  #endTrials(): void {
    if (this.#trials.size === 0) return;
    for (const slot of this.#trials) this.#forget(slot);
    this.#trials.clear();
    this.#lookAtConnections();
  }

  #rebalance(now: number): void {
    this.#lookAtConnections();
    this.#rebalancer.pass(this.#options.strategy, this.#open, now);
    this.#settleSome();
  }

  #move(line: Line, to: ConnectionRecord): void {
    this.#leave(line);
    this.#add(this.#table.wants.get(line.slot)!, to);
  }

  #add(want: Want, connection: ConnectionRecord): void {
    this.#table.add(want, connection);
    this.#room--;
    this.#rebalancer.balanceChanged();
  }

  #drop(line: Line, isHeld = true): void {
    this.#table.remove(line, isHeld);
    this.#unsettled.add(line.slot);
  }

  /** Whether lines that are active may have earlier ticks under way than the one that came by this line. */
  #mustWait(line: Line, want: Want, key: TickKey): boolean {
    if (!hasActive(want) || (line.ahead !== undefined && this.#now() - line.aheadSince >= holdMs))
      return false;
    return want.newest === undefined || isLater(key, want.newest);
  }

  #activate(line: Line): void {
    const wasHeld = line.ahead !== undefined;
    this.#table.setState(line, 'active');
    this.#unsettled.add(line.slot);
    if (wasHeld) this.#effects.joined(line.slot, line.connection.index);
  }

  #leave(line: Line): void {
    this.#table.leave(line);
    this.#unsettled.add(line.slot);
  }

  /** Ends what nobody has wanted since `before`. */
  #expire(before: number): void {
    for (const [slot, since] of this.#cancelled) {
      if (since > before) return;
      this.#cancelled.delete(slot);
      this.#forget(slot);
    }
  }

  /** Nobody wants it, and it is unsubscribed. */
  #forget(slot: number): void {
    for (const line of [...this.#table.wants.get(slot)!.lines]) this.#table.remove(line);
    this.#table.wants.delete(slot);
    this.#table.census.note(slot);
    this.#short.delete(slot);
    this.#lineless.delete(slot);
    this.#unsettled.delete(slot);
  }

  #connection(index: number): ConnectionRecord {
    const connection = this.#connections.get(index);
    if (connection === undefined) throw new Error(`there is no connection ${index}`);
    return connection;
  }

  #takeUnsettled(most: number): Want[] {
    if (this.#unsettled.size <= most) {
      const wants = this.#wantsOf(this.#unsettled);
      this.#unsettled.clear();
      return wants;
    }
    const slots: number[] = [];
    for (const slot of this.#unsettled) {
      if (slots.length >= most) break;
      slots.push(slot);
      this.#unsettled.delete(slot);
    }
    return this.#wantsOf(slots);
  }

  #wantsOf(slots: Iterable<number>): Want[] {
    const wants: Want[] = [];
    for (const slot of slots) {
      const want = this.#table.wants.get(slot);
      if (want !== undefined) wants.push(want);
    }
    return byNeed(wants, this.#options.autoFailover);
  }

  /** Takes down, for all decisions of this moment, which connections may take lines and how good each is. */
  #lookAtConnections(): void {
    const now = this.#now();
    this.#open = [];
    this.#room = 0;
    for (const each of this.#connections.values()) {
      const score = each.quality.score(now);
      if (Math.abs(score - each.score) >= scoreStep) this.#rebalancer.balanceChanged();
      each.score = score;
      if (!each.takesLines) continue;
      this.#open.push(each);
      this.#room += Math.max(0, each.limit - each.load);
    }
  }

  #isGood(line: Line): boolean {
    return isGood(line, this.#options.autoFailover);
  }

  /** How many connections have not refused it. */
  #untried(want: Want): number {
    let untried = 0;
    for (const each of this.#connections.values())
      if (!each.retiring && want.refusedBy?.has(each) !== true) untried++;
    return untried;
  }

  /** Whether a connection that has not refused it is there, or may be there soon. */
  #hasHope(want: Want): boolean {
    const now = this.#now();
    for (const each of this.#connections.values())
      if (
        !each.retiring &&
        want.refusedBy?.has(each) !== true &&
        (each.isUp || now - each.downSince < hopeMs)
      )
        return true;
    return false;
  }

  #settleSome(): void {
    if (!this.flush(this.#options.settledPerTurn)) this.#effects.more();
  }

  #tellVacated(): void {
    for (const connection of this.#connections.values()) {
      if (!connection.retiring || connection.vacated || connection.load > 0) continue;
      connection.vacated = true;
      this.#effects.vacated(connection.index);
    }
  }
}

function setMember(set: Set<number>, slot: number, is: boolean): void {
  if (is) set.add(slot);
  else set.delete(slot);
}

/** A line of it is active and its connection logged in. */
function hasActive(want: Want): boolean {
  return want.lines.some((line) => line.state === 'active' && line.connection.isUp);
}

function newWant(slot: number, key: string, count: number, trial: boolean): Want {
  return {
    slot,
    hash: hashOf(key),
    count,
    lines: [],
    refusedBy: undefined,
    refusal: undefined,
    failure: undefined,
    newest: undefined,
    told: false,
    ticked: false,
    inVain: false,
    trial,
  };
}

function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
