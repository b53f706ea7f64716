import { ownText } from '../../base/ownText.js';
import type { Contract } from './contracts.js';
import {
  adviseExpired,
  adviseUnknown,
  isExpired,
  type Advice,
  type AdviceFacts,
} from './instrumentAdvice.js';
import {
  parseInstrumentId,
  splitPrefix,
  type InstrumentClass,
  type ParsedInstrumentId,
} from './instrumentId.js';
import { staticFields, SymbolsFile } from './instrumentFile.js';
import { matches, type InstrumentPattern } from './instrumentPattern.js';
import { InstrumentSlots, type SlotFigures } from './instrumentSlots.js';
import { InstrumentSearch, type MatchingInstruments, type InstrumentFilter } from './instrumentSearch.js';
import { Listing, type ListedDay, type ListingParts } from './listing.js';
import type { Exchange, Product, ProductTable } from './products.js';
import { SymbolInfo } from './symbolInfo.js';
import type { TradingCalendar } from '../calendar/tradingCalendar.js';

/**
 * An instrument that somebody has asked for. Its slot is its index in every per-instrument array, and never changes once it
 * has ticked.
 */
export interface Instrument {
  readonly slot: number;
  /** Bare id, as the vendor's API takes it. */
  readonly id: string;
  readonly exchange: Exchange;
  /** `EXCHANGE.id`. */
  readonly key: string;
  readonly product: Product | undefined;
  /** Units per lot, its own where it was imported; 1 where nothing is known of it. */
  readonly multiplier: number;
  readonly class: InstrumentClass;
  /** The members of a first snapshot that hardly change, as JSON text without braces; empty for unknown products. */
  readonly staticJson: string;
}

export interface DirectoryParts extends ListingParts {
  /** Slots that there are; while all are in use, requests resolve to nothing. */
  readonly maxInstruments: number;
}

/** Part of the slots that ids may take which are not listed today, so that no client can bar the others' contracts. */
const unlistedShare = 0.75;
/** Most slots of one client, as a multiple of the free ones: many may ask for much, and some are left for the next. */
const shareOfFree = 2;

/** Every instrument that was asked for, and the contracts that are listed today. */
export class InstrumentDirectory {
  readonly #products: ProductTable;
  readonly #maxInstruments: number;
  readonly #instruments: (KnownInstrument | undefined)[] = [];
  readonly #slots: InstrumentSlots;
  /** Where the next look for slots that can be given back begins. */
  #looked = 0;
  #refused = 0;
  /** Of imported instruments that have one of their own, by id. */
  #multipliers: ReadonlyMap<string, number> = new Map();
  readonly #byId = new Map<string, KnownInstrument>();
  readonly #listing: Listing;
  readonly #search: InstrumentSearch;
  #info: { readonly of: ListedDay; readonly info: SymbolInfo } | undefined;
  #file: { readonly of: ListedDay; readonly file: SymbolsFile } | undefined;

  constructor(options: DirectoryParts) {
    this.#products = options.products;
    this.#maxInstruments = options.maxInstruments;
    this.#slots = new InstrumentSlots(options.maxInstruments);
    this.#listing = new Listing(options);
    this.#search = new InstrumentSearch(options.products);
  }

  get size(): number {
    return this.#slots.used;
  }

