import { get } from 'node:http';
import { isIPv6 } from 'node:net';
import { json } from 'node:stream/consumers';

export const noGateway = 'what answers there is no gateway';
const answerTimeoutMs = 5000;
const socketFaults: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such socket'],
  ['ENOTDIR', 'there is no such socket'],
  ['ENOTSOCK', 'it is no socket'],
  ['ECONNREFUSED', 'no gateway answers on it'],
  ['EACCES', "it is open to the gateway's own user alone"],
  ['EPERM', "it is open to the gateway's own user alone"],
]);

export interface GatewayAnswer {
  readonly statusCode: number | undefined;
  /** The parsed body. */
  readonly body: unknown;
}

/** Where a gateway that listens there is reached from its own machine: http://127.0.0.1:7799 */
export function addressOf({ host, port }: { readonly host: string; readonly port: number }): string {
  const own = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${isIPv6(own) ? `[${own}]` : own}:${port}`;
}

/** A gateway's port by its address, or its Unix socket by a path. */
export type GatewayPlace = { readonly address: string } | { readonly socket: string };

/** The error of a socket that nobody listens on, or that this user may not open; the message is one line. */
export class NoSocketError extends Error {}

/**
 * Fetches and parses a page. Node's fetch would do, but refuses ports that browsers block.
 *
 * @throws Error of one line when nothing answers, or something that is no JSON; a NoSocketError when there is no socket
 */
export function askGateway(place: GatewayPlace, path: string): Promise<GatewayAnswer> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      const why =
        'socket' in place ? socketFaults.get((error as NodeJS.ErrnoException).code ?? '') : undefined;
      reject(
        why === undefined
          ? new Error(causeOf(error), { cause: error })
          : new NoSocketError(why, { cause: error }),
      );
    };
    const request = get(
      'socket' in place ? `http://localhost${path}` : place.address + path,
      {
        ...('socket' in place ? { socketPath: place.socket } : {}),
        agent: false,
        signal: AbortSignal.timeout(answerTimeoutMs),
      },
      (response) => {
        json(response).then((body) => resolve({ statusCode: response.statusCode, body }), fail);
      },
    );
    request.on('error', fail);
  });
}

function causeOf(error: unknown): string {
  const { name, code, message } = error as NodeJS.ErrnoException;
  if (name === 'AbortError' || name === 'TimeoutError') return `no answer within ${answerTimeoutMs / 1000} s`;
  if (code === 'ECONNREFUSED') return 'connection refused, no gateway runs there';
  if (name === 'SyntaxError' || code?.startsWith('HPE_') === true) return noGateway;
  return code ?? message;
}
