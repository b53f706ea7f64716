import { tradingDayAt } from '../instruments/contracts.js';
import { dayToUtcMs, WeekdayCalendar, type TradingCalendar } from '../calendar/tradingCalendar.js';
import { auctionMinutes, type SessionHours } from '../instruments/productHours.js';
import { shanghaiOffsetMs } from '../../base/shanghaiTime.js';

/**
 * What a product's market does at an instant.
 *
 *   auction  orders are gathered: the five minutes before the first session of a trading day
 *   night    continuous trading of the night session, which belongs to the next trading day
 *   trading  continuous trading by day
 *   break    between two sessions of the same day
 *   closed   all else: between day and night, after the night, weekends, holidays
 */
export type SessionState = 'auction' | 'trading' | 'night' | 'break' | 'closed';

/** A state with its surroundings. Moments are ms since the epoch. */
export interface SessionMoment {
  readonly state: SessionState;
  /** The trading day, yyyymmdd, that the instant is accounted to; it switches at 20:00 Shanghai. */
  readonly tradingDay: number;
  /** When the state began; undefined where it never did. */
  readonly since: number | undefined;
  /** When it ends, which is when `next` begins; both undefined where it never does. */
  readonly until: number | undefined;
  readonly next: SessionState | undefined;
}

/**
 * What ticks of an exchange time are evidence of.
 *
 *   none     nothing: no tick is stamped so in good order
 *   status   prices that are published after the close
 *   session  trading, auctions included
 */
export const SessionPart = { none: 0, status: 1, session: 2 } as const;
export type SessionPart = (typeof SessionPart)[keyof typeof SessionPart];

/** When products with the same hours trade. Answers are pure functions of the instant, ms since the epoch. */
export interface SessionSchedule {
  /** Allocates nothing on days that were asked for recently. */
  state(timeMs: number): SessionState;
  /** True for a tick of an exchange time at which none is sent in good order; as cheap. */
  isOffSession(timeMs: number): boolean;
  /** The part of a trading day, yyyymmdd, that an instant is in; none where it lies in another trading day. As cheap. */
  partOf(timeMs: number, tradingDay: number): SessionPart;
  moment(timeMs: number): SessionMoment;
}

const minuteMs = 60_000;
/** From 20:00 on an instant is accounted to the next trading day. */
const tradingDaySwitchMs = 20 * 60 * minuteMs;
/** A session's last tick may be stamped after its end. */
const lateTicksMs = 3_000;
/** Products whose night had the auction get an opening tick in the morning as well. */
const openingTicksMs = minuteMs;
/** Time of day from which closing and settlement prices come, after the exchanges' close, and for how long. */
const statusBeginMs = 15 * 60 * minuteMs;
const statusMs = 2 * 60 * minuteMs;
/** The exchanges' own hours end at 15:15 at the latest. */
const latestCloseMs = (15 * 60 + 15) * minuteMs;
/** Present, past and to come: ticks of the night and of a snapshot beside those of the present. */
const keptDays = 8;

/** All of one trading day, from 20:00 of the trading day before to its own 20:00. */
interface DayTimeline {
  readonly tradingDay: number;
  readonly begin: number;
  readonly end: number;
  /** Where each state begins, the first at `begin`. Neighbours differ. */
  readonly starts: readonly number[];
  readonly states: readonly SessionState[];
  /** Begins and ends, in turn, of the stretches in which ticks of trading are stamped; these may overlap. */
  readonly live: readonly number[];
  /** When prices are published after the close; what is in `live` as well is trading. */
  readonly statusBegin: number;
  readonly statusEnd: number;
}

/** The hours of an exchange over a calendar. There is no night on the eve of a holiday, be it before a weekend or not. */
export class ExchangeSchedule implements SessionSchedule {
  readonly #hours: SessionHours;
  readonly #calendar: TradingCalendar;
  readonly #weekdays = new WeekdayCalendar();
  /** Timelines of the days asked for last, the oldest at #oldest once there are enough. */
  readonly #days: DayTimeline[] = [];
  #oldest = 0;

  constructor(hours: SessionHours, calendar: TradingCalendar) {
    this.#hours = hours;
    this.#calendar = calendar;
  }

  state(timeMs: number): SessionState {
    const day = this.#dayOf(timeMs);
    return day.states[placeIn(day, timeMs)]!;
  }

  isOffSession(timeMs: number): boolean {
    return partIn(this.#dayOf(timeMs), timeMs) === SessionPart.none;
  }

  partOf(timeMs: number, tradingDay: number): SessionPart {
    const day = this.#dayOf(timeMs);
    return day.tradingDay === tradingDay ? partIn(day, timeMs) : SessionPart.none;
  }

  moment(timeMs: number): SessionMoment {
    const day = this.#dayOf(timeMs);
    const place = placeIn(day, timeMs);
    const state = day.states[place]!;
    const { until, next } = this.#end(day, place);
    return { state, tradingDay: day.tradingDay, since: this.#begin(day, place), until, next };
  }

  /** Where the state at a place began; a day begins in the state in which the one before has ended. */
  #begin(day: DayTimeline, place: number): number {
    if (place > 0) return day.starts[place]!;
    const before = this.#dayOf(day.begin - 1);
    return before.starts.at(-1)!;
  }

  #end(day: DayTimeline, place: number): { until: number; next: SessionState } {
    if (place + 1 < day.starts.length) return { until: day.starts[place + 1]!, next: day.states[place + 1]! };
    const after = this.#dayOf(day.end);
    return { until: after.starts[1]!, next: after.states[1]! };
  }

