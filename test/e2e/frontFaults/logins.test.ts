import { describe, expect } from 'vitest';
import { rb } from '../contracts.js';
import { inWorld } from './faultWorld.js';

// What a client, /health and the log see of fronts that answer a login wrongly.

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
