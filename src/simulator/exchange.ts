import { liveContracts, tradingDayAt, type Contract } from '../market/instruments/contracts.js';
import { loadCalendar, type HolidayCalendar } from '../market/calendar/holidayCalendar.js';
import { listInstruments } from '../market/instruments/optionContracts.js';
import type { ProductTable } from '../market/instruments/products.js';
import { dayToUtcMs, WeekdayCalendar, type TradingCalendar } from '../market/calendar/tradingCalendar.js';
import { SimulationClock } from './clock.js';
import type { Market, Subscriber } from './market.js';
import { TickFeed, type FeedSettings } from './tickFeed.js';
import { lastSaturday, type TickOrigin } from './tickFaults.js';

/** Ticks are gathered this long, so that a session costs one write per turn and not one per tick. */
const shortestTurnMs = 4;
/** A bench run counts how late a tick is, so nothing is gathered there. */
const benchTurnMs = 1;
const longestTurnMs = 1000;
/** Noon, and the begin of the next trading day, in Shanghai, from midnight UTC on. */
const noonMs = 4 * 3_600_000;
const eveningMs = 12 * 3_600_000;
const defaultLateLimitMs = 500;

/** Contracts listed on a trading day, yyyymmdd. */
interface Listed {
  readonly day: number;
  /** By id. */
  readonly contracts: ReadonlyMap<string, Contract>;
  /** Ids that were not listed before. */
  readonly newcomers: ReadonlySet<string>;
}

export interface SimulatedExchangeSettings extends Partial<Omit<FeedSettings, 'holidays'>> {
  readonly products: ProductTable;
  /** The holidays of `hours` exchange; by default those that ship with the package. */
  readonly calendar?: HolidayCalendar;
  readonly clock?: SimulationClock;
  /** Number of instruments: futures first, then options. All futures and nothing else where it is not given. */
  readonly instruments?: number | undefined;
  /** In real time; a tick that is later is skipped but for each instrument's newest. */
  readonly lateLimitMs?: number;
}

