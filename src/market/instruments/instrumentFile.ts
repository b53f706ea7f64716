import { optionTerms, type Contract } from './contracts.js';
import type { InstrumentClass, ParsedInstrumentId } from './instrumentId.js';
import { loadSpelling, spell, type Spelling } from './pinyin.js';
import type { Exchange, Product, ProductTable } from './products.js';
import { dayToUtcMs } from '../calendar/tradingCalendar.js';
import { tradingTime } from './productHours.js';

/** Contracts stop trading at 15:00 Shanghai on their last day. */
const expiryHourUtcMs = 7 * 3_600_000;

/** The index that tqsdk-python looks up while it starts, and dies without. */
const referenceIndex = {
  class: 'INDEX',
  instrument_id: 'CSI.000300',
  ins_id: '000300',
  ins_name: '沪深300',
  exchange_id: 'CSI',
  product_id: '',
  py: 'hs300,hushen300',
  price_tick: 0.01,
  price_decs: 2,
  volume_multiple: 1,
  expired: false,
  trading_time: {
    day: [
      ['09:30:00', '11:30:00'],
      ['13:00:00', '15:00:00'],
    ],
    night: [],
  },
};

/** Decimals that a price of this step needs: 0.005 → 3, 5 → 0. */
export function decimalsOf(priceTick: number): number {
  let decimals = 0;
  while (decimals < 9 && Math.abs(priceTick * 10 ** decimals - Math.round(priceTick * 10 ** decimals)) > 1e-9)
    decimals++;
  return decimals;
}

/** Seconds since the epoch, as TqSdk counts expire_datetime. */
export function expireSeconds(expireDate: number): number {
  return (dayToUtcMs(expireDate) + expiryHourUtcMs) / 1000;
}

/**
 * What a first snapshot says of the instrument itself, as JSON members without braces: what its contract and its product
 * are known to have. Empty where neither is known.
 */
export function staticFields(
  parsed: ParsedInstrumentId,
  contract: Contract | undefined,
  today: number,
): string {
  const { product } = parsed;
  if (product === undefined && contract === undefined) return '';
  const option = contract?.option ?? optionOf(parsed);
  const name = nameOf(parsed.id, parsed.class, product, contract);
  const members: Record<string, unknown> = {
    volume_multiple: contract?.multiplier ?? product?.multiplier,
    // The word of DIFF servers' quotes and queries; the file has FUTURE_OPTION. TqSdk takes both, in places OPTION alone.
    ins_class: parsed.class === 'FUTURE_OPTION' ? 'OPTION' : parsed.class,
    ins_name: name,
    instrument_name: name,
    ...orderVolumes(parsed.class, product),
    trading_time: product === undefined ? undefined : tradingTime(product),
    ...pricing(parsed.class, product, contract),
    ...(option === undefined ? {} : optionMembers(parsed.exchange, option)),
  };
  if (contract !== undefined) {
    members['expired'] = contract.expireDate < today;
    members['expire_datetime'] = expireSeconds(contract.expireDate);
  }
  return JSON.stringify(members).slice(1, -1);
}

function optionOf(parsed: ParsedInstrumentId): Contract['option'] {
  const { parts } = parsed;
  if ('legs' in parts || parts.option === undefined) return undefined;
  return optionTerms(parsed, parts.option);
}

/** The exchanges' name, or the product's name with the rest of the id: 螺纹钢2701, 铜2701C86000. */
export function nameOf(
  id: string,
  kind: InstrumentClass,
  product: Product | undefined,
  contract: Contract | undefined,
): string {
  if (contract?.name !== undefined) return contract.name;
  return product === undefined || kind === 'COMBINE' ? id : id.replace(/^[A-Za-z]+/, product.name);
}

/** Combinations have price steps of their own, which the product table does not know, as it does not of some options. */
export function pricing(
  kind: InstrumentClass,
  product: Product | undefined,
  contract: Contract | undefined,
): { price_tick?: number; price_decs?: number } {
  const tick = contract?.priceTick ?? usualPriceTick(kind, product);
  return tick === undefined ? {} : { price_tick: tick, price_decs: decimalsOf(tick) };
}

function usualPriceTick(kind: InstrumentClass, product: Product | undefined): number | undefined {
  if (kind === 'FUTURE') return product?.priceTick;
  if (kind === 'COMBINE') return undefined;
  // A code that options alone have states their step as its own.
  return product?.underlying === undefined ? product?.optionPriceTick : product.priceTick;
}

/** How many lots an order of a future may have; of the others it is not known. */
export function orderVolumes(kind: InstrumentClass, product: Product | undefined): Record<string, number> {
  if (kind !== 'FUTURE' || product === undefined) return {};
  const { maxLimitOrderVolume, maxMarketOrderVolume } = product;
  return {
    max_limit_order_volume: maxLimitOrderVolume,
    max_market_order_volume: maxMarketOrderVolume,
    min_limit_order_volume: 1,
    min_market_order_volume: Math.min(1, maxMarketOrderVolume),
  };
}

