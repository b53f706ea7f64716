import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import koffi from 'koffi';
import { expect, it } from 'vitest';
import { SocketTable } from '../../../src/server/fairness/socketTable.js';

const solSocket = 1;
const soReceiveBuffer = 8;

function receiveBufferOf(socket: Socket): number {
  const libc = koffi.load('libc.so.6');
  const getsockopt = libc.func('int getsockopt(int, int, int, _Out_ uint8_t *, _Inout_ uint32_t *)');
  const value = Buffer.alloc(4);
  const { fd } = (socket as unknown as { _handle: { fd: number } })._handle;
  expect(getsockopt(fd, solSocket, soReceiveBuffer, value, [value.length])).toBe(0);
  return value.readInt32LE(0);
}

it('the socket table bounds what the kernel keeps for connections that come to a port', async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const table = new SocketTable();
  try {
    table.boundReceiving(port, 16_384);
    const client = connect(port, '127.0.0.1');
    const [accepted] = (await once(server, 'connection')) as [Socket];
    // The kernel doubles what it is given.
    expect(receiveBufferOf(accepted)).toBe(32_768);
    client.destroy();
    accepted.destroy();
  } finally {
    server.close();
    await once(server, 'close');
  }
  expect(() => table.boundReceiving(port, 16_384)).toThrow(`nobody listens on port ${port}`);
});

it.each([
  ['127.0.0.1', '127.0.0.1', '127.0.0.1'],
  ['::1', '::1', '0:0:0:0:0:0:0:1'],
  ['::', '127.0.0.1', '0:0:0:0:0:ffff:7f00:1'],
])('the socket table names the client of a connection to %s from %s', async (host, to, address) => {
  const server = createServer();
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect(port, to);
  const [accepted] = (await once(server, 'connection')) as [Socket];
  try {
    const table = new SocketTable();
    const found = table.descriptors().flatMap((descriptor) => table.connectionOf(descriptor, port) ?? []);
    const { fd } = (accepted as unknown as { _handle: { fd: number } })._handle;
    expect(found).toEqual([{ descriptor: fd, address, peerPort: client.localPort, received: 0 }]);
  } finally {
    client.destroy();
    accepted.destroy();
    server.close();
    await once(server, 'close');
  }
});
