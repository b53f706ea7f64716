import { formatMoment } from '../calendar/isoText.js';
import type { Exchange, Product, ProductTable } from '../instruments/products.js';
import { Field } from '../quotes/quoteFields.js';
import type { SessionSchedule, SessionState } from '../hours/sessionSchedule.js';
import { SessionStates } from '../hours/sessionStates.js';
import { StaleWatch } from './staleWatch.js';
import type { TradingCalendar } from '../calendar/tradingCalendar.js';

/** Stale instruments of a product that a report names. */
const longestStaleList = 100;

/** Body of GET /api/sessions. Times are ISO with the zone of Shanghai. */
export interface SessionsReport {
  readonly time: string;
  /** As the setting trading_hours. */
  readonly trading_hours: 'exchange' | 'always';
  /** Instruments that should be ticking and are not, of the products in the report. */
  readonly stale: number;
  /** In the order of the product table. */
  readonly products: readonly ProductSession[];
}

export interface ProductSession {
  readonly exchange: Exchange;
  readonly product: string;
  readonly state: SessionState;
  /** When the state began; null where the market never closes. */
  readonly since: string | null;
  /** When the next state begins, and which; null where the market never closes. */
  readonly until: string | null;
  readonly next: SessionState | null;
  /** yyyymmdd. */
  readonly trading_day: string;
  /** How many are subscribed. */
  readonly instruments: number;
  /** Exchange time of the newest tick among them; null before the first. */
  readonly last_tick: string | null;
  readonly stale: number;
  /** The first of them, those that are silent for longest first. */
  readonly stale_instruments: readonly StaleInstrument[];
}

export interface StaleInstrument {
  /** `EXCHANGE.id`. */
  readonly instrument: string;
  readonly last_tick: string;
  /** Seconds within this session. */
  readonly silent_s: number;
}

export interface SessionFilter {
  /** Code in the product table. */
  readonly product?: string;
  readonly exchange?: Exchange;
}

/** An instrument as the board sees it; the directory's are such. */
interface BoardInstrument {
  readonly slot: number;
  readonly id: string;
  readonly key: string;
  readonly product: Product | undefined;
}

export interface SessionBoardParts {
  readonly products: ProductTable;
  readonly bySlot: (slot: number) => BoardInstrument;
  /** Slots of the instruments that are subscribed. */
  readonly subscribed: () => Iterable<number>;
  readonly book: { version(slot: number): number; value(slot: number, field: number): number };
}

/** Subscribed instruments of a product, as of the last sample. */
interface ProductFigures {
  instruments: number;
  lastTickMs: number;
  readonly stale: number[];
}

/** State of every product at present, and its instruments that should tick but do not. */
export class SessionBoard {
  readonly #options: SessionBoardParts;
  #hours: 'exchange' | 'always';
  #states: SessionStates;
  #watch = new StaleWatch();
  /** By slot. */
  #schedules: (SessionSchedule | undefined)[] = [];
  #figures = new Map<Product, ProductFigures>();
  /** The monotonic clock at the last sample. */
  #sampledAt = 0;

  /** `hours` is the setting trading_hours. */
  constructor(hours: 'exchange' | 'always', calendar: TradingCalendar, options: SessionBoardParts) {
    this.#options = options;
    this.#hours = hours;
    this.#states = new SessionStates(hours, calendar);
  }

  /** Which product trades when; another object after `configure`. */
  get states(): SessionStates {
    return this.#states;
  }

  /** Instruments that should be ticking and were not at the last sample. */
  get stale(): number {
    return this.#watch.stale.size;
  }

  /** Whether the instrument should be ticking and is not, as of the last sample. */
  isStale(slot: number): boolean {
    return this.#watch.stale.has(slot);
  }

