import type { SymbolFilter } from '../../market/instruments/symbolInfo.js';
import { readGraphql, type GraphqlField, type GraphqlValue } from './graphql.js';

/** A parsed ins_query. */
export interface SymbolQuery {
  /** Under which the result comes back. */
  readonly root: (typeof roots)[number];
  readonly filter: SymbolFilter;
  /** The only members that it wants; undefined: all. */
  readonly names: readonly string[] | undefined;
  /** Which derivatives of each instrument it wants with it; undefined: none. */
  readonly derivatives: SymbolFilter | undefined;
}

const roots = ['multi_symbol_info', 'symbol_info'] as const;
/** TqSdk's backtests name a time; there is only one list here, today's. */
const ignoredArguments = new Set(['timestamp']);
const listArguments = {
  instrument_id: 'keys',
  class: 'classes',
  exchange_id: 'exchanges',
  product_id: 'products',
} as const;
const flagArguments = { expired: 'expired', has_night: 'hasNight' } as const;
const argumentNames = [...Object.keys(listArguments), ...Object.keys(flagArguments), ...ignoredArguments];

/** Values of a list that every instrument is compared with. */
const mostNames = 256;

type Variables = Readonly<Record<string, unknown>>;

/**
 * Reads the query of an ins_query. Served are those that TqSdk itself sends: one root, multi_symbol_info, and its arguments.
 * Which members an answer has depends on the query only where it names plain members.
 */
export function parseSymbolQuery(
  text: string,
  variables: Variables,
): SymbolQuery | { readonly problem: string } {
  const read = readGraphql(text);
  if ('problem' in read) return { problem: `the query cannot be read: ${read.problem}` };
  const [field, ...others] = read.fields;
  const root = roots.find((name) => name === field?.name);
  if (field === undefined || root === undefined || others.length > 0)
    return { problem: `only queries of ${roots[0]} alone are served here` };
  const filter = toFilter(field, variables);
  if ('problem' in filter) return filter;
  const connection = field.fields.find(({ name }) => name === 'derivatives');
  const derivatives = connection === undefined ? undefined : toFilter(connection, variables);
  if (derivatives !== undefined && 'problem' in derivatives) return derivatives;
  const isPlain =
    !field.hasSpread && field.fields.every(({ fields, hasSpread }) => fields.length === 0 && !hasSpread);
  return {
    root,
    filter,
    names: isPlain ? field.fields.map(({ name }) => name).filter((name) => name !== '__typename') : undefined,
    derivatives,
  };
}

function toFilter(field: GraphqlField, variables: Variables): SymbolFilter | { readonly problem: string } {
  const filter: { -readonly [Key in keyof SymbolFilter]: SymbolFilter[Key] } = {};
  for (const [name, given] of field.args) {
    if (ignoredArguments.has(name)) continue;
    const value = valueOf(given, variables);
    // GraphQL's way to leave an argument out.
    if (value === null || value === undefined) continue;
    if (isKey(listArguments, name)) {
      const list: readonly unknown[] = Array.isArray(value) ? value : [value];
      if (!list.every((each) => typeof each === 'string'))
        return { problem: `${name} of ${field.name} must be a list of strings` };
      const unique = [...new Set(list)];
      if (name !== 'instrument_id' && unique.length > mostNames)
        return { problem: `${name} of ${field.name} may have ${mostNames} values` };
      filter[listArguments[name]] = unique;
    } else if (isKey(flagArguments, name)) {
      if (typeof value !== 'boolean') return { problem: `${name} of ${field.name} must be true or false` };
      filter[flagArguments[name]] = value;
    } else {
      return {
        problem: `${field.name} has no argument ${name.slice(0, 64)} here, it has ${argumentNames.join(', ')}`,
      };
    }
  }
  return filter;
}

function isKey<Table extends object>(table: Table, name: string): name is keyof Table & string {
  return Object.hasOwn(table, name);
}

function valueOf(given: GraphqlValue, variables: Variables): unknown {
  if (Array.isArray(given)) return given.map((each: GraphqlValue) => valueOf(each, variables));
  if (typeof given !== 'object' || given === null) return given;
  const { variable } = given as { readonly variable: string };
  return Object.hasOwn(variables, variable) ? variables[variable] : undefined;
}
