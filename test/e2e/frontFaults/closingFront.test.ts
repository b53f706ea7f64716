import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { freePorts } from '../ports.js';
import { connectionsTo, FrontsProcess, GatewayProcess } from '../processes.js';

const testMs = 60_000;
/** A library that is not held back dials more often in a second. */
const mostDials = 1_000;

it(
  'a front that accepts and closes at once is dialled with pauses, named in /health, and used when it serves again',
  async () => {
    const port = await freePorts(1);
    let accepted = 0;
    const server = createServer((socket) => {
      accepted++;
      socket.on('error', () => undefined).destroy();
    }).listen(port, '127.0.0.1');
    await once(server, 'listening');
    const gateway = new GatewayProcess({ connections: connectionsTo(port, 1) });
    let fronts: FrontsProcess | undefined;
    try {
      const closes = (reason: string): number =>
        Number(/accepts and closes, (\d+) times/.exec(reason)?.[1] ?? 0);
      const health = await gateway.healthUntil(
        'three rounds',
        ({ connections }) => closes(connections[0]!.reason) >= 15,
      );
      expect(health.status).toBe('unhealthy');
      expect(health.connections[0]!.reason).toContain(`tcp://127.0.0.1:${port}`);
      expect(accepted).toBeLessThan(mostDials);
      await gateway.line(new RegExp(`line_1: tcp://127.0.0.1:${port} accepts and closes`));
      server.close();
      await once(server, 'close');
      fronts = await new FrontsProcess(1, port).ready();
      expect((await gateway.loggedIn()).connections[0]!.reason).toBe('');
    } finally {
      expect(await gateway.stop()).toBe(0);
      await fronts?.stop();
    }
  },
  testMs,
);
