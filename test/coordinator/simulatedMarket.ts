import { SilenceWatch } from '../../src/coordinator/measures/silenceWatch.js';
import { ExchangeHours } from '../../src/market/hours/marketHours.js';
import type { TradingCalendar } from '../../src/market/calendar/tradingCalendar.js';
import { addDays, utcMsToDay, WeekdayCalendar } from '../../src/market/calendar/tradingCalendar.js';

const dayMs = 86_400_000;
const shanghaiOffsetMs = 8 * 3_600_000;
/** How long a connection takes to be opened again, and to get its snapshots. */
const reopenMs = 3_000;
const snapshotMs = 1_000;
/** Trading is busiest right after an opening. */
const openingBoost = 3;
const openingBoostMs = 5 * 60_000;
const auctionLeadMs = 60_000;
/** For so long ticks come after an auction and after the end of a session. */
const certainMs = 2_000;
/** Steps in and out of the hours in which something may tick. */
const stepMs = 1_000;
const idleStepMs = 4_000;

const at = (time: string): number => {
  const [hour, minute, second = 0] = time.split(':').map(Number) as [number, number, number?];
  return ((hour * 60 + minute) * 60 + second) * 1000;
};
type Period = readonly [number, number];
const periods = (...texts: string[]): Period[] =>
  texts.map((text) => text.split('-').map(at) as [number, number]);

/** Outside these nothing ticks. */
const awake = periods('0:00-2:40', '8:50-16:00', '20:50-24:00');
/** When lines of each kind tick, with one tick of the auction and one after the end; night hours pass 24:00. */
const hoursOf = {
  day: { day: periods('9:00-10:15', '10:30-11:30', '13:30-15:00'), night: [], auctions: [at('8:59')] },
  night: {
    day: periods('9:00-10:15', '10:30-11:30', '13:30-15:00'),
    night: periods('21:00-23:00'),
    auctions: [at('20:59')],
  },
  gold: {
    day: periods('9:00-10:15', '10:30-11:30', '13:30-15:00'),
    night: periods('21:00-26:30'),
    auctions: [at('20:59')],
  },
  index: { day: periods('9:30-11:30', '13:00-15:00'), night: [], auctions: [at('9:29')] },
} as const;

type Kind = keyof typeof hoursOf;
const kinds = Object.keys(hoursOf) as Kind[];

export interface SimulatedLine {
  readonly kind: Kind;
  /** Mean ticks a minute during a session, on a mean day. */
  readonly perMinute: number;
}

export interface Found {
  readonly line: number;
  /** ms since the epoch. */
  readonly at: number;
}

export const shanghai = (time: string): number => Date.parse(`${time}+08:00`);
export const shown = ({ line, at }: Found): string =>
  `${line} ${new Date(at + shanghaiOffsetMs).toISOString().slice(0, 19)}`;

/** From and until which time of day something ticks, with which share of its rate. */
type Ticking = readonly [number, number, number];

/** Sessions busy at first, and around them the auction's tick, the closing one, and settlement after the day's end. */
function tickingOn(day: number, kind: Kind, calendar: TradingCalendar): Ticking[] {
  const weekdays = new WeekdayCalendar();
  const hasNight = (evening: number): boolean =>
    calendar.isTradingDay(evening) && calendar.isTradingDay(weekdays.next(evening));
  const { day: daily, night, auctions } = hoursOf[kind];
  const open: Period[] = [];
  if (hasNight(addDays(day, -1))) open.push(...night.map(([from, to]): Period => [from - dayMs, to - dayMs]));
  if (calendar.isTradingDay(day)) open.push(...daily);
  if (hasNight(day)) open.push(...night);
  return open.flatMap(([from, to]): Ticking[] => [
    ...auctions
      .filter((auction) => auction === from - auctionLeadMs)
      .map((auction): Ticking => [auction, auction + certainMs, 1]),
    [from, from + openingBoostMs, openingBoost],
    [from, to + certainMs, 1],
    ...(to === at('15:00') ? [[at('15:40'), at('15:41'), 1] as const] : []),
  ]);
}

/** The next beginning of a session of lines of a kind. */
export function openingAfter(moment: number, kind: Kind, calendar: TradingCalendar): number {
  const { day, night } = hoursOf[kind];
  const midnight = moment - ((moment + shanghaiOffsetMs) % dayMs);
  const all = [0, 1, 2, 3, 4].flatMap((ahead) => {
    const start = midnight + ahead * dayMs;
    const date = utcMsToDay(start + shanghaiOffsetMs);
    const sessions: Period[] = calendar.isTradingDay(date) ? [...day, ...night] : [];
    return sessions.map(([from]) => start + from);
  });
  return all.find((opening) => opening > moment)!;
}

