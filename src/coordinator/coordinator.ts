import type { ConnectionState } from './messages.js';
import { Quality } from './quality.js';
import { pickConnection, type Strategy } from './strategies.js';

/** The vendor's error ids that no other connection can mend: the instrument does not exist. */
const instrumentNotFound = 16;

export interface CoordinatorOptions {
  readonly strategy: Strategy;
  /** Move a lost connection's instruments to others that are logged in. */
  readonly autoFailover: boolean;
  /** How many connections may refuse an instrument before it is given up. */
  readonly maxRetryCount: number;
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
  readonly id: string;
  readonly brokerId: string;
  readonly fronts: readonly string[];
  readonly state: ConnectionState;
  /** One line on what is wrong; empty when nothing is. */
  readonly reason: string;
  readonly quality: number;
  readonly subscriptions: number;
  readonly reconnects: number;
}

/** Something to tell a connection's worker. Slots, not ids: the shell knows the names. */
export interface LineCommand {
  readonly type: 'subscribe' | 'unsubscribe';
  readonly connection: number;
  readonly slots: readonly number[];
}

export interface CoordinatorEffects {
  send(command: LineCommand): void;
  /** Every connection that may carry it has refused the instrument, or it does not exist. */
  refused(slot: number, code: number, text: string): void;
}

interface Connection extends ConnectionPlan {
  readonly index: number;
  readonly lines: Set<number>;
  readonly quality: Quality;
  state: ConnectionState;
  reason: string;
  reconnects: number;
  /** Its worker was lost: the next one must be told the lines again. */
  workerLost: boolean;
}

interface Want {
  /** Sessions that want it. */
  count: number;
  readonly key: string;
  /** Index of the connection that carries it, or -1 while none does. */
  line: number;
  readonly refusedBy: Set<number>;
  failed: boolean;
}

/**
 * Decides which connection carries which instrument.
 *
 * Plain data and no I/O: `want`, `drop` and the events change the wish list, `flush` settles it and sends the
 * difference as one batch per connection. An instrument that was dropped and wanted again between two flushes
 * costs nothing. Invariants: a wanted instrument has at most one line; a connection never carries more than its
 * max_subscriptions; only a connection that is logged in is given a line; with failover, no connection that is logged
 * in has room while an instrument waits or its connection is down.
 */
export class Coordinator {
  readonly #options: CoordinatorOptions;
  readonly #effects: CoordinatorEffects;
  readonly #now: () => number;
  readonly #connections: Connection[];
  readonly #wants = new Map<number, Want>();
  readonly #unsettled = new Set<number>();
  /** Wanted, but no connection with room is logged in. */
  readonly #waiting = new Set<number>();
  #turn = 0;