  /** How many of the instruments are in continuous trading at an instant, in ms since the epoch. */
  countTrading(slots: Iterable<number>, wall: number): number {
    // Few schedules serve all instruments.
    const trading = new Map<SessionSchedule, boolean>();
    let count = 0;
    for (const slot of slots) {
      const schedule = this.#scheduleOf(slot);
      let trades = trading.get(schedule);
      if (trades === undefined) {
        const { state } = schedule.moment(wall);
        trading.set(schedule, (trades = state === 'trading' || state === 'night'));
      }
      if (trades) count++;
    }
    return count;
  }

  /** Other hours, or another calendar. What was known of instruments' pauses is forgotten. */
  configure(hours: 'exchange' | 'always', calendar: TradingCalendar): void {
    this.#hours = hours;
    this.#states = new SessionStates(hours, calendar);
    this.#schedules = [];
    this.#watch = new StaleWatch();
  }

  /** The slot goes to another instrument. */
  forget(slot: number): void {
    this.#schedules[slot] = undefined;
  }

  /**
   * To be called about once a second.
   *
   * @param now ms on a clock that never steps back
   * @param wall ms since the epoch
   */
  sample(now: number, wall: number): void {
    const { subscribed, book, bySlot } = this.#options;
    const slots = [...subscribed()];
    this.#watch.sample(
      { slots, version: (slot) => book.version(slot), scheduleOf: (slot) => this.#scheduleOf(slot) },
      now,
      wall,
    );
    this.#sampledAt = now;
    this.#figures = new Map();
    for (const slot of slots) {
      const { product } = bySlot(slot);
      if (product !== undefined) this.#count(this.#figuresOf(product), slot);
    }
  }

  /** The products that pass the filter, at an instant in ms since the epoch. */
  report({ product: code, exchange }: SessionFilter, wall: number): SessionsReport {
    const products = [...this.#options.products.values()]
      .filter((product) => code === undefined || product.product === code)
      .filter((product) => exchange === undefined || product.exchange === exchange)
      .map((product) => this.#describe(product, wall));
    return {
      time: formatMoment(wall),
      trading_hours: this.#hours,
      stale: products.reduce((sum, { stale }) => sum + stale, 0),
      products,
    };
  }

  #describe(product: Product, wall: number): ProductSession {
    const { state, tradingDay, since, until, next } = this.#states.moment(product, wall);
    const figures = this.#figures.get(product);
    const stale = [...(figures?.stale ?? [])].sort((a, b) => this.#silentMs(b) - this.#silentMs(a) || a - b);
    return {
      exchange: product.exchange,
      product: product.product,
      state,
      since: since === undefined ? null : formatMoment(since),
      until: until === undefined ? null : formatMoment(until),
      next: next ?? null,
      trading_day: String(tradingDay),
      instruments: figures?.instruments ?? 0,
      last_tick: figures === undefined || figures.lastTickMs === 0 ? null : formatMoment(figures.lastTickMs),
      stale: stale.length,
      stale_instruments: stale.slice(0, longestStaleList).map((slot) => ({
        instrument: this.#options.bySlot(slot).key,
        last_tick: formatMoment(this.#options.book.value(slot, Field.timestamp)),
        silent_s: Math.round(this.#silentMs(slot) / 1000),
      })),
    };
  }

  #count(figures: ProductFigures, slot: number): void {
    const { book } = this.#options;
    figures.instruments++;
    if (book.version(slot) > 0)
      figures.lastTickMs = Math.max(figures.lastTickMs, book.value(slot, Field.timestamp));
    if (this.#watch.stale.has(slot)) figures.stale.push(slot);
  }

  #figuresOf(product: Product): ProductFigures {
    let figures = this.#figures.get(product);
    if (figures === undefined) {
      figures = { instruments: 0, lastTickMs: 0, stale: [] };
      this.#figures.set(product, figures);
    }
    return figures;
  }

  #silentMs(slot: number): number {
    return this.#watch.silentMs(slot, this.#sampledAt);
  }

  #scheduleOf(slot: number): SessionSchedule {
    const { product, id } = this.#options.bySlot(slot);
    return (this.#schedules[slot] ??= this.#states.scheduleOfInstrument(product, id));
  }
}
