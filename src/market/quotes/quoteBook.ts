import { intWord, type TickRecord } from '../../ring/tickRecord.js';
import type { ExchangeClock, TickTime, TimeVerdict } from './exchangeClock.js';
import { HeldStates, StateBasis } from './heldStates.js';
import type { Instrument } from '../instruments/instrumentDirectory.js';
import { noTicks, type Rejection } from './rejections.js';
import { LineOrder } from './lineOrder.js';
import type { Product } from '../instruments/products.js';
import { Field, fieldCount } from './quoteFields.js';
import {
  addLatePrices,
  addsMissing,
  hasOtherPrices,
  holdTurnover,
  keepBook,
  keepMissing,
} from './rowMerge.js';
import { SessionPart, type SessionSchedule } from '../hours/sessionSchedule.js';
import { Content, contentOf } from './tickContent.js';
import { TickFlag } from './tickFlags.js';
import { TickOrder } from './tickOrder.js';
import { RecordReader } from './recordReader.js';
import { dayMs, shanghaiOffsetMs } from '../../base/shanghaiTime.js';

const firstSlots = 1024;
/** The last time that a Date can be, in ms since the epoch. */
const lastTimeMs = 8_640_000_000_000_000;
/** Times of day in Shanghai between which prices of the day that ends may be published. */
const closeMs = 15 * 3_600_000;
const eveningMs = 20 * 3_600_000;

/** Where the book learns what a slot stands for. */
export interface SlotLookup {
  bySlot(slot: number): Instrument;
}

/** Where it learns of sessions; SessionStates is this. */
export interface SessionLookup {
  scheduleOfInstrument(product: Product | undefined, id: string): Pick<SessionSchedule, 'partOf'>;
}

const noSessions: SessionLookup = { scheduleOfInstrument: () => ({ partOf: () => SessionPart.session }) };

/**
 * The newest state of every instrument. What a client that holds version v lacks is every field that changed after v, and
 * so no client needs a copy.
 *
 * A tick is accepted when its key (trading day, volume, time) advances; within a trading day volume never falls. Of states
 * that share a key, LineOrder tells which are new. A state that a row of later ticks contradicts is given up.
 *
 * What a packet lacks stays as it was on that trading day, or is absent; a packet without a volume is put in order by its
 * time alone, and contradicts nothing. What is stamped outside sessions replaces no state of a session.
 */
export class QuoteBook {
  readonly counters = noTicks();
  readonly #states = new HeldStates(firstSlots);
  readonly #order = new LineOrder(firstSlots);
  readonly #reader = new RecordReader();
  /** The state that a tick brings, and its words. */
  readonly #next = this.#reader.row;
  readonly #nextBits = new Int32Array(this.#next.buffer);
  #nextFlags = 0;
  #rejection: Rejection = 'duplicate';
  readonly #lookup: SlotLookup;
  readonly #clock: ExchangeClock;
  readonly #time: TickTime = { epochMs: 0, tradingDay: 0, stale: false, repaired: false };
  /** Whether the tick is stamped outside sessions. */
  #isOff = false;
  readonly #tickOrder = new TickOrder(this.#states, this.#order, this.#time);
  #sessions: SessionLookup;
  #schedules: (Pick<SessionSchedule, 'partOf'> | undefined)[] = [];

  /** Without `sessions` no tick is off session. */
  constructor(lookup: SlotLookup, clock: ExchangeClock, sessions = noSessions) {
    this.#lookup = lookup;
    this.#clock = clock;
    this.#sessions = sessions;
  }

  /** Continues with other sessions. */
  useSessions(sessions: SessionLookup): void {
    this.#sessions = sessions;
    this.#schedules = [];
  }

  /** The slot, of which nothing was taken, goes to another instrument. */
  forget(slot: number): void {
    this.#schedules[slot] = undefined;
    this.#reader.forget(slot);
  }

  /** Number of states taken for the instrument; 0 when nothing is known. */
  version(slot: number): number {
    return this.#states.versions[slot] ?? 0;
  }

  /** A field's value, NaN when it is absent. */
  value(slot: number, field: number): number {
    return this.#states.value(slot, field);
  }

  /** The version at which the field last changed, 0 when it was never set. */
  changedAt(slot: number, field: number): number {
    return this.#states.changedAt(slot, field);
  }

  /** TickFlag bits of the newest tick that was taken in. */
  flags(slot: number): number {
    return this.#states.flags[slot] ?? 0;
  }

  /** The version at which the flags last changed. */
  flagsChangedAt(slot: number): number {
    return this.#states.flagsChanged[slot] ?? 0;
  }

  /** Whether the held state is from outside sessions: shown while there is no other, and never stored. */
  isProvisional(slot: number): boolean {
    return this.#states.basis[slot] === StateBasis.provisional;
  }

