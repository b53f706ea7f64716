import koffi from 'koffi';
import { exchanges, loadProducts, type Product, type ProductTable } from '../market/instruments/products.js';
import { dayToUtcMs, utcMsToDay } from '../market/calendar/tradingCalendar.js';
import { sessionHours, type SessionHours } from '../market/instruments/productHours.js';
import { packagePath } from '../base/paths.js';
import { dayMs } from '../base/shanghaiTime.js';

/** Ticks that one native call hands over at most. */
const batchTicks = 1024;

function bind() {
  const library = koffi.load(packagePath('libs', 'simulator', 'build', 'libqactpmd_model.so'));
  return {
    longestFrame: library.func('int qm_longest_frame()') as () => number,
    create: library.func(
      'void *qm_feed_new(uint64_t seed, double rate, int arrivals, int hours, int dates, int levels, ' +
        'double limit_share, double bench_start, void *holidays, int holiday_count)',
    ) as (
      seed: bigint,
      rate: number,
      arrivals: number,
      hours: number,
      dates: number,
      levels: number,
      limitShare: number,
      benchStartUs: number,
      holidays: Int32Array,
      holidayCount: number,
    ) => unknown,
    setLateLimit: library.func('void qm_set_late_limit(void *feed, double ms)') as (
      feed: unknown,
      ms: number,
    ) => void,
    newest: library.func('int qm_newest(void *feed, int index, double now, void *out)') as (
      feed: unknown,
      index: number,
      now: number,
      out: Uint8Array,
    ) => number,
    free: library.func('void qm_feed_free(void *feed)') as (feed: unknown) => void,
    setProduct: library.func(
      'void qm_set_product(void *feed, const char *code, int exchange, double multiplier, double price_tick, ' +
        'double reference_price, double price_limit, const char *underlying, void *hours, void *last_day_hours)',
    ) as (
      feed: unknown,
      code: string,
      exchange: number,
      multiplier: number,
      priceTick: number,
      referencePrice: number,
      priceLimit: number,
      underlying: string,
      hours: Int32Array,
      lastDayHours: Int32Array,
    ) => void,
    add: library.func('int qm_add(void *feed, const char *id, int last_day)') as (
      feed: unknown,
      id: string,
      lastDay: number,
    ) => number,
    setActive: library.func('void qm_set_active(void *feed, int index, int active, double now)') as (
      feed: unknown,
      index: number,
      active: number,
      now: number,
    ) => void,
    newestStep: library.func('double qm_newest_step(void *feed, int index, double now)') as (
      feed: unknown,
      index: number,
      now: number,
    ) => number,
    tick: library.func('int qm_tick(void *feed, int index, double step, void *out)') as (
      feed: unknown,
      index: number,
      step: number,
      out: Uint8Array,
    ) => number,
    collect: library.func(
      'int qm_collect(void *feed, double now, int limit, void *indices, void *ends, void *frames)',
    ) as (
      feed: unknown,
      now: number,
      limit: number,
      indices: Int32Array,
      ends: Uint32Array,
      frames: Uint8Array,
    ) => number,
    sessions: library.func('int qm_sessions(void *feed, int index, double instant, void *out)') as (
      feed: unknown,
      index: number,
      instant: number,
      out: Float64Array,
    ) => number,
    nextDue: library.func('double qm_next_due(void *feed)') as (feed: unknown) => number,
  };
}

export const arrivalKinds = ['uniform', 'poisson', 'burst'] as const;
export const hoursModes = ['always', 'exchange'] as const;
export const dateRules = ['production', 'simnow'] as const;

/** Settings that a feed's ticks depend on; feeds with the same settings and products agree tick for tick. */
export interface FeedSettings {
  readonly seed: number;
  /** Ticks per second of each instrument, at most 1000. */
  readonly rate: number;
  /** How an instrument's ticks are spread: one in each period, independent, or all instruments within 10 ms. */
  readonly arrivals: (typeof arrivalKinds)[number];
  /** Open at every instant, or in the exchanges' sessions. */
  readonly hours: (typeof hoursModes)[number];
  /** Dates as production fronts stamp them, or as SimNow's do. */
  readonly dates: (typeof dateRules)[number];
  /** Levels of the book that are sent, 1 to 5. */
  readonly levels: number;
  /** Share of an instrument's days on which it stands at a price limit for half an hour. */
  readonly limitShare: number;
  /** Start of a bench run in µs since the epoch: Volume counts ticks from there, OpenInterest µs. */
  readonly benchStartUs: number | undefined;
  /** Weekdays without trading, yyyymmdd. */
  readonly holidays: readonly number[];
}

export const defaultFeedSettings: FeedSettings = {
  seed: 1,
  rate: 2,
  arrivals: 'uniform',
  hours: 'always',
  dates: 'production',
  levels: 5,
  limitShare: 0,
  benchStartUs: undefined,
  holidays: [],
};

/** An instrument's trading day in the tick model. Instants are ms since the epoch; an end is not part of its session. */
export interface ModelDay {
  /** yyyymmdd. */
  readonly day: number;
  /** The instants that are accounted to it. */
  readonly begin: number;
  readonly end: number;
  /** The second of the opening auction's tick, -1 where there is none. */
  readonly auction: number;
  readonly sessions: readonly { readonly start: number; readonly end: number }[];
}

/** Numbers that describe a trading day with the most sessions. */
const longestModelDay = 18;
/** Night sessions begin at 21:00, in minutes. */
const nightOpen = 21 * 60;
/** Daily price limit of products whose row names none, as a fraction of the previous settlement price. */
const usualPriceLimit = 0.1;

