import type { ErrorCode, ErrorSide } from '../shared/errors.js';

/** Requests up to this many characters come back whole in an error frame. */
const echoedRequestChars = 16_384;

const errorMarks: Record<ErrorSide, string> = {
  aid: '{"aid":"error"',
  action: '{"action":"error"',
  both: '{"aid":"error","action":"error"',
};

/** The start of an rtn_data frame, up to the first quote. */
export const rtnDataHead = '{"aid":"rtn_data","data":[{"quotes":{';

/** The end of an rtn_data frame, from the last quote on, with the client's own list of instruments. */
export function rtnDataTail(insList: string): string {
  return `}},{"account_id":"","ins_list":${JSON.stringify(insList)},"mdhis_more_data":false}]}`;
}

/** The end of a frame that has further patches, each with a comma before. */
export function withPatches(tail: string | Buffer, patches: string): string | Buffer {
  const end = -']}'.length;
  return typeof tail === 'string'
    ? `${tail.slice(0, end)}${patches}]}`
    : Buffer.concat([tail.subarray(0, end), Buffer.from(`${patches}]}`)]);
}

/** First frame of an aid client, sent unasked: tqsdk-js does not peek before it has received something. */
export const firstFrame = rtnDataHead + rtnDataTail('');

export const subscribeQuoteAck = '{"aid":"subscribe_quote","status":"ok"}';

/** Ids by pattern. */
type Patterns = Readonly<Record<string, readonly string[]>>;

/**
 * `patterns` says what each pattern stands for, where there are any; `waiting` which instruments have to wait for a place on
 * a connection, where some do.
 */
export function actionAck(
  action: 'subscribe' | 'unsubscribe',
  instruments: readonly string[],
  patterns: Patterns,
  waiting: readonly string[] = [],
  status: 'ok' | 'error' = 'ok',
): string {
  const some = Object.keys(patterns).length > 0 ? { patterns } : {};
  const late = waiting.length > 0 ? { waiting } : {};
  return JSON.stringify({ action, status, instruments, ...some, ...late });
}

/** `served`: what waited has a place on a connection now; `waiting`: what had one has lost it to others. */
export function placesFrame(action: 'served' | 'waiting', instruments: readonly string[]): string {
  return JSON.stringify({ action, instruments });
}

/** Instruments that have joined and left a client's patterns. */
export function listingFrame(
  patterns: Readonly<
    Record<string, { readonly added: readonly string[]; readonly removed: readonly string[] }>
  >,
): string {
  return JSON.stringify({ action: 'listing', patterns });
}

/** `total`, where it is given, counts those beyond the limit too. */
export function instrumentListFrame(instruments: readonly string[], total: number | undefined): string {
  return JSON.stringify({ action: 'list_instruments', instruments, total });
}

export function heartbeatAck(interval: number): string {
  return `{"action":"heartbeat","status":"ok","interval":${interval}}`;
}

export function heartbeatFrame(nowMs: number): string {
  return `{"action":"heartbeat","timestamp":${nowMs}}`;
}

export function pongFrame(nowMs: number): string {
  return `{"action":"pong","timestamp":${nowMs}}`;
}

/** An error in the form that clients get. */
export interface ErrorReport {
  readonly side: ErrorSide;
  readonly code: ErrorCode;
  readonly message: string;
  /** Further members of the frame. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * An error frame. `requestJson` is the client's frame as it came, which must be a JSON object, or undefined where there
 * is none; a long one is skipped.
 */
export function errorFrame({ side, code, message, details }: ErrorReport, requestJson?: string): string {
  const more = details === undefined ? '' : `,${JSON.stringify(details).slice(1, -1)}`;
  const request =
    requestJson === undefined
      ? 'null'
      : requestJson.length > echoedRequestChars
        ? '{"truncated":true}'
        : requestJson;
  return `${errorMarks[side]},"code":"${code}","message":${JSON.stringify(message)}${more},"request":${request}}`;
}
