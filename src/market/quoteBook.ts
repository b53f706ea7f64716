import { I32, type TickRecord } from '../ring/tickRecord.js';
import type { ExchangeClock, TickTime, TimeVerdict } from './exchangeClock.js';
import type { Instrument } from './instrumentDirectory.js';
import type { Product } from './products.js';
import { noTicks, type LeftOut } from './leftOut.js';
import { LineOrder } from './lineOrder.js';
import { F, fieldCount } from './quoteFields.js';
import type { SessionSchedule } from './sessionSchedule.js';
import { TickFlag } from './tickFlags.js';
import { TickReader } from './tickReader.js';

/** So many ticks in a row that are later than the held state but contradict it prove that the state is the wrong one. */
const contradictionsToReset = 20;
/** "Later" means by this much: a second line of the instrument may lag, but is not ahead. */
const contradictionAheadMs = 10_000;
/** A turnover may be computed from a rounded average, so it may fall by as much as the rounding; more is a mistake. */
const roundedTurnover = 0.02;
const firstSlots = 1024;

/** Where the book learns what a slot stands for. */
export interface SlotLookup {
  bySlot(slot: number): Instrument;
}

/** Where it learns of sessions; SessionStates is this. */
export interface SessionLookup {
  scheduleOfInstrument(product: Product | undefined, id: string): Pick<SessionSchedule, 'isOffSession'>;
}

const noSessions: SessionLookup = { scheduleOfInstrument: () => ({ isOffSession: () => false }) };

/**
 * The newest state of every instrument.
 *
 *   values   [slot · fieldCount + field]   NaN = absent
 *   changed  [slot · fieldCount + field]   version of the slot at which the value last changed, 0 = never set
 *   versions [slot]                        number of states taken, that from storage and doubts too; 0 = nothing known
 *   flags    [slot]                        of the newest state
 *
 * So what a client that holds version v lacks is every field with changed > v, and no client needs a copy.
 * A tick is accepted when its key (trading day, volume, time) advances; within a trading day volume never falls. Of states
 * that share a key, LineOrder tells which are new. A state that a row of later ticks contradicts is given up.
 */
export class QuoteBook {
  readonly counters = noTicks();
  #values = new Float64Array(firstSlots * fieldCount).fill(NaN);
  #valueBits = new Int32Array(this.#values.buffer);
  #changed = new Uint32Array(firstSlots * fieldCount);
  #versions = new Uint32Array(firstSlots);
  #flags = new Int32Array(firstSlots);
  /** Version of the slot at which its flags last changed. */
  #flagsChanged = new Uint32Array(firstSlots);
  /** 1 where the held state comes from storage or is in doubt, and no line has brought it or another since, per slot. */
  #restored = new Uint8Array(firstSlots);
  /** Ticks in a row, per slot, that contradicted the held state. */
  #contradictions = new Uint8Array(firstSlots);
  readonly #order = new LineOrder(firstSlots);
  readonly #reader = new TickReader();
  /** The state that a tick brings, and its words. */
  readonly #next = this.#reader.row;
  readonly #nextBits = new Int32Array(this.#next.buffer);
  #nextFlags = 0;
  #leftOut: LeftOut = 'duplicate';
  readonly #lookup: SlotLookup;
  readonly #clock: ExchangeClock;
  readonly #time: TickTime = { epochMs: 0, tradingDay: 0, stale: false, repaired: false };
  #sessions: SessionLookup;
  #schedules: (Pick<SessionSchedule, 'isOffSession'> | undefined)[] = [];

  /** Without `sessions` no tick is off session. */
  constructor(lookup: SlotLookup, clock: ExchangeClock, sessions = noSessions) {
    this.#lookup = lookup;
    this.#clock = clock;
    this.#sessions = sessions;
  }

  /** Goes on with other sessions. */
  useSessions(sessions: SessionLookup): void {
    this.#sessions = sessions;
    this.#schedules = [];
  }

