import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { Logger } from 'pino';
import type { ReloadSummary } from '../config/reload.js';
import { PrivateSocket, socketPathIn } from '../base/privateSocket.js';
import { asJson, failure, type HttpAnswer } from './http/response.js';
import { whyNotListening } from './uws/listenFailure.js';
import { reloadAnswer } from './http/reloadRoute.js';
import type { StatusReport } from './http/status.js';
import {
  noSuchPage,
  optionsAnswer,
  wrongMethod,
  type PageMethod,
  type StatusPages,
} from './http/statusPages.js';
import { marked } from '../base/logEvents.js';

const portHost = '127.0.0.1';
const maxConnections = 64;
const requestTimeoutMs = 10_000;
const loopbackName = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i;

/** Where a gateway's configuration puts management. */
export interface ManagementPlace {
  /** Absolute path of the socket; empty: in the flow folder. */
  readonly managementSocket: string;
  /** Absolute path. */
  readonly flowPath: string;
}

export interface ManagementParts {
  /** Pages that the public port has as well. */
  readonly pages: StatusPages;
  /** GET /api/status */
  readonly status: () => StatusReport;
  /** POST /api/reload (reloadAnswer) */
  readonly reload: () => Promise<ReloadSummary>;
  /** Path of the Unix socket. */
  readonly socket: string;
  /** Port on 127.0.0.1; 0: none. */
  readonly port: number;
  readonly logger: Logger;
}

interface Page {
  readonly method: PageMethod;
  readonly answer: (query: string) => HttpAnswer | Promise<HttpAnswer>;
}

/**
 * The path of the socket of a gateway that serves clients on `port`. Without a setting the port is in its name, so that
 * gateways may share a flow folder.
 */
export function managementSocketPath(
  { managementSocket, flowPath }: ManagementPlace,
  port: number,
  env: NodeJS.ProcessEnv,
): string {
  return managementSocket || socketPathIn(flowPath, `management-${port}.sock`, env);
}

/**
 * Why a request to the management port is refused, or undefined when it is not. A browser on this machine sends what any
 * web page makes it send: a page whose name was turned to 127.0.0.1 (DNS rebinding) betrays itself by the Host header,
 * any other one by Origin.
 */
export function whyNotManagement(host: string | undefined, origin: string | undefined): string | undefined {
  if (!loopbackName.test(host ?? '')) return 'the Host header must be localhost, 127.0.0.1 or [::1]';
  return origin === undefined ? undefined : 'not for web pages';
}

/**
 * HTTP for the operator: on a Unix socket that the gateway's own user alone can open, and on a port of the
 * loopback interface, if one is set, for every user of the machine.
 *
 *     curl --unix-socket ctpflow/management-7799.sock http://localhost/api/status
 */
export class ManagementServer {
  readonly #pages: ReadonlyMap<string, Page>;
  readonly #logger: Logger;
  readonly #onSocket: Server;
  readonly #onPort: Server;
  #socket: PrivateSocket | undefined;
  #closed: Promise<void> | undefined;

  private constructor({ pages, status, reload, logger }: ManagementParts) {
    this.#logger = logger;
    this.#pages = new Map<string, Page>([
      ...pages,
      ['/api/status', { method: 'get', answer: () => asJson('200 OK', JSON.stringify(status())) }],
      ['/api/reload', { method: 'post', answer: () => reloadAnswer(reload, logger) }],
    ]);
    this.#onSocket = this.#server(() => undefined);
    this.#onPort = this.#server(({ headers }) => whyNotManagement(headers.host, headers.origin));
  }

  /** Throws an Error of one line that names the setting, when socket or port cannot be had. */
  static async open(options: ManagementParts): Promise<ManagementServer> {
    const { socket, port, logger } = options;
    const opened = new ManagementServer(options);
    try {
      opened.#socket = await PrivateSocket.open(socket, opened.#onSocket);
    } catch (error) {
      throw new Error(`management_socket: ${(error as Error).message}`, { cause: error });
    }
    try {
      if (port !== 0) await listen(opened.#onPort, port);
    } catch (error) {
      await opened.close();
      throw error;
    }
    logger.info({ socket, ...(port === 0 ? {} : { port }) }, 'management');
    return opened;
  }

  /** Removes the socket, takes no further requests and cuts off those that are not answered. Safe to call again. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const ended = this.#onPort.listening ? once(this.#onPort, 'close') : undefined;
    this.#onPort.close();
    const removed = this.#socket?.close();
    for (const server of [this.#onPort, this.#onSocket]) server.closeAllConnections();
    try {
      await removed;
    } catch (error) {
      this.#logger.warn(marked('management_failed'), `management_socket: ${(error as Error).message}`);
    }
    await ended;
  }

  #server(whyNot: (request: IncomingMessage) => string | undefined): Server {
    const server = createServer({ requestTimeout: requestTimeoutMs }, (request, response) => {
      this.#handle(request, response, whyNot(request)).catch((error: unknown) => {
        this.#logger.error(marked('request_failed', { err: error }), 'a management request failed');
        if (response.headersSent) response.destroy();
        else
          send(response, failure('500 Internal Server Error', 'internal_error', 'the log says why'), false);
      });
    });
    server.maxConnections = maxConnections;
    return server;
  }

  async #handle(
    request: IncomingMessage,
    response: ServerResponse,
    refusal: string | undefined,
  ): Promise<void> {
    // A body means nothing here, but the next request on the connection comes after it.
    request.resume();
    const method = (request.method ?? '').toLowerCase();
    const isHead = method === 'head';
    const [url, query] = split(request.url ?? '');
    const page = this.#pages.get(url);
    if (refusal !== undefined) send(response, failure('403 Forbidden', 'local_only', refusal), isHead);
    else if (page === undefined) send(response, noSuchPage(url), isHead);
    else if (method === page.method || (isHead && page.method === 'get'))
      send(response, await page.answer(query), isHead);
    else
      send(
        response,
        method === 'options' ? optionsAnswer(page.method) : wrongMethod(url, page.method),
        isHead,
      );
  }
}

function split(url: string): [string, string] {
  const mark = url.indexOf('?');
  return mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)];
}

/** The client may have gone meanwhile, which a response bears. */
function send(response: ServerResponse, { status, headers, body }: HttpAnswer, isHead: boolean): void {
  const [code = ''] = status.split(' ', 1);
  response.writeHead(Number(code), [...headers.flat(), 'content-length', String(Buffer.byteLength(body))]);
  response.end(isHead ? undefined : body);
}

async function listen(server: Server, port: number): Promise<void> {
  try {
    server.listen({ host: portHost, port, exclusive: true });
    await once(server, 'listening');
  } catch (error) {
    const reason = await whyNotListening(portHost, port, 'management_port');
    throw new Error(`management_port: cannot listen on ${portHost}:${port}: ${reason}`, { cause: error });
  }
}
