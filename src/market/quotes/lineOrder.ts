import { Field, fieldCount } from './quoteFields.js';
import { grown } from '../../base/growable.js';

/** Lines of one instrument that are followed at once; redundancy allows no more. */
const mostLines = 8;
/** States at one key whose hashes are kept. */
const keptStates = 8;
const nobody = -1;

/**
 * Which line brings what is new, per slot, where several lines bring the same states with delays of their own.
 *
 * At one key (trading day, volume, time), which several states may share, the order within a line tells what is new: a
 * line is in step when it has brought the held state or a copy of it, and what such a line brings next follows it. What
 * comes from a line out of step is a late copy, as long as another line is in step; so is what was there before at the
 * key, known by its hash, unless the line that brought the held state brings it. So the first arrival wins, each state is
 * taken once, and none steps back, whatever the lines' delays. The blind spot: a book that returns to an earlier state
 * within one key is not followed when the line that brought the state before fails at that moment; the next change puts
 * it right.
 *
 * Sources are kept + 1, so that 0 is none.
 */
export class LineOrder {
  /** Lines that have brought something since they were subscribed [slot · mostLines + i]. */
  #known: Int32Array<ArrayBuffer>;
  /** Lines in step [slot · mostLines + i]. */
  #inStep: Int32Array<ArrayBuffer>;
  /** Source that brought the held state. */
  #givenBy: Int32Array<ArrayBuffer>;
  /** Hashes of the states at the present key [slot · keptStates + i], and how many there were. */
  #states: Int32Array<ArrayBuffer>;
  #stateCounts: Uint32Array<ArrayBuffer>;

  constructor(slots: number) {
    this.#known = new Int32Array(slots * mostLines);
    this.#inStep = new Int32Array(slots * mostLines);
    this.#givenBy = new Int32Array(slots).fill(nobody);
    this.#states = new Int32Array(slots * keptStates);
    this.#stateCounts = new Uint32Array(slots);
  }

  grow(slots: number): void {
    this.#known = grown(this.#known, slots * mostLines);
    this.#inStep = grown(this.#inStep, slots * mostLines);
    this.#givenBy = grown(this.#givenBy, slots, nobody);
    this.#states = grown(this.#states, slots * keptStates);
    this.#stateCounts = grown(this.#stateCounts, slots);
  }

  /** The connection delivers the instrument no more, so no other line is measured by it. */
  gone(slot: number, connection: number): void {
    for (let i = slot * mostLines; i < (slot + 1) * mostLines; i++) {
      if (this.#inStep[i] === connection + 1) this.#inStep[i] = 0;
      if (this.#known[i] === connection + 1) this.#known[i] = 0;
    }
  }

  /** Whether this is the first tick of the line since it was subscribed. */
  isFirst(slot: number, connection: number): boolean {
    let free = nobody;
    for (let i = slot * mostLines; i < (slot + 1) * mostLines; i++) {
      const known = this.#known[i]!;
      if (known === connection + 1) return false;
      if (known === 0 && free === nobody) free = i;
    }
    if (free === nobody) return false;
    this.#known[free] = connection + 1;
    return true;
  }

  /** Whether the line brought the held state first. */
  gave(slot: number, connection: number): boolean {
    return this.#givenBy[slot] === connection;
  }

  /** The line has brought the held state. */
  sawHeld(slot: number, connection: number): void {
    if (!this.isInStep(slot, connection)) this.#putInStep(slot, connection);
  }

  /** The line has brought a state that is taken. */
  took(slot: number, connection: number): void {
    const at = slot * mostLines;
    this.#inStep[at] = connection + 1;
    for (let i = at + 1; i < at + mostLines; i++) this.#inStep[i] = 0;
    this.#givenBy[slot] = connection;
  }

  /** The held state is of a new key. */
  newKey(slot: number): void {
    this.#stateCounts[slot] = 0;
  }

  /**
   * Whether a state that shares its key with the held one comes after it. `nextBits` are the words of its row, and
   * `heldBits` those of the held one from `heldAt` on.
   */
  follows(
    slot: number,
    connection: number,
    nextBits: Int32Array,
    heldBits: Int32Array,
    heldAt: number,
  ): boolean {
    if (this.#anyInStep(slot) && !this.isInStep(slot, connection)) return false;
    // The first state at a key is hashed when a second one comes, which is rare.
    if (this.#stateCounts[slot] === 0) this.#note(slot, hashOf(heldBits, heldAt));
    const hash = hashOf(nextBits, 0);
    if (connection !== this.#givenBy[slot] && this.#wasThere(slot, hash)) return false;
    this.#note(slot, hash);
    return true;
  }

  isInStep(slot: number, connection: number): boolean {
    for (let i = slot * mostLines; i < (slot + 1) * mostLines; i++)
      if (this.#inStep[i] === connection + 1) return true;
    return false;
  }

  #anyInStep(slot: number): boolean {
    for (let i = slot * mostLines; i < (slot + 1) * mostLines; i++) if (this.#inStep[i] !== 0) return true;
    return false;
  }

  #putInStep(slot: number, connection: number): void {
    const free = this.#inStep.indexOf(0, slot * mostLines);
    if (free >= 0 && free < (slot + 1) * mostLines) this.#inStep[free] = connection + 1;
  }

  #wasThere(slot: number, hash: number): boolean {
    const count = Math.min(keptStates, this.#stateCounts[slot]!);
    for (let i = 0; i < count; i++) if (this.#states[slot * keptStates + i] === hash) return true;
    return false;
  }

  #note(slot: number, hash: number): void {
    const count = this.#stateCounts[slot]!;
    this.#states[slot * keptStates + (count % keptStates)] = hash;
    this.#stateCounts[slot] = count + 1;
  }
}

/**
 * FNV-1a over the 32-bit words of a row. Without the turnover: what is held of one that falls is the highest, which a
 * late copy does not have.
 */
function hashOf(bits: Int32Array, from: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < 2 * fieldCount; i++)
    if (i >> 1 !== Field.turnover) hash = Math.imul(hash ^ bits[from + i]!, 0x01000193);
  return hash;
}
