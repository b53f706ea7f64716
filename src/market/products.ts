import { readFileSync } from 'node:fs';
import { packagePath } from '../paths.js';

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
  /** Delivery months that are ever listed, 1–12. */
  readonly months: readonly number[];
  /** How far ahead contracts are listed; see contracts.ts. */
  readonly listing: string;
  /** Rule of the last trading day; see contracts.ts. */
  readonly expiry: string;
  /** A price of the right order of magnitude, for simulated prices alone. */
  readonly referencePrice: number;
}

/** Products by code, which is unique over all exchanges (checked by a test, also ignoring case). */
export type ProductTable = ReadonlyMap<string, Product>;

/** Reads the product table that ships with the package. */
export function loadProducts(): ProductTable {
  const rows = JSON.parse(readFileSync(packagePath('data', 'products.json'), 'utf8')) as Product[];
  return new Map(rows.map((row) => [row.product, row]));
}