  #dayOf(timeMs: number): DayTimeline {
    for (const day of this.#days) if (timeMs >= day.begin && timeMs < day.end) return day;
    const made = this.#make(tradingDayAt(new Date(timeMs), this.#calendar));
    if (this.#days.length < keptDays) {
      this.#days.push(made);
    } else {
      this.#days[this.#oldest] = made;
      this.#oldest = (this.#oldest + 1) % keptDays;
    }
    return made;
  }

  #make(tradingDay: number): DayTimeline {
    const before = this.#calendar.previous(tradingDay);
    const midnight = midnightOf(tradingDay);
    const eve = midnightOf(before);
    const timeline = new TimelineBuilder(eve + tradingDaySwitchMs);
    const { night, day } = this.#hours;
    const hasNight = night !== null && this.#weekdays.next(before) === tradingDay;
    if (hasNight) {
      const [from, to] = night.map((minute) => eve + minute * minuteMs) as [number, number];
      timeline.auction(from);
      timeline.session('night', from, to);
    }
    day.forEach(([fromMinute, toMinute], index) => {
      const [from, to] = [midnight + fromMinute * minuteMs, midnight + toMinute * minuteMs];
      if (index > 0) timeline.pause();
      else if (hasNight) timeline.opening(from);
      else timeline.auction(from);
      timeline.session('trading', from, to);
    });
    // A product that trades for longer has its prices published later.
    const lateMs = Math.max(0, day.at(-1)![1] * minuteMs - latestCloseMs);
    const statusBegin = midnight + statusBeginMs;
    const statusEnd = statusBegin + statusMs + lateMs;
    return { tradingDay, statusBegin, statusEnd, ...timeline.done(midnight + tradingDaySwitchMs) };
  }
}

/** A market that never closes, as some simulated fronts; its calendar only gives trading days. */
export class AlwaysOpenSchedule implements SessionSchedule {
  readonly #calendar: TradingCalendar;

  constructor(calendar: TradingCalendar) {
    this.#calendar = calendar;
  }

  state(): SessionState {
    return 'trading';
  }

  isOffSession(): boolean {
    return false;
  }

  partOf(): SessionPart {
    return SessionPart.session;
  }

  moment(timeMs: number): SessionMoment {
    const tradingDay = tradingDayAt(new Date(timeMs), this.#calendar);
    return { state: 'trading', tradingDay, since: undefined, until: undefined, next: undefined };
  }
}

/** Puts a trading day together from what happens in it, in order; what is skipped is closed. */
class TimelineBuilder {
  readonly #begin: number;
  readonly #starts: number[];
  readonly #states: SessionState[] = ['closed'];
  readonly #live: number[] = [];

  constructor(begin: number) {
    this.#begin = begin;
    this.#starts = [begin];
  }

  auction(open: number): void {
    const from = open - auctionMinutes * minuteMs;
    this.#enter('auction', from);
    this.#live.push(from, open);
  }

  /** An opening without an auction. */
  opening(open: number): void {
    this.#live.push(open - openingTicksMs, open);
  }

  session(state: 'trading' | 'night', from: number, to: number): void {
    this.#enter(state, from);
    this.#live.push(from, to + lateTicksMs);
    this.#enter('closed', to);
  }

  /** The time since the last session is a break. */
  pause(): void {
    this.#states[this.#states.length - 1] = 'break';
  }

  done(end: number): Pick<DayTimeline, 'begin' | 'end' | 'starts' | 'states' | 'live'> {
    return { begin: this.#begin, end, starts: this.#starts, states: this.#states, live: this.#live };
  }

  #enter(state: SessionState, at: number): void {
    if (this.#starts.at(-1) === at) {
      // Nothing is between this and what comes before.
      this.#starts.pop();
      this.#states.pop();
    }
    this.#starts.push(at);
    this.#states.push(state);
  }
}

function partIn({ live, statusBegin, statusEnd }: DayTimeline, timeMs: number): SessionPart {
  for (let i = 0; i < live.length; i += 2)
    if (timeMs >= live[i]! && timeMs < live[i + 1]!) return SessionPart.session;
  return timeMs >= statusBegin && timeMs < statusEnd ? SessionPart.status : SessionPart.none;
}

/** Index of the state that holds at an instant of the day. */
function placeIn({ starts }: DayTimeline, timeMs: number): number {
  let place = starts.length - 1;
  while (timeMs < starts[place]!) place--;
  return place;
}

function midnightOf(day: number): number {
  return dayToUtcMs(day) - shanghaiOffsetMs;
}
