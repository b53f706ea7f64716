import { liveContracts, tradingDayAt, type Contract } from './contracts.js';
import { shanghaiDay } from './exchangeClock.js';
import { parseInstrumentId, type ParsedInstrumentId } from './instrumentId.js';
import { staticFields, SymbolsFile } from './instrumentFile.js';
import type { Exchange, Product, ProductTable } from './products.js';

/** An instrument that somebody has asked for. Its slot is its index in every per-instrument array and never changes. */
export interface Instrument {
  readonly slot: number;
  /** Bare id, as the vendor's API takes it. */
  readonly id: string;
  readonly exchange: Exchange;
  /** `EXCHANGE.id`. */
  readonly key: string;
  readonly product: Product | undefined;
  /** The members of a first snapshot that never change, as JSON text without braces; empty for unknown products. */
  readonly staticJson: string;
}

interface Listing {
  readonly day: number;
  /** The next day's contracts trade from the evening on. */
  readonly tradingDay: number;
  readonly contracts: ReadonlyMap<string, Contract>;
  file: SymbolsFile | undefined;
}

export interface DirectoryOptions {
  readonly products: ProductTable;
  /** Slots that may be given out; requests past it resolve to nothing. */
  readonly maxInstruments: number;
  /** ms since the epoch. */
  readonly now?: () => number;
}

/** Part of the slots that ids may take which are not listed today, so that no client can bar the others' contracts. */
const unlistedShare = 0.75;

/** Every instrument that was asked for, and the contracts that are listed today. */
export class InstrumentDirectory {
  readonly #products: ProductTable;
  readonly #maxInstruments: number;
  readonly #now: () => number;
  readonly #instruments: Instrument[] = [];
  readonly #byId = new Map<string, Instrument>();
  #listing: Listing | undefined;

  constructor(options: DirectoryOptions) {
    this.#products = options.products;
    this.#maxInstruments = options.maxInstruments;
    this.#now = options.now ?? Date.now;
  }

  get size(): number {
    return this.#instruments.length;
  }

  /**
   * The instrument that a client means by `rb2512` or `SHFE.rb2512`, with a slot from its first mention on.
   * Undefined when no such instrument can exist (parseInstrumentId), or when all slots are taken.
   */
  resolve(requested: string): Instrument | undefined {
    const known = this.#byId.get(requested);
    if (known !== undefined) return known;
    const parsed = parseInstrumentId(requested, this.#products);
    if (parsed === undefined) return undefined;
    const named = this.#byId.get(parsed.id);
    if (named !== undefined) return named.exchange === parsed.exchange ? named : undefined;
    const taken = this.#instruments.length;
    const hasSlot =
      taken < this.#maxInstruments * unlistedShare ||
      (taken < this.#maxInstruments && this.#today().contracts.has(parsed.id));
    return hasSlot ? this.#add(parsed) : undefined;
  }

  /** The instrument of a slot that `resolve` gave out. */
  bySlot(slot: number): Instrument {
    const instrument = this.#instruments[slot];
    if (instrument === undefined) throw new RangeError(`no instrument has slot ${slot}`);
    return instrument;
  }

  /**
   * Bare ids of the contracts listed today, sorted by exchange and id. `search` is matched against ids, product
   * codes, Chinese names and pinyin initials, ignoring case; `exchange` must be an exchange's exact name.
   */
  list(filter: { search?: string; exchange?: string } = {}): string[] {
    const search = filter.search?.trim().toLowerCase() ?? '';
    const found: string[] = [];
    for (const contract of this.#today().contracts.values()) {
      if (filter.exchange !== undefined && contract.exchange !== filter.exchange) continue;
      const product = this.#products.get(contract.product);
      if (search === '' || matches(contract, product, search)) found.push(contract.id);
    }
    return found;
  }

  /** Body of GET /symbols/latest.json: another one whenever what is listed changes. */
  symbolsFile(): SymbolsFile {
    const listing = this.#today();
    listing.file ??= new SymbolsFile([...listing.contracts.values()], this.#products, listing.day);
    return listing.file;
  }

  #today(): Listing {
    const day = shanghaiDay(this.#now());
    const tradingDay = tradingDayAt(new Date(this.#now()));
    if (this.#listing?.day !== day || this.#listing.tradingDay !== tradingDay) {
      const contracts = liveContracts(this.#products, new Date(this.#now()));
      const sorted = [...contracts].sort((a, b) => compare(a.exchange, b.exchange) || compare(a.id, b.id));
      this.#listing = {
        day,
        tradingDay,
        contracts: new Map(sorted.map((contract) => [contract.id, contract])),
        file: undefined,
      };
    }
    return this.#listing;
  }

  #add(parsed: ParsedInstrumentId): Instrument {
    const instrument = new KnownInstrument(this.#instruments.length, parsed, this.#describe);
    this.#instruments.push(instrument);
    this.#byId.set(parsed.id, instrument);
    return instrument;
  }

  readonly #describe = (parsed: ParsedInstrumentId): string => {
    const { contracts, day } = this.#today();
    return staticFields(parsed, contracts.get(parsed.id), day);
  };
}

/** A class, since the engine looks every property of an object literal with a getter up in a hash table of its own. */
class KnownInstrument implements Instrument {
  readonly slot: number;
  readonly id: string;
  readonly exchange: Exchange;
  readonly key: string;
  readonly product: Product | undefined;
  readonly #parsed: ParsedInstrumentId;
  readonly #describe: (parsed: ParsedInstrumentId) => string;
  #staticJson: string | undefined;

  constructor(slot: number, parsed: ParsedInstrumentId, describe: (parsed: ParsedInstrumentId) => string) {
    this.slot = slot;
    this.id = parsed.id;
    this.exchange = parsed.exchange;
    this.key = `${parsed.exchange}.${parsed.id}`;
    this.product = parsed.product;
    this.#parsed = parsed;
    this.#describe = describe;
  }

  /** Made for the first snapshot: a client may name thousands of instruments at once that never tick. */
  get staticJson(): string {
    return (this.#staticJson ??= this.#describe(this.#parsed));
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function matches(contract: Contract, product: Product | undefined, search: string): boolean {
  if (`${contract.exchange}.${contract.id}`.toLowerCase().includes(search)) return true;
  if (product === undefined) return false;
  return product.name.toLowerCase().includes(search) || product.pinyin.startsWith(search);
}
