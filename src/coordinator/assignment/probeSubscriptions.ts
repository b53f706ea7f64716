import type { LineTable } from './lineTable.js';
import { newWant, type Want } from './want.js';
import { pickForProbe } from './linePriority.js';
import type { ConnectionRoster } from './connectionRoster.js';
import { Standing } from './standing.js';

/** After a login clients' instruments are subscribed first. */
const afterLoginMs = 5_000;

/**
 * Instruments that nobody wants, subscribed on connections with room to spare to see whether ticks come. What clients want
 * goes before: a trial is nowhere counted, makes no line move, and ends when its room is needed, when its connection is
 * lost, or when somebody wants the instrument.
 */
export class ProbeSubscriptions {
  readonly #slots = new Set<number>();
  readonly #table: LineTable;
  readonly #roster: ConnectionRoster;

  constructor(table: LineTable, roster: ConnectionRoster) {
    this.#table = table;
    this.#roster = roster;
  }

  get size(): number {
    return this.#slots.size;
  }

  has(slot: number): boolean {
    return this.#slots.has(slot);
  }

  /**
   * Begins one, on a connection that has been logged in for some seconds; the roster has looked.
   *
   * @param share part of a connection that may be used so
   * @returns false where there is no room to spare
   */
  begin(slot: number, key: string, share: number, now: number): boolean {
    const settled = this.#roster.open.filter(({ upSince }) => now - upSince >= afterLoginMs);
    const connection = pickForProbe(settled, share);
    if (connection === undefined) return false;
    const want = newWant(slot, key, 0, true, Standing.conceivable);
    this.#table.wants.set(slot, want);
    this.#slots.add(slot);
    this.#table.await(slot, true);
    this.#table.add(want, connection);
    this.#table.unsettled.add(slot);
    return true;
  }

  /** Somebody wants the instrument: its line is like any other from now on. */
  adopt(want: Want): void {
    if (this.#slots.delete(want.slot)) this.#table.endTrial(want);
  }

  /** False where there was none. */
  end(slot: number): boolean {
    if (!this.#slots.delete(slot)) return false;
    this.#table.release(slot);
    return true;
  }

  endAll(): void {
    for (const slot of this.#slots) this.#table.release(slot);
    this.#slots.clear();
  }
}
