import type { Logger } from 'pino';
import type { ErrorCode } from './errors.js';
import { healthBody, type HealthReport, type ServerCounters } from './health.js';
import type { SymbolsPages } from './symbolsPage.js';
import type { UwsApp, UwsRequest, UwsResponse } from './uwsApi.js';

export interface HttpParts {
  health(): HealthReport;
  counters(): ServerCounters;
  /** False while the server is stopping. */
  accepting(): boolean;
  readonly symbols: SymbolsPages;
  readonly logger: Logger;
}

interface Answer {
  readonly status: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string | Buffer;
}

const allowedMethods = 'GET, HEAD, OPTIONS';
const uncached = ['cache-control', 'no-store'] as const;
const crossOrigin = ['access-control-allow-origin', '*'] as const;

/** Installs the HTTP side of the port: fixed pages for reading, 404 and 405 in JSON for the rest. */
export function installHttpRoutes(app: UwsApp, parts: HttpParts): void {
  const pages: Readonly<Record<string, (res: UwsResponse, req: UwsRequest, isHead: boolean) => void>> = {
    '/health': (res, _req, isHead) => {
      const report = parts.health();
      const status = report.status === 'unhealthy' ? '503 Service Unavailable' : '200 OK';
      respond(res, json(status, healthBody(report, parts.counters(), Date.now())), isHead);
    },
    '/livez': (res, _req, isHead) => {
      respond(res, json('200 OK', '{"status":"live"}'), isHead);
    },
    '/readyz': (res, _req, isHead) => {
      const ready = parts.accepting() && parts.health().status !== 'unhealthy';
      respond(
        res,
        ready
          ? json('200 OK', '{"status":"ready"}')
          : json('503 Service Unavailable', '{"status":"not ready"}'),
        isHead,
      );
    },
    '/symbols/latest.json': (res, req, isHead) => {
      serveSymbols(res, req, isHead, parts);
    },
  };

  app.any('/*', (res, req) => {
    const url = req.getUrl();
    const method = req.getMethod();
    const page = Object.hasOwn(pages, url) ? pages[url] : undefined;
    if (page === undefined) {
      respond(res, failure('404 Not Found', 'not_found', `there is no page ${url}`), method === 'head');
    } else if (method === 'get' || method === 'head') {
      page(res, req, method === 'head');
    } else if (method === 'options') {
      const headers = [
        crossOrigin,
        ['access-control-allow-methods', allowedMethods],
        ['allow', allowedMethods],
      ] as const;
      respond(res, { status: '204 No Content', headers, body: '' }, false);
    } else {
      const { status, headers, body } = failure(
        '405 Method Not Allowed',
        'method_not_allowed',
        `${url} is there for ${allowedMethods}`,
      );
      respond(res, { status, headers: [...headers, ['allow', allowedMethods]], body }, false);
    }
  });
}

/** An error response in the form that all of them have. */
export function failure(status: string, code: ErrorCode, message: string): Answer {
  return json(status, JSON.stringify({ error: { code, message } }));
}

/** Answers at once, from within a handler. */
export function respond(res: UwsResponse, { status, headers, body }: Answer, isHead: boolean): void {
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

function json(status: string, body: string): Answer {
  return { status, headers: [['content-type', 'application/json; charset=utf-8'], uncached], body };
}

function serveSymbols(
  res: UwsResponse,
  req: UwsRequest,
  isHead: boolean,
  { symbols, logger }: HttpParts,
): void {
  const takesGzip = /\bgzip\b/.test(req.getHeader('accept-encoding'));
  const known = req.getHeader('if-none-match');
  let aborted = false;
  res.onAborted(() => {
    aborted = true;
  });
  const serve = async (): Promise<void> => {
    const { plain, gzipped, etag } = await symbols.current();
    if (aborted) return;
    const headers: (readonly [string, string])[] = [
      crossOrigin,
      ['cache-control', 'no-cache'],
      ['vary', 'accept-encoding'],
      ['etag', etag],
    ];
    res.cork(() => {
      if (known.includes(etag)) {
        respond(res, { status: '304 Not Modified', headers, body: '' }, false);
        return;
      }
      headers.push(['content-type', 'application/json; charset=utf-8']);
      if (takesGzip) headers.push(['content-encoding', 'gzip']);
      const answer: Answer = { status: '200 OK', headers, body: takesGzip ? gzipped : plain };
      if (isHead) respond(res, answer, true);
      else stream(res, answer, takesGzip ? gzipped : plain);
    });
  };
  serve().catch((error: unknown) => {
    logger.error({ err: error }, 'the instrument file could not be served');
    if (!aborted)
      res.cork(() => {
        respond(res, json('500 Internal Server Error', '{"error":{"code":"internal_error"}}'), false);
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
