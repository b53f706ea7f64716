import { exchanges, type Exchange, type Product, type ProductTable } from './products.js';

export type InstrumentClass = 'FUTURE' | 'FUTURE_OPTION' | 'COMBINE';
export type OptionRight = 'C' | 'P';

/** Parts of a single instrument's id. */
export interface SingleParts {
  readonly exchange: Exchange;
  /** Letters that it begins with: the product's code, without the `_f` of a month average. */
  readonly code: string;
  /** Two-digit or, at CZCE, one-digit year followed by the month. */
  readonly delivery: string;
  /** `F` month average, `TAS` trade at settlement. */
  readonly variant: '' | 'F' | 'TAS';
  /** `strike` as it is written; `series`: of a series that expires apart from the others, marked MS. */
  readonly option:
    { readonly series: boolean; readonly right: OptionRight; readonly strike: string } | undefined;
}

/** Parts of a combination's id: `SP a2505&a2509` has the strategy SP and two legs. */
export interface CombinationParts {
  readonly exchange: Exchange;
  readonly strategy: string;
  readonly legs: readonly SingleParts[];
}

export type IdParts = SingleParts | CombinationParts;

/** Everything that an instrument id says by itself. */
export interface ParsedInstrumentId {
  readonly id: string;
  readonly exchange: Exchange;
  readonly class: InstrumentClass;
  /** Of a combination, that of its first leg. Undefined where the product table lacks it: taken with a prefix only. */
  readonly product: Product | undefined;
  /** Two-digit or, at CZCE, one-digit year followed by the month; empty for combinations. */
  readonly delivery: string;
  readonly parts: IdParts;
}

/** How an exchange writes its ids. */
interface Notation {
  readonly yearDigits: 1 | 2;
  readonly isUpper: boolean;
  /** Stands before the right, and between it and the strike. */
  readonly hyphen: '' | '-';
  readonly hasSeries: boolean;
  readonly variant: '' | 'F' | 'TAS';
}

/** Groups of the regular expressions below. */
interface Groups {
  readonly code: string;
  readonly delivery: string;
  readonly variant?: SingleParts['variant'];
  readonly series?: string;
  readonly right?: OptionRight;
  readonly strike?: string;
}

/** Exchanges' and the vendor's conventions; TAS is known of INE and allowed for its parent exchange. */
export const notations: Readonly<Record<Exchange, Notation>> = {
  SHFE: { yearDigits: 2, isUpper: false, hyphen: '', hasSeries: false, variant: 'TAS' },
  INE: { yearDigits: 2, isUpper: false, hyphen: '', hasSeries: false, variant: 'TAS' },
  DCE: { yearDigits: 2, isUpper: false, hyphen: '-', hasSeries: true, variant: 'F' },
  CZCE: { yearDigits: 1, isUpper: true, hyphen: '', hasSeries: true, variant: '' },
  CFFEX: { yearDigits: 2, isUpper: true, hyphen: '-', hasSeries: false, variant: '' },
  GFEX: { yearDigits: 2, isUpper: false, hyphen: '-', hasSeries: true, variant: '' },
};

const maxIdLength = 80;
const mostLegs = 4;
const codeStart = /^[A-Za-z]{1,4}(?=\d)/;
const combination = /^([A-Z]{2,5}) ([^ ]+)$/;
const forms = Object.fromEntries(
  exchanges.map((exchange) => [exchange, formOf(notations[exchange])]),
) as Readonly<Record<Exchange, RegExp>>;

function formOf({ yearDigits, hyphen, hasSeries, variant }: Notation): RegExp {
  const future = `(?<code>[A-Za-z]{1,4})(?<delivery>\\d{${yearDigits}}(?:0[1-9]|1[0-2]))`;
  const series = hasSeries ? `(?<series>MS${hyphen})?` : '';
  const option = `${hyphen}${series}(?<right>[CP])${hyphen}(?<strike>(?:0|[1-9]\\d*)(?:\\.\\d+)?)`;
  const mark = variant === '' ? '' : `(?<variant>${variant})|`;
  return new RegExp(`^${future}(?:${mark}${option})?$`);
}

/** Splits `SHFE.rb2512` into its exchange and bare id; without a known exchange's prefix all of it is the id. */
export function splitPrefix(requested: string): { exchange: Exchange | undefined; id: string } {
  const dot = requested.indexOf('.');
  const exchange = exchanges.find((name) => name.length === dot && requested.startsWith(name));
  return exchange === undefined ? { exchange, id: requested } : { exchange, id: requested.slice(dot + 1) };
}

