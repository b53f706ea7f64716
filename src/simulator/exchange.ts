import { liveContracts, tradingDayAt } from '../market/contracts.js';
import { loadCalendar } from '../market/holidayCalendar.js';
import { listInstruments } from '../market/options.js';
import type { ProductTable } from '../market/products.js';
import { WeekdayCalendar, type TradingCalendar } from '../market/tradingCalendar.js';
import { SimulationClock } from './clock.js';
import type { Market, Subscriber } from './market.js';
import { TickFeed, type FeedSettings } from './tickFeed.js';
import { lastSaturday, type TickOrigin } from './tickFaults.js';

/** Ticks are gathered this long, so that a session costs one write per turn and not one per tick. */
const shortestTurnMs = 4;
/** A bench run counts how late a tick is, so nothing is gathered there. */
const benchTurnMs = 1;
const longestTurnMs = 1000;
/** In real time; a tick that is later is skipped but for each instrument's newest. */
const lateLimitMs = 500;

export interface ExchangeOptions extends Partial<Omit<FeedSettings, 'holidays'>> {
  readonly products: ProductTable;
  readonly clock?: SimulationClock;
  /** Number of instruments: futures first, then options. All futures and nothing else where it is not given. */
  readonly instruments?: number | undefined;
}

/** The simulated market behind all fronts of a process: what is listed, what ticks, and who gets it. */
export class Exchange implements Market {
  readonly #products: ProductTable;
  readonly #instruments: number | undefined;
  readonly #isBench: boolean;
  readonly #calendar: TradingCalendar;
  readonly #clock: SimulationClock;
  readonly #feed: TickFeed;
  /** Subscribers by the feed's index. */
  readonly #subscribers: Set<Subscriber>[] = [];
  readonly #indices = new Map<string, number>();
  readonly #ids: string[] = [];
  readonly #subscriptions = new Map<Subscriber, Set<number>>();
  #listed: { day: number; exchanges: ReadonlyMap<string, string> } = { day: 0, exchanges: new Map() };
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: ExchangeOptions) {
    this.#products = options.products;
    this.#instruments = options.instruments;
    this.#isBench = options.benchStartUs !== undefined;
    this.#clock = options.clock ?? new SimulationClock();
    // A market that never closes has no holidays either.
    const calendar = options.hours === 'exchange' ? loadCalendar() : undefined;
    this.#calendar = calendar ?? new WeekdayCalendar();
    this.#feed = new TickFeed({ ...options, holidays: calendar?.holidays ?? [] });
    this.clockSet();
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
    return new Set(this.#exchanges().keys());
  }

  isListed(id: string): boolean {
    return this.#exchanges().has(id);
  }

  /**
   * Subscribes to the listed ones among `ids` and sends each one's newest tick, or the one that was the newest
   * `ageMs` ago; the others stay silent.
   */
  subscribe(subscriber: Subscriber, ids: readonly string[], ageMs = 0): void {
    const now = this.now();
    const listed = this.#exchanges();
    const mine = this.#subscriptions.get(subscriber) ?? new Set<number>();
    this.#subscriptions.set(subscriber, mine);
    for (const id of ids) {
      const index = listed.has(id) ? this.#feed.add(id) : -1;
      if (index < 0) continue;
      this.#indices.set(id, index);
      this.#ids[index] = id;
      const all = (this.#subscribers[index] ??= new Set());
      if (all.size === 0) this.#feed.setActive(index, true, now);
      all.add(subscriber);
      mine.add(index);
      const snapshot = this.#feed.newestFrame(index, now - ageMs);
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

  /** What a tick's faults may need to know. */
  originOf(index: number): TickOrigin {
    const id = this.#ids[index]!;
    const now = this.now();
    return {
      id,
      exchange: this.#exchanges().get(id) ?? '',
      saturday: lastSaturday(now),
      earlier: (ageMs) => this.#feed.newestFrame(index, now - ageMs),
    };
  }

  /** To be called when the clock was set. */
  clockSet(): void {
    // A bench run counts what is late, and so has a limit of its own.
    if (!this.#isBench) this.#feed.setLateLimit(lateLimitMs * Math.max(1, this.#clock.speed));
    this.#schedule();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#feed.close();
  }

  /** Exchange codes of the listed instruments by id. */
  #exchanges(): ReadonlyMap<string, string> {
    const day = this.tradingDay();
    if (this.#listed.day !== day) {
      const at = new Date(this.now());
      const contracts =
        this.#instruments === undefined
          ? liveContracts(this.#products, at, this.#calendar)
          : listInstruments(this.#products, at, this.#calendar, this.#instruments);
      this.#listed = { day, exchanges: new Map(contracts.map(({ id, exchange }) => [id, exchange])) };
    }
    return this.#listed.exchanges;
  }

  /** On a new trading day, the contracts that are no longer listed fall silent. */
  #rollOver(): void {
    const before = this.#listed;
    const listed = this.#exchanges();
    if (this.#listed === before) return;
    this.#ids.forEach((id, index) => {
      const wanted = listed.has(id) && this.#subscribers[index]!.size > 0;
      this.#feed.setActive(index, wanted, this.now());
    });
  }

  #leave(subscriber: Subscriber, index: number): void {
    const all = this.#subscribers[index]!;
    all.delete(subscriber);
    if (all.size === 0 && !this.#closed) this.#feed.setActive(index, false, this.now());
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
    this.#rollOver();
    this.#feed.collect(now, (index, frames, start, end) => {
      for (const subscriber of this.#subscribers[index]!) subscriber.deliver(index, frames, start, end);
    });
    for (const subscriber of this.#subscriptions.keys()) subscriber.outbox.flush();
    this.#schedule();
  }
}
