import type { ConnectionRecord } from './connectionRecord.js';
import type { Want } from './line.js';
import type { LineTable } from './lineTable.js';
import { byNeed, mayCarry, spareLines, type Spare } from './need.js';

/** Which instruments lack lines for want of room, and how those without any get room of those that need it less. */
export class Shortage {
  /** Slots that have fewer lines than they should, since no connection that may carry them has room. */
  readonly #short = new Set<number>();
  /** Those of them without any good line. */
  readonly #lineless = new Set<number>();
  readonly #table: LineTable;
  readonly #add: (want: Want, connection: ConnectionRecord) => void;
  #madeRoomAt = -Infinity;

  /** @param add gives the instrument a line on the connection */
  constructor(table: LineTable, add: (want: Want, connection: ConnectionRecord) => void) {
    this.#table = table;
    this.#add = add;
  }

  /** How many instruments have fewer lines than they should. */
  get size(): number {
    return this.#short.size;
  }

  get hasLineless(): boolean {
    return this.#lineless.size > 0;
  }

  lineless(): Iterable<number> {
    return this.#lineless;
  }

  /** The instrument has so many good lines of so many that it should have. */
  note(slot: number, good: number, target: number): void {
    setMember(this.#short, slot, good < target);
    setMember(this.#lineless, slot, good === 0);
  }

  /** It should have none. */
  forget(slot: number): void {
    this.#short.delete(slot);
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
    const needy = byNeed(this.#table.wantsOf(this.#lineless), autoFailover).filter((want) => !want.inVain);
    if (needy.length === 0) return;
    this.#madeRoomAt = now;
    const spare = spareLines(this.#table.wants.values(), needy[0]!.count, now);
    for (const want of needy) {
      if (spare.length === 0) break;
      const place = placeFor(want, spare);
      if (place < 0) continue;
      const [{ line }] = spare.splice(place, 1) as [Spare];
      this.#table.drop(line);
      this.#add(want, line.connection);
      this.#table.unsettled.add(want.slot);
    }
    // That room has gone to who needed it more.
    this.#table.takeRoomFreed();
  }
}

/** The first of the lines, sorted by weight, whose room the instrument may have; -1 where there is none. */
function placeFor(want: Want, spare: readonly Spare[]): number {
  for (let place = 0; place < spare.length; place++) {
    const { line, weight } = spare[place]!;
    // All further ones weigh as much: thousands may wait for thousands that they cannot have.
    if (weight > want.count) return -1;
    if (mayCarry(line.connection, want)) return place;
  }
  return -1;
}

function setMember(set: Set<number>, slot: number, is: boolean): void {
  if (is) set.add(slot);
  else set.delete(slot);
}
