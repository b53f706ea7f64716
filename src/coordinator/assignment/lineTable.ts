import type { ConnectionRecord } from './connectionRecord.js';
import type { Want } from './want.js';
import type { Line } from './connectionRecord.js';
import { InstrumentCounter } from './instrumentCounts.js';
import { CommandBatch, type LineCommand } from './commandBatch.js';
import { grown } from '../../base/growable.js';

export interface LineEffects {
  send(command: LineCommand): void;
  /** The instrument has so many lines on connections that are logged in now. */
  carried(slot: number, lines: number): void;
  /** The instrument's line on this connection carries nothing any more. */
  gone(slot: number, connection: number): void;
}

/** Says which lines there are, and notes what each change means for the workers and for later decisions. */
export class LineTable {
  readonly wants = new Map<number, Want>();
  /** Lines that are not active. */
  readonly unconfirmed = new Set<Line>();
  readonly leaving = new Set<Line>();
  /** Slots of instruments of which something has changed since they were settled. */
  readonly unsettled = new Set<number>();
  readonly counter = new InstrumentCounter();
  /** Slots whose number of lines has changed since the last `send`. */
  readonly #recounted = new Set<number>();
  /** Lines that carry nothing any more, since the last `send`. */
  readonly #gone: { readonly slot: number; readonly connection: ConnectionRecord }[] = [];
  readonly #commands = new CommandBatch();
  /** By slot: 1 where the next tick tells something. */
  #awaited = new Uint8Array(1024);
  #roomFreed = false;
  #turn = 0;

  /** @param now ms on a clock that never steps back */
  constructor(private readonly now: () => number) {}

  /** True once after a connection that may take lines has got room. */
  takeRoomFreed(): boolean {
    const freed = this.#roomFreed;
    this.#roomFreed = false;
    return freed;
  }

  get roomFreed(): boolean {
    return this.#roomFreed;
  }

  noteRoom(): void {
    this.#roomFreed = true;
  }

  /** One more line; its worker will be told. */
  add(want: Want, connection: ConnectionRecord): void {
    const { slot } = want;
    const line: Line = {
      slot,
      connection,
      state: 'pending',
      since: 0,
      ahead: undefined,
      aheadSince: 0,
      leaving: false,
    };
    want.lines.push(line);
    connection.lines.set(slot, line);
    if (want.isProbe) connection.probes++;
    else connection.chosenAt = ++this.#turn;
    const known = this.#commands.subscribe(connection, slot);
    this.setState(line, known ? 'subscribing' : 'pending');
    this.#recounted.add(slot);
  }

  /** @param isHeld false when the worker may have let go of it already */
  remove(line: Line, isHeld = true): void {
    const { slot, connection } = line;
    const want = this.wants.get(slot)!;
    want.lines.splice(want.lines.indexOf(line), 1);
    connection.lines.delete(slot);
    if (want.isProbe) connection.probes--;
    this.unconfirmed.delete(line);
    this.leaving.delete(line);
    if (!connection.workerLost) this.#commands.unsubscribe(connection, slot, isHeld);
    this.#recounted.add(slot);
    this.#gone.push({ slot, connection });
    this.counter.note(slot);
    if (connection.takesLines) this.#roomFreed = true;
  }

  /** As `remove`, of an instrument that may need another line. */
  drop(line: Line, isHeld = true): void {
    this.remove(line, isHeld);
    this.unsettled.add(line.slot);
  }

  /** Nobody wants the instrument: its lines end, and nothing of it is known any more. */
  release(slot: number): void {
    for (const line of [...this.wants.get(slot)!.lines]) this.remove(line);
    this.wants.delete(slot);
    this.counter.note(slot);
    this.unsettled.delete(slot);
    this.await(slot, false);
  }

  /** Of some slots, those that are wanted or tried out. */
  wantsOf(slots: Iterable<number>): Want[] {
    const wants: Want[] = [];
    for (const slot of slots) {
      const want = this.wants.get(slot);
      if (want !== undefined) wants.push(want);
    }
    return wants;
  }

  /** At most so many of those that are unsettled, which they are no more. */
  takeUnsettled(most: number): Want[] {
    const slots: number[] = [];
    for (const slot of this.unsettled) {
      if (slots.length >= most) break;
      slots.push(slot);
    }
    for (const slot of slots) this.unsettled.delete(slot);
    return this.wantsOf(slots);
  }

  /** Somebody wants what was subscribed to see whether it exists. */
  endTrial(want: Want): void {
    for (const { connection } of want.lines) connection.probes--;
    want.isProbe = false;
  }

  /** The line will be given up when others have taken its place. */
  leave(line: Line): void {
    line.leaving = true;
    this.leaving.add(line);
    this.unsettled.add(line.slot);
  }

  stay(line: Line): void {
    line.leaving = false;
    this.leaving.delete(line);
  }

  setState(line: Line, state: Line['state']): void {
    line.state = state;
    line.since = this.now();
    line.ahead = undefined;
    this.counter.note(line.slot);
    if (state === 'active') {
      this.unconfirmed.delete(line);
    } else {
      this.unconfirmed.add(line);
      this.await(line.slot, true);
    }
  }

  /** The connection has come up or gone down, so all that was asked of its front is void. */
  restart(connection: ConnectionRecord): void {
    for (const line of connection.lines.values()) {
      this.setState(line, 'pending');
      this.#recounted.add(line.slot);
      if (!connection.isUp) this.#gone.push({ slot: line.slot, connection });
    }
    if (!connection.isUp || !connection.workerLost) return;
    connection.workerLost = false;
    for (const slot of connection.lines.keys()) this.#commands.subscribe(connection, slot);
  }

  /** Whether the slot's next tick tells something. For the tick path. */
  awaits(slot: number): boolean {
    return this.#awaited[slot] === 1;
  }

  await(slot: number, is: boolean): void {
    this.#awaited = grown(this.#awaited, slot + 1);
    this.#awaited[slot] = is ? 1 : 0;
  }

  /** The connection and its worker's session are gone: there is nobody to tell. */
  forget(connection: ConnectionRecord): void {
    this.#commands.drop(connection);
  }

  /** Whether `send` has something to say. */
  get hasUnsent(): boolean {
    return !this.#commands.isEmpty || this.#recounted.size > 0 || this.#gone.length > 0;
  }

  /** Whether `send` has something to say of the instrument. */
  isMentioned(slot: number): boolean {
    return this.#recounted.has(slot) || this.#commands.mentions(slot);
  }

  /** Says what has changed since the last time. */
  send(effects: LineEffects): void {
    this.#commands.send((command) => effects.send(command));
    for (const { slot, connection } of this.#gone) effects.gone(slot, connection.index);
    this.#gone.length = 0;
    for (const slot of this.#recounted) {
      const lines = this.wants.get(slot)?.lines ?? [];
      effects.carried(slot, lines.filter((line) => line.connection.isUp).length);
    }
    this.#recounted.clear();
  }
}
