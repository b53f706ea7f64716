import type { Contract } from './contracts.js';
import type { ParsedInstrumentId } from './instrumentId.js';
import { loadSpelling, spell, type Spelling } from './pinyin.js';
import type { Product, ProductTable } from './products.js';
import { dayToUtcMs } from './tradingCalendar.js';
import { tradingTime } from './tradingHours.js';

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
function expireSeconds(expireDate: number): number {
  return (dayToUtcMs(expireDate) + expiryHourUtcMs) / 1000;
}

/**
 * What a first snapshot says of the instrument itself, as JSON members without braces. Empty where the product is
 * unknown. An option shares its product's multiplier, but not its price step.
 */
export function staticFields(
  parsed: ParsedInstrumentId,
  contract: Contract | undefined,
  today: number,
): string {
  const { product } = parsed;
  if (product === undefined) return '';
  const members: Record<string, unknown> = {
    volume_multiple: product.multiplier,
    ins_class: parsed.class,
    ins_name: `${product.name}${parsed.delivery}`,
    trading_time: tradingTime(product),
  };
  if (parsed.class === 'FUTURE') {
    members['price_tick'] = product.priceTick;
    members['price_decs'] = decimalsOf(product.priceTick);
  }
  if (contract !== undefined) {
    members['expired'] = contract.expireDate < today;
    members['expire_datetime'] = expireSeconds(contract.expireDate);
  }
  return JSON.stringify(members).slice(1, -1);
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

  /** Its bytes in pieces, each made when it is asked for: of tens of thousands of options it is many megabytes. */
  *parts(): Generator<Buffer, void, undefined> {
    const spelling = loadSpelling();
    const shared = new Map<Product, string>();
    let text = `{"${referenceIndex.instrument_id}":${JSON.stringify(referenceIndex)}`;
    let entries = 0;
    for (const contract of this.#contracts) {
      const product = this.#products.get(contract.product);
      if (product === undefined) continue;
      let common = shared.get(product);
      if (common === undefined) shared.set(product, (common = productMembers(product, spelling)));
      const own = contractMembers(contract, product, this.#today);
      text += `,"${contract.exchange}.${contract.id}":{${own},${common}}`;
      if (++entries % entriesPerPart > 0) continue;
      yield Buffer.from(text);
      text = '';
    }
    yield Buffer.from(`${text}}`);
  }
}

/** What all contracts of a product have alike, as JSON members without braces. */
function productMembers(product: Product, spelling: Spelling): string {
  const members = {
    exchange_id: product.exchange,
    product_id: product.product,
    // tqsdk-js searches each part for what is typed, and dies of an entry without py.
    py: `${product.pinyin},${spell(product.name, spelling)}`,
    price_tick: product.priceTick,
    price_decs: decimalsOf(product.priceTick),
    volume_multiple: product.multiplier,
    trading_time: tradingTime(product),
    // Margins and fees are set by brokers and not known here.
    margin: null,
    commission: null,
  };
  return JSON.stringify(members).slice(1, -1);
}

/** The rest. */
function contractMembers(contract: Contract, product: Product, today: number): string {
  const delivery = /\d+/.exec(contract.id)?.[0] ?? '';
  const members = {
    class: 'FUTURE',
    instrument_id: `${contract.exchange}.${contract.id}`,
    ins_id: contract.id,
    ins_name: `${product.name}${delivery}`,
    expired: contract.expireDate < today,
    expire_datetime: expireSeconds(contract.expireDate),
    delivery_year: contract.deliveryYear,
    delivery_month: contract.deliveryMonth,
  };
  return JSON.stringify(members).slice(1, -1);
}
