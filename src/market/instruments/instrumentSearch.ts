import type { Contract } from './contracts.js';
import type { InstrumentClass } from './instrumentId.js';
import { loadSpelling, spell, type Spelling } from './pinyin.js';
import type { ProductTable } from './products.js';

/** Search criteria; absent ones do not matter. */
export interface InstrumentFilter {
  /** In ids, product codes, names, or at the beginning of a name in pinyin: initials or whole; case does not count. */
  readonly search?: string;
  /** Exact name of the exchange. */
  readonly exchange?: string;
  /** A code of the product table; case does not count. */
  readonly product?: string;
  readonly kind?: InstrumentKind;
  /** Give so many at most. */
  readonly limit?: number;
}

export const instrumentKinds = ['future', 'option', 'combination'] as const;
export type InstrumentKind = (typeof instrumentKinds)[number];

export interface MatchingInstruments {
  /** Bare ids, in the order of the list. */
  readonly instruments: string[];
  /** How many there are, beyond the limit too. */
  readonly total: number;
}

const kinds: Readonly<Record<InstrumentClass, InstrumentKind>> = {
  FUTURE: 'future',
  FUTURE_OPTION: 'option',
  COMBINE: 'combination',
};

/** Looks contracts up by id, product, Chinese name and pinyin. */
export class InstrumentSearch {
  readonly #products: ProductTable;
  #spelling: Spelling | undefined;
  /** By product code: what a search for its name finds. */
  readonly #names = new Map<string, { readonly name: string; readonly pinyin: readonly string[] }>();

  constructor(products: ProductTable) {
    this.#products = products;
  }

  find(contracts: Iterable<Contract>, filter: InstrumentFilter): MatchingInstruments {
    const search = filter.search?.trim().toLowerCase() ?? '';
    const product = filter.product?.toLowerCase();
    const instruments: string[] = [];
    let total = 0;
    for (const contract of contracts) {
      if (filter.exchange !== undefined && contract.exchange !== filter.exchange) continue;
      if (product !== undefined && contract.product.toLowerCase() !== product) continue;
      if (filter.kind !== undefined && kinds[contract.class ?? 'FUTURE'] !== filter.kind) continue;
      if (search !== '' && !this.#matches(contract, search)) continue;
      if (total++ < (filter.limit ?? Infinity)) instruments.push(contract.id);
    }
    return { instruments, total };
  }

  #matches({ id, exchange, product, name }: Contract, search: string): boolean {
    if (`${exchange}.${id}`.toLowerCase().includes(search)) return true;
    if (name?.toLowerCase().includes(search) === true) return true;
    const known = this.#nameOf(product);
    return (
      known !== undefined &&
      (known.name.includes(search) || known.pinyin.some((each) => each.startsWith(search)))
    );
  }

  #nameOf(code: string): { readonly name: string; readonly pinyin: readonly string[] } | undefined {
    const known = this.#names.get(code);
    if (known !== undefined) return known;
    const product = this.#products.get(code);
    if (product === undefined) return undefined;
    this.#spelling ??= loadSpelling();
    const made = {
      name: product.name.toLowerCase(),
      pinyin: [product.pinyin, spell(product.name, this.#spelling)],
    };
    this.#names.set(code, made);
    return made;
  }
}
