import type { Logger } from 'pino';
import type { ErrorCode } from '../shared/errors.js';
import type { Refusal } from '../fairness/admission.js';
import type { UwsResponse } from '../uws/uwsApi.js';
import { marked } from '../../base/logEvents.js';

/** A whole response. */
export interface HttpAnswer {
  readonly status: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string | Buffer;
}

export const uncached = ['cache-control', 'no-store'] as const;
/** Web pages from anywhere may read it. */
export const crossOrigin = ['access-control-allow-origin', '*'] as const;

export function asJson(status: string, body: string): HttpAnswer {
  return { status, headers: [['content-type', 'application/json; charset=utf-8'], uncached], body };
}

/** An error response in the form that all of them have. */
export function failure(status: string, code: ErrorCode, message: string): HttpAnswer {
  return asJson(status, JSON.stringify({ error: { code, message } }));
}

/** Does what answers a request; an exception costs that connection and not the process. */
export function guarded(res: UwsResponse, logger: Logger, answer: () => void): void {
  try {
    answer();
  } catch (error) {
    logger.error(marked('request_failed', { err: error }), 'a request could not be answered');
    res.close();
  }
}

/** Answers with an error at once, and has the connection closed: what follows on it is not read. */
export function refuse(res: UwsResponse, { status, code, message, retryAfter }: Refusal): void {
  const { headers, body } = failure(status, code, message);
  res.writeStatus(status);
  for (const [name, value] of headers) res.writeHeader(name, value);
  if (retryAfter !== undefined) res.writeHeader('retry-after', String(retryAfter));
  res.end(body, true);
}

/** Answers at once, from within a handler. */
export function respond(res: UwsResponse, { status, headers, body }: HttpAnswer, isHead: boolean): void {
  res.writeStatus(status);
  for (const [name, value] of headers) res.writeHeader(name, value);
  if (isHead) {
    // Told the length, uWebSockets.js would wait for the body, and abort the process because none comes.
    res.writeHeader('content-length', String(Buffer.byteLength(body)));
    res.endWithoutBody();
  } else {
    res.end(body);
  }
}
