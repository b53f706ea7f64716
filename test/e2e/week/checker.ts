import { firstDays, lastDays, stretchesOf, tradingDays, type Stretch, type TradingDay } from './calendar.js';

/** What a client was sent of one tick. */
export interface SeenTick {
  /** Bare id. */
  readonly instrument: string;
  /** ms since the epoch. */
  readonly timestamp: number;
  /** yyyy-mm-dd HH:MM:SS.mmm in Shanghai. */
  readonly datetime: string;
  /** yyyymmdd */
  readonly tradingDay: string;
  readonly volume: number;
}

/** A session's last tick may be stamped so long after its end. */
const lateTicksMs = 3_000;
/** An auction's tick is stamped in its last minute. */
const auctionTickMs = 60_000;
const monthAverage = /^(l|v|pp)\d{4}F$/;
const shanghaiOffsetMs = 8 * 3_600_000;
const mostFaults = 40;

/** One stretch of a product's trading day, with what came in it by instrument. */
interface Watched extends Stretch {
  readonly day: string;
  readonly seen: Map<string, number>;
}

/**
 * Checks the ticks that a client receives against the week as it was written down: that each lies in a session, an
 * auction or the after-close time of its product, on the right dates; that none steps back; that every contract ticks in
 * each session of each of its days, and on no other day.
 */
export class WeekChecker {
  readonly #contracts: ReadonlySet<string>;
  readonly #from: number;
  readonly #to: number;
  readonly #faults: string[] = [];
  #faultCount = 0;
  /** By product and trading day. */
  readonly #watched = new Map<string, readonly Watched[]>();
  readonly #newest = new Map<string, SeenTick>();
  #ticks = 0;

  /**
   * @param contracts ids of all that are subscribed; what of them expires and what is new is written down
   * @param from when all were subscribed, ms since the epoch
   * @param to when the last tick was waited for
   */
  constructor(contracts: Iterable<string>, from: number, to: number) {
    this.#contracts = new Set(contracts);
    this.#from = from;
    this.#to = to;
  }

  /** How many ticks it has been given. */
  get ticks(): number {
    return this.#ticks;
  }

  take(tick: SeenTick): void {
    this.#ticks++;
    const { instrument, timestamp, datetime, tradingDay } = tick;
    const text = new Date(timestamp + shanghaiOffsetMs).toISOString().slice(0, 23).replace('T', ' ');
    if (text !== datetime) this.#fault(tick, `its timestamp ${timestamp} is ${text}`);
    if (!this.#contracts.has(instrument)) this.#fault(tick, 'it was not subscribed');
    const day = tradingDays.find((each) => each.day === tradingDay);
    if (day === undefined) {
      this.#fault(tick, 'its trading day is none of the week');
      return;
    }
    const stretch = this.#stretches(productOf(instrument), day).find((each) => belongs(each, timestamp));
    if (stretch === undefined) this.#fault(tick, 'its product has no session then');
    else stretch.seen.set(instrument, (stretch.seen.get(instrument) ?? 0) + 1);
    if (tradingDay > (lastDays[instrument] ?? tradingDay)) this.#fault(tick, 'the contract has expired');
    if (tradingDay < (firstDays[instrument] ?? tradingDay))
      this.#fault(tick, 'the contract is not listed yet');
    this.#follow(tick);
  }

  /** What was wrong, a line each; none where all was right. */
  finish(): string[] {
    for (const instrument of this.#contracts)
      for (const day of tradingDays) if (isLive(instrument, day.day)) this.#expectTicks(instrument, day);
    const more = this.#faultCount - this.#faults.length;
    return more === 0 ? this.#faults : [...this.#faults, `and ${more} more`];
  }

  #follow(tick: SeenTick): void {
    const before = this.#newest.get(tick.instrument);
    this.#newest.set(tick.instrument, tick);
    if (before === undefined) return;
    if (tick.tradingDay < before.tradingDay)
      this.#fault(tick, `after one of trading day ${before.tradingDay}`);
    if (tick.timestamp < before.timestamp) this.#fault(tick, `after one of ${before.datetime}`);
    if (tick.tradingDay === before.tradingDay && tick.volume < before.volume)
      this.#fault(tick, `its volume ${tick.volume} is less than ${before.volume} before`);
  }

  #expectTicks(instrument: string, day: TradingDay): void {
    for (const { kind, from, to, seen } of this.#stretches(productOf(instrument), day)) {
      if (from < this.#from || to > this.#to || seen.has(instrument)) continue;
      this.#add(`${instrument}: no tick in ${kind} from ${shown(from)} to ${shown(to)}`);
    }
  }

  #stretches(product: string, day: TradingDay): readonly Watched[] {
    const key = `${product} ${day.day}`;
    let found = this.#watched.get(key);
    if (found === undefined) {
      found = stretchesOf(product, day).map((each) => ({ ...each, day: day.day, seen: new Map() }));
      this.#watched.set(key, found);
    }
    return found;
  }

  #fault({ instrument, datetime, tradingDay }: SeenTick, what: string): void {
    this.#add(`${instrument} at ${datetime} of trading day ${tradingDay}: ${what}`);
  }

  #add(line: string): void {
    this.#faultCount++;
    if (this.#faults.length < mostFaults) this.#faults.push(line);
  }
}

/** The product that a contract's id begins with. */
export function productOf(instrument: string): string {
  const letters = /^[A-Za-z]+/.exec(instrument)?.[0] ?? '';
  return monthAverage.test(instrument) ? `${letters}_f` : letters;
}

function belongs({ kind, from, to }: Stretch, timestamp: number): boolean {
  if (kind === 'auction') return timestamp >= to + 1 - auctionTickMs && timestamp <= to;
  if (kind === 'status') return timestamp >= from && timestamp <= to;
  return timestamp >= from && timestamp < to + lateTicksMs;
}

function isLive(instrument: string, day: string): boolean {
  return day >= (firstDays[instrument] ?? day) && day <= (lastDays[instrument] ?? day);
}

function shown(timeMs: number): string {
  return new Date(timeMs + shanghaiOffsetMs).toISOString().slice(0, 19).replace('T', ' ');
}
