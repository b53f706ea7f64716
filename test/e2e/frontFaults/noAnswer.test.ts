import { describe, expect, it } from 'vitest';
import { rb } from '../contracts.js';
import { freePorts } from '../ports.js';
import { connectionsTo, GatewayProcess, type Health } from '../processes.js';
import { FaultWorld } from './faultWorld.js';

// Fronts that answer nothing: each test waits for as long as a real one is given, and so they wait side by side.

const deadlineMs = 60_000;
const answerDeadlineMs = 40_000;

describe('a front that', { concurrent: true, timeout: deadlineMs }, () => {
  it('is not there is reported by its address', async () => {
    const basePort = await freePorts(1);
    const gateway = new GatewayProcess({ connections: connectionsTo(basePort, 1) });
    try {
      const address = `127.0.0.1:${basePort}`;
      await gateway.healthUntil('a reason at once', ({ connections }) => {
        const [{ status, reason }] = connections as [Health['connections'][0]];
        expect(reason).not.toBe('');
        return status === 'connecting' && /connecting to tcp:.*, no answer yet \(\d+ s\)/.test(reason);
      });
      await gateway.healthUntil(
        'the address in the reason',
        ({ connections }) => connections[0]!.reason === `no answer from tcp://${address}`,
        answerDeadlineMs,
      );
      await gateway.line(new RegExp(`line_1.*${address}`));
      const { code, body } = await gateway.health();
      expect(code).toBe(503);
      expect(body.status).toBe('unhealthy');
      expect(body.connections[0]!.reason).toContain(address);
    } finally {
      expect(await gateway.stop()).toBe(0);
    }
  });

  it('never answers a login is given up, and the login is tried again', async () => {
    const world = await FaultWorld.start();
    try {
      await world.fronts.fault('login_silent');
      await world.fronts.fault('disconnect');
      await world.gateway.healthUntil(
        'the time-out',
        ({ connections }) => connections[0]!.reason.includes('login'),
        answerDeadlineMs,
      );
      await world.fronts.clear();
      await world.gateway.loggedIn();
      await world.subscribe(rb);
      await world.steady();
    } finally {
      await world.stop();
    }
  });
});
