import { contractNamed, type Contract } from './contracts.js';
import { parseInstrumentId } from './instrumentId.js';
import type { ProductTable } from './products.js';
import type { TradingCalendar } from '../calendar/tradingCalendar.js';

/** Version of the text; files of others are made again. */
const version = 1;

/** The content of the file, as JSON. */
interface KnownFile {
  readonly version: typeof version;
  /** Trading day, yyyymmdd, by which everything conceivable was tried out; 0 for none. */
  readonly swept: number;
  /** By `EXCHANGE.id`: the trading day on which it was found. */
  readonly instruments: Readonly<Record<string, number>>;
}

/** The instruments that have been found to exist beside those that are listed by rule. */
export class KnownInstruments {
  swept = 0;
  readonly #products: ProductTable;
  readonly #calendar: TradingCalendar;
  /** By key: when it was found, and what it is. */
  readonly #known = new Map<string, { readonly found: number; readonly contract: Contract }>();

  constructor(products: ProductTable, calendar: TradingCalendar) {
    this.#products = products;
    this.#calendar = calendar;
  }

  /**
   * Takes an instrument in.
   *
   * @param key `EXCHANGE.id`
   * @param today trading day, yyyymmdd
   * @returns false when it was known, or has expired, or is none
   */
  add(key: string, today: number): boolean {
    return !this.#known.has(key) && this.#put(key, today, today);
  }

  /** Drops what has expired; true when there was something. */
  prune(today: number): boolean {
    const before = this.#known.size;
    for (const [key, { contract }] of this.#known) if (contract.expireDate < today) this.#known.delete(key);
    return this.#known.size < before;
  }

  contracts(): Contract[] {
    return [...this.#known.values()].map(({ contract }) => contract);
  }

  /** The text of the file. */
  write(): string {
    const instruments = Object.fromEntries([...this.#known].map(([key, { found }]) => [key, found]));
    const file: KnownFile = { version, swept: this.swept, instruments };
    return `${JSON.stringify(file, null, 1)}\n`;
  }

  /**
   * Takes in what `write` has made. Instruments that no product table knows any more are skipped.
   *
   * @param today trading day, yyyymmdd
   * @throws Error, with one line on what is wrong; nothing is taken in then
   */
  read(text: string, today: number): void {
    const file = JSON.parse(text) as Partial<Record<keyof KnownFile, unknown>> | null;
    if (file?.version !== version) throw new Error(`its version is not ${version}`);
    if (!isDay(file.swept) && file.swept !== 0) throw new Error('its swept is no trading day');
    const { instruments } = file;
    if (typeof instruments !== 'object' || instruments === null) throw new Error('it has no instruments');
    const entries = Object.entries(instruments);
    const wrong = entries.find(([, found]) => !isDay(found));
    if (wrong !== undefined) throw new Error(`the day of ${wrong[0].slice(0, 100)} is none`);
    for (const [key, found] of entries) this.#put(key, found as number, today);
    this.swept = file.swept;
  }

  #put(key: string, found: number, today: number): boolean {
    const parsed = parseInstrumentId(key, this.#products);
    if (parsed === undefined) return false;
    // At CZCE the year is that which was meant when it was found.
    const contract = contractNamed(parsed, found, this.#calendar);
    if (contract.expireDate < today) return false;
    this.#known.set(key, { found, contract });
    return true;
  }
}

function isDay(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 20_000_101 && Number(value) <= 99_991_231;
}
