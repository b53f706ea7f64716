import { misspelt, show } from '../shared/frameAdvice.js';
import { rawMembers } from '../shared/rawMembers.js';

/** An ins_query, with the texts of its members to the letter as they came. */
export interface SymbolRequest {
  readonly id: string;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly rawId: string;
  readonly rawQuery: string;
  /** Undefined: it had none. */
  readonly rawVariables: string | undefined;
}

const longestId = 512;
/** Characters of a query; it is read in one go. */
const longestQuery = 65_536;

/** Reads an ins_query, or says why it is none. */
export function parseSymbolRequest(
  frame: Readonly<Record<string, unknown>>,
  text: string,
): SymbolRequest | string {
  const { query_id: id, query, variables = {} } = frame;
  if (typeof id !== 'string' || id === '' || id.length > longestId)
    return `query_id must be a string of 1 to ${longestId} characters, not ${show(id)}${misspelt(frame, 'query_id')}`;
  if (typeof query !== 'string')
    return `query must be a string, not ${show(query)}${misspelt(frame, 'query')}`;
  if (query.length > longestQuery)
    return `query may have ${longestQuery} characters, not ${query.length}: long lists belong in variables`;
  if (variables !== null && (typeof variables !== 'object' || Array.isArray(variables)))
    return `variables must be an object, not ${show(variables)}`;
  const raw = rawMembers(text);
  return {
    id,
    query,
    variables: (variables ?? {}) as Readonly<Record<string, unknown>>,
    rawId: raw.get('query_id')!,
    rawQuery: raw.get('query')!,
    rawVariables: raw.get('variables'),
  };
}
