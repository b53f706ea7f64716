import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import pino from 'pino';
import { afterEach, expect, it } from 'vitest';
import { DescriptorRelief } from '../../../src/server/fairness/descriptorRelief.js';
import { SocketTable } from '../../../src/server/fairness/socketTable.js';
import { LimitedLog } from '../../../src/log/limitedLog.js';
import { until } from '../../helpers/until.js';

let cleanup: (() => void)[] = [];
afterEach(() => {
  for (const each of cleanup.reverse()) each();
  cleanup = [];
});

it('the relief of descriptors cuts connections of the address with the most, but none of a proxy', async () => {
  let accepted = 0;
  const server = createServer((socket) => {
    accepted++;
    cleanup.push(() => socket.destroy());
  });
  cleanup.push(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const hold = async (localAddress: string, count: number): Promise<Socket[]> => {
    const sockets = Array.from({ length: count }, () => connect({ port, host: '127.0.0.1', localAddress }));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    for (const socket of sockets) cleanup.push(() => socket.destroy());
    for (const socket of sockets) socket.on('error', () => undefined).resume();
    return sockets;
  };
  const proxy = await hold('127.0.0.2', 6);
  const many = await hold('127.0.0.3', 4);
  const few = await hold('127.0.0.4', 2);
  await until('the server to have them all', () => accepted === 12);
  const limitedLog = new LimitedLog(pino({ level: 'silent' }));
  cleanup.push(() => limitedLog.close());
  const relief = new DescriptorRelief({
    sockets: new SocketTable(),
    port: () => port,
    isProxy: (address) => address === '127.0.0.2',
    limitedLog,
  });
  relief.relieve(2);
  const closed = (sockets: readonly Socket[]): number => sockets.filter((socket) => socket.destroyed).length;
  await until('two connections to end', () => closed(many) === 2);
  expect(relief.cut).toBe(2);
  expect([closed(proxy), closed(few)]).toEqual([0, 0]);
});
