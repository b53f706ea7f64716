import { F64, I32, type TickRecord } from '../ring/tickRecord.js';
import type { ExchangeClock, TickTime } from './exchangeClock.js';
import type { Instrument } from './instrumentDirectory.js';
import { F, fieldCount } from './quoteFields.js';

/** Prices beyond it are the vendor's marks for "no value": DBL_MAX, on some feeds FLT_MAX. */
const absentBeyond = 1e30;
const levelCount = 5;
/** So many ticks in a row that are later than the held state but contradict it prove that the state is the wrong one. */
const contradictionsToReset = 20;
/** "Later" means by this much: a second line of the instrument may lag, but is not ahead. */
const contradictionAheadMs = 10_000;
const firstSlots = 1024;

/** How many ticks were taken and left out, and why. */
export interface BookCounters {
  accepted: number;
  /** Same as the state that is already held. */
  duplicate: number;
  /** Older than the state that is held: a late snapshot, or the slower of two lines. */
  regressed: number;
  /** No usable update time. */
  untimed: number;
  /** Held states that were given up, since a row of later ticks contradicted them. */
  reset: number;
}

/** Where the book learns what a slot stands for. */
export interface SlotLookup {
  bySlot(slot: number): Instrument;
}

/**
 * The newest state of every instrument.
 *
 *   values   [slot · fieldCount + field]   NaN = absent
 *   changed  [slot · fieldCount + field]   version of the slot at which the value last changed, 0 = never set
 *   versions [slot]                        number of ticks accepted; 0 = nothing known
 *
 * So what a client that holds version v lacks is every field with changed > v, and no client needs a copy.
 * A tick is accepted when (trading day, volume, time) advances, or when it differs from the state at the same key;
 * within a trading day volume never falls. A state that a row of later ticks contradicts is given up.
 */
export class QuoteBook {
  readonly counters: BookCounters = { accepted: 0, duplicate: 0, regressed: 0, untimed: 0, reset: 0 };
  #values = new Float64Array(firstSlots * fieldCount).fill(NaN);
  #changed = new Uint32Array(firstSlots * fieldCount);
  #versions = new Uint32Array(firstSlots);
  /** Ticks in a row, per slot, that contradicted the held state. */
  #contradictions = new Uint8Array(firstSlots);
  readonly #lookup: SlotLookup;
  readonly #clock: ExchangeClock;
  readonly #time: TickTime = { epochMs: 0, tradingDay: 0, stale: false, repaired: false };
  /** Field values that ever changed; tells whether a tick changed any. */
  #changes = 0;

  constructor(lookup: SlotLookup, clock: ExchangeClock) {
    this.#lookup = lookup;
    this.#clock = clock;
  }

  /** Number of ticks accepted for the instrument; 0 when nothing is known. */
  version(slot: number): number {
    return this.#versions[slot] ?? 0;
  }

  /** A field's value, NaN when it is absent. */
  value(slot: number, field: number): number {
    return this.#values[slot * fieldCount + field] ?? NaN;
  }

  /** The version at which the field last changed, 0 when it was never set. */
  changedAt(slot: number, field: number): number {
    return this.#changed[slot * fieldCount + field] ?? 0;
  }