/** In yuan per lot. */
export interface LotTerms {
  readonly margin: number;
  readonly commission: number;
}

/** Margin and commission of a lot at a price, in yuan, as simulated accounts take them; brokers set others. */
export function lotTerms(
  { marginRate, commissionRate }: Product,
  multiplier: number,
  price: number,
): LotTerms {
  const value = price * multiplier;
  return { margin: round4(value * marginRate), commission: round4(value * commissionRate) };
}

function round4(value: number): number {
  return Number(value.toFixed(4));
}

function optionMembers(
  exchange: Exchange,
  { right, strike, underlying }: NonNullable<Contract['option']>,
): object {
  return {
    option_class: right === 'C' ? 'CALL' : 'PUT',
    strike_price: strike,
    ...(underlying === undefined ? {} : { underlying_symbol: `${exchange}.${underlying}` }),
  };
}

/** Entries of a part: a few ms of work. */
const entriesPerPart = 100;

/**
 * The instrument file that TqSdk's clients read, as UTF-8 JSON keyed `EXCHANGE.id`. tqsdk-js takes what has no entry for
 * non-existent; continuous contracts and indices (`KQ.m@…`, `KQ.i@…`) have none, since no front quotes them.
 */
export class SymbolsFile {
  readonly #contracts: readonly Contract[];
  readonly #products: ProductTable;
  readonly #today: number;

  /** @param today yyyymmdd in Shanghai, for what has expired */
  constructor(contracts: readonly Contract[], products: ProductTable, today: number) {
    this.#contracts = contracts;
    this.#products = products;
    this.#today = today;
  }

  /** The file's bytes in pieces, each made when it is asked for: with tens of thousands of options it has many megabytes. */
  *parts(): Generator<Buffer, void, undefined> {
    const spelling = loadSpelling();
    const shared = new Map<string, string>();
    let text = `{"${referenceIndex.instrument_id}":${JSON.stringify(referenceIndex)}`;
    let entries = 0;
    for (const contract of this.#contracts) {
      const product = this.#products.get(contract.product);
      let common = shared.get(contract.product);
      if (common === undefined)
        shared.set(contract.product, (common = productMembers(contract.product, product, spelling)));
      const own = contractMembers(contract, product, this.#today);
      text += `,"${contract.exchange}.${contract.id}":{${own},${common}}`;
      if (++entries % entriesPerPart > 0) continue;
      yield Buffer.from(text);
      text = '';
    }
    yield Buffer.from(`${text}}`);
  }
}

/** By the price in the product table. */
export function usualLotTerms(
  kind: InstrumentClass,
  contract: Contract,
  product: Product | undefined,
): Partial<LotTerms> {
  return kind !== 'FUTURE' || product === undefined
    ? {}
    : lotTerms(product, contract.multiplier ?? product.multiplier, product.referencePrice);
}

/** Members that all contracts of a product share, as JSON without braces. */
function productMembers(code: string, product: Product | undefined, spelling: Spelling): string {
  const members = {
    product_id: code,
    // tqsdk-js searches each part for what is typed, and dies of an entry without py.
    py: product === undefined ? '' : `${product.pinyin},${spell(product.name, spelling)}`,
    trading_time: product === undefined ? null : tradingTime(product),
  };
  return JSON.stringify(members).slice(1, -1);
}

/** The rest. tqsdk-python dies of an entry without price_tick, price_decs, volume_multiple or expired; null will do. */
function contractMembers(contract: Contract, product: Product | undefined, today: number): string {
  const kind = contract.class ?? 'FUTURE';
  const name = nameOf(contract.id, kind, product, contract);
  const members = {
    class: kind,
    instrument_id: `${contract.exchange}.${contract.id}`,
    ins_id: contract.id,
    ins_name: name,
    instrument_name: name,
    exchange_id: contract.exchange,
    price_tick: null,
    price_decs: null,
    ...pricing(kind, product, contract),
    volume_multiple: contract.multiplier ?? product?.multiplier ?? null,
    expired: contract.expireDate < today,
    expire_datetime: expireSeconds(contract.expireDate),
    delivery_year: contract.deliveryYear,
    delivery_month: contract.deliveryMonth,
    ...orderVolumes(kind, product),
    margin: null,
    commission: null,
    // The price is a rough one: the quote of an instrument states both by its last settlement price.
    ...usualLotTerms(kind, contract, product),
    ...(contract.option === undefined ? {} : optionMembers(contract.exchange, contract.option)),
  };
  return JSON.stringify(members).slice(1, -1);
}
