import { Field, fieldCount } from './quoteFields.js';
import { isSame } from './rowMerge.js';
import { TickFlag } from './tickFlags.js';
import { grown } from '../../base/growable.js';

/**
 * What a held state rests on: ticks of its session; storage, or a doubt whether it is old, and no whole tick has brought it or another since; or a tick
 * from outside sessions, which is shown as long as there is nothing better.
 */
export const StateBasis = { live: 0, restored: 1, provisional: 2 } as const;

/**
 * The state that is held of every instrument.
 *
 *   values   [slot · fieldCount + field]   NaN = absent
 *   changed  [slot · fieldCount + field]   version of the slot at which the value last changed, 0 = never set
 *   versions [slot]                        number of states taken, that from storage and doubts too; 0 = nothing known
 *   flags    [slot]                        of the newest state
 */
export class HeldStates {
  values: Float64Array<ArrayBuffer>;
  /** The words of `values`. */
  valueBits: Int32Array<ArrayBuffer>;
  versions: Uint32Array<ArrayBuffer>;
  flags: Int32Array<ArrayBuffer>;
  /** Version of the slot at which its flags last changed. */
  flagsChanged: Uint32Array<ArrayBuffer>;
  /** Standing by slot. */
  basis: Uint8Array<ArrayBuffer>;
  /** By slot: 1 where the book was brought by a packet that lacks its volume, so that it is ahead of the rest. */
  bookAhead: Uint8Array<ArrayBuffer>;
  /** Whole ticks in a row, by slot, that contradicted the state. */
  contradictions: Uint8Array<ArrayBuffer>;
  #changed: Uint32Array<ArrayBuffer>;

  constructor(slots: number) {
    this.values = new Float64Array(slots * fieldCount).fill(NaN);
    this.valueBits = new Int32Array(this.values.buffer);
    this.#changed = new Uint32Array(slots * fieldCount);
    this.versions = new Uint32Array(slots);
    this.flags = new Int32Array(slots);
    this.flagsChanged = new Uint32Array(slots);
    this.basis = new Uint8Array(slots);
    this.bookAhead = new Uint8Array(slots);
    this.contradictions = new Uint8Array(slots);
  }

  get slots(): number {
    return this.versions.length;
  }

  /** A field's value, NaN when it is absent. */
  value(slot: number, field: number): number {
    return this.values[slot * fieldCount + field] ?? NaN;
  }

  /** The version at which the field last changed, 0 when it was never set. */
  changedAt(slot: number, field: number): number {
    return this.#changed[slot * fieldCount + field] ?? 0;
  }

  /** Writes all values of the instrument to `into`, from `at` on. */
  copyRow(slot: number, into: Float64Array, at: number): void {
    const { values } = this;
    const from = slot * fieldCount;
    for (let field = 0; field < fieldCount; field++) into[at + field] = values[from + field]!;
  }

  /** Takes a row for the instrument's next version. */
  take(slot: number, row: Float64Array, flags: number): void {
    const at = slot * fieldCount;
    const { values } = this;
    const version = this.versions[slot]! + 1;
    for (let field = 0; field < fieldCount; field++) {
      const value = row[field]!;
      if (isSame(values[at + field]!, value)) continue;
      values[at + field] = value;
      this.#changed[at + field] = version;
    }
    this.versions[slot] = version;
    if (flags === this.flags[slot]) return;
    this.flags[slot] = flags;
    this.flagsChanged[slot] = version;
  }

  /** A live state may be old: it is flagged stale, and counts as one from storage. */
  doubt(slot: number): void {
    if (this.basis[slot] !== StateBasis.live) return;
    this.basis[slot] = StateBasis.restored;
    const flags = this.flags[slot]! | TickFlag.stale;
    if (flags === this.flags[slot]) return;
    const version = this.versions[slot]! + 1;
    this.versions[slot] = version;
    this.flags[slot] = flags;
    this.flagsChanged[slot] = version;
  }

  /** Whether a row is the held one. */
  isHeld(slot: number, row: Float64Array): boolean {
    const at = slot * fieldCount;
    for (let field = 0; field < fieldCount; field++)
      if (!isSame(this.values[at + field]!, row[field]!)) return false;
    return true;
  }

  /** Whether a row has the held one's volume and time. */
  isHeldKey(slot: number, row: Float64Array): boolean {
    const at = slot * fieldCount;
    return (
      isSame(row[Field.volume]!, this.values[at + Field.volume]!) &&
      row[Field.timestamp] === this.values[at + Field.timestamp] &&
      row[Field.tradingDay] === this.values[at + Field.tradingDay]
    );
  }

  /** Whether the held state shows that there were trades on a trading day. */
  hasTraded(slot: number, tradingDay: number): boolean {
    const { values } = this;
    const at = slot * fieldCount;
    return (
      tradingDay === values[at + Field.tradingDay] &&
      values[at + Field.volume]! > 0 &&
      (values[at + Field.turnover]! > 0 ||
        !Number.isNaN(values[at + Field.lastPrice]!) ||
        !Number.isNaN(values[at + Field.openPrice]!))
    );
  }

  /** Whether a packet with a volume is part of the held state; nothing vouches for a day of which none has come. */
  restsOnWhole(slot: number): boolean {
    return !Number.isNaN(this.values[slot * fieldCount + Field.volume]!);
  }

  /** Makes room for more slots. */
  grow(slots: number): void {
    this.values = grown(this.values, slots * fieldCount, NaN);
    this.valueBits = new Int32Array(this.values.buffer);
    this.#changed = grown(this.#changed, slots * fieldCount);
    this.versions = grown(this.versions, slots);
    this.flags = grown(this.flags, slots);
    this.flagsChanged = grown(this.flagsChanged, slots);
    this.basis = grown(this.basis, slots);
    this.bookAhead = grown(this.bookAhead, slots);
    this.contradictions = grown(this.contradictions, slots);
  }
}