/**
 * Lines that tick at random in the exchanges' hours, more on one day than on the next, and a watch over them. A line
 * that dies stays silent until it is opened again; one that is opened again gets a snapshot, at any hour.
 */
export class SimulatedMarket {
  readonly found: Found[] = [];
  readonly #watch: SilenceWatch;
  readonly #lines: readonly SimulatedLine[];
  readonly #calendar: TradingCalendar;
  /** Of the present day. */
  readonly #ticking: Record<Kind, Ticking[]> = { day: [], night: [], gold: [], index: [] };
  readonly #random: () => number;
  readonly #dies: readonly Found[];
  readonly #written: number[];
  readonly #dead: boolean[];
  /** Moment at which a line is up again. */
  readonly #upAt: number[];
  readonly #activity: Record<Kind, number> = { day: 0, night: 0, gold: 0, index: 0 };
  #wall = 0;

  /** `days` are those of the market, `known` those that the watch goes by. */
  constructor(options: {
    readonly lines: readonly SimulatedLine[];
    readonly days: TradingCalendar;
    readonly known: TradingCalendar;
    readonly seed: number;
    readonly dies?: readonly Found[];
    readonly timeoutMs?: number;
  }) {
    this.#lines = options.lines;
    this.#calendar = options.days;
    this.#random = randomFrom(options.seed);
    this.#dies = options.dies ?? [];
    this.#watch = new SilenceWatch(options.timeoutMs ?? 10_000, new ExchangeHours(options.known));
    this.#written = this.#lines.map(() => 0);
    this.#dead = this.#lines.map(() => false);
    this.#upAt = this.#lines.map(() => 0);
  }

  run(from: string, to: string): this {
    this.#wall = shanghai(from);
    const end = shanghai(to);
    let day = NaN;
    let rates: number[] = [];
    while (this.#wall < end) {
      const local = this.#wall + shanghaiOffsetMs;
      const timeOfDay = local % dayMs;
      const mayTick = awake.some(([from, to]) => timeOfDay >= from && timeOfDay < to);
      const step = mayTick ? stepMs : idleStepMs;
      this.#wall += step;
      const today = utcMsToDay(local);
      if (today !== day) {
        day = today;
        for (const kind of kinds) this.#ticking[kind] = tickingOn(today, kind, this.#calendar);
        // By a third up or down, mostly.
        rates = this.#lines.map(
          ({ perMinute }) => perMinute * Math.exp((this.#random() + this.#random() - 1) * 0.8),
        );
      }
      for (const { line, at: dying } of this.#dies)
        if (dying > this.#wall - step && dying <= this.#wall) this.#dead[line] = true;
      for (const kind of kinds) this.#activity[kind] = this.#activityOf(kind, timeOfDay);
      for (let line = 0; line < rates.length; line++) this.#tick(line, rates[line]!, step);
      this.#look();
    }
    return this;
  }

  #tick(line: number, perMinute: number, step: number): void {
    const up = this.#upAt[line]!;
    if (up + snapshotMs > this.#wall - step && up + snapshotMs <= this.#wall) this.#written[line]! += 1;
    if (this.#dead[line] || this.#wall < up) return;
    const mean = (this.#activity[this.#lines[line]!.kind] * perMinute * step) / 60_000;
    if (mean > 0 && this.#random() < 1 - Math.exp(-mean)) this.#written[line]! += 1;
  }

  /** How much of its rate lines of a kind tick with at present. */
  #activityOf(kind: Kind, timeOfDay: number): number {
    for (const [from, to, share] of this.#ticking[kind])
      if (timeOfDay >= from && timeOfDay < to) return share;
    return 0;
  }

  #look(): void {
    const samples = this.#lines.map((_, line) => ({
      written: this.#written[line]!,
      expecting: this.#wall >= this.#upAt[line]!,
      instruments: 100,
    }));
    for (const { line } of this.#watch.sample(samples, this.#wall, this.#wall)) {
      this.found.push({ line, at: this.#wall });
      this.#dead[line] = false;
      this.#upAt[line] = this.#wall + reopenMs;
    }
  }
}

/** Numbers from 0 to 1, always the same for a seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
