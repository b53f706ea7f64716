import type { Logger } from 'pino';
import type { ReloadSummary } from '../config/reload.js';
import { asJson, crossOrigin, failure, refuse, respond, type Answer } from './answers.js';
import { chooseCoding, namesTag } from './contentCoding.js';
import { accountKey } from './fairness/addressAccounts.js';
import type { Admission, Refusal } from './fairness/admission.js';
import { healthBody, type HealthReport, type ServerCounters } from './health.js';
import { serveHistory, type TickHistory } from './historyRoute.js';
import { serveReload } from './reloadRoute.js';
import type { StatusReport } from './status.js';
import { parseSessionsQuery, type SessionsSource } from './sessionsPage.js';
import { whyNotLocal } from './statusAccess.js';
import type { SymbolsPages } from './symbolsPage.js';
import type { UwsApp, UwsRequest, UwsResponse } from './uwsApi.js';

/** Pages for programs on this machine; absent ones are not there. */
export interface LocalPages {
  /** GET /api/status */
  readonly status?: () => StatusReport;
  /** POST /api/reload (serveReload) */
  readonly reload?: () => Promise<ReloadSummary>;
}

export interface HttpParts {
  health(): HealthReport;
  counters(): ServerCounters;
  /** False while the server is stopping. */
  accepting(): boolean;
  readonly local: LocalPages;
  readonly symbols: SymbolsPages;
  /** GET /api/sessions; absent where there is none. */
  readonly sessions?: SessionsSource | undefined;
  /** Undefined where no ticks are kept. */
  readonly history: TickHistory | undefined;
  readonly admission: Admission;
  readonly logger: Logger;
}

interface Page {
  /** In lower case, as uWebSockets.js gives it; a page that is read is there for HEAD too. */
  readonly method: 'get' | 'post';
  /** For programs on this machine alone. */
  readonly isLocal: boolean;
  readonly serve: (res: UwsResponse, req: UwsRequest, isHead: boolean) => void;
}

const historyOff = 'the gateway keeps no ticks: neither redis_enabled nor history_memory is set';
const allowedMethods = { get: 'GET, HEAD, OPTIONS', post: 'POST, OPTIONS' } as const;

/** Installs the HTTP side of the port: pages by their names, 404 and 405 in JSON for the rest. */
export function installHttpRoutes(app: UwsApp, parts: HttpParts): void {
  const pages = pagesOf(parts);
  app.any('/*', (res, req) => {
    const startMs = performance.now();
    const address = accountKey(Buffer.from(res.getRemoteAddressAsText()).toString('latin1'));
    const tooMany = whyBadFraming(req) ?? parts.admission.admitRequest(address, startMs);
    if (tooMany !== undefined) {
      refuse(res, tooMany);
      return;
    }
    const url = req.getUrl();
    const method = req.getMethod();
    const isHead = method === 'head';
    const page = pages.get(url);
    if (page === undefined) {
      respond(res, failure('404 Not Found', 'not_found', `there is no page ${url}`), isHead);
      return;
    }
    const refusal = page.isLocal ? whyNotLocal(originOf(res, req)) : undefined;
    if (refusal !== undefined) respond(res, failure('403 Forbidden', 'local_only', refusal), isHead);
    else if (method === page.method || (isHead && page.method === 'get')) page.serve(res, req, isHead);
    else respond(res, method === 'options' ? options(page) : wrongMethod(url, page), isHead);
    const endMs = performance.now();
    parts.admission.accounts.of(address, endMs).work.charge(endMs - startMs, endMs);
  });
}

/**
 * Why it cannot be told where the request ends, so that a proxy in front might see its end elsewhere; undefined when it
 * can. uWebSockets.js takes such requests.
 */
function whyBadFraming(req: UwsRequest): Refusal | undefined {
  let lengths = 0;
  let coding: string | undefined;
  req.forEach((name, value) => {
    if (name === 'content-length') lengths++;
    else if (name === 'transfer-encoding') coding = value;
  });
  const refuseIt = (message: string): Refusal => ({
    status: '400 Bad Request',
    code: 'bad_framing',
    message,
  });
  if (lengths > 1) return refuseIt('there is more than one Content-Length');
  if (coding === undefined) return undefined;
  if (coding.toLowerCase() !== 'chunked')
    return refuseIt(`Transfer-Encoding must be chunked, not ${JSON.stringify(coding.slice(0, 40))}`);
  return lengths > 0 ? refuseIt('there are both Content-Length and Transfer-Encoding') : undefined;
}

