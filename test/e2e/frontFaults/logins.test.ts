import { describe, expect, it } from 'vitest';
import { rb } from '../contracts.js';
import { freePorts } from '../ports.js';
import { FrontsProcess, GatewayProcess } from '../processes.js';
import { until } from '../../helpers/until.js';
import { inWorld } from './faultWorld.js';

// What a client, /health and the log see of fronts that answer a login wrongly.

describe('a wrong password', () => {
  it('is tried three times by all connections together, and again after a reload', async () => {
    const count = 5;
    const basePort = await freePorts(count);
    const fronts = await new FrontsProcess(count, basePort, ['--control-port', '0']).ready();
    const connections = Array.from({ length: count }, (_, index) => ({
      connection_id: `line_${index + 1}`,
      front_addr: `tcp://127.0.0.1:${basePort + index}`,
      broker_id: '9999',
      user_id: 'someone',
      password: 'wrong',
    }));
    await fronts.fault('login_error', { error: 3 });
    const gateway = new GatewayProcess({ connections });
    const gaveUp = 'not tried again until user_id or password change';
    try {
      await gateway.healthUntil(
        'three to be refused and others to give up',
        (health) =>
          health.connections.filter(({ reason }) => reason.includes('login refused: 3')).length === 3 &&
          health.connections.filter(({ reason }) => reason.includes(gaveUp)).length >= count - 2,
      );
      await until('the log', () => gateway.lines.some((text) => text.includes(gaveUp)));
      const refusedOnce = gateway.lines.filter((text) => text.includes('login refused: 3'));
      expect(refusedOnce).toHaveLength(3);
      await fronts.clear();
      gateway.configure({ connections });
      await gateway.loggedIn();
    } finally {
      expect([await gateway.stop(), await fronts.stop()]).toEqual([0, 0]);
    }
  });
});

describe('login faults', () => {
  inWorld.for([
    [{ error: 75 }, 'error', /75/],
    [{ error: 3 }, 'error', /3/],
    [{ error: 7 }, 'error', /7/],
  ] as const)('%j is named in /health and in one log line', async ([fields, status, text], { world }) => {
    await world.fronts.fault('login_error', fields);
    await world.fronts.fault('disconnect');
    const health = await world.gateway.healthUntil(
      'the refusal',
      ({ connections }) => connections[0]!.status === status && /login/i.test(connections[0]!.reason),
    );
    expect(health.status).toBe('unhealthy');
    expect(health.connections[0]!.reason).toMatch(text);
    await world.logSays(/login/i);
  });

  inWorld('"over limit freq" is retried a little later', async ({ world }) => {
    await world.fronts.fault('login_error', { error: -1, text: 'api login over limit freq' });
    await world.fronts.fault('disconnect');
    await world.gateway.healthUntil('the refusal', ({ connections }) =>
      connections[0]!.reason.includes('freq'),
    );
    await world.fronts.clear('login_error');
    await world.gateway.loggedIn();
  });

  inWorld('an empty trading day in the answer does no harm', async ({ world }) => {
    await world.fronts.fault('empty_trading_day');
    await world.fronts.fault('disconnect');
    await world.logSays(/logged_in/, 2);
    await world.subscribe(rb);
    await world.steady();
  });
});