let native: ReturnType<typeof bind> | undefined;

/**
 * The tick model and its schedule, from libs/simulator. Times are in ms since the epoch. A tick is a pure function
 * of the settings, the instrument and the step, and so is the schedule: feeds of any number of processes agree.
 */
export class TickFeed {
  readonly #native: ReturnType<typeof bind>;
  readonly #feed: unknown;
  readonly #indices = new Int32Array(batchTicks);
  readonly #ends = new Uint32Array(batchTicks);
  readonly #frames: Buffer;
  /** For single frames: these are asked for while `#frames` is handed over. */
  readonly #frame: Buffer;

  /**
   * Settings that are not given have their defaults, `products` are those of the package. Throws when the library cannot
   * be loaded.
   */
  constructor(given: Partial<FeedSettings> = {}, products: ProductTable = loadProducts()) {
    const settings: FeedSettings = { ...defaultFeedSettings, ...given };
    const holidays = Int32Array.from(settings.holidays, (day) => dayToUtcMs(day) / dayMs);
    this.#native = native ??= bind();
    this.#feed = this.#native.create(
      BigInt(settings.seed),
      settings.rate,
      arrivalKinds.indexOf(settings.arrivals),
      hoursModes.indexOf(settings.hours),
      dateRules.indexOf(settings.dates),
      settings.levels,
      settings.limitShare,
      settings.benchStartUs ?? -1,
      holidays,
      holidays.length,
    );
    for (const product of products.values()) this.#setProduct(product);
    this.#frames = Buffer.alloc(batchTicks * this.#native.longestFrame());
    this.#frame = Buffer.alloc(this.#native.longestFrame());
  }

  /**
   * Index of an instrument from 0 on; -1 for an id that the model does not know.
   *
   * @param lastDay its last trading day, yyyymmdd, where its hours may differ on that day
   */
  add(id: string, lastDay?: number): number {
    return this.#native.add(this.#feed, id, lastDay === undefined ? -1 : dayToUtcMs(lastDay) / dayMs);
  }

  #setProduct(product: Product): void {
    this.#native.setProduct(
      this.#feed,
      product.product,
      exchanges.indexOf(product.exchange),
      product.multiplier,
      product.priceTick,
      product.referencePrice,
      product.priceLimit ?? usualPriceLimit,
      product.underlying ?? '',
      hoursAsNumbers(sessionHours(product)),
      hoursAsNumbers(sessionHours(product, true)),
    );
  }

  /** The trading day that an instant is accounted to. */
  dayAt(index: number, instant: number): ModelDay {
    const out = new Float64Array(longestModelDay);
    const count = this.#native.sessions(this.#feed, index, instant, out);
    const [day, begin, end, auction, ...times] = out;
    const sessions = Array.from({ length: count }, (_, i) => ({
      start: times[2 * i]!,
      end: times[2 * i + 1]!,
    }));
    return { day: utcMsToDay(day! * dayMs), begin: begin!, end: end!, auction: auction!, sessions };
  }

  /** Begins or stops to schedule an instrument. */
  setActive(index: number, active: boolean, now: number): void {
    this.#native.setActive(this.#feed, index, active ? 1 : 0, now);
  }

  /** Ticks later than this are skipped but for each instrument's newest. */
  setLateLimit(ms: number): void {
    this.#native.setLateLimit(this.#feed, ms);
  }

  /** Step of an instrument's newest scheduled tick, -1 when there is none. */
  newestStep(index: number, now: number): number {
    return this.#native.newestStep(this.#feed, index, now);
  }

  /** An instrument's newest scheduled tick as a frame of the wire protocol; undefined when there is none. */
  newestFrame(index: number, now: number): Buffer | undefined {
    const length = this.#native.newest(this.#feed, index, now, this.#frame);
    return length === 0 ? undefined : Buffer.from(this.#frame.subarray(0, length));
  }

  /** The tick of a step, scheduled or not, as a frame; without the bench encoding. */
  tickFrame(index: number, step: number): Buffer {
    const length = this.#native.tick(this.#feed, index, step, this.#frame);
    return Buffer.from(this.#frame.subarray(0, length));
  }

  /**
   * Hands over every due tick: `deliver(index, frames, start, end)`, the frame being bytes start to end of `frames`,
   * valid during the call.
   */
  collect(now: number, deliver: (index: number, frames: Buffer, start: number, end: number) => void): void {
    let count = batchTicks;
    while (count === batchTicks) {
      count = this.#native.collect(this.#feed, now, batchTicks, this.#indices, this.#ends, this.#frames);
      for (let i = 0; i < count; i++) {
        deliver(this.#indices[i]!, this.#frames, i === 0 ? 0 : this.#ends[i - 1]!, this.#ends[i]!);
      }
    }
  }

  /** When the next tick is due, undefined when no instrument is scheduled. */
  get nextDue(): number | undefined {
    const due = this.#native.nextDue(this.#feed);
    return due < 0 ? undefined : due;
  }

  /** Frees the native side; the feed must not be used after it. */
  close(): void {
    this.#native.free(this.#feed);
  }
}

/** Minutes of the night session, number of day sessions, begin and end of each. */
function hoursAsNumbers({ day, night }: SessionHours): Int32Array {
  return Int32Array.of(night === null ? 0 : night[1] - nightOpen, day.length, ...day.flat());
}