  constructor(
    options: CoordinatorOptions,
    plans: readonly ConnectionPlan[],
    effects: CoordinatorEffects,
    now: () => number = Date.now,
  ) {
    this.#options = options;
    this.#effects = effects;
    this.#now = now;
    this.#connections = plans.map((plan, index) => ({
      ...plan,
      index,
      lines: new Set<number>(),
      quality: new Quality(),
      state: 'disconnected',
      reason: 'not started',
      reconnects: 0,
      workerLost: false,
    }));
  }

  /** One more session wants the instrument. One that was given up is tried again, so that each session is told. */
  want(slot: number, key: string): void {
    const want = this.#wants.get(slot);
    if (want === undefined) {
      this.#wants.set(slot, { count: 1, key, line: -1, refusedBy: new Set(), failed: false });
    } else {
      want.count++;
      if (want.count === 1 || want.failed) {
        want.failed = false;
        want.refusedBy.clear();
      }
    }
    this.#unsettled.add(slot);
  }

  /** One session less wants it. */
  drop(slot: number): void {
    const want = this.#wants.get(slot);
    if (want === undefined || want.count === 0)
      throw new Error(`slot ${slot} was dropped more often than wanted`);
    want.count--;
    this.#unsettled.add(slot);
  }

  /** A worker reports a connection's state. */
  connectionState(index: number, state: ConnectionState, reason: string): void {
    const connection = this.#connections[index]!;
    const before = connection.state;
    connection.state = state;
    connection.reason = reason;
    if (before === 'logged_in' && state !== 'logged_in') {
      connection.reconnects++;
      connection.quality.record('disconnect', this.#now());
      if (this.#options.autoFailover) this.#failOver(connection);
    } else if (state === 'error' && before !== 'error') {
      connection.quality.record('login_failure', this.#now());
    }
    if (state !== 'logged_in' || before === 'logged_in') return;
    if (connection.workerLost) {
      connection.workerLost = false;
      if (connection.lines.size > 0)
        this.#effects.send({ type: 'subscribe', connection: index, slots: [...connection.lines] });
    }
    this.#forgetRefusals(index);
    this.#useRoom(this.#waiting);
  }

  /** A connection's worker is gone, and the subscriptions with it; the connection will be opened anew. */
  workerLost(index: number, reason: string): void {
    this.#connections[index]!.workerLost = true;
    this.connectionState(index, 'error', reason);
  }

  /** A front refused an instrument. */
  subscriptionRefused(index: number, slot: number, code: number, text: string): void {
    const connection = this.#connections[index]!;
    const want = this.#wants.get(slot);
    // What does not exist says nothing against the connection, and any client can ask for it.
    if (code !== instrumentNotFound) connection.quality.record('refusal', this.#now());
    if (want?.line !== index) return;
    this.#takeLine(index, slot, want);
    want.refusedBy.add(index);
    if (
      code === instrumentNotFound ||
      want.refusedBy.size > this.#options.maxRetryCount ||
      !this.#hasUntried(want)
    ) {
      want.failed = true;
      if (want.count > 0) this.#effects.refused(slot, code, text);
    }
    this.#unsettled.add(slot);
  }

  /** Settles what changed since the last flush: at most two commands per connection. */
  flush(): void {
    if (this.#unsettled.size === 0) return;
    const removed = new Map<number, number[]>();
    const open = new Set<number>();
    for (const slot of this.#unsettled) {
      const want = this.#wants.get(slot)!;
      if (want.count > 0) {
        if (want.line < 0 && !want.failed) open.add(slot);
        continue;
      }
      if (want.line >= 0) {
        push(removed, want.line, slot);
        this.#takeLine(want.line, slot, want);
      }
      this.#wants.delete(slot);
      this.#waiting.delete(slot);
    }
    this.#unsettled.clear();
    for (const [connection, slots] of removed) this.#unsubscribe(connection, slots);
    if (removed.size === 0) {
      this.#assign([...open]);
      return;
    }
    // Room that has become free goes to those that wait for it.
    for (const slot of this.#waiting) open.add(slot);
    this.#useRoom(open);
  }

  status(): ConnectionStatus[] {
    const now = this.#now();
    return this.#connections.map((connection) => ({
      id: connection.id,
      brokerId: connection.brokerId,
      fronts: connection.fronts,
      state: connection.state,
      reason: connection.reason,
      quality: connection.state === 'logged_in' ? connection.quality.score(now) : 0,
      subscriptions: connection.lines.size,
      reconnects: connection.reconnects,
    }));
  }

  /** Instruments that wait because no connection that is logged in has room for them. */
  get withoutRoom(): number {
    return this.#waiting.size;
  }

  /** Instruments that are wanted, and those of them that no connection carries. */
  demand(): { wanted: number; waiting: number; refused: number } {
    let wanted = 0;
    let waiting = 0;
    let refused = 0;
    for (const want of this.#wants.values()) {
      if (want.count === 0) continue;
      wanted++;
      if (want.failed) refused++;
      else if (want.line < 0 || this.#connections[want.line]!.state !== 'logged_in') waiting++;
    }
    return { wanted, waiting, refused };
  }

  /**
   * Moves a lost connection's instruments to others, as far as there is room. The rest stays with it: its worker
   * subscribes them again when it is back.
   */
  #failOver(lost: Connection): void {
    const before = [...lost.lines];
    for (const slot of before) this.#takeLine(lost.index, slot, this.#wants.get(slot)!);
    this.#assign(before);
    const moved: number[] = [];
    for (const slot of before) {
      const want = this.#wants.get(slot)!;
      if (want.line >= 0) {
        moved.push(slot);
      } else {
        this.#waiting.delete(slot);
        this.#giveLine(lost.index, slot, want);
      }
    }
    if (moved.length > 0) this.#unsubscribe(lost.index, moved);
  }

  /** Gives lines to instruments that have none, then to those whose connection is down. */
  #useRoom(open: ReadonlySet<number>): void {
    this.#assign([...open]);
    if (!this.#options.autoFailover) return;
    const hasRoom = (each: Connection): boolean =>
      each.state === 'logged_in' && each.lines.size < each.maxSubscriptions;
    for (const each of this.#connections)
      if (each.state !== 'logged_in' && each.lines.size > 0 && this.#connections.some(hasRoom))
        this.#failOver(each);
  }

  /** A new login may be a new day: what the front has refused before may exist now. */
  #forgetRefusals(index: number): void {
    for (const [slot, want] of this.#wants) {
      if (!want.refusedBy.delete(index) || !want.failed) continue;
      want.failed = false;
      if (want.count > 0) this.#waiting.add(slot);
    }
  }

  /** Gives each of the instruments a line, or lets it wait. */
  #assign(slots: readonly number[]): void {
    const now = this.#now();
    const candidates = this.#connections
      .filter((each) => each.state === 'logged_in')
      .map(({ id, index, lines, maxSubscriptions, priority, quality }) => {
        return { id, index, load: lines.size, maxSubscriptions, priority, quality: quality.score(now) };
      });
    const added = new Map<number, number[]>();
    for (const slot of slots) {
      const want = this.#wants.get(slot)!;
      const willing =
        want.refusedBy.size === 0 ? candidates : candidates.filter((each) => !want.refusedBy.has(each.index));
      const chosen = pickConnection(this.#options.strategy, want.key, willing, this.#turn);
      if (chosen === undefined) {
        this.#waiting.add(slot);
        continue;
      }
      this.#turn++;
      candidates.find((each) => each.index === chosen.index)!.load++;
      this.#waiting.delete(slot);
      this.#giveLine(chosen.index, slot, want);
      push(added, chosen.index, slot);
    }
    for (const [connection, slots] of added) this.#effects.send({ type: 'subscribe', connection, slots });
  }

  #unsubscribe(connection: number, slots: readonly number[]): void {
    if (!this.#connections[connection]!.workerLost)
      this.#effects.send({ type: 'unsubscribe', connection, slots });
  }

  #hasUntried(want: Want): boolean {
    return this.#connections.some((each) => !want.refusedBy.has(each.index));
  }

  #giveLine(index: number, slot: number, want: Want): void {
    this.#connections[index]!.lines.add(slot);
    want.line = index;
  }

  #takeLine(index: number, slot: number, want: Want): void {
    this.#connections[index]!.lines.delete(slot);
    want.line = -1;
  }
}

function push(map: Map<number, number[]>, key: number, value: number): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
