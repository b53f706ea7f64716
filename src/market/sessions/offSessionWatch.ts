import type { HolidayTable } from '../calendar/holidayCalendar.js';
import type { Instrument } from '../instruments/instrumentDirectory.js';
import { SessionPart, type SessionSchedule } from '../hours/sessionSchedule.js';
import { SessionStates } from '../hours/sessionStates.js';
import { WeekdayCalendar, type TradingCalendar } from '../calendar/tradingCalendar.js';

/** Ticks of an instrument with growing volume after which a warning says that they are rejected. */
const growthsToTell = 20;
/** Ticks with which an instrument speaks for a day as a trading day. */
const growthsToSpeak = 5;
/** Instruments that must speak for a day. */
const instrumentsToOpen = 10;
/** Products that these instruments must have. */
const productsToOpen = 3;
/** Trading days that are followed at once. */
const keptDays = 4;

/** A tick that was not taken for one of a session. */
export interface OffSessionTick {
  readonly instrument: Instrument;
  /** The trading day in the packet, yyyymmdd; ≤ 0 where it has none. */
  readonly statedDay: number;
  /** The trading day that it was accounted to. */
  readonly tradingDay: number;
  /** Exchange time, ms since the epoch. */
  readonly timeMs: number;
  /** NaN where the packet lacks it. */
  readonly volume: number;
  /** It was received at its time, and its dates are its front's. */
  readonly isLive: boolean;
}

interface Growth {
  volume: number;
  ticks: number;
  /** Ticks that would lie in a session if their trading day were one. */
  speaking: number;
}

interface DayEvidence {
  readonly growths: Map<Instrument, Growth>;
  /** Instruments that speak for the day, and their products. */
  readonly speakers: Set<Instrument>;
  readonly products: Set<unknown>;
  /** How the sessions of the day would be; undefined where the calendar has it as a trading day. */
  readonly sessions: SessionStates | undefined;
  isTold: boolean;
}

/**
 * Watches ticks outside sessions for what makes them doubtful: volume that grows, as of real trading. Either the calendar
 * or the hours of the product are wrong, or a front does not keep the exchanges' hours, or exchanges test their systems.
 * It reports the first such instrument of a trading day. A weekday that the calendar calls a holiday is a trading day
 * once many instruments of several products trade within the hours that they would have then, and their front gives it as
 * the trading day.
 */
export class OffSessionWatch {
  readonly #tell: (text: string) => void;
  #calendar: TradingCalendar;
  readonly #weekdays = new WeekdayCalendar();
  readonly #days = new Map<number, DayEvidence>();
  #opening: number | undefined;

  /** @param tell learns of each trading day with such ticks, in one line */
  constructor(calendar: TradingCalendar, tell: (text: string) => void) {
    this.#calendar = calendar;
    this.#tell = tell;
  }

  /** Continues with other trading days. */
  useCalendar(calendar: TradingCalendar): void {
    this.#calendar = calendar;
    this.#days.clear();
    this.#opening = undefined;
  }

  /** Instruments whose volume grows outside sessions, of the trading days followed. */
  get instruments(): number {
    let count = 0;
    for (const { growths } of this.#days.values())
      for (const { ticks } of growths.values()) if (ticks >= growthsToSpeak) count++;
    return count;
  }

  /** The holiday that has turned out to be a trading day, until another calendar is used. */
  get opening(): number | undefined {
    return this.#opening;
  }

  note(tick: OffSessionTick): void {
    const { instrument, volume, tradingDay, timeMs } = tick;
    if (!tick.isLive || !(volume > 0)) return;
    const day = this.#days.get(tradingDay) ?? this.#begin(tradingDay);
    const growth = day.growths.get(instrument);
    if (growth === undefined) {
      day.growths.set(instrument, { volume, ticks: 0, speaking: 0 });
      return;
    }
    const isMore = volume > growth.volume;
    growth.volume = volume;
    if (!isMore) return;
    if (++growth.ticks === growthsToTell && !day.isTold) this.#tellOf(tick, day);
    const schedule = day.sessions?.scheduleOfInstrument(instrument.product, instrument.id);
    if (schedule === undefined || tick.statedDay !== tradingDay || !isSession(schedule, timeMs, tradingDay))
      return;
    if (++growth.speaking < growthsToSpeak) return;
    day.speakers.add(instrument);
    day.products.add(instrument.product);
    if (day.speakers.size >= instrumentsToOpen && day.products.size >= productsToOpen)
      this.#opening = tradingDay;
  }

  #begin(tradingDay: number): DayEvidence {
    const isDoubtful = this.#weekdays.isTradingDay(tradingDay) && !this.#calendar.isTradingDay(tradingDay);
    const day: DayEvidence = {
      growths: new Map(),
      speakers: new Set(),
      products: new Set(),
      sessions: isDoubtful
        ? new SessionStates('exchange', new OpenedCalendar(this.#calendar, tradingDay))
        : undefined,
      isTold: false,
    };
    if (this.#days.size === keptDays) this.#days.delete(this.#days.keys().next().value!);
    this.#days.set(tradingDay, day);
    return day;
  }

  #tellOf({ instrument, timeMs, tradingDay }: OffSessionTick, day: DayEvidence): void {
    day.isTold = true;
    const time = new Date(timeMs + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');
    this.#tell(
      `${instrument.id} trades outside of its sessions, at ${time} of trading day ${tradingDay}: such ticks are neither stored nor shown in place of a session's. A front that runs around the clock needs trading_hours "always"; a holiday or hours that have changed a newer calendar_file or products_file`,
    );
  }
}

/** A calendar with one more trading day. */
class OpenedCalendar implements TradingCalendar {
  readonly #calendar: TradingCalendar;
  readonly #day: number;

  constructor(calendar: TradingCalendar, day: number) {
    this.#calendar = calendar;
    this.#day = day;
  }

  isTradingDay(day: number): boolean {
    return day === this.#day || this.#calendar.isTradingDay(day);
  }

  previous(day: number): number {
    const before = this.#calendar.previous(day);
    return this.#day < day && this.#day > before ? this.#day : before;
  }

  next(day: number): number {
    const after = this.#calendar.next(day);
    return this.#day > day && this.#day < after ? this.#day : after;
  }
}

function isSession(schedule: SessionSchedule, timeMs: number, tradingDay: number): boolean {
  return schedule.partOf(timeMs, tradingDay) === SessionPart.session;
}

/** The holidays without those that have turned out to be trading days, yyyymmdd. */
export function withoutOpened(table: HolidayTable, opened: ReadonlySet<number>): HolidayTable {
  if (opened.size === 0) return table;
  const years = Object.entries(table.years).map(([year, days]) => [
    year,
    days.filter((day) => !opened.has(day)),
  ]);
  return { ...table, years: Object.fromEntries(years) as HolidayTable['years'] };
}
