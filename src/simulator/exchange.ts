import { liveContracts, tradingDayAt } from '../market/contracts.js';
import type { ProductTable } from '../market/products.js';
import type { Outbox } from './outbox.js';
import { TickFeed } from './tickFeed.js';

/** Ticks are gathered this long, so that a session costs one write per turn and not one per tick. */
const shortestTurnMs = 4;
const longestTurnMs = 1000;

/** A logged-in session as the exchange sees it. */
export interface Subscriber {
  readonly outbox: Outbox;
}

export interface ExchangeOptions {
  readonly seed: number;
  /** Ticks per second of each instrument. */
  readonly rate: number;
  readonly products: ProductTable;
}

/** The simulated market behind all fronts of a process: what is listed, what ticks, and who gets it. */
export class Exchange {
  readonly #products: ProductTable;
  readonly #feed: TickFeed;
  /** Subscribers by the feed's index. */
  readonly #subscribers: Set<Subscriber>[] = [];
  readonly #indices = new Map<string, number>();
  readonly #subscriptions = new Map<Subscriber, Set<number>>();
  #listed: { day: number; ids: ReadonlySet<string> } = { day: 0, ids: new Set() };
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: ExchangeOptions) {
    this.#products = options.products;
    this.#feed = new TickFeed(options.seed, options.rate);
  }

  /** The current trading day, yyyymmdd. */
  tradingDay(): number {
    return tradingDayAt(new Date());
  }

  /** Ids of the contracts that are listed on the current trading day. */
  listedIds(): ReadonlySet<string> {
    const day = this.tradingDay();
    if (this.#listed.day !== day) {
      const contracts = liveContracts(this.#products, new Date());
      this.#listed = { day, ids: new Set(contracts.map((contract) => contract.id)) };
    }
    return this.#listed.ids;
  }

  /** Subscribes to the listed ones among `ids` and sends each one's newest tick; the others stay silent. */
  subscribe(subscriber: Subscriber, ids: readonly string[]): void {
    const now = Date.now();
    const listed = this.listedIds();
    const mine = this.#subscriptions.get(subscriber) ?? new Set<number>();
    this.#subscriptions.set(subscriber, mine);
    for (const id of ids) {
      const index = listed.has(id) ? this.#feed.add(id) : -1;
      if (index < 0) continue;
      this.#indices.set(id, index);
      const all = (this.#subscribers[index] ??= new Set());
      if (all.size === 0) this.#feed.setActive(index, true, now);
      all.add(subscriber);
      mine.add(index);
      subscriber.outbox.add(this.#feed.tickFrame(index, this.#feed.newestStep(index, now)));
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

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#feed.close();
  }

  #leave(subscriber: Subscriber, index: number): void {
    const all = this.#subscribers[index]!;
    all.delete(subscriber);
    if (all.size === 0 && !this.#closed) this.#feed.setActive(index, false, Date.now());
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    const due = this.#feed.nextDue;
    if (due === undefined) return;
    const wait = Math.min(Math.max(due - Date.now(), shortestTurnMs), longestTurnMs);
    this.#timer = setTimeout(() => this.#turn(), wait);
  }

  #turn(): void {
    this.#feed.collect(Date.now(), (index, frames, start, end) => {
      for (const subscriber of this.#subscribers[index]!) subscriber.outbox.add(frames, start, end);
    });
    for (const subscriber of this.#subscriptions.keys()) subscriber.outbox.flush();
    this.#schedule();
  }
}
