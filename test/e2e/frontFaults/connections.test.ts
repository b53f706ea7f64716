import { describe, expect } from 'vitest';
import { cu, rb, ta } from '../contracts.js';
import { untilIs } from '../../helpers/until.js';
import { inWorld } from './faultWorld.js';

// What a client, /health and the log see of connections that are lost, refused, flooded or cut.

describe('connection faults', () => {
  inWorld.for([
    [0x1001, /network read failed/],
    [0x1002, /network write failed/],
    [0x2001, /no heartbeat/],
    [0x2002, /heartbeat could not be sent/],
    [0x2003, /bad packet/],
  ] as const)(
    'disconnect with reason %d is named, and ticks go on after the reconnect',
    async ([reason, text], { world }) => {
      await world.subscribe(rb);
      await world.push();
      const before = await world.reconnects();
      await world.fronts.fault('disconnect', { reason });
      await world.gateway.healthUntil(
        'the reconnect',
        ({ connections }) => connections[0]!.reconnects === before + 1,
      );
      await world.logSays(text);
      await world.gateway.loggedIn();
      await world.steady();
      expect(world.log(/"level":"(error|fatal)"/)).toEqual([]);
    },
  );

  inWorld('garbage bytes end the connection as a bad packet', async ({ world }) => {
    await world.subscribe(rb);
    await world.push();
    const before = await world.reconnects();
    await world.fronts.fault('garbage', { bytes: 512 });
    await world.gateway.healthUntil(
      'the reconnect',
      ({ connections }) => connections[0]!.reconnects > before,
    );
    await world.logSays(/bad packet/);
    await world.gateway.loggedIn();
    await world.steady();
  });

  inWorld.for(['refuse', 'cut'])(
    'a front that does not take us back (%s) is reported until it does',
    async (how, { world }) => {
      await world.subscribe(rb);
      await world.push();
      await world.fronts.fault('refuse', { how });
      await world.fronts.fault('disconnect');
      // A front that cuts takes us first, and nothing is wrong for that moment.
      const health = await world.gateway.healthUntil(
        'the loss and its reason',
        ({ status, connections }) => status === 'unhealthy' && connections[0]!.reason !== '',
      );
      expect(health.instruments.waiting).toBe(1);
      expect(world.client.isOpen).toBe(true);
      await world.fronts.clear('refuse');
      await world.gateway.loggedIn();
      await world.steady();
    },
  );

  inWorld(
    'a flood beyond what can be read is counted, and every client goes on with the present',
    async ({ world }) => {
      await world.subscribe(rb, cu, ta);
      const before = (await world.gateway.health()).body.connections[0]!;
      await world.fronts.fault('flood', { ticks_per_s: 20_000 });
      await world.steady(2_000);
      await world.fronts.clear();
      const { connections, ticks } = (await world.gateway.health()).body;
      expect(connections[0]!.reconnects).toBe(before.reconnects);
      expect(ticks.accepted + ticks.duplicate + ticks.regressed + ticks.untimed).toBe(connections[0]!.ticks);
      expect(ticks.missed).toBeGreaterThanOrEqual(0);
      const [last] = (await world.steady(50)).slice(-1);
      expect(Date.now() - last!.timestamp).toBeLessThan(60_000);
    },
  );

  inWorld('a front that cuts us off for reading too slowly is taken up again', async ({ world }) => {
    await world.subscribe(rb, cu, ta);
    await world.push();
    const before = await world.reconnects();
    await world.fronts.fault('queue_limit', { packets: 100 });
    await world.fronts.fault('flood', { ticks_per_s: 100_000 });
    world.gateway.child.kill('SIGSTOP');
    try {
      await untilIs('the cut', async () => await world.fronts.sessions(), 0);
    } finally {
      world.gateway.child.kill('SIGCONT');
    }
    await world.fronts.clear();
    await world.gateway.healthUntil('a reconnect', ({ connections }) => connections[0]!.reconnects > before);
    await world.gateway.loggedIn();
    await world.steady();
  });
});
