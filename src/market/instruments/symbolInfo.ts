import { contractNamed, type Contract } from './contracts.js';
import { expireSeconds, nameOf, orderVolumes, pricing, usualLotTerms } from './instrumentFile.js';
import { formatInstrumentId, parseInstrumentId, type ParsedInstrumentId } from './instrumentId.js';
import type { ListedDay } from './listing.js';
import { loadSpelling, spell, type Spelling } from './pinyin.js';
import type { Product, ProductTable } from './products.js';
import type { TradingCalendar } from '../calendar/tradingCalendar.js';
import { tradingTime } from './productHours.js';

/** Which instruments are meant: those that pass all that is given. */
export interface SymbolFilter {
  /** `EXCHANGE.id` */
  readonly keys?: readonly string[];
  /** FUTURE, OPTION, COMBINE; others have no instrument here. */
  readonly classes?: readonly string[];
  readonly exchanges?: readonly string[];
  readonly products?: readonly string[];
  readonly expired?: boolean;
  /** Whether they trade at night. */
  readonly hasNight?: boolean;
}

/** JSON text of each member, by its name. */
export type SymbolMembers = ReadonlyMap<string, string>;

/**
 * What queries for instruments are told, in the words of the DIFF protocol's symbol service: times in ns, FUTURE_OPTION as
 * OPTION. Of one list; another list has another object.
 */
export class SymbolInfo {
  readonly #listed: ListedDay;
  readonly #products: ProductTable;
  readonly #calendar: TradingCalendar;
  readonly #common = new Map<string, SymbolMembers>();
  #spelling: Spelling | undefined;
  /** Options by the bare id of the future that they are on. */
  #options: ReadonlyMap<string, readonly Contract[]> | undefined;

  constructor(listed: ListedDay, products: ProductTable, calendar: TradingCalendar) {
    this.#listed = listed;
    this.#products = products;
    this.#calendar = calendar;
  }