  /** Writes all values of the instrument to `into`, from `at` on. */
  copyRow(slot: number, into: Float64Array, at: number): void {
    this.#states.copyRow(slot, into, at);
  }

  /** Why `apply` was false last. */
  get rejection(): Rejection {
    return this.#rejection;
  }

  /**
   * The tick for which `apply` was false last, as it would be shown, until the next `apply`. NaN for the time of one
   * that has none.
   */
  rejectedValue(field: number): number {
    return this.#next[field]!;
  }

  /** Its flags. */
  get rejectedFlags(): number {
    return this.#nextFlags;
  }

  /** The row of the tick that `apply` had last, as far as it was read; `leftOut` off_session has it whole. */
  get tickRow(): Float64Array {
    return this.#next;
  }

  /** Its flags. */
  get tickFlags(): number {
    return this.#nextFlags;
  }

  /**
   * Puts a state from storage in, before any tick of the instrument; false when there is one already, or the row has
   * no time or no trading day. `row` has fieldCount values, NaN where absent. It counts as stale until a line confirms it, which changes the flags alone, or
   * brings another: one that is whole, live and later in time is taken whatever its volume, others by the book's rules.
   */
  restore(slot: number, row: Float64Array, flags: number): boolean {
    if (row.length !== fieldCount)
      throw new RangeError(`a row has ${fieldCount} values, this one has ${row.length}`);
    if (slot >= this.#states.slots) this.#grow(slot);
    if (this.#states.versions[slot]! > 0) return false;
    const time = row[Field.timestamp]!;
    if (!(time >= 0 && time <= lastTimeMs) || !(row[Field.tradingDay]! > 0)) return false;
    this.#states.take(slot, row, flags | TickFlag.stale);
    const part = this.#partOf(slot, time, row[Field.tradingDay]!);
    this.#states.basis[slot] = part === SessionPart.none ? StateBasis.provisional : StateBasis.restored;
    return true;
  }

  /**
   * The held state may be old, since no line has brought it or another for a while: it counts as one from storage does
   * (`restore`), and its flags say so.
   */
  doubt(slot: number): void {
    if (this.version(slot) > 0) this.#states.doubt(slot);
  }

  /** The connection delivers the instrument no more, so no other line is measured by it. */
  lineGone(slot: number, connection: number): void {
    if (slot < this.#states.slots) this.#order.gone(slot, connection);
  }

  /**
   * Takes a tick in. True when the state changed, so that clients must be told; `leftOut` says why not.
   *
   * @param stream in place of the line: the ticks that one other book has taken, in its order. What follows the held state
   *   in the stream that brought it is newer, whatever it looks like; several streams are put in order as lines are
   */
  apply(tick: TickRecord, stream?: number): boolean {
    const { slot, i32, connection } = tick;
    const instrument = this.#lookup.bySlot(slot);
    if (slot >= this.#states.slots) this.#grow(slot);
    const verdict = this.#clock.resolve(
      instrument.exchange,
      i32[intWord.tradingDay]!,
      i32[intWord.actionDay]!,
      i32[intWord.updateTime]!,
      i32[intWord.updateMillisec]!,
      tick.receiveTimeMs,
      this.#time,
    );
    const isFirst = this.#order.isFirst(slot, connection);
    const reason = this.#judge(tick, instrument, verdict, isFirst, stream);
    if (reason === undefined) {
      this.counters.accepted++;
      return true;
    }
    this.#rejection = reason;
    this.counters[reason]++;
    return false;
  }

  /**
   * Completes what is known of the tick for which `apply` was false last, so that `leftOutValue` and `leftOutFlags` hold:
   * not every reason for leaving it out needed all of it.
   */
  readRejected(tick: TickRecord): void {
    const time = this.#time;
    const hasTime = this.#rejection !== 'untimed' && this.#rejection !== 'off_day';
    if (!hasTime) {
      time.epochMs = NaN;
      time.tradingDay = NaN;
      time.stale = false;
      time.repaired = false;
    }
    const content = contentOf(tick, tick.i32[intWord.volume]!);
    this.#reader.read(tick, time, this.#lookup.bySlot(tick.slot), content);
    const isFirst = (this.#nextFlags & TickFlag.snapshot) !== 0;
    this.#isOff = hasTime && this.#partOf(tick.slot, time.epochMs, time.tradingDay) === SessionPart.none;
    this.#nextFlags = this.#flagsOf(isFirst);
    if (content >= Content.partial) this.#nextFlags |= TickFlag.partial;
    if (this.#rejection === 'falling_volume') this.#nextFlags |= TickFlag.fallingVolume;
  }

  /** Takes the tick, or says why not. */
  #judge(
    tick: TickRecord,
    instrument: Instrument,
    verdict: TimeVerdict,
    isFirst: boolean,
    stream: number | undefined,
  ): Rejection | undefined {
    const { slot } = tick;
    const time = this.#time;
    this.#nextFlags = isFirst ? TickFlag.snapshot : 0;
    if (verdict !== 'dated') return verdict;
    const volume = tick.i32[intWord.volume]!;
    if (volume < 0) return 'garbage';
    const content = contentOf(tick, volume);
    if (content === Content.nothing) return 'garbage';
    const part = this.#partOf(slot, time.epochMs, time.tradingDay);
    this.#isOff = part === SessionPart.none;
    // What another book has taken is not judged again.
    const isOff = this.#isOff && stream === undefined;
    const isProvisional = this.#states.basis[slot] === StateBasis.provisional;
    if (this.#states.versions[slot] === 0 || (isProvisional && !isOff)) {
      // There is no state, or none of a session.
      this.#reader.read(tick, time, instrument, content);
      this.#order.newKey(slot);
      this.#accept(slot, stream ?? tick.connection, content, isOff, this.#flagsOf(isFirst), false);
      return undefined;
    }
    return isOff && !isProvisional
      ? this.#judgeOffSession(tick, instrument, content, isFirst)
      : this.#judgeNext(tick, instrument, content, part, isFirst, stream);
  }

  /** Judges a tick that may follow the held state; undefined when it does. */
  #judgeNext(
    tick: TickRecord,
    instrument: Instrument,
    told: Content,
    part: SessionPart,
    isFirst: boolean,
    stream: number | undefined,
  ): Rejection | undefined {
    const { slot } = tick;
    const states = this.#states;
    const connection = stream ?? tick.connection;
    const next = this.#next;
    const at = slot * fieldCount;
    const volume = tick.i32[intWord.volume]!;
    // A volume of 0 is none where there were trades.
    const content =
      told === Content.zero && states.hasTraded(slot, this.#time.tradingDay) ? Content.partial : told;
    const isWhole = content < Content.partial;
    const older = this.#tickOrder.whyOlder(slot, connection, volume, isWhole);
    const falls = older !== undefined && isWhole && volume < states.values[at + Field.volume]!;
    const isNext = stream !== undefined && this.#order.gave(slot, stream);
    let isReset = false;
    if (older !== undefined && !isNext && !this.#tickOrder.outranksHeld(slot, content)) {
      if (!isWhole || part !== SessionPart.session || !this.#tickOrder.provesStateWrong(slot, volume))
        return older;
      this.counters.reset++;
      isReset = true;
    }
    this.#reader.read(tick, this.#time, instrument, content);
    let flags = 0;
    let fills = false;
    if (!this.#isSameDay(slot)) {
      // Nothing of the day before is carried over.
    } else if (falls || isReset) {
      // Nor is anything of a state that is given up.
      if (falls) flags = TickFlag.fallingVolume;
    } else {
      const hasLatePrice = !Number.isNaN(next[Field.closePrice]!) || !Number.isNaN(next[Field.settlement]!);
      fills = isWhole && this.#tickOrder.isBehindBook(slot, connection);
      if (keepMissing(next, states.values, at, part === SessionPart.session, isWhole) || fills)
        flags = TickFlag.partial;
      if (fills) keepBook(next, states.values, at);
      if (holdTurnover(next, states.values, at, tickWorthOf(instrument.product)))
        flags |= TickFlag.fallingTurnover;
      // After the close prices are published, and lines that were away bring the day's last state; nobody trades.
      const isStatus = isFirst || hasLatePrice || !hasOtherPrices(next, states.values, at);
      if (part === SessionPart.status && !isStatus && stream === undefined) return 'off_session';
    }
    flags |= this.#flagsOf(isFirst);

    // What follows a state from outside sessions and does not replace it is one as well.
    const isProvisional = states.basis[slot] === StateBasis.provisional;
    if (states.isHeld(slot, next)) return this.#confirm(slot, connection, isWhole, flags, fills);
    if (!states.isHeldKey(slot, next)) this.#order.newKey(slot);
    else if (!fills && !this.#order.follows(slot, connection, this.#nextBits, states.valueBits, 2 * at)) {
      this.#nextFlags = flags;
      const isSession = part === SessionPart.session;
      if (!isWhole || !this.#isSameDay(slot) || !addsMissing(next, states.values, at, isSession))
        return 'duplicate';
      // A line that is behind tells what the one ahead lacks.
      keepBook(next, states.values, at);
      flags = (flags & ~TickFlag.crossedBook) | this.#flagsOf(isFirst) | TickFlag.partial;
      fills = true;
    }
    this.#accept(slot, connection, content, isProvisional, flags, fills);
    return undefined;
  }

  /**
   * Of ticks from outside sessions only prices that are published late are believed: a closing or a settlement price that
   * the day's state still lacks, in a tick that contradicts nothing. They join that state, with its book and its time.
   */
  #judgeOffSession(
    tick: TickRecord,
    instrument: Instrument,
    content: Content,
    isFirst: boolean,
  ): Rejection | undefined {
    const { slot } = tick;
    const { values } = this.#states;
    const at = slot * fieldCount;
    this.#reader.read(tick, this.#time, instrument, content);
    this.#nextFlags = this.#flagsOf(isFirst);
    const { epochMs } = this.#time;
    const timeOfDay = (epochMs + shanghaiOffsetMs) % dayMs;
    const isAfterClose =
      timeOfDay >= closeMs && timeOfDay < eveningMs && epochMs > values[at + Field.timestamp]!;
    if (!isAfterClose || !this.#isSameDay(slot)) return 'off_session';
    // The day's last state has totals as they were held, which the packet need not repeat.
    keepMissing(this.#next, values, at, true, content < Content.partial);
    holdTurnover(this.#next, values, at, tickWorthOf(instrument.product));
    if (!addLatePrices(this.#next, values, at)) {
      // What is skipped is shown as it came.
      this.#reader.read(tick, this.#time, instrument, content);
      return 'off_session';
    }
    this.#states.take(slot, this.#next, this.#nextFlags);
    return undefined;
  }

  /** Takes the next state. @param fills it is the held book with what the held state lacked beside it */
  #accept(
    slot: number,
    connection: number,
    content: Content,
    isProvisional: boolean,
    flags: number,
    fills: boolean,
  ): void {
    const states = this.#states;
    const isWhole = content < Content.partial;
    const staysRestored =
      !isWhole &&
      states.basis[slot] === StateBasis.restored &&
      this.#isSameDay(slot) &&
      states.restsOnWhole(slot);
    let taken = isWhole ? flags : flags | TickFlag.partial;
    if (staysRestored) taken |= TickFlag.stale;
    else states.basis[slot] = isProvisional ? StateBasis.provisional : StateBasis.live;
    if (isWhole) states.contradictions[slot] = 0;
    if (!fills) {
      this.#order.took(slot, connection);
      states.bookAhead[slot] = isWhole ? 0 : 1;
    }
    this.#nextFlags = taken;
    states.take(slot, this.#next, taken);
  }

  /** The tick brings the held state: a copy, unless that came from storage. */
  #confirm(
    slot: number,
    connection: number,
    isWhole: boolean,
    flags: number,
    fills: boolean,
  ): Rejection | undefined {
    const states = this.#states;
    this.#nextFlags = flags;
    if (!fills) this.#order.sawHeld(slot, connection);
    if (isWhole) states.contradictions[slot] = 0;
    else if (states.restsOnWhole(slot)) return 'duplicate';
    if (states.basis[slot] !== StateBasis.restored) return 'duplicate';
    states.basis[slot] = StateBasis.live;
    const taken = isWhole ? flags : flags | TickFlag.partial;
    this.#nextFlags = taken;
    if (taken === states.flags[slot]) return 'duplicate';
    states.take(slot, this.#next, taken);
    return undefined;
  }

  #partOf(slot: number, epochMs: number, tradingDay: number): SessionPart {
    let schedule = this.#schedules[slot];
    if (schedule === undefined) {
      const { product, id } = this.#lookup.bySlot(slot);
      schedule = this.#schedules[slot] = this.#sessions.scheduleOfInstrument(product, id);
    }
    return schedule.partOf(epochMs, tradingDay);
  }

  /** Flags that follow from the next state and its time. */
  #flagsOf(isFirst: boolean): number {
    const next = this.#next;
    let flags = 0;
    if (isFirst) flags |= TickFlag.snapshot;
    if (this.#time.stale) flags |= TickFlag.stale;
    if (this.#time.repaired) flags |= TickFlag.repairedTime;
    if (this.#isOff) flags |= TickFlag.offSession;
    if (next[Field.bidPrice1]! >= next[Field.askPrice1]!) flags |= TickFlag.crossedBook;
    return flags;
  }

  #isSameDay(slot: number): boolean {
    return this.#next[Field.tradingDay] === this.#states.values[slot * fieldCount + Field.tradingDay];
  }

  #grow(slot: number): void {
    let { slots } = this.#states;
    while (slots <= slot) slots *= 2;
    this.#states.grow(slots);
    this.#order.grow(slots);
  }
}

/** By how much the turnover of one lot differs with the smallest step of its price, in yuan. */
function tickWorthOf(product: Product | undefined): number {
  return product === undefined ? 0 : product.priceTick * product.multiplier;
}
