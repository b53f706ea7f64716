import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadCalendar } from '../../src/market/calendar/holidayCalendar.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import type { SessionState } from '../../src/market/hours/sessionSchedule.js';
import { SessionStates } from '../../src/market/hours/sessionStates.js';
import { packagePath } from '../../src/base/paths.js';

const products = loadProducts();
const calendar = loadCalendar();
const states = new SessionStates('exchange', calendar);
const hourMs = 3_600_000;

const anyProduct = fc.constantFrom(...products.values());
/** Any ms of four years, holidays of three of them known. */
const anyTime = fc.integer({
  min: Date.parse('2024-01-01T00:00:00+08:00'),
  max: Date.parse('2027-12-31T00:00:00+08:00'),
});

/** What may follow on each state. */
const following: Readonly<Record<SessionState, readonly SessionState[]>> = {
  closed: ['auction', 'trading'],
  auction: ['night', 'trading'],
  night: ['closed'],
  trading: ['break', 'closed'],
  break: ['trading'],
};

describe('the states of a product', () => {
  it('partition time: each moment lies in its stretch, and the stretches meet', () => {
    fc.assert(
      fc.property(anyProduct, anyTime, (product, timeMs) => {
        const { state, since, until, next } = states.moment(product, timeMs);
        expect(states.state(product, timeMs)).toBe(state);
        expect(since!).toBeLessThanOrEqual(timeMs);
        expect(until!).toBeGreaterThan(timeMs);
        const [first, last] = [states.moment(product, since!), states.moment(product, until! - 1)];
        for (const end of [first, last])
          expect({ ...end, tradingDay: 0 }).toEqual({ state, since, until, next, tradingDay: 0 });
        const after = states.moment(product, until!);
        expect([after.state, after.since]).toEqual([next, until]);
        expect(states.moment(product, since! - 1).until).toBe(since);
        expect(following[state]).toContain(next);
      }),
      { numRuns: 2_000 },
    );
  });

  it('trade within sessions alone, and every session is open to its ticks', () => {
    fc.assert(
      fc.property(anyProduct, anyTime, (product, timeMs) => {
        const { state, until } = states.moment(product, timeMs);
        if (state === 'night' || state === 'trading' || state === 'auction') {
          expect(states.isOffSession(product, timeMs)).toBe(false);
          expect(states.isOffSession(product, until! + 2_999)).toBe(false);
        }
        if (state === 'break') expect(states.isOffSession(product, until! - 1)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('belong to one trading day from the evening on, which never steps back and is no weekend', () => {
    fc.assert(
      fc.property(anyProduct, anyTime, fc.integer({ min: 0, max: 30 * hourMs }), (product, timeMs, later) => {
        const { tradingDay, state, until } = states.moment(product, timeMs);
        expect(states.moment(product, timeMs + later).tradingDay).toBeGreaterThanOrEqual(tradingDay);
        expect(calendar.isTradingDay(tradingDay)).toBe(true);
        if (state !== 'closed') expect(states.moment(product, until!).tradingDay).toBe(tradingDay);
      }),
      { numRuns: 1_000 },
    );
  });

  it('are the same whatever was asked before', () => {
    fc.assert(
      fc.property(anyProduct, fc.array(anyTime, { minLength: 12, maxLength: 40 }), (product, times) => {
        const fresh = times.map((timeMs) => new SessionStates('exchange', calendar).moment(product, timeMs));
        expect(times.map((timeMs) => states.moment(product, timeMs))).toEqual(fresh);
      }),
      { numRuns: 50 },
    );
  });
});

it('the time zone of the host does not matter', () => {
  const script = `
    import { loadCalendar } from ${JSON.stringify(packagePath('dist', 'src', 'market', 'calendar', 'holidayCalendar.js'))};
    import { loadProducts } from ${JSON.stringify(packagePath('dist', 'src', 'market', 'instruments', 'products.js'))};
    import { SessionStates } from ${JSON.stringify(packagePath('dist', 'src', 'market', 'hours', 'sessionStates.js'))};
    const states = new SessionStates('exchange', loadCalendar());
    const products = loadProducts();
    const found = [];
    for (const code of ['au', 'rb', 'si', 'IF', 'T'])
      for (let at = Date.parse('2026-09-22T16:00:00Z'); at < Date.parse('2026-09-29T16:00:00Z'); at += 17 * 60_000)
        found.push(states.moment(products.get(code), at));
    process.stdout.write(JSON.stringify(found));`;
  const run = (zone: string): string =>
    execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
      env: { ...process.env, TZ: zone },
      encoding: 'utf8',
    });
  const here = run('UTC');
  expect(here.length).toBeGreaterThan(100_000);
  for (const zone of ['Asia/Shanghai', 'America/New_York', 'Pacific/Kiritimati'])
    expect(run(zone)).toBe(here);
});
