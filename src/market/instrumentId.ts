import { exchanges, type Exchange, type Product, type ProductTable } from './products.js';

export type InstrumentClass = 'FUTURE' | 'FUTURE_OPTION' | 'COMBINE';

/** What an instrument id says by itself. */
export interface ParsedInstrumentId {
  readonly id: string;
  readonly exchange: Exchange;
  readonly class: InstrumentClass;
  /** Undefined where the product table lacks it; such ids are taken only with an exchange prefix. */
  readonly product: Product | undefined;
  /** Two-digit or, at CZCE, one-digit year followed by the month; empty for combinations. */
  readonly delivery: string;
}

const maxIdLength = 80;
// The forms of the six exchanges: futures, TAS, month averages, options with and without hyphens, series options.
const single = /^([A-Za-z]{1,4})(\d{3,4})(F|TAS)?(?:-?(?:MS-?)?([CP])-?(\d+(?:\.\d+)?))?$/;
const combination = /^[A-Z]{2,5} ([A-Za-z]{1,4})\d{3,4}[A-Za-z0-9-]*&[A-Za-z0-9-]+$/;
const monthAverage = /^(l|v|pp)\d{4}F$/;

function validMonth(delivery: string): boolean {
  const month = Number(delivery.slice(-2));
  return month >= 1 && month <= 12;
}

/** Splits `SHFE.rb2512` into its exchange and bare id; without a known exchange's prefix all of it is the id. */
function splitPrefix(requested: string): { exchange: Exchange | undefined; id: string } {
  const dot = requested.indexOf('.');
  const exchange = exchanges.find((name) => name.length === dot && requested.startsWith(name));
  return exchange === undefined ? { exchange, id: requested } : { exchange, id: requested.slice(dot + 1) };
}

/**
 * Parses an instrument id, bare (`rb2512`) or prefixed (`SHFE.rb2512`), case-sensitively.
 *
 * Undefined when no such instrument can exist: no known form, a month outside 1–12, a prefix that is not the
 * product's exchange, or an unknown product without a prefix. An unknown product with a prefix is accepted, so
 * that a new listing can be subscribed before the product table knows it.
 */
export function parseInstrumentId(requested: string, products: ProductTable): ParsedInstrumentId | undefined {
  if (requested.length > maxIdLength + 6) return undefined;
  const split = splitPrefix(requested);
  if (split.id.length > maxIdLength) return undefined;
  const { id } = split;

  // The blank is looked for first: `SP` begins a combination, `sp` is wood pulp.
  const combined = combination.exec(id);
  const match = combined ?? single.exec(id);
  if (match === null) return undefined;
  const letters = match[1]!;
  const product = products.get(combined === null && monthAverage.test(id) ? `${letters}_f` : letters);
  const exchange = split.exchange ?? product?.exchange;
  if (exchange === undefined || (product !== undefined && product.exchange !== exchange)) return undefined;
  if (combined !== null) return { id, exchange, class: 'COMBINE', product, delivery: '' };

  const delivery = match[2]!;
  if (!validMonth(delivery) || delivery.length !== (exchange === 'CZCE' ? 3 : 4)) return undefined;
  return { id, exchange, class: match[4] === undefined ? 'FUTURE' : 'FUTURE_OPTION', product, delivery };
}
