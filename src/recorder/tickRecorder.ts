import { tradingDayAt } from '../market/instruments/contracts.js';
import { matches, type InstrumentPattern } from '../market/instruments/instrumentPattern.js';
import type { Exchange } from '../market/instruments/products.js';
import type { TradingCalendar } from '../market/calendar/tradingCalendar.js';
import type { TickRecord } from '../ring/tickRecord.js';
import { BlockBuilder, keyForm } from './blockCodec.js';
import type { BlockSink, TapePlace } from './blockSink.js';
import { dayMs } from '../base/shanghaiTime.js';

const blockRecords = 8192;
const hourMs = 3_600_000;
/** 20:00 in Shanghai, where the trading day changes, in UTC. */
const switchMs = 12 * hourMs;
/** A clock that is put right within a day's first ticks does not bring the day before back; one that was days ahead does. */
const slackMs = hourMs;

export interface TickRecorderSettings {
  readonly patterns: readonly InstrumentPattern[];
  /** A block is written when its first tick is this old, in ms. */
  readonly intervalMs: number;
  readonly calendar: TradingCalendar;
}

/**
 * Gathers ticks into blocks: a block ends with its 8,192nd tick, when its first one is an interval old, and when a trading
 * day begins, by the time at which ticks are received.
 */
export class TickRecorder {
  readonly #settings: TickRecorderSettings;
  readonly #sink: BlockSink;
  readonly #tape: TapePlace;
  readonly #block = new BlockBuilder(blockRecords);
  /** By slot; undefined where it has not been asked. */
  readonly #wanted: (boolean | undefined)[] = [];
  #calendar: TradingCalendar;
  #begunMs = 0;
  #tradingDay = 0;
  /** ms since the epoch at which another trading day begins. */
  #dayEndsMs = -Infinity;
  /** Where the tape was read to with the block's last tick. */
  readonly #last = { position: 0, missed: 0 };

  /** @param tape where the tick lies behind that take() is given */
  constructor(settings: TickRecorderSettings, sink: BlockSink, tape: TapePlace) {
    this.#settings = settings;
    this.#calendar = settings.calendar;
    this.#sink = sink;
    this.#tape = tape;
  }

  /** Ticks that are not in a block yet. */
  get pending(): number {
    return this.#block.count;
  }

  /** When flushDue() has something to do; Infinity for never. */
  get dueMs(): number {
    return this.#block.count === 0 ? Infinity : this.#begunMs + this.#settings.intervalMs;
  }

  /**
   * Takes a tick whose slot is its instrument's for good. `nowMs` is of a clock that goes forward.
   *
   * @param flags as clients are sent them
   */
  take(tick: TickRecord, key: string, flags: number, nowMs: number): void {
    if (!(this.#wanted[tick.slot] ??= this.#isWanted(key))) return;
    const receiveMs = tick.receiveTimeMs;
    if (receiveMs >= this.#dayEndsMs || receiveMs < this.#dayEndsMs - dayMs - slackMs)
      this.#beginDay(receiveMs, nowMs);
    if (this.#block.count === 0) this.#begunMs = nowMs;
    this.#block.add(tick.i32, key, flags);
    this.#last.position = this.#tape.position;
    this.#last.missed = this.#tape.missed;
    if (this.#block.full) this.flush(nowMs);
  }

  /** The trading day of what comes from now on is by this calendar. */
  useCalendar(calendar: TradingCalendar): void {
    this.#calendar = calendar;
    this.#dayEndsMs = -Infinity;
  }

  flushDue(nowMs: number): void {
    if (nowMs >= this.dueMs) this.flush(nowMs);
  }

  flush(nowMs: number): void {
    if (this.#block.count > 0) this.#sink.put(this.#block.finish(), this.#tradingDay, nowMs, this.#last);
  }

  #beginDay(receiveMs: number, nowMs: number): void {
    this.flush(nowMs);
    this.#tradingDay = tradingDayAt(new Date(receiveMs), this.#calendar);
    this.#dayEndsMs = (Math.floor((receiveMs - switchMs) / dayMs) + 1) * dayMs + switchMs;
  }

  #isWanted(key: string): boolean {
    const dot = key.indexOf('.');
    const instrument = { exchange: key.slice(0, dot) as Exchange, id: key.slice(dot + 1) };
    return keyForm.test(key) && this.#settings.patterns.some((pattern) => matches(pattern, instrument));
  }
}
