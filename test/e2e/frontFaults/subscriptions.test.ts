import { describe, expect } from 'vitest';
import { cu, rb, ta } from '../contracts.js';
import { inWorld } from './faultWorld.js';

// What clients and the log see of fronts that answer subscriptions wrongly or not at all.

describe('subscription faults', () => {
  inWorld.for([-1, -2, -3])('return code %d is tried again', async (code, { world }) => {
    await world.fronts.fault('return_code', { code, calls: 2 });
    await world.subscribe(rb);
    await world.steady(5);
  });

  inWorld.for(['none', 'missing', 'repeated', 'each_last', 'never_last'])(
    'responses: %s',
    async (how, { world }) => {
      await world.fronts.fault('subscribe_responses', { how });
      await world.subscribe(rb, cu, ta);
      await world.pushOfEach([rb, cu, ta]);
    },
  );

  inWorld(
    'error 6000 above a limit is told to the clients whose instruments do not fit',
    async ({ world }) => {
      await world.fronts.fault('subscription_limit', { limit: 1 });
      await world.subscribe(rb, cu, ta);
      const refused = new Set<unknown>();
      await world.client.next('the refusals', (frame) => {
        if (frame['code'] === 'instrument_refused')
          for (const id of frame['instruments'] as string[]) refused.add(id);
        return refused.size === 2;
      });
      await world.logSays(/refused/);
      const health = await world.gateway.healthUntil(
        'the count',
        ({ instruments }) => instruments.waiting === 2,
      );
      expect(health.status).toBe('degraded');
      const [ticking] = [rb, cu, ta].filter((id) => !refused.has(id));
      await world.push('the one that fits', ({ instrument_id }) => instrument_id === ticking);
    },
  );

  inWorld('an unknown instrument is silent, or refused where the front says so', async ({ world }) => {
    const never = 'rb9912';
    await world.subscribe(never, rb);
    for (const { instrument_id } of await world.steady(10)) expect(instrument_id).toBe(rb);
    world.client.send({ action: 'unsubscribe', instruments: [never] });
    await world.client.next('the ack', (frame) => frame['action'] === 'unsubscribe');
    await world.gateway.healthUntil('the end of the wish', ({ instruments }) => instruments.wanted === 1);
    await world.fronts.fault('unknown_id_error', { error: 16 });
    await world.subscribe(never);
    const refusal = await world.client.next('the refusal', (frame) => frame['code'] === 'instrument_refused');
    expect(refusal['instruments']).toEqual([never]);
  });

  inWorld(
    'a stale snapshot is passed on as what it is, and never follows a newer tick',
    async ({ world }) => {
      await world.fronts.fault('stale_snapshot', { age_s: 3600 });
      await world.subscribe(rb);
      const pushes = await world.steady(20);
      expect(Date.now() - pushes.at(-1)!.timestamp).toBeLessThan(60_000);
      await world.fronts.fault('disconnect');
      await world.logSays(/logged_in/, 2);
      const later = await world.steady(20);
      expect(later[0]!.timestamp).toBeGreaterThanOrEqual(pushes.at(-1)!.timestamp);
    },
  );
});
