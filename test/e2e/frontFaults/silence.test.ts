import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cu, rb } from '../contracts.js';
import { FaultWorld } from './faultWorld.js';

// A connection that falls silent while another ticks, and a library that throws when it is opened again.

/** Of each line; the watchdog wants a flow of two time-outs before it calls its end a silence. */
const ticksOfAFlow = 300;

let world: FaultWorld;
beforeEach(async () => {
  world = await FaultWorld.start({
    fronts: 2,
    config: { silence_timeout: 1, trading_hours: 'always', load_balance_strategy: 'round_robin' },
  });
  await world.subscribe(rb, cu);
  await world.gateway.healthUntil('both to flow', ({ connections }) =>
    connections.every(({ ticks }) => ticks > ticksOfAFlow),
  );
});
afterEach(() => world.stop());

describe('a front that stays connected and says nothing', () => {
  it('is found while others tick, reported, relieved of its instruments and taken up again', async () => {
    await world.fronts.fault('stall', {}, 0);
    await world.logSays(/line_1: connected, but nothing came/);
    await world.gateway.healthUntil('the move', ({ connections }) => connections[1]!.subscriptions === 2);
    await world.pushOfEach([rb, cu]);
    await world.fronts.clear();
    await world.gateway.loggedIn();
    await world.steady();
  });
});

describe('a library that throws when a session is opened again', () => {
  it('costs that connection alone, and /health and the log say what it threw', async () => {
    await world.fronts.fault('throw_at_create', { times: 1 }, 0);
    await world.fronts.fault('stall', {}, 0);
    const health = await world.gateway.healthUntil(
      'the failed opening',
      ({ connections }) => connections[0]!.status === 'error',
    );
    expect(health.status).toBe('degraded');
    await world.logSays(/line_1: .*CFlow/);
    await world.pushOfEach([rb, cu]);
  });
});
