import { TickRecord, tickRecordBytes } from '../ring/tickRecord.js';

/** More than a line brings of one instrument while it is held back; the oldest go first. */
const mostPerLine = 64;

/** Ticks of lines that join others, held back until these have brought what they had under way. */
export class HeldTicks {
  /** By slot and connection. */
  readonly #held = new Map<number, Map<number, TickRecord[]>>();

  hold(tick: TickRecord): void {
    const { slot, connection } = tick;
    const lines = this.#held.get(slot) ?? new Map<number, TickRecord[]>();
    this.#held.set(slot, lines);
    const ticks = lines.get(connection) ?? [];
    lines.set(connection, ticks);
    const copy = new TickRecord(new ArrayBuffer(tickRecordBytes));
    copy.i32.set(tick.i32);
    ticks.push(copy);
    if (ticks.length > mostPerLine) ticks.shift();
  }

  /** The line's ticks in the order in which they came; they are held no more. */
  release(slot: number, connection: number): TickRecord[] {
    const lines = this.#held.get(slot);
    const ticks = lines?.get(connection) ?? [];
    lines?.delete(connection);
    if (lines?.size === 0) this.#held.delete(slot);
    return ticks;
  }
}
