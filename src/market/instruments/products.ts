import { readFileSync } from 'node:fs';
import { packagePath } from '../../base/paths.js';

export type Exchange = 'SHFE' | 'INE' | 'DCE' | 'CZCE' | 'CFFEX' | 'GFEX';

export const exchanges: readonly Exchange[] = ['SHFE', 'INE', 'DCE', 'CZCE', 'CFFEX', 'GFEX'];

/** One row of data/products.json. */
export interface Product {
  /** Product code as it begins an instrument id; month averages are `l_f`, `v_f`, `pp_f`. */
  readonly product: string;
  readonly exchange: Exchange;
  readonly name: string;
  /** Initials of the name's pinyin, for search. */
  readonly pinyin: string;
  /** Units per lot. */
  readonly multiplier: number;
  /** Smallest price step, in quoted currency. */
  readonly priceTick: number;
  /** End of the night session as HH:MM Shanghai, null where the product has none. */
  readonly nightClose: string | null;
  /** Sessions of the day as pairs of HH:MM Shanghai; absent: those of its exchange. */
  readonly dayHours?: readonly (readonly [string, string])[];
  /** Of a code that only options have (IO), the code of the futures with the same months (IF). */
  readonly underlying?: string;
  /** Delivery months that are ever listed, 1–12. */
  readonly months: readonly number[];
  /** How far ahead contracts are listed; see contracts.ts. */
  readonly listing: string;
  /** Rule of the last trading day; see contracts.ts. */
  readonly expiry: string;
  /** A price of the right order of magnitude, only for simulated prices. */
  readonly referencePrice: number;
  /** Daily limit as a fraction of the previous settlement price, only for simulated prices; absent: what is usual. */
  readonly priceLimit?: number;
  /** Smallest price step of the options that begin with the code; absent: not known. */
  readonly optionPriceTick?: number;
  /** Margin of a lot as a fraction of its value, for orders that clients simulate. */
  readonly marginRate: number;
  /** Commission of a lot as a fraction of its value, for orders that clients simulate. */
  readonly commissionRate: number;
  /** Most lots of a limit order. */
  readonly maxLimitOrderVolume: number;
  /** Most lots of a market order; 0 where the exchange takes none. */
  readonly maxMarketOrderVolume: number;
}

/** Order terms of an exchange's products where a row states none. */
interface OrderTerms {
  readonly margin_rate: number;
  readonly commission_rate: number;
  readonly max_limit_order_volume: number;
  readonly max_market_order_volume: number;
}

const commodities = { margin_rate: 0.1, commission_rate: 0.0001 };
const usualOrderTerms: Readonly<Record<Exchange, OrderTerms>> = {
  SHFE: { ...commodities, max_limit_order_volume: 500, max_market_order_volume: 0 },
  INE: { ...commodities, max_limit_order_volume: 500, max_market_order_volume: 0 },
  DCE: { ...commodities, max_limit_order_volume: 1000, max_market_order_volume: 1000 },
  CZCE: { ...commodities, max_limit_order_volume: 1000, max_market_order_volume: 200 },
  CFFEX: {
    margin_rate: 0.12,
    commission_rate: 0.000023,
    max_limit_order_volume: 20,
    max_market_order_volume: 10,
  },
  GFEX: { ...commodities, max_limit_order_volume: 1000, max_market_order_volume: 1000 },
};

/** Products by code, which is unique over all exchanges (checked by a test, also ignoring case). */
export type ProductTable = ReadonlyMap<string, Product>;

/** A product as files write it. */
export interface ProductRow {
  readonly product: string;
  readonly exchange: Exchange;
  readonly name: string;
  readonly pinyin: string;
  readonly volume_multiple: number;
  readonly price_tick: number;
  readonly night_close: string | null;
  readonly day_hours?: readonly (readonly [string, string])[] | null;
  readonly underlying?: string;
  readonly months: readonly number[];
  readonly listing: string;
  readonly expiry: string;
  readonly reference_price: number;
  /** Daily limit as a fraction of the previous settlement price, only for simulated prices. */
  readonly price_limit?: number;
  readonly option_price_tick?: number;
  readonly margin_rate?: number;
  readonly commission_rate?: number;
  readonly max_limit_order_volume?: number;
  readonly max_market_order_volume?: number;
}

/** The rows of the product table that ships with the package. */
export function shippedProductRows(): ProductRow[] {
  return JSON.parse(readFileSync(packagePath('data', 'products.json'), 'utf8')) as ProductRow[];
}

export function toProductTable(rows: Iterable<ProductRow>): ProductTable {
  return new Map(Array.from(rows, (row) => [row.product, toProduct(row)]));
}

/** Reads the product table that ships with the package. */
export function loadProducts(): ProductTable {
  return toProductTable(shippedProductRows());
}

function toProduct(row: ProductRow): Product {
  const terms: OrderTerms = { ...usualOrderTerms[row.exchange], ...row };
  return {
    product: row.product,
    exchange: row.exchange,
    name: row.name,
    pinyin: row.pinyin,
    multiplier: row.volume_multiple,
    priceTick: row.price_tick,
    nightClose: row.night_close,
    ...(row.day_hours == null ? {} : { dayHours: row.day_hours }),
    ...(row.underlying === undefined ? {} : { underlying: row.underlying }),
    months: row.months,
    listing: row.listing,
    expiry: row.expiry,
    referencePrice: row.reference_price,
    ...(row.price_limit === undefined ? {} : { priceLimit: row.price_limit }),
    ...(row.option_price_tick === undefined ? {} : { optionPriceTick: row.option_price_tick }),
    marginRate: terms.margin_rate,
    commissionRate: terms.commission_rate,
    maxLimitOrderVolume: terms.max_limit_order_volume,
    maxMarketOrderVolume: terms.max_market_order_volume,
  };
}
