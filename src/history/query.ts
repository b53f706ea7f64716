import { decodeCursor, type HistoryCursor } from './cursor.js';
import { queryTimeForms, parseQueryTime } from './queryTime.js';
import { columnNames, defaultColumns } from './columns.js';

export const historyFormats = ['json', 'ndjson', 'csv'] as const;
export type HistoryFormat = (typeof historyFormats)[number];

/** A query for ticks of one instrument whose exchange time t is fromMs ≤ t < toMs. */
export interface HistoryQuery {
  /** `EXCHANGE.id`. */
  readonly key: string;
  /** ms since the epoch. */
  readonly fromMs: number;
  /** ms since the epoch; Infinity where there is no end. */
  readonly toMs: number;
  /** Most ticks that are given. */
  readonly limit: number;
  readonly format: HistoryFormat;
  readonly columns: readonly string[];
  /** Where the page before has ended. */
  readonly after: Pick<HistoryCursor, 'source' | 'position'> | undefined;
}

/** Why a query is refused: the parameter, what it was given, and what it takes. */
export interface QueryRefusal {
  readonly code: 'invalid_query' | 'unknown_instrument';
  readonly parameter: string;
  readonly value: string;
  readonly message: string;
}

export type ParsedQuery = { readonly query: HistoryQuery } | { readonly refusal: QueryRefusal };

const parameters = ['instrument', 'from', 'to', 'limit', 'cursor', 'format', 'fields'] as const;
type Parameter = (typeof parameters)[number];

const defaultSpanMs = 3_600_000;
const defaultLimit = 10_000;
export const largestLimit = 10_000_000;
/** Characters of a wrong value that are repeated to the client that sent it. */
const shownValue = 100;

class Refused extends Error {
  constructor(readonly refusal: QueryRefusal) {
    super(refusal.message);
  }
}

/**
 * Parses what follows the question mark of GET /api/history/ticks.
 *
 * @param keyOf the `EXCHANGE.id` that a client means by `rb2601` or `SHFE.rb2601`; undefined when there can be no such
 *   instrument
 * @param nowMs ms since the epoch: without `from` and `to` the query begins an hour before
 */
export function parseHistoryQuery(
  text: string,
  keyOf: (requested: string) => string | undefined,
  nowMs: number,
): ParsedQuery {
  try {
    return { query: parse(given(text), keyOf, nowMs) };
  } catch (error) {
    if (error instanceof Refused) return { refusal: error.refusal };
    throw error;
  }
}

function parse(
  values: ReadonlyMap<Parameter, string>,
  keyOf: (requested: string) => string | undefined,
  nowMs: number,
): HistoryQuery {
  const key = instrumentOf(values.get('instrument'), keyOf);
  const cursorText = values.get('cursor');
  const cursor = cursorText === undefined ? undefined : cursorOf(key, cursorText);
  const given = { from: momentOf('from', values), to: momentOf('to', values) };
  const toMs = given.to ?? cursor?.toMs ?? Infinity;
  const fromMs = given.from ?? cursor?.fromMs ?? (toMs === Infinity ? nowMs : toMs) - defaultSpanMs;
  if (fromMs >= toMs)
    refuse('to', values.get('to') ?? '', `a time after from, which is ${new Date(fromMs).toISOString()}`);
  if (cursor !== undefined && (cursor.fromMs !== fromMs || cursor.toMs !== toMs))
    refuse('cursor', cursorText!, 'the cursor of a query with the same from and to, or with neither of them');
  return {
    key,
    fromMs,
    toMs,
    limit: limitOf(values.get('limit')),
    format: formatOf(values.get('format')),
    columns: columnsOf(values.get('fields')),
    after: cursor === undefined ? undefined : { source: cursor.source, position: cursor.position },
  };
}

function given(text: string): ReadonlyMap<Parameter, string> {
  const values = new Map<Parameter, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    const parameter = parameters.find((each) => each === name);
    if (parameter === undefined) {
      const message = `there is no parameter ${shown(name)}; there are ${parameters.join(', ')}`;
      throw refusal('invalid_query', name.slice(0, shownValue), value, message);
    }
    if (values.has(parameter)) refuse(parameter, value, 'given once, not twice');
    values.set(parameter, value);
  }
  return values;
}

function instrumentOf(value: string | undefined, keyOf: (requested: string) => string | undefined): string {
  const allowed =
    'an instrument such as rb2601 or SHFE.rb2601, with its exchange where the product is unknown';
  if (value === undefined || value === '') return refuse('instrument', '', `given: ${allowed}`);
  const key = keyOf(value);
  if (key === undefined)
    throw refusal('unknown_instrument', 'instrument', value, `no such instrument: ${shown(value)}`);
  return key;
}

function momentOf(parameter: 'from' | 'to', values: ReadonlyMap<Parameter, string>): number | undefined {
  const value = values.get(parameter);
  return value === undefined
    ? undefined
    : (parseQueryTime(value) ?? refuse(parameter, value, queryTimeForms));
}

function cursorOf(key: string, value: string): HistoryCursor {
  return (
    decodeCursor(key, value) ?? refuse('cursor', value, `as the page before gave it as next, for ${key}`)
  );
}

function limitOf(value: string | undefined): number {
  if (value === undefined) return defaultLimit;
  const limit = /^\d{1,8}$/.test(value) ? Number(value) : 0;
  return limit >= 1 && limit <= largestLimit
    ? limit
    : refuse('limit', value, `an integer from 1 to ${largestLimit}`);
}

function formatOf(value: string | undefined): HistoryFormat {
  if (value === undefined) return 'json';
  return (
    historyFormats.find((each) => each === value) ??
    refuse('format', value, `one of ${historyFormats.join(', ')}`)
  );
}

function columnsOf(value: string | undefined): readonly string[] {
  if (value === undefined) return defaultColumns;
  const names = value.split(',');
  const unknown = names.find((name) => !columnNames.includes(name));
  if (unknown !== undefined)
    refuse('fields', unknown, `names with commas between them, out of ${columnNames.join(', ')}`);
  return columnNames.filter((each) => names.includes(each));
}

function refuse(parameter: Parameter, value: string, allowed: string): never {
  const message = `${parameter} must be ${allowed}${value === '' ? '' : `; not ${shown(value)}`}`;
  throw refusal('invalid_query', parameter, value, message);
}

function refusal(code: QueryRefusal['code'], parameter: string, value: string, message: string): Refused {
  return new Refused({ code, parameter, value: value.slice(0, shownValue), message });
}

/** In quotes, control characters escaped, and not longer than a line. */
function shown(value: string): string {
  return JSON.stringify(value.length > shownValue ? `${value.slice(0, shownValue)}…` : value);
}
