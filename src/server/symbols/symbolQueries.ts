import type { Contract } from '../../market/instruments/contracts.js';
import type { SymbolFilter, SymbolInfo } from '../../market/instruments/symbolInfo.js';
import { parseSymbolQuery, type SymbolQuery } from './symbolQuery.js';
import type { SymbolRequest } from './symbolRequest.js';

/** Characters that an answer may have: some 4,000 instruments with all members, 100,000 with only their ids. */
export const longestAnswer = 4 * 1024 * 1024;
/** Instruments that are looked up or described in one step. */
const perStep = 16;
/** Instruments that are only filtered in one step. */
const filteredPerStep = 2048;
/** As many are filtered in the time that one is described in. */
const passedPerDescribed = filteredPerStep / perStep;
/** Lists that are kept, of the present list of instruments. */
const keptLists = 16;
/** Characters of a query by which its list is kept. */
const longestKey = 1024;
const shownKeys = 8;
const longestShown = 64;

type List = { readonly nodes: string } | { readonly problem: string };

/** Answers ins_queries from the list of instruments, in steps; lists are made once for each list of instruments. */
export class SymbolQueries {
  readonly #info: () => SymbolInfo;
  #kept = new Map<string, List>();
  #keptOf: SymbolInfo | undefined;

  constructor(info: () => SymbolInfo) {
    this.#info = info;
  }

  /** The patch that answers a request. An empty query lets go of the answer to an earlier one. */
  *answer(request: SymbolRequest): Generator<undefined, string> {
    if (request.query === '') return `{"symbols":{${request.rawId}:null}}`;
    const query = parseSymbolQuery(request.query, request.variables);
    if ('problem' in query) return failed(request, query.problem);
    const info = this.#info();
    const { keys } = query.filter;
    const found = keys === undefined ? yield* this.#filtered(info, query) : yield* byKeys(info, query, keys);
    return 'problem' in found
      ? failed(request, found.problem)
      : patch(request, `"result":{"${query.root}":[${found.nodes}]}`);
  }

  *#filtered(info: SymbolInfo, query: SymbolQuery): Generator<undefined, List> {
    const { filter, names, derivatives } = query;
    const key = JSON.stringify([filter, names ?? null, derivatives ?? null]);
    const kept = this.#keptOf === info ? this.#kept.get(key) : undefined;
    if (kept !== undefined) return kept;
    const contracts: Contract[] = [];
    let looked = 0;
    for (const contract of info.contracts()) {
      if (info.passes(contract, filter)) contracts.push(contract);
      if (++looked % filteredPerStep === 0) yield;
    }
    const made = yield* list(info, query, contracts);
    this.#keep(info, key, made);
    return made;
  }

  #keep(info: SymbolInfo, key: string, made: List): void {
    if (this.#keptOf !== info) {
      this.#keptOf = info;
      this.#kept = new Map();
    }
    // A query may name products without end.
    if (key.length > longestKey) return;
    const oldest = this.#kept.keys().next();
    if (this.#kept.size >= keptLists && oldest.done !== true) this.#kept.delete(oldest.value);
    this.#kept.set(key, made);
  }
}

function* byKeys(info: SymbolInfo, query: SymbolQuery, keys: readonly string[]): Generator<undefined, List> {
  const contracts = new Map<string, Contract>();
  const missing: string[] = [];
  let looked = 0;
  for (const key of keys) {
    const contract = info.named(key);
    if (contract === undefined) missing.push(key);
    else if (info.passes(contract, query.filter)) contracts.set(key, contract);
    if (++looked % perStep === 0) yield;
  }
  if (missing.length === 0) return yield* list(info, query, [...contracts.values()]);
  // The vendor's own words, by which people look for help.
  const problems = missing
    .slice(0, shownKeys)
    .map((key) => `instrumentId: ${key.slice(0, longestShown)} dose not exist`);
  return { problem: problems.join(', ') + (missing.length > shownKeys ? ', …' : '') };
}

/** The nodes of a list. */
function* list(
  info: SymbolInfo,
  query: SymbolQuery,
  contracts: readonly Contract[],
): Generator<undefined, List> {
  let nodes = '';
  let count = 0;
  for (const contract of contracts) {
    const options = query.derivatives === undefined ? [] : derivativesOf(info, contract, query.derivatives);
    if (query.derivatives !== undefined) count += info.optionsOn(contract).length / passedPerDescribed;
    const text = node(info, query, contract, options);
    if (text === undefined)
      return { problem: `the price step of ${keyOf(contract)} is not known: import it (import_instruments)` };
    nodes += `${nodes === '' ? '' : ','}${text}`;
    if (nodes.length > longestAnswer)
      return {
        problem: `the answer would have more than ${longestAnswer} characters: name classes, exchanges, products or fewer instruments`,
      };
    count += 1 + options.length;
    if (count < perStep) continue;
    count = 0;
    yield;
  }
  return { nodes };
}

function derivativesOf(info: SymbolInfo, contract: Contract, filter: SymbolFilter): readonly Contract[] {
  return info.optionsOn(contract).filter((option) => info.passes(option, filter));
}

/** Undefined where a client that waits for the price step would wait in vain. */
function node(
  info: SymbolInfo,
  { names, filter, derivatives }: SymbolQuery,
  contract: Contract,
  options: readonly Contract[],
): string | undefined {
  // What query_quotes asks of all that is listed.
  if (names?.length === 1 && names[0] === 'instrument_id')
    return object([['instrument_id', JSON.stringify(keyOf(contract))]]);
  const known = info.members(contract);
  if (names !== undefined)
    return object(names.flatMap((name) => (known.has(name) ? [[name, known.get(name)!] as const] : [])));
  if (filter.keys !== undefined && derivatives === undefined && !known.has('price_tick')) return undefined;
  const members = [...known];
  const underlying = info.underlyingOf(contract);
  if (underlying !== undefined) members.push(['underlying', connection(info, [underlying])]);
  if (derivatives !== undefined) members.push(['derivatives', connection(info, options)]);
  return object(members);
}

function keyOf({ exchange, id }: Contract): string {
  return `${exchange}.${id}`;
}

function connection(info: SymbolInfo, contracts: readonly Contract[]): string {
  const edges = contracts.map(
    (contract) => `{"underlying_multiple":1,"node":${object([...info.members(contract)])}}`,
  );
  return `{"count":${edges.length},"edges":[${edges.join(',')}]}`;
}

function object(members: Iterable<readonly [string, string]>): string {
  return `{${Array.from(members, ([name, text]) => `"${name}":${text}`).join(',')}}`;
}

/** The form in which the vendor's server fails: TqSdk raises it at once, and waits 30 s for anything else. */
function failed(request: SymbolRequest, problem: string): string {
  const text = JSON.stringify(`failed to execute graphql operation, errors: [${problem}]`);
  return patch(request, `"error":${text},"errors":[{"message":${JSON.stringify(problem)}}]`);
}

function patch({ rawId, rawQuery, rawVariables }: SymbolRequest, outcome: string): string {
  const variables = rawVariables === undefined ? '' : `"variables":${rawVariables},`;
  return `{"symbols":{${rawId}:{"query":${rawQuery},${variables}${outcome}}}}`;
}
