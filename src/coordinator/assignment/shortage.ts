import type { ConnectionRecord } from './connectionRecord.js';
import { isProven, type Want } from './want.js';
import { type Line } from './connectionRecord.js';
import type { LineTable } from './lineTable.js';
import { byPriority, kindsFor, mayCarry, spareLines, type Spare } from './linePriority.js';

/** Which instruments lack lines for want of room, and how those without any get room of those that need it less. */
export class Shortage {
  /** Slots that have fewer lines than they should, since no connection that may carry them has room. */
  readonly #short = new Set<number>();
  /** Proven instruments among them. */
  readonly #provenShort = new Set<number>();
  /** Those without any good line. */
  readonly #lineless = new Set<number>();
  readonly #table: LineTable;
  readonly #add: (want: Want, connection: ConnectionRecord) => void;
  readonly #displaced: (slot: number) => void;
  #madeRoomAt = -Infinity;

  /**
   * @param add gives the instrument a line on the connection
   * @param displaced its only line has been given up for another instrument
   */
  constructor(
    table: LineTable,
    add: (want: Want, connection: ConnectionRecord) => void,
    displaced: (slot: number) => void,
  ) {
    this.#table = table;
    this.#add = add;
    this.#displaced = displaced;
  }

  /** How many proven instruments have fewer lines than they should. */
  get size(): number {
    return this.#provenShort.size;
  }

  /** Whether any instrument has fewer lines than it should. */
  get isShort(): boolean {
    return this.#short.size > 0;
  }

  get hasLineless(): boolean {
    return this.#lineless.size > 0;
  }

  lineless(): Iterable<number> {
    return this.#lineless;
  }

  /** The instrument has so many good lines of so many that it should have. */
  note(want: Want, good: number, target: number): void {
    const { slot } = want;
    setMember(this.#short, slot, good < target);
    setMember(this.#provenShort, slot, good < target && isProven(want));
    setMember(this.#lineless, slot, good === 0);
  }

  /** It should have none. */
  forget(slot: number): void {
    this.#short.delete(slot);
    this.#provenShort.delete(slot);
    this.#lineless.delete(slot);
  }

  /** There is room: all that are short are settled again. */
  retry(): void {
    for (const slot of this.#short) this.#table.unsettled.add(slot);
  }

  /**
   * Where instruments wait for their only line and no connection has room, room is taken from what needs it less.
   *
   * @param spacingMs least time between two times, since all instruments are looked at
   */
  makeRoom(autoFailover: boolean, spacingMs: number, now: number): void {
    if (this.#lineless.size === 0 || now - this.#madeRoomAt < spacingMs) return;
    const needy = byPriority(this.#table.wantsOf(this.#lineless), autoFailover).filter(
      (want) => !want.inVain || !isProven(want),
    );
    const [first] = needy;
    if (first === undefined) return;
    this.#madeRoomAt = now;
    const spare = spareLines(this.#table.wants.values(), isProven(first) ? first.count : 0, now);
    for (const want of needy) {
      const line = takeFor(want, kindsFor(want, spare));
      if (line === undefined) continue;
      this.#table.drop(line);
      const loser = this.#table.wants.get(line.slot)!;
      if (loser.count > 0 && loser.lines.length === 0) this.#displaced(line.slot);
      this.#add(want, line.connection);
      this.#table.unsettled.add(want.slot);
    }
    // That room has gone to who needed it more.
    this.#table.takeRoomFreed();
  }
}

/** The line whose room the instrument gets, which is spare no more. */
function takeFor(want: Want, kinds: readonly Spare[][]): Line | undefined {
  for (const lines of kinds) {
    for (const [place, { line, weight }] of lines.entries()) {
      // All further ones weigh as much: thousands may wait for thousands that they cannot have.
      if (weight > want.count) break;
      if (!mayCarry(line.connection, want)) continue;
      lines.splice(place, 1);
      return line;
    }
  }
  return undefined;
}

function setMember(set: Set<number>, slot: number, is: boolean): void {
  if (is) set.add(slot);
  else set.delete(slot);
}
