/**
 * What a field is about:
 *
 *   time   when the tick was made; a tick without it is none
 *   trade  trades of the day, their totals, and what the day began with: nothing that was known of these ceases to be
 *          within a trading day, so what a packet lacks stays
 *   book   the best bids and asks: an empty side is empty
 */
export type QuoteFieldKind = 'time' | 'trade' | 'book';

/**
 * The fields of a quote as the book keeps them, and the names under which each protocol sends them.
 *
 * `aid` names are those of the DIFF protocol together with the documented ones where the two differ, so that both
 * kinds of client find what they look for. `documented` fields make up a full action push; the others are sent there
 * when a client asks for them by name.
 */
export interface QuoteField {
  readonly name: string;
  readonly kind: QuoteFieldKind;
  readonly aid: readonly string[];
  readonly documented: boolean;
}

const field = (kind: QuoteFieldKind, name: string, ...alias: string[]): QuoteField => ({
  name,
  kind,
  aid: [...alias, name],
  documented: true,
});

function levels(name: string): QuoteField[] {
  return [1, 2, 3, 4, 5].map((level) => ({ ...field('book', `${name}${level}`), documented: level === 1 }));
}

/** Numeric fields, in the book's order. New ones come last: stored ticks are in this order. */
export const quoteFields: readonly QuoteField[] = [
  field('trade', 'last_price'),
  field('trade', 'open_price', 'open'),
  field('trade', 'highest_price', 'highest'),
  field('trade', 'lowest_price', 'lowest'),
  field('trade', 'close_price', 'close'),
  field('trade', 'upper_limit_price', 'upper_limit'),
  field('trade', 'lower_limit_price', 'lower_limit'),
  field('trade', 'turnover', 'amount'),
  field('trade', 'volume'),
  field('trade', 'open_interest'),
  field('trade', 'average'),
  field('trade', 'settlement'),
  field('trade', 'pre_settlement'),
  field('trade', 'pre_close'),
  field('trade', 'pre_open_interest'),
  ...levels('bid_price'),
  ...levels('bid_volume'),
  ...levels('ask_price'),
  ...levels('ask_volume'),
  field('time', 'timestamp'),
  field('time', 'trading_day'),
];

export const fieldCount = quoteFields.length;

/** Positions of the fields of each kind, in ascending order. */
export const tradeFields = positionsOf('trade');
export const bookFields = positionsOf('book');
export const timeFields = positionsOf('time');

function positionsOf(kind: QuoteFieldKind): readonly number[] {
  return quoteFields.flatMap((each, position) => (each.kind === kind ? [position] : []));
}

/** Position of a field in the book, by its documented name. */
export function fieldIndex(name: string): number {
  const index = quoteFields.findIndex((field) => field.name === name);
  if (index < 0) throw new Error(`no quote field ${name}`);
  return index;
}

/** Positions that the book writes one by one. */
export const Field = {
  lastPrice: fieldIndex('last_price'),
  openPrice: fieldIndex('open_price'),
  highestPrice: fieldIndex('highest_price'),
  lowestPrice: fieldIndex('lowest_price'),
  closePrice: fieldIndex('close_price'),
  upperLimitPrice: fieldIndex('upper_limit_price'),
  lowerLimitPrice: fieldIndex('lower_limit_price'),
  turnover: fieldIndex('turnover'),
  volume: fieldIndex('volume'),
  openInterest: fieldIndex('open_interest'),
  average: fieldIndex('average'),
  settlement: fieldIndex('settlement'),
  preSettlement: fieldIndex('pre_settlement'),
  preClose: fieldIndex('pre_close'),
  preOpenInterest: fieldIndex('pre_open_interest'),
  bidPrice1: fieldIndex('bid_price1'),
  bidVolume1: fieldIndex('bid_volume1'),
  askPrice1: fieldIndex('ask_price1'),
  askVolume1: fieldIndex('ask_volume1'),
  timestamp: fieldIndex('timestamp'),
  tradingDay: fieldIndex('trading_day'),
} as const;