function pagesOf(parts: HttpParts): ReadonlyMap<string, Page> {
  const { status, reload } = parts.local;
  const pages = new Map<string, Page>();
  const read = (url: string, isLocal: boolean, serve: Page['serve']): void =>
    void pages.set(url, { method: 'get', isLocal, serve });
  read('/health', false, (res, _req, isHead) => {
    const report = parts.health();
    const code = report.status === 'unhealthy' ? '503 Service Unavailable' : '200 OK';
    respond(res, asJson(code, healthBody(report, parts.counters(), Date.now())), isHead);
  });
  read('/livez', false, (res, _req, isHead) => {
    respond(res, asJson('200 OK', '{"status":"live"}'), isHead);
  });
  read('/readyz', false, (res, _req, isHead) => {
    const isReady = parts.accepting() && parts.health().status !== 'unhealthy';
    respond(
      res,
      isReady
        ? asJson('200 OK', '{"status":"ready"}')
        : asJson('503 Service Unavailable', '{"status":"not ready"}'),
      isHead,
    );
  });
  read('/symbols/latest.json', false, (res, req, isHead) => {
    serveSymbols(res, req, isHead, parts);
  });
  const { sessions } = parts;
  if (sessions !== undefined)
    read('/api/sessions', false, (res, req, isHead) => {
      respond(res, serveSessions(req.getQuery(), sessions), isHead);
    });
  read('/api/history/ticks', false, (res, req, isHead) => {
    const { history, logger, admission } = parts;
    const strange = admission.whyNoOrigin(req.getHeader('origin'), req.getHeader('host'));
    if (strange !== undefined) refuse(res, strange);
    else if (history !== undefined) serveHistory(res, req, isHead, history, logger);
    else respond(res, failure('404 Not Found', 'history_off', historyOff), isHead);
  });
  if (status !== undefined)
    read('/api/status', true, (res, _req, isHead) => {
      respond(res, asJson('200 OK', JSON.stringify(status())), isHead);
    });
  if (reload !== undefined)
    pages.set('/api/reload', {
      method: 'post',
      isLocal: true,
      serve: (res) => {
        serveReload(res, reload, parts.logger);
      },
    });
  return pages;
}

function serveSessions(query: string, sessions: SessionsSource): Answer {
  const parsed = parseSessionsQuery(query, sessions.products);
  const answer =
    'refusal' in parsed
      ? failure('400 Bad Request', 'invalid_query', parsed.refusal)
      : asJson('200 OK', JSON.stringify(sessions.report(parsed.filter)));
  return { ...answer, headers: [...answer.headers, crossOrigin] };
}

function originOf(res: UwsResponse, req: UwsRequest): Parameters<typeof whyNotLocal>[0] {
  return {
    address: Buffer.from(res.getRemoteAddressAsText()).toString('latin1'),
    host: req.getHeader('host'),
    origin: req.getHeader('origin'),
    forwarded: req.getHeader('x-forwarded-for') || req.getHeader('forwarded'),
  };
}

/** A preflight lets web pages read what everybody may read, and nothing else. */
function options({ method, isLocal }: Page): Answer {
  const allow = ['allow', allowedMethods[method]] as const;
  const headers = isLocal
    ? [allow]
    : [crossOrigin, ['access-control-allow-methods', allowedMethods[method]] as const, allow];
  return { status: '204 No Content', headers, body: '' };
}

function wrongMethod(url: string, { method }: Page): Answer {
  const allowed = allowedMethods[method];
  const { headers, ...answer } = failure(
    '405 Method Not Allowed',
    'method_not_allowed',
    `${url} is there for ${allowed}`,
  );
  return { ...answer, headers: [...headers, ['allow', allowed]] };
}

function serveSymbols(
  res: UwsResponse,
  req: UwsRequest,
  isHead: boolean,
  { symbols, logger }: HttpParts,
): void {
  const coding = chooseCoding(req.getHeader('accept-encoding'));
  const known = req.getHeader('if-none-match');
  let aborted = false;
  res.onAborted(() => {
    aborted = true;
  });
  const serve = async (): Promise<void> => {
    const { bodies, etag } = await symbols.current();
    if (aborted) return;
    const headers: (readonly [string, string])[] = [
      crossOrigin,
      ['cache-control', 'no-cache'],
      ['vary', 'accept-encoding'],
      ['etag', etag],
    ];
    res.cork(() => {
      if (namesTag(known, etag)) {
        respond(res, { status: '304 Not Modified', headers, body: '' }, false);
        return;
      }
      headers.push(['content-type', 'application/json; charset=utf-8']);
      if (coding !== 'identity') headers.push(['content-encoding', coding]);
      const body = bodies[coding];
      const answer: Answer = { status: '200 OK', headers, body };
      if (isHead) respond(res, answer, true);
      else stream(res, answer, body);
    });
  };
  serve().catch((error: unknown) => {
    logger.error({ err: error }, 'the instrument file could not be served');
    if (!aborted)
      res.cork(() => {
        const message = 'the instrument file could not be made, the log says why';
        respond(res, failure('500 Internal Server Error', 'internal_error', message), isHead);
      });
  });
}

/** Sends a long body at the pace of the reader, without a copy of it in memory for each one. */
function stream(res: UwsResponse, { status, headers }: Answer, body: Buffer): void {
  res.writeStatus(status);
  for (const [name, value] of headers) res.writeHeader(name, value);
  const start = res.getWriteOffset();
  const [, complete] = res.tryEnd(body, body.length);
  if (complete) return;
  res.onWritable((offset) => {
    const [taken] = res.tryEnd(body.subarray(offset - start), body.length);
    return taken;
  });
}
