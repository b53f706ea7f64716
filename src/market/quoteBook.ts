import { F64, I32, type TickRecord } from '../ring/tickRecord.js';
import type { ExchangeClock, TickTime } from './exchangeClock.js';
import type { Instrument } from './instrumentDirectory.js';
import { F, fieldCount } from './quoteFields.js';
import { TickFlag } from './tickFlags.js';

/** Prices beyond it are the vendor's marks for "no value": DBL_MAX, on some feeds FLT_MAX. */
const absentBeyond = 1e30;
const levelCount = 5;
/** So many ticks in a row that are later than the held state but contradict it prove that the state is the wrong one. */
const contradictionsToReset = 20;
/** "Later" means by this much: a second line of the instrument may lag, but is not ahead. */
const contradictionAheadMs = 10_000;
const firstSlots = 1024;
/** Lines of one instrument that are followed at once; redundancy allows no more. */
const mostLines = 8;
/** States at one key whose hashes are kept. */
const keptStates = 8;

/** How many ticks were taken and left out, and why. */
export interface BookCounters {
  accepted: number;
  /** A copy of the state that is held, or a late copy of one that was there before at the same key. */
  duplicate: number;
  /** Older than the state that is held: a late snapshot, or the slower of two lines. */
  regressed: number;
  /** No usable update time. */
  untimed: number;
  /** From a weekend, when exchanges test their systems. */
  off_day: number;
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
 *   versions [slot]                        number of states taken, that from storage too; 0 = nothing known
 *   flags    [slot]                        of the newest state
 *
 * So what a client that holds version v lacks is every field with changed > v, and no client needs a copy.
 * A tick is accepted when its key (trading day, volume, time) advances; within a trading day volume never falls. At the
 * same key, which several states may share, the order within a line tells what is new: a line is in step when it has
 * brought the held state or a copy of it, and what such a line brings next follows it. What comes from a line out of
 * step is a late copy, as long as another line is in step; so is what was there before at the key, known by its hash,
 * unless the line that brought the held state brings it. So the first arrival wins, each state is taken once, and none
 * steps back, whatever the lines' delays. The blind spot: a book that returns to an earlier state within one key is not
 * followed when the line that brought the state before fails at that moment; the next change puts it right.
 * A state that a row of later ticks contradicts is given up.
 */
export class QuoteBook {
  readonly counters: BookCounters = {
    accepted: 0,
    duplicate: 0,
    regressed: 0,
    untimed: 0,
    off_day: 0,
    reset: 0,
  };
  #values = new Float64Array(firstSlots * fieldCount).fill(NaN);
  #valueBits = new Int32Array(this.#values.buffer);
  #changed = new Uint32Array(firstSlots * fieldCount);
  #versions = new Uint32Array(firstSlots);
  /** Flags of the held state, per slot. */
  #flags = new Int32Array(firstSlots);
  /** 1 where the held state comes from storage, and no line has brought it or another since, per slot. */
  #restored = new Uint8Array(firstSlots);
  /** Ticks in a row, per slot, that contradicted the held state. */
  #contradictions = new Uint8Array(firstSlots);
  /** Sources whose lines are in step, each + 1, per slot [slot · mostLines + i]; 0 for none. */
  #inStep = new Int32Array(firstSlots * mostLines);
  /** Source that brought the held state, per slot. */
  #givenBy = new Int32Array(firstSlots);
  /** Hashes of the states at the present key, per slot [slot · keptStates + i], and how many there were. */
  #states = new Int32Array(firstSlots * keptStates);
  #stateCounts = new Uint32Array(firstSlots);
  /** The state that a tick brings. */
  readonly #next = new Float64Array(fieldCount);
  readonly #nextBits = new Int32Array(this.#next.buffer);
  readonly #lookup: SlotLookup;
  readonly #clock: ExchangeClock;
  readonly #time: TickTime = { epochMs: 0, tradingDay: 0, stale: false, repaired: false };

  constructor(lookup: SlotLookup, clock: ExchangeClock) {
    this.#lookup = lookup;
    this.#clock = clock;
  }

  /** Number of states taken for the instrument; 0 when nothing is known. */
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

  /** TickFlag bits of the newest tick that was taken in. */
  flags(slot: number): number {
    return this.#flags[slot] ?? 0;
  }

  /** Writes all values of the instrument to `into`, from `at` on. */
  copyRow(slot: number, into: Float64Array, at: number): void {
    const values = this.#values;
    const from = slot * fieldCount;
    for (let field = 0; field < fieldCount; field++) into[at + field] = values[from + field]!;
  }

