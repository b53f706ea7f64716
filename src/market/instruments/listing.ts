import { liveContracts, tradingDayAt, type Contract } from './contracts.js';
import { shanghaiDay } from '../calendar/shanghaiDay.js';
import type { ProductTable } from './products.js';
import { WeekdayCalendar, type TradingCalendar } from '../calendar/tradingCalendar.js';

/** The list for a day. */
export interface ListedDay {
  /** yyyymmdd in Shanghai. */
  readonly day: number;
  /** The next day's contracts trade from the evening on. */
  readonly tradingDay: number;
  /** By bare id, sorted by exchange and id. */
  readonly contracts: ReadonlyMap<string, Contract>;
}

export interface ListingParts {
  readonly products: ProductTable;
  /** Trading days; weekdays by default. */
  readonly calendar?: TradingCalendar;
  /** ms since the epoch. */
  readonly now?: () => number;
}

/**
 * What is listed: futures by the rules of the product table, what has been found to exist, and what was imported, which
 * counts more than the others. A contract leaves the list when its last trading day is over.
 */
export class Listing {
  /** Grows whenever another list takes the place of the one before, or is about to. */
  revision = 0;
  readonly #products: ProductTable;
  #calendar: TradingCalendar;
  readonly #now: () => number;
  #imported: readonly Contract[] = [];
  #found: readonly Contract[] = [];
  #current: ListedDay | undefined;

  constructor({ products, calendar, now }: ListingParts) {
    this.#products = products;
    this.#calendar = calendar ?? new WeekdayCalendar();
    this.#now = now ?? Date.now;
  }

  get calendar(): TradingCalendar {
    return this.#calendar;
  }

  /** Takes another calendar of the trading days. */
  setCalendar(calendar: TradingCalendar): void {
    this.#calendar = calendar;
    this.#outdate();
  }

  /** Takes what was imported in place of what was before. */
  setImported(contracts: readonly Contract[]): void {
    this.#imported = contracts;
    this.#outdate();
  }

  /** Takes what has been found to exist in place of what was before. */
  setFound(contracts: readonly Contract[]): void {
    this.#found = contracts;
    this.#outdate();
  }

  /** The present list; the same object as long as nothing changes. */
  current(): ListedDay {
    const now = new Date(this.#now());
    const day = shanghaiDay(now.getTime());
    const tradingDay = tradingDayAt(now, this.#calendar);
    if (this.#current?.day === day && this.#current.tradingDay === tradingDay) return this.#current;
    const byId = new Map<string, Contract>();
    for (const contract of this.#found) byId.set(contract.id, contract);
    for (const contract of liveContracts(this.#products, now, this.#calendar))
      byId.set(contract.id, contract);
    for (const contract of this.#imported) byId.set(contract.id, contract);
    const sorted = [...byId.values()]
      .filter(({ expireDate }) => expireDate >= tradingDay)
      .sort((a, b) => compare(a.exchange, b.exchange) || compare(a.id, b.id));
    this.revision++;
    this.#current = {
      day,
      tradingDay,
      contracts: new Map(sorted.map((contract) => [contract.id, contract])),
    };
    return this.#current;
  }

  #outdate(): void {
    this.revision++;
    this.#current = undefined;
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
