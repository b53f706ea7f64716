import type { ConnectionRecord } from './connectionRecord.js';
import { hasActive, isLater, type Want } from './want.js';
import { type Line, type TickKey } from './connectionRecord.js';
import type { LineTable } from './lineTable.js';
import { Standing } from './standing.js';

/** A front that refuses does so within this time after it was asked. */
const refusalTimeMs = 5_000;
/** Ticks of a line that joins others are held back for this long at most; a line that is active and sound is faster. */
const holdMs = 500;
/** A request that the worker never reports as made counts as made after this time. */
const requestTimeMs = 60_000;

/**
 * How a new line becomes active: with its first tick, or when the front has had time to refuse it. One that joins active
 * lines may be ahead of them, so its ticks are held back until these have brought what it brought.
 */
export class LineActivation {
  readonly #table: LineTable;
  readonly #joined: (slot: number, connection: number) => void;
  readonly #now: () => number;

  /**
   * @param joined takes in the ticks of the line that were held back
   * @param now ms on a clock that never steps back
   */
  constructor(table: LineTable, joined: (slot: number, connection: number) => void, now: () => number) {
    this.#table = table;
    this.#joined = joined;
    this.#now = now;
  }

  /** A tick came by this connection's line. False when it is to be held back. */
  ticked(connection: ConnectionRecord | undefined, slot: number, key: TickKey): boolean {
    const want = this.#table.wants.get(slot);
    const line = connection?.lines.get(slot);
    if (want === undefined || line === undefined) return true;
    want.ticked = true;
    want.inVain = false;
    if (want.standing !== Standing.ticked) {
      want.standing = Standing.ticked;
      this.#table.counter.note(slot);
    }
    if (line.state === 'active') {
      want.newest = key;
      for (const each of want.lines)
        if (each.ahead !== undefined && !isLater(each.ahead, key)) this.activate(each);
    } else if (this.#mustWait(line, want, key)) {
      if (line.ahead === undefined) line.aheadSince = this.#now();
      line.ahead = key;
      return false;
    } else {
      this.activate(line);
    }
    if (want.lines.every((each) => each.state === 'active')) {
      want.newest = undefined;
      this.#table.await(slot, false);
    }
    return true;
  }

  /** Lines that fronts had time to refuse, and those that have waited long enough for others, are active. */
  pass(): void {
    const now = this.#now();
    for (const line of this.#table.unconfirmed) {
      const waitMs = line.state === 'subscribing' ? refusalTimeMs : requestTimeMs;
      const isDue = line.ahead === undefined ? now - line.since >= waitMs : now - line.aheadSince >= holdMs;
      if (line.connection.isUp && isDue) this.activate(line);
    }
  }

  activate(line: Line): void {
    const wasHeld = line.ahead !== undefined;
    this.#table.setState(line, 'active');
    this.#table.unsettled.add(line.slot);
    if (wasHeld) this.#joined(line.slot, line.connection.index);
  }

  /** Whether lines that are active may have earlier ticks under way than the one that came by this line. */
  #mustWait(line: Line, want: Want, key: TickKey): boolean {
    if (!hasActive(want) || (line.ahead !== undefined && this.#now() - line.aheadSince >= holdMs))
      return false;
    return want.newest === undefined || isLater(key, want.newest);
  }
}
