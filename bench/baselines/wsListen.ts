import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { WebSocketServer } from 'ws';

/** The port of a server that has been told to listen on any. */
export async function listenWith(server: WebSocketServer): Promise<number> {
  if (server.address() === null) await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
