import type { Logger } from 'pino';
import type { HistoryFailure, HistoryHead } from '../../history/chunkSender.js';
import type { Advice } from '../../market/instruments/instrumentAdvice.js';
import type { HistoryReceiver, HistoryRefusal, HistoryRun } from '../../history/historyPool.js';
import {
  parseHistoryQuery,
  type HistoryFormat,
  type HistoryQuery,
  type QueryRefusal,
} from '../../history/query.js';
import { asJson, crossOrigin, respond, uncached, type HttpAnswer } from './response.js';
import type { ErrorCode } from '../shared/errors.js';
import type { UwsRequest, UwsResponse } from '../uws/uwsApi.js';
import { marked } from '../../base/logEvents.js';

/** Stored ticks, as far as the server needs them. */
export interface TickHistory {
  /** The `EXCHANGE.id` that a client means; undefined when there can be no such instrument. */
  keyOf(requested: string): string | undefined;
  /** Suggestions for a name without a key. */
  adviseUnknown(requested: string): Advice;
  /** @param address of who asks */
  run(query: HistoryQuery, receiver: HistoryReceiver, address: string): HistoryRun | HistoryRefusal;
}

type Headers = readonly (readonly [string, string])[];

/** A client that takes less than a chunk in this time, in ms, is cut off. */
const stallMs = 30_000;
/** Bytes at the beginning of a piece; fewer than any socket takes before it is writable again. */
const beginBytes = 512;
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
const refusals: Readonly<Record<HistoryRefusal, readonly [status: string, message: string]>> = {
  busy: ['503 Service Unavailable', 'too many queries at once; try again soon'],
  address_busy: [
    '429 Too Many Requests',
    'too many queries of your address at once: three quarters of the places are what one may have; try again when others have ended',
  ],
};
const readable = ['access-control-expose-headers', 'x-history-source, x-history-complete-from'] as const;

/**
 * GET /api/history/ticks.
 *
 * @param address whose share of the places the query takes
 */
export function serveHistory(
  res: UwsResponse,
  req: UwsRequest,
  isHead: boolean,
  address: string,
  history: TickHistory,
  logger: Logger,
): void {
  const parsed = parseHistoryQuery(req.getQuery(), (requested) => history.keyOf(requested), Date.now());
  if ('refusal' in parsed) {
    respond(res, refusalOf(parsed.refusal, history), isHead);
    return;
  }
  const { query } = parsed;
  if (isHead) {
    res.writeStatus('200 OK');
    for (const [name, value] of headersOf(query, undefined)) res.writeHeader(name, value);
    // Nobody knows the length that an answer would have.
    res.endWithoutBody();
    return;
  }
  const answer = new StreamedAnswer(res, query, logger);
  const run = history.run(query, answer, address);
  if (typeof run === 'string') {
    const [status, message] = refusals[run];
    const busy = errorOf(status, 'history_busy', message);
    respond(res, { ...busy, headers: [...busy.headers, ['retry-after', retryAfterSeconds]] }, false);
    return;
  }
  res.onAborted(() => {
    answer.abandon();
    run.cancel();
  });
}

/** A piece of an answer that the socket has not taken yet. */
interface Piece {
  bytes: Uint8Array;
  readonly isLast: boolean;
  readonly release: () => void;
}

/**
 * Writes the pieces of an answer at the pace of its reader, in chunked coding since nobody knows the length: one that
 * breaks off lacks the last chunk, so the client can tell.
 *
 * uWebSockets.js says that a socket is writable as soon as it takes anything at all, with whatever it still buffers. Only
 * a write that returns true says that the buffer was empty. So each piece begins with a small one of its own, and until
 * that goes through no more than this is added to the buffer, which is less than what the socket took.
 */
class StreamedAnswer implements HistoryReceiver {
  readonly #res: UwsResponse;
  readonly #query: HistoryQuery;
  readonly #logger: Logger;
  #begun = false;
  #gone = false;
  /** The socket has not taken all that it was given. */
  #blocked = false;
  readonly #pieces: Piece[] = [];
  #stalled: NodeJS.Timeout | undefined;

  constructor(res: UwsResponse, query: HistoryQuery, logger: Logger) {
    this.#res = res;
    this.#query = query;
    this.#logger = logger;
  }

  /** The client has left. */
  abandon(): void {
    this.#gone = true;
    this.#pieces.length = 0;
    clearTimeout(this.#stalled);
  }

  chunk(bytes: Uint8Array, isLast: boolean, head: HistoryHead | undefined, release: () => void): void {
    this.#pieces.push({ bytes, isLast, release });
    this.#res.cork(() => {
      if (!this.#begun) this.#begin(head);
      this.#writePieces();
    });
  }

  failed(code: HistoryFailure, message: string): void {
    if (code === 'internal_error')
      this.#logger.error(
        marked('history_query_failed', { query: this.#query, reason: message }),
        'a history query failed',
      );
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
      this.#blocked = false;
      this.#res.cork(() => this.#writePieces());
      return true;
    });
  }

  #writePieces(): void {
    while (!this.#blocked) {
      const piece = this.#pieces[0];
      if (piece === undefined) return;
      if (piece.isLast) {
        this.abandon();
        this.#res.end(piece.bytes);
        return;
      }
      const begin = Math.min(beginBytes, piece.bytes.length);
      const hasBegun = this.#write(piece.bytes.subarray(0, begin));
      piece.bytes = piece.bytes.subarray(begin);
      if (piece.bytes.length > 0) {
        if (!hasBegun) return;
        this.#write(piece.bytes);
      }
      this.#pieces.shift();
      piece.release();
    }
  }

  /** False when the socket has not taken everything. */
  #write(bytes: Uint8Array): boolean {
    this.#blocked = !this.#res.write(bytes);
    if (this.#blocked) {
      this.#stalled ??= setTimeout(() => this.#res.close(), stallMs);
    } else {
      clearTimeout(this.#stalled);
      this.#stalled = undefined;
    }
    return !this.#blocked;
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

function errorOf(status: string, code: ErrorCode, message: string): HttpAnswer {
  return readableError(status, { code, message });
}

function refusalOf(refusal: QueryRefusal, history: TickHistory): HttpAnswer {
  if (refusal.code === 'invalid_query') return readableError('400 Bad Request', refusal);
  const { text, meant } = history.adviseUnknown(refusal.value);
  const error = { ...refusal, message: `${refusal.message} (${text})`, suggestions: meant };
  return readableError('404 Not Found', error);
}

function readableError(
  status: string,
  error: { readonly code: ErrorCode; readonly message: string },
): HttpAnswer {
  const { headers, ...answer } = asJson(status, JSON.stringify({ error }));
  return { ...answer, headers: [...headers, crossOrigin] };
}
