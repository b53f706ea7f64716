import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../../helpers/until.js';
import { World } from '../world.js';

// A file and so a process of its own: what other tests have freed would take the messages in, and no memory would grow.

let world: World;
const raw: Socket[] = [];
afterEach(async () => {
  for (const socket of raw.splice(0)) socket.destroy();
  await world.stop();
});

describe('messages that are begun and not ended', () => {
  it('are bounded in sum: the connections with the most are cut off, others stay', async () => {
    world = await World.start({ limits: { maxUnfinishedBytes: 16_000_000 } });
    const honest = await world.connectAid();
    await honest.subscribeQuote(Array.from({ length: 20_000 }, (_, i) => `m2409-C-${i + 1}`).join(','));
    const open: Promise<void>[] = [];
    let cut = 0;
    for (let i = 0; i < 40; i++) {
      const socket = connect(world.port, '127.0.0.1');
      raw.push(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => cut++);
      open.push(
        new Promise((resolve) => {
          socket.once('data', () => {
            // A masked text frame of 2 MiB without its last byte.
            const head = Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0x20, 0, 0, 1, 2, 3, 4]);
            socket.write(Buffer.concat([head, Buffer.alloc(2_097_151, 0x20)]), () => resolve());
          });
        }),
      );
      socket.write(
        'GET / HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n' +
          'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      );
      socket.resume();
    }
    await Promise.race([Promise.all(open), until('a cut', () => cut > 0)]);
    // Memory is looked at again when it has grown by a quarter of the limit: nine messages are within it, and the honest client.
    await until('those beyond the limit to be cut off', () => cut >= 31);
    await until('the clients to be gone', () => world.server.counters.activeSessions <= 10);
    expect(world.server.counters.cutUnfinished).toBeGreaterThanOrEqual(31);
    expect(world.logLines.join('')).toContain('of messages that they did not finish');
    await honest.subscribeQuote('rb2410');
  });
});