/** The simulated market behind all fronts of a process: what is listed, what ticks, and who gets it. */
export class SimulatedExchange implements Market {
  readonly #products: ProductTable;
  readonly #instruments: number | undefined;
  readonly #isBench: boolean;
  readonly #lateLimitMs: number;
  readonly #neverCloses: boolean;
  readonly #calendar: TradingCalendar;
  readonly #clock: SimulationClock;
  readonly #feed: TickFeed;
  /** Subscribers by the feed's index. */
  readonly #subscribers: Set<Subscriber>[] = [];
  readonly #indices = new Map<string, number>();
  readonly #ids: string[] = [];
  readonly #subscriptions = new Map<Subscriber, Set<number>>();
  #listed: Listed = { day: 0, contracts: new Map(), newcomers: new Set() };
  /** The trading day, yyyymmdd, whose contracts tick. */
  #tickingDay: number;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: SimulatedExchangeSettings) {
    this.#products = options.products;
    this.#instruments = options.instruments;
    this.#lateLimitMs = options.lateLimitMs ?? defaultLateLimitMs;
    this.#isBench = options.benchStartUs !== undefined;
    this.#clock = options.clock ?? new SimulationClock();
    // A market that never closes has no holidays either.
    this.#neverCloses = options.hours !== 'exchange';
    const calendar = this.#neverCloses ? undefined : (options.calendar ?? loadCalendar());
    this.#calendar = calendar ?? new WeekdayCalendar();
    this.#feed = new TickFeed({ ...options, holidays: calendar?.holidays ?? [] }, this.#products);
    this.#tickingDay = this.tradingDay();
    this.#limitLateness();
  }

  /** The exchange's clock, ms since the epoch. */
  now(): number {
    return this.#clock.now();
  }

  /** The current trading day, yyyymmdd. */
  tradingDay(): number {
    return tradingDayAt(new Date(this.now()), this.#calendar);
  }

  /** Ids of the contracts that are listed on the current trading day. */
  listedIds(): ReadonlySet<string> {
    return new Set(this.#contracts().keys());
  }

  isListed(id: string): boolean {
    return this.#contracts().has(id);
  }

  /**
   * Subscribes to the listed ones among `ids` and sends each one's newest tick, or the one that was the newest
   * `ageMs` ago; the others stay silent.
   */
  subscribe(subscriber: Subscriber, ids: readonly string[], ageMs = 0): void {
    const now = this.now();
    const listed = this.#contracts(now);
    const mine = this.#subscriptions.get(subscriber) ?? new Set<number>();
    this.#subscriptions.set(subscriber, mine);
    for (const id of ids) {
      const contract = listed.get(id);
      const index = contract === undefined ? -1 : this.#feed.add(id, contract.expireDate);
      if (index < 0) continue;
      this.#indices.set(id, index);
      this.#ids[index] = id;
      const all = (this.#subscribers[index] ??= new Set());
      if (all.size === 0) this.#feed.setActive(index, true, now);
      all.add(subscriber);
      mine.add(index);
      const snapshot = this.#snapshot(id, index, now - ageMs);
      if (snapshot !== undefined) subscriber.deliver(index, snapshot, 0, snapshot.length);
    }
    this.#schedule();
  }

  unsubscribe(subscriber: Subscriber, ids: readonly string[]): void {
    const mine = this.#subscriptions.get(subscriber);
    if (mine === undefined) return;
    for (const id of ids) {
      const index = this.#indices.get(id);
      if (index !== undefined && mine.delete(index)) this.#leave(subscriber, index);
    }
  }

  /** Forgets a subscriber and all its subscriptions. */
  drop(subscriber: Subscriber): void {
    for (const index of this.#subscriptions.get(subscriber) ?? []) this.#leave(subscriber, index);
    this.#subscriptions.delete(subscriber);
  }

  /**
   * Sends ticks beyond the schedule: the present state of a subscriber's instruments, one after the other. A bench run,
   * whose ticks are numbered, has no such ticks: the newest are sent again.
   */
  sendExtra(subscriber: Subscriber, count: number): void {
    const mine = this.#subscriptions.get(subscriber);
    if (mine === undefined || mine.size === 0) return;
    // What is due comes first, so that no instrument steps back.
    const now = this.now();
    this.#turn(now);
    for (let left = count; left > 0;) {
      for (const index of mine) {
        if (left-- <= 0) break;
        const frame = this.#isBench ? this.#feed.newestFrame(index, now) : this.#feed.tickFrame(index, now);
        if (frame !== undefined) subscriber.deliver(index, frame, 0, frame.length);
      }
    }
    subscriber.outbox.flush();
  }

  /** Facts about a tick that its faults may need. */
  originOf(index: number): TickOrigin {
    const id = this.#ids[index]!;
    const now = this.now();
    return {
      id,
      exchange: this.#contracts().get(id)?.exchange ?? '',
      saturday: lastSaturday(now),
      earlier: (ageMs) => this.#feed.newestFrame(index, now - ageMs),
    };
  }

  /** To be called when the clock was set. What was due by then comes at once, before anything new is subscribed. */
  clockSet(): void {
    this.#turn();
    this.#limitLateness();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#feed.close();
  }

  /** The listed instruments by id. */
  #contracts(now = this.now()): ReadonlyMap<string, Contract> {
    const at = new Date(now);
    const day = tradingDayAt(at, this.#calendar);
    if (this.#listed.day !== day) {
      const contracts =
        this.#instruments === undefined
          ? liveContracts(this.#products, at, this.#calendar)
          : listInstruments(this.#products, at, this.#calendar, this.#instruments);
      const byId = new Map(contracts.map((contract) => [contract.id, contract]));
      this.#listed = { day, contracts: byId, newcomers: this.#newcomers(day) };
    }
    return this.#listed.contracts;
  }

  /** Futures that were not listed on the trading day before; where the market never closes, nobody asks. */
  #newcomers(day: number): ReadonlySet<string> {
    if (this.#neverCloses) return new Set();
    const on = (tradingDay: number): string[] => {
      const noon = new Date(dayToUtcMs(tradingDay) + noonMs);
      return liveContracts(this.#products, noon, this.#calendar).map(({ id }) => id);
    };
    const before = new Set(on(this.#calendar.previous(day)));
    return new Set(on(day).filter((id) => !before.has(id)));
  }

  /** An instrument's newest tick; none where it has not ticked since it was listed. */
  #snapshot(id: string, index: number, now: number): Buffer | undefined {
    const { day, newcomers } = this.#listed;
    if (newcomers.has(id) && this.#feed.newestStep(index, now) < this.#beginOf(day)) return undefined;
    return this.#feed.newestFrame(index, now);
  }

  /**
   * On a new trading day, the contracts that are no longer listed fall silent, after what was due on the day before.
   * `now` is that of the turn: by a later one, which a fast clock soon reaches, the feed would take what is due in the
   * turn for the future of a clock set back.
   */
  #rollOver(now: number): void {
    const listed = this.#contracts(now);
    const { day } = this.#listed;
    if (day === this.#tickingDay) return;
    if (day > this.#tickingDay) this.#collect(this.#beginOf(day) - 1);
    this.#tickingDay = day;
    this.#ids.forEach((id, index) => {
      const wanted = listed.has(id) && this.#subscribers[index]!.size > 0;
      this.#feed.setActive(index, wanted, now);
    });
  }

  /** When a trading day begins, ms since the epoch: in the evening of the one before. */
  #beginOf(day: number): number {
    return dayToUtcMs(this.#calendar.previous(day)) + eveningMs;
  }

  #leave(subscriber: Subscriber, index: number): void {
    const all = this.#subscribers[index]!;
    all.delete(subscriber);
    if (all.size === 0 && !this.#closed) this.#feed.setActive(index, false, this.now());
  }

  #limitLateness(): void {
    // A bench run counts what is late, and so has a limit of its own.
    if (!this.#isBench) this.#feed.setLateLimit(this.#lateLimitMs * Math.max(1, this.#clock.speed));
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    const due = this.#feed.nextDue;
    if (due === undefined) return;
    const shortest = this.#isBench ? benchTurnMs : shortestTurnMs;
    const wait = Math.min(Math.max(this.#clock.realMsUntil(due), shortest), longestTurnMs);
    this.#timer = setTimeout(() => this.#turn(), wait);
  }

  #turn(now = this.now()): void {
    this.#rollOver(now);
    this.#collect(now);
    for (const subscriber of this.#subscriptions.keys()) subscriber.outbox.flush();
    this.#schedule();
  }

  /** Delivers what is due. */
  #collect(now: number): void {
    this.#feed.collect(now, (index, frames, start, end) => {
      for (const subscriber of this.#subscribers[index]!) subscriber.deliver(index, frames, start, end);
    });
  }
}
