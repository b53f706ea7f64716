import type { Logger } from 'pino';
import type { HistoryFailure, HistoryHead } from '../history/chunkSender.js';
import type { HistoryReceiver, HistoryRun } from '../history/historyPool.js';
import {
  parseHistoryQuery,
  type HistoryFormat,
  type HistoryQuery,
  type QueryRefusal,
} from '../history/query.js';
import { asJson, crossOrigin, respond, uncached, type Answer } from './answers.js';
import type { ErrorCode } from './errors.js';
import type { UwsRequest, UwsResponse } from './uwsApi.js';

/** Stored ticks, as far as the server needs them. */
export interface TickHistory {
  /** The `EXCHANGE.id` that a client means; undefined when there can be no such instrument. */
  keyOf(requested: string): string | undefined;
  /** Undefined when there are too many queries. */
  run(query: HistoryQuery, receiver: HistoryReceiver): HistoryRun | undefined;
}

type Headers = readonly (readonly [string, string])[];

/** A client that takes less than a chunk in this time, in ms, is cut off. */
const stallMs = 30_000;
const retryAfterSeconds = '1';
const contentTypes: Readonly<Record<HistoryFormat, string>> = {
  json: 'application/json; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
};
const failures: Readonly<Record<HistoryFailure, string>> = {
  cursor_expired: '410 Gone',
  history_unavailable: '503 Service Unavailable',
  internal_error: '500 Internal Server Error',
};
const readable = ['access-control-expose-headers', 'x-history-source, x-history-complete-from'] as const;

/** GET /api/history/ticks. */
export function serveHistory(
  res: UwsResponse,
  req: UwsRequest,
  isHead: boolean,
  history: TickHistory,
  logger: Logger,
): void {
  const parsed = parseHistoryQuery(req.getQuery(), (requested) => history.keyOf(requested), Date.now());
  if ('refusal' in parsed) {
    respond(res, refusalOf(parsed.refusal), isHead);
    return;
  }
  const { query } = parsed;
  if (isHead) {
    respond(res, { status: '200 OK', headers: headersOf(query, undefined), body: '' }, true);
    return;
  }
  const answer = new StreamedAnswer(res, query, logger);
  const run = history.run(query, answer);
  if (run === undefined) {
    const busy = errorOf(
      '503 Service Unavailable',
      'history_busy',
      'too many queries at once; try again soon',
    );
    respond(res, { ...busy, headers: [...busy.headers, ['retry-after', retryAfterSeconds]] }, false);
    return;
  }
  res.onAborted(() => {
    answer.abandon();
    run.cancel();
  });
}

/**
 * Writes the pieces of an answer at the pace of its reader, in chunked coding since nobody knows the length: one that
 * breaks off lacks the last chunk, so the client can tell.
 */
class StreamedAnswer implements HistoryReceiver {
  readonly #res: UwsResponse;
  readonly #query: HistoryQuery;
  readonly #logger: Logger;
  #begun = false;
  #gone = false;
  /** Of pieces that wait for the reader. */
  readonly #releases: (() => void)[] = [];
  #stalled: NodeJS.Timeout | undefined;

  constructor(res: UwsResponse, query: HistoryQuery, logger: Logger) {
    this.#res = res;
    this.#query = query;
    this.#logger = logger;
  }

  /** The client has left. */
  abandon(): void {
    this.#gone = true;
    clearTimeout(this.#stalled);
  }

  chunk(bytes: Uint8Array, isLast: boolean, head: HistoryHead | undefined, release: () => void): void {
    const res = this.#res;
    res.cork(() => {
      if (!this.#begun) this.#begin(head);
      if (isLast) this.#end(bytes);
      else if (res.write(bytes)) release();
      else this.#hold(release);
    });
  }

  failed(code: HistoryFailure, message: string): void {
    if (code === 'internal_error')
      this.#logger.error({ query: this.#query, reason: message }, 'a history query failed');
    if (this.#gone) return;
    if (this.#begun) {
      this.#res.close();
      return;
    }
    const told = code === 'internal_error' ? 'the query failed, the log says why' : message;
    this.#res.cork(() => respond(this.#res, errorOf(failures[code], code, told), false));
    this.abandon();
  }

  #begin(head: HistoryHead | undefined): void {
    this.#begun = true;
    this.#res.writeStatus('200 OK');
    for (const [name, value] of headersOf(this.#query, head)) this.#res.writeHeader(name, value);
    this.#res.onWritable(() => {
      clearTimeout(this.#stalled);
      for (const release of this.#releases.splice(0)) release();
      return true;
    });
  }

  #end(bytes: Uint8Array): void {
    this.abandon();
    this.#res.end(bytes);
  }

  #hold(release: () => void): void {
    this.#releases.push(release);
    clearTimeout(this.#stalled);
    this.#stalled = setTimeout(() => this.#res.close(), stallMs);
  }
}

function headersOf({ format }: HistoryQuery, head: HistoryHead | undefined): Headers {
  const known: Headers =
    head === undefined
      ? []
      : [
          ['x-history-source', head.source],
          ['x-history-complete-from', `${head.completeFromMs ?? ''}`],
        ];
  return [['content-type', contentTypes[format]], uncached, crossOrigin, readable, ...known];
}

function errorOf(status: string, code: ErrorCode, message: string): Answer {
  const { headers, ...answer } = asJson(status, JSON.stringify({ error: { code, message } }));
  return { ...answer, headers: [...headers, crossOrigin] };
}

function refusalOf({ parameter, value, message }: QueryRefusal): Answer {
  const error = { code: 'invalid_query' satisfies ErrorCode, message, parameter, value };
  const { headers, ...answer } = asJson('400 Bad Request', JSON.stringify({ error }));
  return { ...answer, headers: [...headers, crossOrigin] };
}