  /**
   * Puts a state from storage in, before any tick of the instrument; false when there is one already. `row` has
   * fieldCount values, NaN where absent. It counts as stale until a line confirms it, which changes the flags alone, or
   * brings another: one that is live and later in time is taken whatever its volume, others by the book's rules.
   */
  restore(slot: number, row: Float64Array, flags: number): boolean {
    if (row.length !== fieldCount)
      throw new RangeError(`a row has ${fieldCount} values, this one has ${row.length}`);
    if (slot >= this.#versions.length) this.#grow(slot);
    if (this.#versions[slot]! > 0) return false;
    this.#next.set(row);
    this.#take(slot, 1, flags | TickFlag.stale);
    this.#restored[slot] = 1;
    this.#givenBy[slot] = -1;
    return true;
  }

  /** The source brings no more of the instrument, so no other line is measured by it. */
  lineGone(slot: number, source: number): void {
    for (let i = slot * mostLines; i < (slot + 1) * mostLines; i++)
      if (this.#inStep[i] === source + 1) this.#inStep[i] = 0;
  }

  /** Takes a tick in. True when the state changed, so that clients must be told. */
  apply(tick: TickRecord): boolean {
    const { i32 } = tick;
    const slot = tick.slot;
    const { exchange, product } = this.#lookup.bySlot(slot);
    if (slot >= this.#versions.length) this.#grow(slot);

    const time = this.#time;
    const verdict = this.#clock.resolve(
      exchange,
      i32[I32.tradingDay]!,
      i32[I32.actionDay]!,
      i32[I32.updateTime]!,
      i32[I32.updateMillisec]!,
      tick.receiveTimeMs,
      time,
    );
    if (verdict !== 'dated') {
      if (verdict === 'untimed') this.counters.untimed++;
      else this.counters.off_day++;
      return false;
    }

    const volume = i32[I32.volume]!;
    const held = this.#versions[slot]!;
    if (held > 0 && this.#isOlder(slot, time, volume) && !this.#supersedesStored(slot, time)) {
      if (!this.#provesStateWrong(slot, time)) {
        this.counters.regressed++;
        return false;
      }
      this.counters.reset++;
    }
    this.#contradictions[slot] = 0;
    this.#read(tick, time, exchange, product?.multiplier ?? 1);
    const flags = this.#flagsOf(time);
    const wasStored = this.#restored[slot] === 1;
    const isNews = this.#isNews(slot, tick.source);
    this.#restored[slot] = 0;
    if (!isNews && !(wasStored && flags !== this.#flags[slot])) {
      this.counters.duplicate++;
      return false;
    }
    this.#take(slot, held + 1, flags);
    this.counters.accepted++;
    return true;
  }

  #supersedesStored(slot: number, time: TickTime): boolean {
    return (
      this.#restored[slot] === 1 &&
      !time.stale &&
      time.epochMs > this.#values[slot * fieldCount + F.timestamp]!
    );
  }

  #flagsOf(time: TickTime): number {
    const next = this.#next;
    let flags = 0;
    if (time.stale) flags |= TickFlag.stale;
    if (time.repaired) flags |= TickFlag.repairedTime;
    if (next[F.bidPrice1]! >= next[F.askPrice1]!) flags |= TickFlag.crossedBook;
    return flags;
  }

  /** Puts what the tick says into #next. */
  #read({ f64, i32 }: TickRecord, time: TickTime, exchange: string, multiplier: number): void {
    const next = this.#next;
    next[F.tradingDay] = time.tradingDay;
    next[F.timestamp] = time.epochMs;
    next[F.lastPrice] = price(f64[F64.lastPrice]!);
    next[F.openPrice] = price(f64[F64.openPrice]!);
    next[F.highestPrice] = price(f64[F64.highestPrice]!);
    next[F.lowestPrice] = price(f64[F64.lowestPrice]!);
    next[F.closePrice] = price(f64[F64.closePrice]!);
    next[F.upperLimitPrice] = price(f64[F64.upperLimitPrice]!);
    next[F.lowerLimitPrice] = price(f64[F64.lowerLimitPrice]!);
    next[F.turnover] = price(f64[F64.turnover]!);
    next[F.volume] = i32[I32.volume]!;
    next[F.openInterest] = price(f64[F64.openInterest]!);
    // The vendor gives turnover per lot, but CZCE's own average is a price.
    const average = price(f64[F64.averagePrice]!);
    next[F.average] = exchange === 'CZCE' ? average : average / multiplier;
    next[F.settlement] = price(f64[F64.settlementPrice]!);
    next[F.preSettlement] = price(f64[F64.preSettlementPrice]!);
    next[F.preClose] = price(f64[F64.preClosePrice]!);
    next[F.preOpenInterest] = price(f64[F64.preOpenInterest]!);
    for (let level = 0; level < levelCount; level++) {
      // An empty side is told by its volume: some feeds leave a price of 0 or an old one there.
      const bidVolume = i32[I32.bidVolume1 + level]!;
      const askVolume = i32[I32.askVolume1 + level]!;
      next[F.bidVolume1 + level] = bidVolume;
      next[F.askVolume1 + level] = askVolume;
      next[F.bidPrice1 + level] = bidVolume === 0 ? NaN : price(f64[F64.bidPrice1 + level]!);
      next[F.askPrice1 + level] = askVolume === 0 ? NaN : price(f64[F64.askPrice1 + level]!);
    }
  }

  /** Whether #next follows the held state; notes down which lines are in step. */
  #isNews(slot: number, source: number): boolean {
    const at = slot * fieldCount;
    const values = this.#values;
    const next = this.#next;
    let same = true;
    for (let field = 0; field < fieldCount && same; field++) same = isSame(values[at + field]!, next[field]!);
    if (same) {
      if (!this.#isInStep(slot, source)) this.#putInStep(slot, source);
      return false;
    }
    const sameKey =
      next[F.volume] === values[at + F.volume] &&
      next[F.timestamp] === values[at + F.timestamp] &&
      next[F.tradingDay] === values[at + F.tradingDay];
    if (!sameKey) this.#stateCounts[slot] = 0;
    else if (!this.#follows(slot, source)) return false;
    this.#inStep.fill(0, slot * mostLines, (slot + 1) * mostLines);
    this.#putInStep(slot, source);
    this.#givenBy[slot] = source;
    return true;
  }

  /** Whether #next, which shares its key with the held state, comes after it. */
  #follows(slot: number, source: number): boolean {
    if (this.#anyInStep(slot) && !this.#isInStep(slot, source)) return false;
    // The first state at a key is hashed when a second one comes, which is rare.
    if (this.#stateCounts[slot] === 0) this.#note(slot, hashOf(this.#valueBits, 2 * slot * fieldCount));
    const hash = hashOf(this.#nextBits, 0);
    if (source !== this.#givenBy[slot] && this.#wasThere(slot, hash)) return false;
    this.#note(slot, hash);
    return true;
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

  #isInStep(slot: number, source: number): boolean {
    for (let i = slot * mostLines; i < (slot + 1) * mostLines; i++)
      if (this.#inStep[i] === source + 1) return true;
    return false;
  }

  #anyInStep(slot: number): boolean {
    for (let i = slot * mostLines; i < (slot + 1) * mostLines; i++) if (this.#inStep[i] !== 0) return true;
    return false;
  }

  #putInStep(slot: number, source: number): void {
    const free = this.#inStep.indexOf(0, slot * mostLines);
    if (free >= 0 && free < (slot + 1) * mostLines) this.#inStep[free] = source + 1;
  }

  #take(slot: number, version: number, flags: number): void {
    const at = slot * fieldCount;
    const values = this.#values;
    const next = this.#next;
    for (let field = 0; field < fieldCount; field++) {
      const value = next[field]!;
      if (isSame(values[at + field]!, value)) continue;
      values[at + field] = value;
      this.#changed[at + field] = version;
    }
    this.#versions[slot] = version;
    this.#flags[slot] = flags;
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

  #grow(slot: number): void {
    let slots = this.#versions.length;
    while (slots <= slot) slots *= 2;
    const values = new Float64Array(slots * fieldCount).fill(NaN);
    values.set(this.#values);
    this.#values = values;
    this.#valueBits = new Int32Array(values.buffer);
    const changed = new Uint32Array(slots * fieldCount);
    changed.set(this.#changed);
    this.#changed = changed;
    const versions = new Uint32Array(slots);
    versions.set(this.#versions);
    this.#versions = versions;
    const flags = new Int32Array(slots);
    flags.set(this.#flags);
    this.#flags = flags;
    const restored = new Uint8Array(slots);
    restored.set(this.#restored);
    this.#restored = restored;
    const contradictions = new Uint8Array(slots);
    contradictions.set(this.#contradictions);
    this.#contradictions = contradictions;
    const inStep = new Int32Array(slots * mostLines);
    inStep.set(this.#inStep);
    this.#inStep = inStep;
    const givenBy = new Int32Array(slots);
    givenBy.set(this.#givenBy);
    this.#givenBy = givenBy;
    const states = new Int32Array(slots * keptStates);
    states.set(this.#states);
    this.#states = states;
    const stateCounts = new Uint32Array(slots);
    stateCounts.set(this.#stateCounts);
    this.#stateCounts = stateCounts;
  }
}

/** FNV-1a over the 32-bit words of a state. */
function hashOf(bits: Int32Array, from: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < from + 2 * fieldCount; i++) hash = Math.imul(hash ^ bits[i]!, 0x01000193);
  return hash;
}

/** Absent is absent. */
function isSame(a: number, b: number): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b));
}

/** The vendor's number, or NaN where it stands for "no value"; never -0, so that equal states have equal bits. */
function price(raw: number): number {
  return Math.abs(raw) < absentBeyond ? raw + 0 : NaN;
}