  get slots(): SlotFigures {
    return { used: this.#slots.used, free: this.#freeSlots, refused: this.#refused };
  }

  get #freeSlots(): number {
    return Math.max(0, Math.floor(this.#maxInstruments * unlistedShare) - this.#slots.used);
  }

  /**
   * The instrument that a client means by `rb2512` or `SHFE.rb2512`, with a slot from its first mention on.
   * Undefined when no such instrument can exist (parseInstrumentId), or when there is no slot for it (`lacksSlot`).
   *
   * @param held instruments that are not listed which who asks has already: one may not have all slots
   */
  resolve(requested: string, held = 0): Instrument | undefined {
    const known = this.#byId.get(requested);
    if (known !== undefined) return known;
    const parsed = parseInstrumentId(requested, this.#products);
    if (parsed === undefined) return undefined;
    const named = this.#byId.get(parsed.id);
    if (named !== undefined) return named.exchange === parsed.exchange ? named : undefined;
    const hasSlot = held < shareOfFree * this.#freeSlots || this.#listing.current().contracts.has(parsed.id);
    const slot = hasSlot ? this.#slots.take() : undefined;
    return slot === undefined ? undefined : this.#add(slot, parsed);
  }

  /** Whether `resolve` refuses the name only for want of a slot. */
  lacksSlot(requested: string): boolean {
    const parsed = parseInstrumentId(requested, this.#products);
    return parsed !== undefined && !this.#byId.has(parsed.id);
  }

  /** So many names were refused for want of slots. */
  countRefused(names: number): void {
    this.#refused += names;
  }

  /** Tag of the slot's instrument, which may lose the slot meanwhile (instrumentSlots.ts). */
  tagOf(slot: number): number {
    return this.#slots.tagOf(slot);
  }

  /** The slot that a tag stands for; -1 for one of an instrument that has lost it. For the tick path. */
  slotOf(tag: number): number {
    return this.#slots.slotOf(tag);
  }

  /**
   * Looks at some more slots in their order, and takes those back that are of no use.
   *
   * @param most how many to look at
   * @param isInUse whether somebody may still speak of the instrument, or something of it is kept
   * @param onFreed forgets what is noted by slot
   */
  giveBack(most: number, isInUse: (slot: number) => boolean, onFreed: (slot: number) => void): void {
    for (let left = Math.min(most, this.#slots.end); left > 0; left--) {
      if (this.#looked >= this.#slots.end) this.#looked = 0;
      const slot = this.#looked++;
      const instrument = this.#instruments[slot];
      if (instrument === undefined || isInUse(slot)) continue;
      this.#instruments[slot] = undefined;
      this.#byId.delete(instrument.id);
      this.#slots.giveBack(slot);
      onFreed(slot);
    }
  }

  /** The instrument of a name if it has a slot already. */
  find(requested: string): Instrument | undefined {
    const known = this.#byId.get(requested);
    if (known !== undefined) return known;
    const { exchange, id } = splitPrefix(requested);
    const named = exchange === undefined ? undefined : this.#byId.get(id);
    return named?.exchange === exchange ? named : undefined;
  }

  /** Whether the instrument is listed today. */
  isListed(slot: number): boolean {
    return this.#listing.current().contracts.has(this.bySlot(slot).id);
  }

  /** The `EXCHANGE.id` that a client means, without giving out a slot; undefined when no such instrument can exist. */
  keyOf(requested: string): string | undefined {
    const known = this.#byId.get(requested);
    if (known !== undefined) return known.key;
    const parsed = parseInstrumentId(requested, this.#products);
    return parsed === undefined ? undefined : `${parsed.exchange}.${parsed.id}`;
  }

  /** The instrument of a slot that `resolve` gave out. */
  bySlot(slot: number): Instrument {
    const instrument = this.#instruments[slot];
    if (instrument === undefined) throw new RangeError(`no instrument has slot ${slot}`);
    return instrument;
  }

  /** Id of the slot's instrument, for people; empty if the slot is free. */
  nameOf(slot: number): string {
    return this.#instruments[slot]?.id ?? '';
  }

  /** Today's list; the same object as long as nothing changes. */
  listed(): ListedDay {
    return this.#listing.current();
  }

  /** Bare ids of what is listed today and passes the filter, sorted by exchange and id. */
  list(filter: InstrumentFilter = {}): string[] {
    return this.search(filter).instruments;
  }

  /** Instruments that match a filter, and how many there are beyond the limit. */
  search(filter: InstrumentFilter): MatchingInstruments {
    return this.#search.find(this.#listing.current().contracts.values(), filter);
  }

  /** Listed instruments that match a pattern, as the pattern writes them: with the exchange if it names one. */
  expand(pattern: InstrumentPattern): string[] {
    const ids: string[] = [];
    for (const contract of this.#listing.current().contracts.values())
      if (matches(pattern, contract))
        ids.push(pattern.exchange === undefined ? contract.id : `${contract.exchange}.${contract.id}`);
    return ids;
  }

  /** Suggestions for a name that `resolve` refuses. */
  adviseUnknown(requested: string, openInterest: (slot: number) => number): Advice {
    return adviseUnknown(requested, this.#facts(openInterest));
  }

  /** Those that no front has ticks of any more; what cannot be told is not among them. */
  expiredOf(requested: readonly string[]): string[] {
    const listed = this.#listing.current();
    return requested.filter((each) => {
      if (listed.contracts.has(each)) return false;
      const parsed = parseInstrumentId(each, this.#products);
      return parsed !== undefined && isExpired(parsed, listed);
    });
  }

  /** Advice about one of these. */
  adviseExpired(requested: string, openInterest: (slot: number) => number): Advice {
    const parsed = parseInstrumentId(requested, this.#products);
    return parsed === undefined
      ? adviseUnknown(requested, this.#facts(openInterest))
      : adviseExpired(parsed, this.#facts(openInterest));
  }

  /** Takes another calendar of the trading days. */
  setCalendar(calendar: TradingCalendar): void {
    this.#listing.setCalendar(calendar);
  }

  /** Takes what was imported in place of what was imported before. */
  setImported(contracts: readonly Contract[]): void {
    this.#listing.setImported(contracts);
    this.#multipliers = new Map(
      contracts.flatMap(({ id, multiplier }) => (multiplier === undefined ? [] : [[id, multiplier]])),
    );
    for (const instrument of this.#byId.values()) this.#setMultiplier(instrument);
  }

  /** Takes what has been found to exist in place of what had been found before. */
  setFound(contracts: readonly Contract[]): void {
    this.#listing.setFound(contracts);
  }

  /** Body of GET /symbols/latest.json: another one whenever what is listed changes. */
  symbolsFile(): SymbolsFile {
    const listed = this.#listing.current();
    if (this.#file?.of !== listed)
      this.#file = {
        of: listed,
        file: new SymbolsFile([...listed.contracts.values()], this.#products, listed.day),
      };
    return this.#file.file;
  }

  /** Facts for instrument queries: another object whenever the list changes. */
  symbolInfo(): SymbolInfo {
    const listed = this.#listing.current();
    if (this.#info?.of !== listed)
      this.#info = { of: listed, info: new SymbolInfo(listed, this.#products, this.#listing.calendar) };
    return this.#info.info;
  }

  #facts(openInterest: (slot: number) => number): AdviceFacts {
    return {
      ...this.#listing.current(),
      products: this.#products,
      openInterest: (id) => {
        const slot = this.#byId.get(id)?.slot;
        return slot === undefined ? 0 : openInterest(slot) || 0;
      },
    };
  }

  #add(slot: number, found: ParsedInstrumentId): Instrument {
    // The id may be cut out of a client's whole list, which it would keep in memory.
    const parsed = { ...found, id: ownText(found.id) };
    const instrument = new KnownInstrument(slot, parsed, this.#describer);
    this.#setMultiplier(instrument);
    this.#instruments[slot] = instrument;
    this.#byId.set(parsed.id, instrument);
    return instrument;
  }

  #setMultiplier(instrument: KnownInstrument): void {
    instrument.multiplier = this.#multipliers.get(instrument.id) ?? instrument.product?.multiplier ?? 1;
  }

  readonly #describer: Describer = {
    listing: () => this.#listing.revision,
    describe: (parsed) => {
      const { contracts, day } = this.#listing.current();
      return staticFields(parsed, contracts.get(parsed.id), day);
    },
  };
}

/** Says what never changes of an instrument while the list is the same. */
interface Describer {
  /** Number of the list. */
  listing(): number;
  describe(parsed: ParsedInstrumentId): string;
}

/** A class, since the engine looks every property of an object literal with a getter up in a hash table of its own. */
class KnownInstrument implements Instrument {
  readonly slot: number;
  readonly id: string;
  readonly exchange: Exchange;
  readonly key: string;
  readonly product: Product | undefined;
  readonly class: InstrumentClass;
  multiplier = 1;
  readonly #parsed: ParsedInstrumentId;
  readonly #describer: Describer;
  #staticJson = '';
  /** Number of the list that it was made from; none so far. */
  #listing = -1;

  constructor(slot: number, parsed: ParsedInstrumentId, describer: Describer) {
    this.slot = slot;
    this.id = parsed.id;
    this.exchange = parsed.exchange;
    this.key = `${parsed.exchange}.${parsed.id}`;
    this.product = parsed.product;
    this.class = parsed.class;
    this.#parsed = parsed;
    this.#describer = describer;
  }

  /** Made for the first snapshot: a client may name thousands of instruments at once that never tick. */
  get staticJson(): string {
    if (this.#listing !== this.#describer.listing()) {
      this.#staticJson = this.#describer.describe(this.#parsed);
      this.#listing = this.#describer.listing();
    }
    return this.#staticJson;
  }
}
