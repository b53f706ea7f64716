import {
  instrumentKinds,
  type InstrumentFilter,
  type InstrumentKind,
} from '../../market/instruments/instrumentSearch.js';
import { exchanges } from '../../market/instruments/products.js';
import { actionFieldNames, parseFieldSet } from './quoteEncoder.js';
import type { PushOptions, TickView } from '../shared/pushOptions.js';
import { parseChart, type ChartRequest } from './charts.js';
import { cut, listed, meant, misspelt, show, whyNoStringList } from '../shared/frameAdvice.js';
import type { ErrorReport } from './frames.js';
import { longestHeartbeat, shortestHeartbeat } from './limits.js';
import { parseSymbolRequest, type SymbolRequest } from '../symbols/symbolRequest.js';

/** A request for pushes. */
export interface SubscribeMessage {
  readonly kind: 'subscribe';
  readonly instruments: readonly string[];
  readonly options: PushOptions;
  /** Seconds between heartbeats from now on, 0 for none; undefined: as it was. */
  readonly heartbeat: number | undefined;
}

/** Everything that a client can say. */
export type ClientMessage =
  | { readonly kind: 'peek_message' }
  | { readonly kind: 'subscribe_quote'; readonly insList: string }
  | { readonly kind: 'set_chart'; readonly request: ChartRequest }
  | { readonly kind: 'ins_query'; readonly request: SymbolRequest }
  | SubscribeMessage
  | { readonly kind: 'unsubscribe'; readonly instruments: readonly string[] }
  | { readonly kind: 'list_instruments'; readonly filter: InstrumentFilter }
  /** `interval` in seconds, 0 for none. */
  | { readonly kind: 'heartbeat'; readonly interval: number }
  | { readonly kind: 'ping' }
  /** `isObject`: the frame can be shown back to the client as JSON. */
  | { readonly kind: 'rejected'; readonly error: ErrorReport; readonly isObject: boolean };

type JsonObject = Readonly<Record<string, unknown>>;

/** Requests that clients of the DIFF protocol send to other servers, in good faith; they do not count as bad frames. */
const unsupportedAids: ReadonlySet<unknown> = new Set([
  // What old versions of TqSdk draw, sent at each update.
  'set_chart_data',
  'subscribe_trading_status',
  'req_login',
  'confirm_settlement',
  'qry_settlement_info',
  'qry_account_info',
  'qry_account_register',
  'qry_transfer_serial',
  'req_transfer',
  'change_password',
  'insert_order',
  'cancel_order',
  'set_risk_management_rule',
]);
const servedAids = ['subscribe_quote', 'peek_message', 'set_chart', 'ins_query'];
const servedActions = ['subscribe', 'unsubscribe', 'list_instruments', 'heartbeat', 'ping'];
const shownNames = 8;
const peek: ClientMessage = { kind: 'peek_message' };
const ping: ClientMessage = { kind: 'ping' };

/** Reads a text frame. Never throws: what is not in the grammar comes back as `rejected`. */
export function parseMessage(text: string): ClientMessage {
  // The two spellings that real clients send, many times a second each.
  if (text === '{"aid":"peek_message"}' || text === '{"aid": "peek_message"}') return peek;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return reject({ side: 'both', code: 'invalid_json', message: `not JSON: ${reason}` }, false);
  }
  if (!isObject(value))
    return reject(
      { side: 'both', code: 'not_an_object', message: `a frame is a JSON object, not ${show(value)}` },
      false,
    );
  const hasAid = Object.hasOwn(value, 'aid');
  const hasAction = Object.hasOwn(value, 'action');
  if (hasAid && hasAction)
    return reject({
      side: 'both',
      code: 'ambiguous_kind',
      message: 'a frame has aid or action, this one has both',
    });
  if (hasAid) return parseAid(value, text);
  if (hasAction) return parseAction(value);
  return reject({
    side: 'both',
    code: 'missing_kind',
    message: `a frame has aid or action, this one has neither${misspelt(value, 'action') || misspelt(value, 'aid')}`,
  });
}

function parseAid(value: JsonObject, text: string): ClientMessage {
  const aid = value['aid'];
  switch (aid) {
    case 'peek_message':
      return peek;
    case 'subscribe_quote': {
      const insList = value['ins_list'];
      if (typeof insList === 'string') return { kind: 'subscribe_quote', insList };
      return reject({
        side: 'aid',
        code: 'invalid_ins_list',
        message: `ins_list must be a string such as "SHFE.${exampleId('rb')},${exampleId('cu')}", not ${show(insList)}${misspelt(value, 'ins_list')}`,
      });
    }
    case 'set_chart': {
      const request = parseChart(value, text);
      return typeof request === 'object'
        ? { kind: 'set_chart', request }
        : reject({ side: 'aid', code: 'invalid_chart', message: request });
    }
    case 'ins_query': {
      const request = parseSymbolRequest(value, text);
      return typeof request === 'object'
        ? { kind: 'ins_query', request }
        : reject({ side: 'aid', code: 'invalid_ins_query', message: request });
    }
    default:
      if (unsupportedAids.has(aid))
        return reject({
          side: 'aid',
          code: 'unsupported_aid',
          message: `${String(aid)} is not served here: use ${listed(servedAids)}`,
        });
      return reject({
        side: 'aid',
        code: 'unknown_aid',
        message: `unknown aid ${show(aid)}: ${meant(aid, servedAids)}use ${listed(servedAids)}`,
      });
  }
}

