/**
 * The fields of a quote as the book keeps them, and the names under which each protocol sends them.
 *
 * `aid` names are those of the DIFF protocol together with the documented ones where the two differ, so that both
 * kinds of client find what they look for. `documented` fields make up a full action push; the others are sent there
 * when a client asks for them by name.
 */
export interface QuoteField {
  readonly name: string;
  readonly aid: readonly string[];
  readonly documented: boolean;
}

const named = (name: string, ...alias: string[]): QuoteField => ({
  name,
  aid: [...alias, name],
  documented: true,
});

function levels(name: string): QuoteField[] {
  return [1, 2, 3, 4, 5].map((level) => ({ ...named(`${name}${level}`), documented: level === 1 }));
}

/** Numeric fields, in the book's order. */
export const quoteFields: readonly QuoteField[] = [
  named('last_price'),
  named('open_price', 'open'),
  named('highest_price', 'highest'),
  named('lowest_price', 'lowest'),
  named('close_price', 'close'),
  named('upper_limit_price', 'upper_limit'),
  named('lower_limit_price', 'lower_limit'),
  named('turnover', 'amount'),
  named('volume'),
  named('open_interest'),
  named('average'),
  named('settlement'),
  named('pre_settlement'),
  named('pre_close'),
  named('pre_open_interest'),
  ...levels('bid_price'),
  ...levels('bid_volume'),
  ...levels('ask_price'),
  ...levels('ask_volume'),
  named('timestamp'),
  named('trading_day'),
];

export const fieldCount = quoteFields.length;

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
