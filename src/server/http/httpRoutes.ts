import type { BlockList } from 'node:net';
import type { Logger } from 'pino';
import { crossOrigin, asJson, failure, guarded, refuse, respond, type HttpAnswer } from './response.js';
import { requestAddress } from '../shared/clientAddress.js';
import { chooseCoding, namesTag } from './contentCoding.js';
import { accountKey } from '../fairness/addressAccounts.js';
import type { Admission, Refusal } from '../fairness/admission.js';
import { serveHistory, type TickHistory } from './historyRoute.js';
import { socketPaths, symbolsPaths } from '../shared/socketPaths.js';
import type { PublicStatus } from './publicStatus.js';
import {
  noSuchPage,
  preflightAnswer,
  wrongMethod,
  type PageMethod,
  type StatusPages,
} from './statusPages.js';
import type { SymbolsPages } from './symbolsPage.js';
import type { UwsApp, UwsRequest, UwsResponse } from '../uws/uwsApi.js';
import { marked } from '../../base/logEvents.js';

export interface HttpParts {
  /** Served as they are, but for those that `statusIsPublic` is about. */
  readonly pages: StatusPages;
  /** GET /api/status; absent where there is none. */
  readonly status?: (() => PublicStatus) | undefined;
  /** Whether everybody may read /health and /api/status. */
  statusIsPublic(): boolean;
  /** Proxies that may say whom they speak for. */
  trustedProxies(): BlockList;
  readonly symbols: SymbolsPages;
  /** Undefined where no ticks are kept. */
  readonly history: TickHistory | undefined;
  readonly admission: Admission;
  /** Takes in ticks that wait; called before each request. */
  takeTicks(): void;
  readonly logger: Logger;
}

interface Page {
  /** In lower case, as uWebSockets.js gives it; a page that is read is there for HEAD too. */
  readonly method: PageMethod;
  readonly serve: (res: UwsResponse, req: UwsRequest, isHead: boolean) => void;
}

const historyOff = 'the gateway keeps no ticks: neither redis_enabled nor history_memory is set';
/** Pages for management only, whoever the caller is: behind a proxy, every caller looks local. */
const managementPages = ['/api/reload'];
const privateUnlessPublic = ['/health', '/api/status'];

/** Installs the HTTP side of the port: pages by their names, 404 and 405 in JSON for the rest. */
export function installHttpRoutes(app: UwsApp, parts: HttpParts): void {
  const pages = pagesOf(parts);
  app.any('/*', (res, req) => guarded(res, parts.logger, () => serve(res, req, pages, parts)));
}

function serve(res: UwsResponse, req: UwsRequest, pages: ReadonlyMap<string, Page>, parts: HttpParts): void {
  parts.takeTicks();
  const startMs = performance.now();
  const address = accountKey(requestAddress(res, req, parts.trustedProxies()));
  const tooMany = whyBadFraming(req) ?? parts.admission.admitRequest(address, startMs);
  if (tooMany !== undefined) {
    refuse(res, tooMany);
    return;
  }
  const url = req.getUrl();
  const method = req.getMethod();
  const isHead = method === 'head';
  const page = pages.get(url);
  if (managementPages.includes(url) || (privateUnlessPublic.includes(url) && !parts.statusIsPublic()))
    respond(res, notPublic(url), isHead);
  else if (page === undefined) respond(res, noPage(url, req), isHead);
  else if (method === page.method || (isHead && page.method === 'get')) page.serve(res, req, isHead);
  else
    respond(res, method === 'options' ? preflightAnswer(page.method) : wrongMethod(url, page.method), isHead);
  const endMs = performance.now();
  parts.admission.accounts.of(address, endMs).work.charge(endMs - startMs, endMs);
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

function notPublic(url: string): HttpAnswer {
  const where = 'the Unix socket of management_socket and on management_port';
  return failure('404 Not Found', 'not_public', `${url} is not on this port, but on ${where}`);
}

function noPage(url: string, req: UwsRequest): HttpAnswer {
  const isSocket = req.getHeader('upgrade').toLowerCase() === 'websocket';
  if (!isSocket && !socketPaths.includes(url)) return noSuchPage(url);
  const message = isSocket
    ? `there is no WebSocket at ${url}: clients connect to ${socketPaths.join(' or ')}`
    : `there is a WebSocket at ${url}, and no page`;
  return failure('404 Not Found', 'not_found', message);
}

function pagesOf(parts: HttpParts): ReadonlyMap<string, Page> {
  const pages = new Map<string, Page>();
  const read = (url: string, serve: Page['serve']): void => void pages.set(url, { method: 'get', serve });
  for (const [url, { method, answer }] of parts.pages)
    pages.set(url, {
      method,
      serve: (res, req, isHead) => {
        respond(res, answer(req.getQuery()), isHead);
      },
    });
  const { status } = parts;
  if (status !== undefined)
    read('/api/status', (res, _req, isHead) => {
      respond(res, asJson('200 OK', JSON.stringify(status())), isHead);
    });
  for (const path of symbolsPaths)
    read(path, (res, req, isHead) => {
      serveSymbols(res, req, isHead, parts);
    });
  read('/api/history/ticks', (res, req, isHead) => {
    const { history, logger, admission } = parts;
    const strange = admission.whyNoOrigin(req.getHeader('origin'), req.getHeader('host'));
    const address = accountKey(requestAddress(res, req, parts.trustedProxies()));
    if (strange !== undefined) refuse(res, strange);
    else if (history !== undefined) serveHistory(res, req, isHead, address, history, logger);
    else respond(res, failure('404 Not Found', 'history_off', historyOff), isHead);
  });
  return pages;
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
      const answer: HttpAnswer = { status: '200 OK', headers, body };
      if (isHead) respond(res, answer, true);
      else stream(res, answer, body);
    });
  };
  serve().catch((error: unknown) => {
    logger.error(marked('request_failed', { err: error }), 'the instrument file could not be served');
    if (!aborted)
      res.cork(() => {
        const message = 'the instrument file could not be made, the log says why';
        respond(res, failure('500 Internal Server Error', 'internal_error', message), isHead);
      });
  });
}

/** Sends a long body at the pace of the reader, without a copy of it in memory for each one. */
function stream(res: UwsResponse, { status, headers }: HttpAnswer, body: Buffer): void {
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
