import { lastTradingDay } from '../instruments/contracts.js';
import { LastDaySchedule } from './lastDaySchedule.js';
import type { Product } from '../instruments/products.js';
import {
  AlwaysOpenSchedule,
  ExchangeSchedule,
  type SessionMoment,
  type SessionSchedule,
  type SessionState,
} from './sessionSchedule.js';
import type { TradingCalendar } from '../calendar/tradingCalendar.js';
import {
  endsEarlyOnLastDay,
  sessionHours,
  settlementTradingHours,
  type SessionHours,
} from '../instruments/productHours.js';

/** An id as INE's contracts for trading at settlement have it: sc2701TAS. */
const tradingAtSettlement = /\d{4}TAS$/;
/** Year and month of delivery at the end of a future's id. */
const delivery = /^[A-Z]+(\d\d)(0[1-9]|1[0-2])$/;

/** Hours within which every product's lie: those of products that the table lacks. */
const widestHours: SessionHours = {
  day: [
    [9 * 60, 11 * 60 + 30],
    [13 * 60, 15 * 60 + 15],
  ],
  night: [21 * 60, 26 * 60 + 30],
};

/**
 * The session states of all products, by trading calendar and product table. Products with the same hours share a
 * schedule, so that there is one per kind of hours, about ten.
 */
export class SessionStates {
  readonly #calendar: TradingCalendar;
  /** The one schedule of a market that never closes. */
  readonly #always: SessionSchedule | undefined;
  /** By the hours as JSON. */
  readonly #byHours = new Map<string, SessionSchedule>();
  readonly #byProduct = new Map<Product, SessionSchedule>();

  /** `hours` is the setting trading_hours; `calendar` says which days are trading days. */
  constructor(hours: 'exchange' | 'always', calendar: TradingCalendar) {
    this.#calendar = calendar;
    this.#always = hours === 'always' ? new AlwaysOpenSchedule(calendar) : undefined;
  }

  /** State of a product's market at an instant, ms since the epoch. */
  state(product: Product, timeMs: number): SessionState {
    return this.scheduleOf(product).state(timeMs);
  }

  /** The session state of a product, with its beginning, its end and what follows. */
  moment(product: Product, timeMs: number): SessionMoment {
    return this.scheduleOf(product).moment(timeMs);
  }

  /**
   * True when no tick of the product is stamped so in good order. Live are auctions and sessions, up to 3 s after each
   * end, the minute before the morning's opening, and the time up to 17:00 in which closing and settlement prices come.
   */
  isOffSession(product: Product, timeMs: number): boolean {
    return this.scheduleOf(product).isOffSession(timeMs);
  }

  /** A product's schedule, for callers that ask often. */
  scheduleOf(product: Product): SessionSchedule {
    const known = this.#byProduct.get(product);
    if (known !== undefined) return known;
    const schedule = this.#scheduleFor(sessionHours(product));
    this.#byProduct.set(product, schedule);
    return schedule;
  }

  /**
   * The schedule of an instrument, which may have hours of its own: contracts for trading at settlement, and bond futures
   * on their last trading day. `product` is undefined where the product table lacks it.
   */
  scheduleOfInstrument(product: Product | undefined, id: string): SessionSchedule {
    if (product === undefined) return this.#scheduleFor(widestHours);
    if (tradingAtSettlement.test(id)) return this.#scheduleFor(settlementTradingHours());
    return endsEarlyOnLastDay(product) ? this.#withLastDay(product, id) : this.scheduleOf(product);
  }

  #withLastDay(product: Product, id: string): SessionSchedule {
    const usual = this.scheduleOf(product);
    const last = this.#scheduleFor(sessionHours(product, true));
    const [, year, month] = delivery.exec(id) ?? [];
    if (year === undefined || last === usual) return usual;
    const lastDay = lastTradingDay(product, 2000 + Number(year), Number(month), this.#calendar);
    return new LastDaySchedule(usual, last, lastDay, this.#calendar);
  }

  #scheduleFor(hours: SessionHours): SessionSchedule {
    if (this.#always !== undefined) return this.#always;
    const key = JSON.stringify(hours);
    const known = this.#byHours.get(key);
    if (known !== undefined) return known;
    const schedule = new ExchangeSchedule(hours, this.#calendar);
    this.#byHours.set(key, schedule);
    return schedule;
  }
}
