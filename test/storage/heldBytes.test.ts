import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { until } from '../helpers/until.js';
import { freePort } from '../e2e/ports.js';
import { startRedis } from './redisServer.js';
import { clientOf, runPersister } from './running.js';
import { readStream } from './storeReader.js';
import { TapeMarket } from './tapeMarket.js';

interface HoldingWire {
  readonly port: number;
  /** Cut the next connection that brings ticks; they reach the server right before those of the next connection. */
  isHolding: boolean;
  /** Whether the ticks are between the two. */
  readonly holds: boolean;
}

/** A line to a server on loopback on which bytes of a connection arrive after those of its successor. Ends with the test. */
async function startHoldingWire(port: number): Promise<HoldingWire> {
  const sockets = new Set<Socket>();
  const wire = { port: 0, isHolding: false, holds: false };
  let held: { readonly server: Socket; readonly bytes: Buffer } | undefined;
  const listener = createServer((client) => {
    const server = connect(port, '127.0.0.1');
    for (const socket of [client, server])
      sockets.add(socket.on('error', () => undefined).on('close', () => sockets.delete(socket)));
    client.on('data', (bytes) => {
      if (wire.isHolding && bytes.includes('XADD')) {
        wire.isHolding = false;
        wire.holds = true;
        held = { server, bytes };
        client.destroy();
      } else if (held !== undefined && bytes.includes('XADD')) {
        held.server.once('data', () => server.write(bytes));
        held.server.write(held.bytes);
        held = undefined;
        wire.holds = false;
      } else server.write(bytes);
    });
    server.on('data', (bytes) => client.write(bytes));
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  wire.port = (listener.address() as AddressInfo).port;
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => listener.close(resolve));
  });
  return wire;
}

it('ticks that an earlier connection brings meanwhile are stored, not lost', async () => {
  const { port } = await startRedis(await freePort());
  const wire = await startHoldingWire(port);
  const market = new TapeMarket(['SHFE.rb2605']);
  const running = runPersister(market.tape, wire.port, { storage: { spillFile: 0 } });
  market.batch(30);
  await running.settled();
  wire.isHolding = true;
  market.batch(10);
  await until('ticks to be held', () => wire.holds);
  market.batch(5);
  await until('ticks to go on', () => !wire.holds);
  await running.settled();
  const ticks = await readStream(clientOf(port), 'SHFE.rb2605');
  expect(ticks.map(({ volume }) => volume)).toEqual(Array.from({ length: 45 }, (_each, index) => index + 1));
  expect(running.persister.status()).toMatchObject({ stored: 45, lost: 0 });
  expect(running.lines().filter((line) => line.startsWith('error'))).toEqual([]);
});