/**
 * Parses an instrument id, bare (`rb2512`) or prefixed (`SHFE.rb2512`), case-sensitively.
 *
 * Undefined when no such instrument can exist: no form of its exchange, a month outside 1–12, a prefix that is not the
 * product's exchange, or an unknown product without a prefix. An unknown product with a prefix is accepted, so that a
 * new listing can be subscribed before the product table knows it, where its letters have the exchange's case.
 */
export function parseInstrumentId(requested: string, products: ProductTable): ParsedInstrumentId | undefined {
  if (requested.length > maxIdLength + 6) return undefined;
  const { exchange, id } = splitPrefix(requested);
  if (id.length > maxIdLength) return undefined;
  // The blank is looked for first: `SP` begins a combination, `sp` is wood pulp.
  return id.includes(' ') ? parseCombination(id, exchange, products) : parseSingle(id, exchange, products);
}

/** The bare id that these parts make. */
export function formatInstrumentId(parts: IdParts): string {
  if ('legs' in parts) return `${parts.strategy} ${parts.legs.map(formatInstrumentId).join('&')}`;
  const { code, delivery, variant, option } = parts;
  const future = `${code}${delivery}${variant}`;
  if (option === undefined) return future;
  const { hyphen } = notations[parts.exchange];
  return `${future}${hyphen}${option.series ? `MS${hyphen}` : ''}${option.right}${hyphen}${option.strike}`;
}

/**
 * Year and month (1–12) of delivery, of a combination that of the leg which ends first. At CZCE the one digit is that of
 * the nearest year from the last one on.
 *
 * @param year the present one
 */
export function deliveryMonth(
  parts: IdParts,
  year: number,
): { readonly year: number; readonly month: number } {
  if ('legs' in parts) {
    const legs = parts.legs.map((leg) => deliveryMonth(leg, year));
    return legs.reduce((a, b) => (b.year * 12 + b.month < a.year * 12 + a.month ? b : a));
  }
  const month = Number(parts.delivery.slice(-2));
  const digits = Number(parts.delivery.slice(0, -2));
  if (parts.delivery.length === 4) return { year: 2000 + digits, month };
  const first = year - 1;
  return { year: first + ((digits - (first % 10) + 10) % 10), month };
}

function parseCombination(
  id: string,
  prefix: Exchange | undefined,
  products: ProductTable,
): ParsedInstrumentId | undefined {
  const [, strategy, rest] = combination.exec(id) ?? [];
  if (strategy === undefined || rest === undefined) return undefined;
  const texts = rest.split('&');
  if (texts.length < 2 || texts.length > mostLegs) return undefined;
  const legs: SingleParts[] = [];
  let first: ParsedInstrumentId | undefined;
  for (const text of texts) {
    const leg = parseSingle(text, prefix ?? first?.exchange, products);
    if (leg === undefined || 'legs' in leg.parts) return undefined;
    first ??= leg;
    legs.push(leg.parts);
  }
  const { exchange, product } = first!;
  return { id, exchange, class: 'COMBINE', product, delivery: '', parts: { exchange, strategy, legs } };
}

function parseSingle(
  id: string,
  prefix: Exchange | undefined,
  products: ProductTable,
): ParsedInstrumentId | undefined {
  const letters = codeStart.exec(id)?.[0];
  if (letters === undefined) return undefined;
  const exchange = prefix ?? products.get(letters)?.exchange ?? products.get(`${letters}_f`)?.exchange;
  const found = exchange === undefined ? undefined : (forms[exchange].exec(id)?.groups as Groups | undefined);
  if (exchange === undefined || found === undefined) return undefined;
  const { code, delivery, variant = '', series, right, strike } = found;
  const product = products.get(variant === 'F' ? `${code}_f` : code);
  if (product === undefined ? !mayBeNew(code, exchange, prefix) : product.exchange !== exchange)
    return undefined;
  const option =
    right === undefined || strike === undefined ? undefined : { series: series !== undefined, right, strike };
  // Options on an index have a code of their own, which no future has.
  if (product?.underlying !== undefined && option === undefined) return undefined;
  const parts: SingleParts = { exchange, code, delivery, variant, option };
  return { id, exchange, class: option === undefined ? 'FUTURE' : 'FUTURE_OPTION', product, delivery, parts };
}

function mayBeNew(code: string, exchange: Exchange, prefix: Exchange | undefined): boolean {
  return prefix !== undefined && (notations[exchange].isUpper ? /^[A-Z]+$/ : /^[a-z]+$/).test(code);
}