  /** The slot, of which nothing was taken, goes to another instrument. */
  forget(slot: number): void {
    this.#schedules[slot] = undefined;
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

  /** The version at which the flags last changed. */
  flagsChangedAt(slot: number): number {
    return this.#flagsChanged[slot] ?? 0;
  }

  /** Writes all values of the instrument to `into`, from `at` on. */
  copyRow(slot: number, into: Float64Array, at: number): void {
    const values = this.#values;
    const from = slot * fieldCount;
    for (let field = 0; field < fieldCount; field++) into[at + field] = values[from + field]!;
  }

  /** Why `apply` was false last. */
  get leftOut(): LeftOut {
    return this.#leftOut;
  }

  /**
   * The tick for which `apply` was false last, as it would be shown, until the next `apply`. NaN for the time of one
   * that has none.
   */
  leftOutValue(field: number): number {
    return this.#next[field]!;
  }

  /** Its flags. */
  get leftOutFlags(): number {
    return this.#nextFlags;
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
    return true;
  }

  /**
   * The held state may be old, since no line has brought it or another for a while: it counts as one from storage does
   * (`restore`), and its flags say so.
   */
  doubt(slot: number): void {
    const version = this.version(slot);
    if (version === 0 || this.#restored[slot] === 1) return;
    this.#restored[slot] = 1;
    const flags = this.#flags[slot]! | TickFlag.stale;
    if (flags === this.#flags[slot]) return;
    this.#versions[slot] = version + 1;
    this.#flags[slot] = flags;
    this.#flagsChanged[slot] = version + 1;
  }

  /** The source brings no more of the instrument, so no other line is measured by it. */
  lineGone(slot: number, source: number): void {
    if (slot < this.#versions.length) this.#order.gone(slot, source);
  }

  /**
   * Takes a tick in. True when the state changed, so that clients must be told; `leftOut` says why not.
   *
   * @param stream in place of the line: the ticks that one other book has taken, in its order. What follows the held state
   *   in the stream that brought it is newer, whatever it looks like; several streams are put in order as lines are
   */
  apply(tick: TickRecord, stream?: number): boolean {
    const { slot, i32, source } = tick;
    const instrument = this.#lookup.bySlot(slot);
    if (slot >= this.#versions.length) this.#grow(slot);
    const time = this.#time;
    const verdict = this.#clock.resolve(
      instrument.exchange,
      i32[I32.tradingDay]!,
      i32[I32.actionDay]!,
      i32[I32.updateTime]!,
      i32[I32.updateMillisec]!,
      tick.receiveTimeMs,
      time,
    );
    const isFirst = this.#order.isFirst(slot, source);
    const reason = this.#judge(tick, instrument, verdict, isFirst, stream);
    if (reason === undefined) {
      this.counters.accepted++;
      return true;
    }
    this.#leftOut = reason;
    this.counters[reason]++;
    return false;
  }

  /**
   * Completes what is known of the tick for which `apply` was false last, so that `leftOutValue` and `leftOutFlags` hold:
   * not every reason for leaving it out needed all of it.
   */
  readLeftOut(tick: TickRecord): void {
    const time = this.#time;
    const hasTime = this.#leftOut !== 'untimed' && this.#leftOut !== 'off_day';
    if (!hasTime) {
      time.epochMs = NaN;
      time.tradingDay = NaN;
      time.stale = false;
      time.repaired = false;
    }
    const instrument = this.#lookup.bySlot(tick.slot);
    this.#reader.read(tick, time, instrument);
    const isFirst = (this.#nextFlags & TickFlag.snapshot) !== 0;
    this.#nextFlags = this.#flagsOf(tick.slot, time, instrument, isFirst);
    if (this.#leftOut === 'falling_volume') this.#nextFlags |= TickFlag.fallingVolume;
  }

  /** Takes the tick, or says why not. */
  #judge(
    tick: TickRecord,
    instrument: Instrument,
    verdict: TimeVerdict,
    isFirst: boolean,
    stream: number | undefined,
  ): LeftOut | undefined {
    const { slot } = tick;
    const source = stream ?? tick.source;
    const time = this.#time;
    this.#nextFlags = isFirst ? TickFlag.snapshot : 0;
    if (verdict !== 'dated') return verdict;
    const volume = tick.i32[I32.volume]!;
    if (volume < 0) return 'garbage';
    const held = this.#versions[slot]!;
    const wasStored = this.#restored[slot] === 1;
    let falls = false;
    if (held > 0) {
      const older = this.#whyOlder(slot, source, volume);
      falls = older !== undefined && volume < this.#values[slot * fieldCount + F.volume]!;
      const isNext = stream !== undefined && this.#order.gave(slot, stream);
      if (older !== undefined && !isNext && !(wasStored && this.#isLaterThanHeld(slot))) {
        if (!this.#provesStateWrong(slot, volume)) return older;
        this.counters.reset++;
      }
    }
    this.#contradictions[slot] = 0;
    this.#reader.read(tick, time, instrument);
    let flags = this.#flagsOf(slot, time, instrument, isFirst);
    if (this.#isSameDay(slot)) {
      if (falls) flags |= TickFlag.fallingVolume;
      else if (this.#holdTurnover(slot, instrument.product)) flags |= TickFlag.fallingTurnover;
    }
    this.#nextFlags = flags;

    if (this.#isHeld(slot)) {
      this.#order.sawHeld(slot, source);
      this.#restored[slot] = 0;
      if (!wasStored || flags === this.#flags[slot]) return 'duplicate';
    } else {
      const isOffSession = stream === undefined && (flags & TickFlag.offSession) !== 0;
      if (isOffSession && this.#changesQuotesOnly(slot)) return 'off_session';
      if (!this.#isHeldKey(slot)) this.#order.newKey(slot);
      else if (!this.#order.follows(slot, source, this.#nextBits, this.#valueBits, 2 * slot * fieldCount))
        return 'duplicate';
      this.#order.took(slot, source);
      this.#restored[slot] = 0;
    }
    this.#take(slot, held + 1, flags);
    return undefined;
  }

  #flagsOf(slot: number, time: TickTime, { product, id }: Instrument, isFirst: boolean): number {
    const next = this.#next;
    let flags = 0;
    if (isFirst) flags |= TickFlag.snapshot;
    if (time.stale) flags |= TickFlag.stale;
    if (time.repaired) flags |= TickFlag.repairedTime;
    if (Number.isNaN(time.epochMs)) return flags;
    const schedule = (this.#schedules[slot] ??= this.#sessions.scheduleOfInstrument(product, id));
    if (schedule.isOffSession(time.epochMs)) flags |= TickFlag.offSession;
    if (next[F.bidPrice1]! >= next[F.askPrice1]!) flags |= TickFlag.crossedBook;
    return flags;
  }

  /**
   * Whether the turnover has fallen. A running total does not fall: where it does so by no more than the rounding of the
   * average that it is made from, the highest so far is nearer to the truth; any other fall puts a mistake right.
   */
  #holdTurnover(slot: number, product: Product | undefined): boolean {
    const next = this.#next;
    const held = this.#values[slot * fieldCount + F.turnover]!;
    const fall = held - next[F.turnover]!;
    if (!(fall > 0)) return false;
    const tickWorth = product === undefined ? 0 : product.priceTick * product.multiplier * next[F.volume]!;
    if (fall <= Math.max(roundedTurnover * held, tickWorth)) next[F.turnover] = held;
    return true;
  }

  /** Whether the next state says nothing but other quotes: no trade, no price of the day, no open interest. */
  #changesQuotesOnly(slot: number): boolean {
    const at = slot * fieldCount;
    if (!this.#isSameDay(slot)) return false;
    // The fields before the book's are all others but the times.
    for (let field = 0; field < F.bidPrice1; field++)
      if (!isSame(this.#values[at + field]!, this.#next[field]!)) return false;
    return true;
  }

  #isHeld(slot: number): boolean {
    const at = slot * fieldCount;
    for (let field = 0; field < fieldCount; field++)
      if (!isSame(this.#values[at + field]!, this.#next[field]!)) return false;
    return true;
  }

  #isHeldKey(slot: number): boolean {
    const at = slot * fieldCount;
    const next = this.#next;
    return (
      next[F.volume] === this.#values[at + F.volume] &&
      next[F.timestamp] === this.#values[at + F.timestamp] &&
      next[F.tradingDay] === this.#values[at + F.tradingDay]
    );
  }

  #isSameDay(slot: number): boolean {
    return this.#next[F.tradingDay] === this.#values[slot * fieldCount + F.tradingDay];
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
    if (flags === this.#flags[slot]) return;
    this.#flags[slot] = flags;
    this.#flagsChanged[slot] = version;
  }

  /** Why the tick is not newer than the held state. */
  #whyOlder(slot: number, source: number, volume: number): 'regressed' | 'falling_volume' | undefined {
    const at = slot * fieldCount;
    const { tradingDay, epochMs } = this.#time;
    const heldDay = this.#values[at + F.tradingDay]!;
    if (tradingDay !== heldDay) return tradingDay < heldDay ? 'regressed' : undefined;
    const heldVolume = this.#values[at + F.volume]!;
    const heldTime = this.#values[at + F.timestamp]!;
    // A trade comes with a later time; some seconds are left for clocks that are put right.
    if (volume > heldVolume) return epochMs < heldTime - contradictionAheadMs ? 'regressed' : undefined;
    if (volume === heldVolume) return epochMs < heldTime ? 'regressed' : undefined;
    // What a slower line brings late is older in both.
    const isLate = epochMs < heldTime || (epochMs === heldTime && !this.#order.isInStep(slot, source));
    return isLate ? 'regressed' : 'falling_volume';
  }

  /** Whether the tick is of the present, and of a later one than a state from storage. */
  #isLaterThanHeld(slot: number): boolean {
    return !this.#time.stale && this.#time.epochMs > this.#values[slot * fieldCount + F.timestamp]!;
  }

  /**
   * One tick with a garbage volume, time or day would bar all later ones until the next trading day. A late copy of
   * another line is behind in all of them; ticks of the present that are ahead in one, and keep coming, are the truth.
   */
  #provesStateWrong(slot: number, volume: number): boolean {
    const at = slot * fieldCount;
    const { stale, epochMs, tradingDay } = this.#time;
    const isAhead =
      epochMs >= this.#values[at + F.timestamp]! + contradictionAheadMs ||
      (tradingDay === this.#values[at + F.tradingDay] && volume > this.#values[at + F.volume]!);
    if (stale || !isAhead) return false;
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
    this.#changed = copied(this.#changed, new Uint32Array(slots * fieldCount));
    this.#versions = copied(this.#versions, new Uint32Array(slots));
    this.#flags = copied(this.#flags, new Int32Array(slots));
    this.#flagsChanged = copied(this.#flagsChanged, new Uint32Array(slots));
    this.#restored = copied(this.#restored, new Uint8Array(slots));
    this.#contradictions = copied(this.#contradictions, new Uint8Array(slots));
    this.#order.grow(slots);
  }
}

function copied<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** Absent is absent. */
function isSame(a: number, b: number): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b));
}
