import { describe, expect } from 'vitest';
import { cu, rb, ta } from '../contracts.js';
import { inWorld } from './faultWorld.js';

// What clients see of ticks that are lost, repeated, out of order or damaged.

describe('tick faults', () => {
  inWorld('lost ticks leave a state that is right again with the next one', async ({ world }) => {
    await world.fronts.fault('missing_ticks', { every: 2 });
    await world.subscribe(rb, cu);
    await world.steady(30);
  });

  inWorld('duplicates reach no client', async ({ world }) => {
    await world.subscribe(rb);
    await world.push();
    const before = (await world.tickCounters()).duplicate;
    await world.fronts.fault('duplicate_ticks');
    const pushes = await world.steady(30);
    expect(new Set(pushes.map((each) => JSON.stringify(each))).size).toBe(pushes.length);
    expect((await world.tickCounters()).duplicate).toBeGreaterThan(before);
  });

  inWorld('ticks that step back reach no client', async ({ world }) => {
    await world.subscribe(rb, ta);
    await world.push();
    const before = (await world.tickCounters()).regressed;
    await world.fronts.fault('regressing_ticks', { every: 2, by_ms: 60_000 });
    await world.steady(40);
    expect((await world.tickCounters()).regressed).toBeGreaterThan(before);
  });

  inWorld('a falling turnover at CZCE does not hold back the other fields', async ({ world }) => {
    await world.fronts.fault('falling_turnover');
    await world.subscribe(ta);
    const [first] = await world.steady(1);
    await world.push('a later time', ({ timestamp }) => timestamp > first!.timestamp + 1000);
    await world.steady();
  });

  inWorld('ticks dated on a Saturday do not spoil the present', async ({ world }) => {
    await world.subscribe(rb);
    await world.push();
    await world.fronts.fault('saturday_ticks', { instruments: [rb] });
    await world.subscribe(cu);
    await world.steady(30);
    await world.fronts.clear();
    const { trading_day: day } = await world.push(
      'a tick of the present',
      ({ instrument_id }) => instrument_id === rb,
    );
    const weekday = new Date(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}T00:00:00Z`).getUTCDay();
    expect([1, 2, 3, 4, 5]).toContain(weekday);
  });

  inWorld('ticks without a time are dropped and counted', async ({ world }) => {
    await world.subscribe(rb);
    await world.push();
    const before = (await world.tickCounters()).untimed;
    await world.fronts.fault('empty_update_time', { every: 2 });
    for (const { datetime } of await world.steady(20))
      expect(datetime).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/);
    expect((await world.tickCounters()).untimed).toBeGreaterThan(before);
  });

  inWorld.for(['empty_action_day', 'exchange_id'])(
    '%s changes nothing that a client sees',
    async (fault, { world }) => {
      await world.fronts.fault(fault);
      await world.subscribe(`SHFE.${rb}`, ta);
      for (const { timestamp, instrument_id } of await world.steady(20)) {
        expect(Math.abs(Date.now() - timestamp)).toBeLessThan(60_000);
        expect([`SHFE.${rb}`, ta]).toContain(instrument_id);
      }
    },
  );

  inWorld.for([
    ['limit_up', 'ask'],
    ['limit_down', 'bid'],
  ] as const)('%s: the empty side is null with volume 0', async ([fault, side], { world }) => {
    await world.fronts.fault(fault);
    await world.subscribe(rb);
    const data = await world.push('a locked market', (each) => each[`${side}_volume1`] === 0);
    expect(data[`${side}_price1`]).toBeNull();
    await world.fronts.fault('zero_for_absent');
    await world.push('more ticks');
    const zeroed = await world.push('a locked market', (each) => each[`${side}_volume1`] === 0);
    expect(zeroed[`${side}_price1`]).toBeNull();
  });

  inWorld('garbage in the fields neither ends the gateway nor breaks the JSON', async ({ world }) => {
    await world.subscribe(rb, cu);
    await world.push();
    await world.fronts.fault('garbage_ticks', { every: 2, instruments: [rb] });
    const seen = new Set<string>();
    for (let i = 0; i < 60; i++) seen.add((await world.push()).instrument_id);
    expect(seen.has(cu)).toBe(true);
    expect((await world.gateway.health()).body.status).toBe('healthy');
  });
});
