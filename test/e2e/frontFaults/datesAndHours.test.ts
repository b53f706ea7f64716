import { afterEach, describe, expect, it } from 'vitest';
import { tradingDayAt } from '../../../src/market/instruments/contracts.js';
import { rb, ta, yymm } from '../contracts.js';
import { FaultWorld } from './faultWorld.js';

/** A snapshot is no older. */
const snapshotAgeMs = 10_000;
const inFortyDays = new Date(Date.now() + 40 * 86_400_000).toISOString();
const nextIndexFuture = `IF${inFortyDays.slice(2, 4)}${inFortyDays.slice(5, 7)}`;

let started: FaultWorld | undefined;

async function start(...frontArgs: string[]): Promise<FaultWorld> {
  started = await FaultWorld.start({ frontArgs });
  return started;
}

async function end(): Promise<void> {
  await started?.stop();
  started = undefined;
}

afterEach(end);

describe('what kinds of fronts and hours differ in', () => {
  it('production and SimNow date rules give every exchange the same natural date and trading day', async () => {
    const instruments = [rb, ta, `m${yymm.slice(0, 2)}09`, nextIndexFuture];
    const daysBy = async (dates: string): Promise<Set<string>> => {
      const world = await start('--dates', dates);
      await world.subscribe(...instruments);
      const tradingDays = new Map<string, string>();
      await world.push('a tick of most', ({ instrument_id, timestamp, trading_day }) => {
        expect(Math.abs(Date.now() - timestamp)).toBeLessThan(60_000);
        return tradingDays.set(instrument_id, trading_day).size >= 3;
      });
      await end();
      return new Set(tradingDays.values());
    };
    // At 20:00 in Shanghai another trading day begins: what has seen both is done once more.
    for (let isOneDay = false; !isOneDay;) {
      const first = tradingDayAt(new Date(Date.now() - snapshotAgeMs));
      const days = [await daysBy('production'), await daysBy('simnow')];
      isOneDay = tradingDayAt(new Date()) === first;
      if (isOneDay) expect(days).toEqual([new Set([String(first)]), new Set([String(first)])]);
    }
  });

  it('settlement and close prices after the close reach clients', async () => {
    const clock = ['--clock-start', '2026-11-20T15:10:00+08:00', '--clock-speed', '3600'];
    const world = await start('--hours', 'exchange', ...clock);
    await world.subscribe(rb);
    const data = await world.push('the settlement', (each) => each.settlement !== null);
    expect(data.settlement).toBeGreaterThan(0);
    expect(data.close_price).toBeGreaterThan(0);
    expect(data.datetime.slice(0, 10)).toBe('2026-11-20');
    expect(data.trading_day).toBe('20261120');
  });
});
