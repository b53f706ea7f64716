import type { SessionMoment, SessionPart, SessionSchedule, SessionState } from './sessionSchedule.js';
import { dayToUtcMs, type TradingCalendar } from '../calendar/tradingCalendar.js';

/** 20:00 in Shanghai, from midnight UTC on: there a trading day ends and the next one begins. */
const switchMs = 12 * 3_600_000;

/** The schedule of a contract that keeps other hours on its last trading day than on those before it. */
export class LastDaySchedule implements SessionSchedule {
  readonly #usual: SessionSchedule;
  readonly #last: SessionSchedule;
  /** The instants that are accounted to the last trading day, ms since the epoch. */
  readonly #begin: number;
  readonly #end: number;

  /**
   * @param usual hours of all other days
   * @param last hours of the last trading day
   * @param lastDay yyyymmdd
   */
  constructor(usual: SessionSchedule, last: SessionSchedule, lastDay: number, calendar: TradingCalendar) {
    this.#usual = usual;
    this.#last = last;
    this.#begin = dayToUtcMs(calendar.previous(lastDay)) + switchMs;
    this.#end = dayToUtcMs(lastDay) + switchMs;
  }

  state(timeMs: number): SessionState {
    return this.#at(timeMs).state(timeMs);
  }

  isOffSession(timeMs: number): boolean {
    return this.#at(timeMs).isOffSession(timeMs);
  }

  partOf(timeMs: number, tradingDay: number): SessionPart {
    return this.#at(timeMs).partOf(timeMs, tradingDay);
  }

  moment(timeMs: number): SessionMoment {
    const moment = this.#at(timeMs).moment(timeMs);
    // What lasts since the day before began as it usually does.
    const isSinceBefore = moment.since !== undefined && moment.since < this.#begin;
    return isSinceBefore ? { ...moment, since: this.#usual.moment(timeMs).since } : moment;
  }

  #at(timeMs: number): SessionSchedule {
    return timeMs >= this.#begin && timeMs < this.#end ? this.#last : this.#usual;
  }
}