function parseAction(value: JsonObject): ClientMessage {
  const action = value['action'];
  switch (action) {
    case 'ping':
      return ping;
    case 'subscribe': {
      const instruments = value['instruments'];
      if (!isStringList(instruments)) return rejectInstruments(value);
      const options = parsePushOptions(value);
      if ('code' in options) return reject(options);
      const heartbeat = value['heartbeat'] ?? undefined;
      if (heartbeat !== undefined && !isHeartbeat(heartbeat)) return rejectHeartbeat('heartbeat', value);
      return { kind: 'subscribe', instruments, options, heartbeat };
    }
    case 'unsubscribe': {
      const instruments = value['instruments'];
      return isStringList(instruments) ? { kind: 'unsubscribe', instruments } : rejectInstruments(value);
    }
    case 'list_instruments':
      return parseListFilter(value);
    case 'heartbeat': {
      const interval = value['interval'];
      return isHeartbeat(interval) ? { kind: 'heartbeat', interval } : rejectHeartbeat('interval', value);
    }
    default:
      return reject({
        side: 'action',
        code: 'unknown_action',
        message: `unknown action ${show(action)}: ${meant(action, servedActions)}use ${listed(servedActions)}`,
      });
  }
}

function parsePushOptions(value: JsonObject): PushOptions | ErrorReport {
  const diff = value['diff'] ?? false;
  if (typeof diff !== 'boolean')
    return { side: 'action', code: 'invalid_diff', message: `diff must be true or false, not ${show(diff)}` };
  const view = parseView(value, diff);
  if (typeof view === 'object') return view;
  const names = value['fields'] ?? null;
  if (names === null) return { fields: null, diff, view };
  if (!isStringList(names) || names.length === 0)
    return {
      side: 'action',
      code: 'invalid_fields',
      message: `fields must be a list of field names, ${whyNoStringList(names)}`,
    };
  const parsed = parseFieldSet(names);
  if ('set' in parsed) return { fields: parsed.set, diff, view };
  return {
    side: 'action',
    code: 'unknown_field',
    message: `unknown fields: ${cut(parsed.unknown.slice(0, shownNames).join(', '))}`,
    details: { unknown: parsed.unknown, allowed: actionFieldNames },
  };
}

function parseView(value: JsonObject, diff: boolean): TickView | ErrorReport {
  const refuse = (message: string): ErrorReport => ({ side: 'action', code: 'invalid_flags', message });
  for (const name of ['flags', 'all']) {
    const given = value[name] ?? false;
    if (typeof given !== 'boolean') return refuse(`${name} must be true or false, not ${show(given)}`);
  }
  if (value['all'] !== true) return value['flags'] === true ? 'flags' : 'plain';
  return diff
    ? refuse('all goes without diff: a tick that was left out is no change to what the client holds')
    : 'all';
}

function parseListFilter(value: JsonObject): ClientMessage {
  const filter: { -readonly [Key in keyof InstrumentFilter]: InstrumentFilter[Key] } = {};
  for (const name of ['search', 'exchange', 'product'] as const) {
    const part = value[name] ?? undefined;
    if (part === undefined) continue;
    if (typeof part !== 'string') return rejectFilter(`${name} must be a string, not ${show(part)}`);
    filter[name] = part;
  }
  const kind = value['kind'] ?? undefined;
  if (kind !== undefined) {
    if (!isKind(kind)) return rejectFilter(`kind must be ${instrumentKinds.join(' or ')}, not ${show(kind)}`);
    filter.kind = kind;
  }
  const limit = value['limit'] ?? undefined;
  if (limit !== undefined) {
    if (typeof limit !== 'number' || !Number.isSafeInteger(limit) || limit < 1)
      return rejectFilter(`limit must be an integer from 1 on, not ${show(limit)}`);
    filter.limit = limit;
  }
  const { exchange } = filter;
  if (exchange !== undefined && !exchanges.some((known) => known === exchange))
    return reject({
      side: 'action',
      code: 'unknown_exchange',
      message: `unknown exchange ${show(exchange)}: there are ${exchanges.join(', ')}`,
      details: { exchanges },
    });
  return { kind: 'list_instruments', filter };
}

function isKind(value: unknown): value is InstrumentKind {
  return instrumentKinds.some((kind) => kind === value);
}

function rejectFilter(message: string): ClientMessage {
  return reject({ side: 'action', code: 'invalid_filter', message });
}

function isHeartbeat(value: unknown): value is number {
  return (
    typeof value === 'number' && (value === 0 || (value >= shortestHeartbeat && value <= longestHeartbeat))
  );
}

function rejectHeartbeat(key: string, frame: JsonObject): ClientMessage {
  const message = `${key} must be seconds from ${shortestHeartbeat} to ${longestHeartbeat}, or 0 for none, not ${show(frame[key])}${misspelt(frame, key)}`;
  return reject({ side: 'action', code: 'invalid_heartbeat', message });
}

function rejectInstruments(frame: JsonObject): ClientMessage {
  return reject({
    side: 'action',
    code: 'invalid_instruments',
    message: `instruments must be a list of ids such as ["${exampleId('rb')}","SHFE.${exampleId('cu')}"], ${whyNoStringList(frame['instruments'])}${misspelt(frame, 'instruments')}`,
  });
}

/** A contract that is listed while this runs: of products with one for each month, next January's. */
function exampleId(product: 'rb' | 'cu'): string {
  return `${product}${String(new Date().getFullYear() + 1).slice(-2)}01`;
}

function reject(error: ErrorReport, isObject = true): ClientMessage {
  return { kind: 'rejected', error, isObject };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isStringList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