  /**
   * The instrument of a key: a listed one, an expired one, or an option or combination that nobody has listed and whose
   * futures are. Undefined where there is none.
   */
  named(key: string): Contract | undefined {
    const parsed = parseInstrumentId(key, this.#products);
    if (parsed === undefined || key !== `${parsed.exchange}.${parsed.id}`) return undefined;
    const listed = this.#listed.contracts.get(parsed.id);
    if (listed !== undefined) return listed;
    const contract = contractNamed(parsed, this.#listed.tradingDay, this.#calendar);
    return contract.expireDate < this.#listed.tradingDay || this.#hasListedFutures(parsed)
      ? contract
      : undefined;
  }

  /** The list of instruments. */
  contracts(): Iterable<Contract> {
    return this.#listed.contracts.values();
  }

  /** Whether an instrument passes a filter, its keys left aside. */
  passes(contract: Contract, { classes, exchanges, products, expired, hasNight }: SymbolFilter): boolean {
    if (classes !== undefined && !classes.includes(classOf(contract))) return false;
    if (exchanges !== undefined && !exchanges.includes(contract.exchange)) return false;
    if (products !== undefined && !products.includes(contract.product)) return false;
    if (expired !== undefined && expired !== this.#isExpired(contract)) return false;
    const night = this.#products.get(contract.product)?.nightClose ?? null;
    return hasNight === undefined || hasNight === (night !== null);
  }

  /** The listed options on an instrument. */
  optionsOn({ id }: Contract): readonly Contract[] {
    this.#options ??= this.#byUnderlying();
    return this.#options.get(id) ?? [];
  }

  /** The future that an option is on, where it is listed. */
  underlyingOf({ option }: Contract): Contract | undefined {
    return option?.underlying === undefined ? undefined : this.#listed.contracts.get(option.underlying);
  }

  /** All that is known of an instrument; what is not known has no member. Some µs of work. */
  members(contract: Contract): SymbolMembers {
    const kind = contract.class ?? 'FUTURE';
    const product = this.#products.get(contract.product);
    const name = nameOf(contract.id, kind, product, contract);
    const multiple = contract.multiplier ?? product?.multiplier;
    const own: Record<string, unknown> = {
      class: classOf(contract),
      instrument_id: `${contract.exchange}.${contract.id}`,
      ins_id: contract.id,
      exchange_id: contract.exchange,
      instrument_name: name,
      ...pricing(kind, product, contract),
      trading_day: String(this.#listed.tradingDay),
      ...(multiple === undefined ? {} : { volume_multiple: multiple, quote_multiple: multiple }),
      expired: this.#isExpired(contract),
      ...this.#ofKind(contract, product),
    };
    const members = new Map(Object.entries(own).map(([key, value]) => [key, JSON.stringify(value)]));
    // As text: a number of ns has more digits than a JavaScript number.
    const expire = `${expireSeconds(contract.expireDate)}000000000`;
    members.set('expire_datetime', expire);
    if (contract.option !== undefined) members.set('last_exercise_datetime', expire);
    for (const [key, value] of this.#commonOf(contract.product, product)) members.set(key, value);
    return members;
  }

  #ofKind(contract: Contract, product: Product | undefined): Record<string, unknown> {
    const kind = contract.class ?? 'FUTURE';
    if (kind === 'FUTURE')
      return {
        product_id: contract.product,
        delivery_year: contract.deliveryYear,
        delivery_month: contract.deliveryMonth,
        ...orderVolumes(kind, product),
        ...usualLotTerms(kind, contract, product),
      };
    if (kind === 'COMBINE') return { product_id: contract.product, ...this.#legsOf(contract) };
    const { option } = contract;
    return option === undefined
      ? {}
      : { strike_price: option.strike, call_or_put: option.right === 'C' ? 'CALL' : 'PUT' };
  }

  #legsOf({ exchange, id }: Contract): Record<string, unknown> {
    const parsed = parseInstrumentId(`${exchange}.${id}`, this.#products);
    if (parsed === undefined || !('legs' in parsed.parts)) return {};
    return Object.fromEntries(
      parsed.parts.legs.map((leg, index) => [
        `leg${index + 1}`,
        { instrument_id: `${exchange}.${formatInstrumentId(leg)}` },
      ]),
    );
  }

  #commonOf(code: string, product: Product | undefined): SymbolMembers {
    let common = this.#common.get(code);
    if (common === undefined) {
      this.#spelling ??= loadSpelling();
      const texts: readonly [string, unknown][] =
        product === undefined
          ? []
          : [
              ['product_short_name', product.name],
              ['english_name', `${product.pinyin},${spell(product.name, this.#spelling)}`],
              ['trading_time', tradingTime(product)],
            ];
      common = new Map(texts.map(([key, value]) => [key, JSON.stringify(value)]));
      this.#common.set(code, common);
    }
    return common;
  }

  #isExpired({ expireDate }: Contract): boolean {
    return expireDate < this.#listed.day;
  }

  /** Whether the futures that an option or a combination is of are listed; a future is no such thing. */
  #hasListedFutures({ class: kind, parts, product }: ParsedInstrumentId): boolean {
    if (kind === 'FUTURE') return false;
    const legs = 'legs' in parts ? parts.legs : [parts];
    return legs.every((leg) => {
      const code = (this.#products.get(leg.code) ?? product)?.underlying ?? leg.code;
      const { contracts } = this.#listed;
      return contracts.has(formatInstrumentId({ ...leg, code, option: undefined }));
    });
  }

  #byUnderlying(): ReadonlyMap<string, readonly Contract[]> {
    const options = new Map<string, Contract[]>();
    for (const contract of this.#listed.contracts.values()) {
      const underlying = contract.option?.underlying;
      if (underlying === undefined) continue;
      const known = options.get(underlying);
      if (known === undefined) options.set(underlying, [contract]);
      else known.push(contract);
    }
    return options;
  }
}

function classOf({ class: kind = 'FUTURE' }: Contract): string {
  return kind === 'FUTURE_OPTION' ? 'OPTION' : kind;
}
