import { closest } from '../../base/spelling.js';
import {
  deliveryMonth,
  formatInstrumentId,
  notations,
  parseInstrumentId,
  type OptionRight,
  type ParsedInstrumentId,
  type SingleParts,
} from './instrumentId.js';
import type { ListedDay } from './listing.js';
import type { Product, ProductTable } from './products.js';

/** Advice for a client that has named an instrument that does not exist. */
export interface Advice {
  /** One sentence part, to follow the id in brackets. */
  readonly text: string;
  /** Ids that may have been meant, the likeliest first, with an exchange where the client named one. */
  readonly meant: readonly string[];
}

/** Facts for advice. */
export interface AdviceFacts extends ListedDay {
  readonly products: ProductTable;
  /** Of a bare id: 0 where none is known. Contracts that have most come first. */
  readonly openInterest: (id: string) => number;
}

const mostNamed = 3;
/** An id as people write it: any case, any notation of options, an exchange before or behind. */
const loose =
  /^(?:([A-Za-z]+)\.)?([A-Za-z]{1,5})[ _-]?(\d{2,6})?(F|TAS)?(?:[ _-]?(MS)?[ _-]?([CP])[ _-]?(\d+(?:\.\d+)?))?(?:\.[A-Za-z]+)?$/i;
/** Continuous contracts and indices, which TqSdk's own servers make: KQ.m@SHFE.rb. */
const continuous = /^KQ[A-Z]?\.[a-z]+@([A-Z]+)\.([A-Za-z]+)$/;

/** Suggestions for a name that parseInstrumentId refuses. */
export function adviseUnknown(requested: string, facts: AdviceFacts): Advice {
  const [, , ofContinuous] = continuous.exec(requested) ?? [];
  if (ofContinuous !== undefined)
    return adviseProduct(ofContinuous, facts, 'continuous contracts are not quoted by fronts');
  const match = loose.exec(requested.trim());
  const [, prefix, letters = '', digits = '', mark = '', series, right, strike] = match ?? [];
  const product = productOf(letters, mark, facts.products);
  if (match === null || product === undefined)
    return {
      text: letters === '' ? 'this is no form of an instrument id' : `no product has the code ${letters}`,
      meant: [],
    };
  const parts = repair(product, { digits, mark: mark.toUpperCase(), series, right, strike }, facts);
  const id = parts === undefined ? undefined : formatInstrumentId(parts);
  // Of options, and of what trades beside a future, nothing is listed by rule.
  const isListed =
    id !== undefined && (facts.contracts.has(id) || right !== undefined || parts?.variant === 'TAS');
  if (id === undefined || !isListed || parseInstrumentId(id, facts.products) === undefined)
    return adviseProduct(
      product.product,
      facts,
      digits === '' ? 'a month is missing' : 'no such month is listed',
    );
  const meant = prefix === undefined ? id : `${product.exchange}.${id}`;
  return { text: `did you mean ${meant}?`, meant: [meant] };
}

/**
 * Whether the delivery of an instrument is over, so that no front has ticks of it: the months before the present one are
 * over by every exchange's rules. False where it cannot be told.
 */
export function isExpired(parsed: ParsedInstrumentId, { contracts, tradingDay }: ListedDay): boolean {
  const today = Math.trunc(tradingDay / 100);
  const { year, month } = deliveryMonth(parsed.parts, Math.trunc(today / 100));
  return year * 100 + month < today && !contracts.has(parsed.id);
}

/** Advice about an expired instrument. */
export function adviseExpired(parsed: ParsedInstrumentId, facts: AdviceFacts): Advice {
  const { year, month } = deliveryMonth(parsed.parts, Math.trunc(facts.tradingDay / 10_000));
  const over = `it expired by ${year}-${String(month).padStart(2, '0')}`;
  return parsed.product === undefined
    ? { text: over, meant: [] }
    : adviseProduct(parsed.product.product, facts, over);
}

function adviseProduct(code: string, facts: AdviceFacts, because: string): Advice {
  const meant = [...facts.contracts.values()]
    .filter((each) => each.product === code && (each.class ?? 'FUTURE') === 'FUTURE')
    .map((contract) => ({ contract, interest: facts.openInterest(contract.id) }))
    .sort((a, b) => b.interest - a.interest || a.contract.expireDate - b.contract.expireDate)
    .slice(0, mostNamed)
    .map(({ contract }) => contract.id);
  return { text: meant.length === 0 ? because : `${because}, the main ones are ${meant.join(', ')}`, meant };
}

/** The product whose code this is, in whatever case, or a letter beside it. */
function productOf(letters: string, mark: string, products: ProductTable): Product | undefined {
  const code = mark.toUpperCase() === 'F' ? `${letters}_f` : letters;
  const exact = products.get(code);
  if (exact !== undefined) return exact;
  const near = closest(code, products.keys(), code.length > 1 ? 1 : 0);
  return near === undefined ? undefined : products.get(near);
}

interface Loose {
  readonly digits: string;
  readonly mark: string;
  readonly series: string | undefined;
  readonly right: string | undefined;
  readonly strike: string | undefined;
}

/** The parts as the product's exchange would write them; undefined where no month can be made out. */
function repair(product: Product, given: Loose, { tradingDay }: AdviceFacts): SingleParts | undefined {
  const { exchange } = product;
  const { yearDigits, hasSeries, variant } = notations[exchange];
  const month = given.digits.slice(-2);
  let year = given.digits.slice(0, -2);
  if (year === '') return undefined;
  if (year.length === 1 && yearDigits === 2) {
    const parts = {
      exchange: 'CZCE',
      code: '',
      delivery: given.digits,
      variant: '',
      option: undefined,
    } as const;
    year = String(deliveryMonth(parts, Math.trunc(tradingDay / 10_000)).year);
  }
  const option =
    given.right === undefined || given.strike === undefined
      ? undefined
      : {
          series: given.series !== undefined && hasSeries,
          right: given.right.toUpperCase() as OptionRight,
          strike: given.strike,
        };
  return {
    exchange,
    code: product.product.replace(/_f$/, ''),
    delivery: year.slice(-yearDigits) + month,
    variant: variant !== '' && given.mark === variant ? variant : '',
    option,
  };
}