  /** Takes a tick in. True when the state changed, so that clients must be told. */
  apply(tick: TickRecord): boolean {
    const { f64, i32 } = tick;
    const slot = tick.slot;
    const { exchange, product } = this.#lookup.bySlot(slot);
    if (slot >= this.#versions.length) this.#grow(slot);

    const time = this.#time;
    const usable = this.#clock.resolve(
      exchange,
      i32[I32.tradingDay]!,
      i32[I32.actionDay]!,
      i32[I32.updateTime]!,
      i32[I32.updateMillisec]!,
      tick.receiveTimeMs,
      time,
    );
    if (!usable) {
      this.counters.untimed++;
      return false;
    }

    const volume = i32[I32.volume]!;
    const held = this.#versions[slot]!;
    if (held > 0 && this.#isOlder(slot, time, volume)) {
      if (!this.#provesStateWrong(slot, time)) {
        this.counters.regressed++;
        return false;
      }
      this.counters.reset++;
    }
    this.#contradictions[slot] = 0;

    const at = slot * fieldCount;
    const version = held + 1;
    const changesBefore = this.#changes;
    this.#set(at + F.tradingDay, time.tradingDay, version);
    this.#set(at + F.timestamp, time.epochMs, version);
    this.#set(at + F.lastPrice, price(f64[F64.lastPrice]!), version);
    this.#set(at + F.openPrice, price(f64[F64.openPrice]!), version);
    this.#set(at + F.highestPrice, price(f64[F64.highestPrice]!), version);
    this.#set(at + F.lowestPrice, price(f64[F64.lowestPrice]!), version);
    this.#set(at + F.closePrice, price(f64[F64.closePrice]!), version);
    this.#set(at + F.upperLimitPrice, price(f64[F64.upperLimitPrice]!), version);
    this.#set(at + F.lowerLimitPrice, price(f64[F64.lowerLimitPrice]!), version);
    this.#set(at + F.turnover, price(f64[F64.turnover]!), version);
    this.#set(at + F.volume, volume, version);
    this.#set(at + F.openInterest, price(f64[F64.openInterest]!), version);
    // The vendor gives turnover per lot, but CZCE's own average is a price.
    const average = price(f64[F64.averagePrice]!);
    this.#set(at + F.average, exchange === 'CZCE' ? average : average / (product?.multiplier ?? 1), version);
    this.#set(at + F.settlement, price(f64[F64.settlementPrice]!), version);
    this.#set(at + F.preSettlement, price(f64[F64.preSettlementPrice]!), version);
    this.#set(at + F.preClose, price(f64[F64.preClosePrice]!), version);
    this.#set(at + F.preOpenInterest, price(f64[F64.preOpenInterest]!), version);
    for (let level = 0; level < levelCount; level++) {
      // An empty side is told by its volume: some feeds leave a price of 0 or an old one there.
      const bidVolume = i32[I32.bidVolume1 + level]!;
      const askVolume = i32[I32.askVolume1 + level]!;
      this.#set(at + F.bidVolume1 + level, bidVolume, version);
      this.#set(at + F.askVolume1 + level, askVolume, version);
      this.#set(
        at + F.bidPrice1 + level,
        bidVolume === 0 ? NaN : price(f64[F64.bidPrice1 + level]!),
        version,
      );
      this.#set(
        at + F.askPrice1 + level,
        askVolume === 0 ? NaN : price(f64[F64.askPrice1 + level]!),
        version,
      );
    }
    if (this.#changes === changesBefore) {
      this.counters.duplicate++;
      return false;
    }
    this.#versions[slot] = version;
    this.counters.accepted++;
    return true;
  }

  #isOlder(slot: number, time: TickTime, volume: number): boolean {
    const at = slot * fieldCount;
    const day = this.#values[at + F.tradingDay]!;
    if (time.tradingDay !== day) return time.tradingDay < day;
    const heldVolume = this.#values[at + F.volume]!;
    if (volume !== heldVolume) return volume < heldVolume;
    return time.epochMs < this.#values[at + F.timestamp]!;
  }

  /**
   * One tick with a garbage volume or day would bar all later ones until the next trading day. A late copy of another
   * line is behind in time; ticks that are ahead in time, and keep coming, are the truth.
   */
  #provesStateWrong(slot: number, time: TickTime): boolean {
    const heldTime = this.#values[slot * fieldCount + F.timestamp]!;
    if (time.stale || time.epochMs < heldTime + contradictionAheadMs) return false;
    this.#contradictions[slot]!++;
    return this.#contradictions[slot]! >= contradictionsToReset;
  }

  #set(index: number, value: number, version: number): void {
    const held = this.#values[index]!;
    // Unlike Object.is, -0 is the price 0; like it, absent equals absent.
    if (held === value || (Number.isNaN(held) && Number.isNaN(value))) return;
    this.#values[index] = value;
    this.#changed[index] = version;
    this.#changes++;
  }

  #grow(slot: number): void {
    let slots = this.#versions.length;
    while (slots <= slot) slots *= 2;
    const values = new Float64Array(slots * fieldCount).fill(NaN);
    values.set(this.#values);
    this.#values = values;
    const changed = new Uint32Array(slots * fieldCount);
    changed.set(this.#changed);
    this.#changed = changed;
    const versions = new Uint32Array(slots);
    versions.set(this.#versions);
    this.#versions = versions;
    const contradictions = new Uint8Array(slots);
    contradictions.set(this.#contradictions);
    this.#contradictions = contradictions;
  }
}

/** The vendor's number, or NaN where it stands for "no value". */
function price(raw: number): number {
  return Math.abs(raw) < absentBeyond ? raw : NaN;
}
