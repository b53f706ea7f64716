import { describe, expect, it } from 'vitest';
import { HolidayCalendar, loadCalendar } from '../../src/market/calendar/holidayCalendar.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import type { SessionMoment } from '../../src/market/hours/sessionSchedule.js';
import { SessionStates } from '../../src/market/hours/sessionStates.js';
import { WeekdayCalendar } from '../../src/market/calendar/tradingCalendar.js';

// 2026-11-23 is a Monday; 2026-09-25, a Friday, and 2026-10-01, a Thursday, to 2026-10-07 are holidays.
const time = (text: string): number => Date.parse(`${text}+08:00`);
const shown = (timeMs: number | undefined): string | undefined =>
  timeMs === undefined ? undefined : new Date(timeMs + 8 * 3_600_000).toISOString().slice(0, 19);
const products = loadProducts();
const states = new SessionStates('exchange', loadCalendar());
const product = (code: string) => products.get(code)!;

describe('the state of a product', () => {
  it.each([
    // A product with a night to 23:00, around each of its changes.
    ['rb', '2026-11-23T20:54:59.999', 'closed'],
    ['rb', '2026-11-23T20:55:00', 'auction'],
    ['rb', '2026-11-23T20:59:59.999', 'auction'],
    ['rb', '2026-11-23T21:00:00', 'night'],
    ['rb', '2026-11-23T22:59:59.999', 'night'],
    ['rb', '2026-11-23T23:00:00', 'closed'],
    ['rb', '2026-11-24T08:57:00', 'closed'],
    ['rb', '2026-11-24T09:00:00', 'trading'],
    ['rb', '2026-11-24T10:15:00', 'break'],
    ['rb', '2026-11-24T10:30:00', 'trading'],
    ['rb', '2026-11-24T11:30:00', 'break'],
    ['rb', '2026-11-24T13:29:59.999', 'break'],
    ['rb', '2026-11-24T13:30:00', 'trading'],
    ['rb', '2026-11-24T15:00:00', 'closed'],
    // Nights to 01:00 and 02:30, Friday's on Saturday; none on Sunday, nor in the small hours of Monday.
    ['cu', '2026-11-24T00:59:59.999', 'night'],
    ['cu', '2026-11-24T01:00:00', 'closed'],
    ['au', '2026-11-28T02:29:59.999', 'night'],
    ['au', '2026-11-28T02:30:00', 'closed'],
    ['au', '2026-11-28T21:30:00', 'closed'],
    ['au', '2026-11-29T21:30:00', 'closed'],
    ['au', '2026-11-30T01:00:00', 'closed'],
    ['au', '2026-11-30T08:57:00', 'closed'],
    // Products without a night have the auction in the morning.
    ['si', '2026-11-23T20:57:00', 'closed'],
    ['si', '2026-11-23T21:30:00', 'closed'],
    ['si', '2026-11-24T08:54:59.999', 'closed'],
    ['si', '2026-11-24T08:55:00', 'auction'],
    ['si', '2026-11-24T09:00:00', 'trading'],
    // CFFEX: no break at 10:15, and bonds trade to 15:15.
    ['IF', '2026-11-24T09:24:59.999', 'closed'],
    ['IF', '2026-11-24T09:25:00', 'auction'],
    ['IF', '2026-11-24T10:20:00', 'trading'],
    ['IF', '2026-11-24T12:59:59.999', 'break'],
    ['IF', '2026-11-24T13:00:00', 'trading'],
    ['IF', '2026-11-24T15:00:00', 'closed'],
    ['T', '2026-11-24T15:14:59.999', 'trading'],
    ['T', '2026-11-24T15:15:00', 'closed'],
    // The eve of a long holiday, the holiday, and the first day after it, which begins with a morning auction for all.
    ['au', '2026-09-30T14:59:59.999', 'trading'],
    ['au', '2026-09-30T20:57:00', 'closed'],
    ['au', '2026-09-30T21:30:00', 'closed'],
    ['au', '2026-10-01T01:00:00', 'closed'],
    ['au', '2026-10-05T10:00:00', 'closed'],
    ['au', '2026-10-07T21:30:00', 'closed'],
    ['au', '2026-10-08T08:55:00', 'auction'],
    ['au', '2026-10-08T09:00:00', 'trading'],
    ['au', '2026-10-08T21:00:00', 'night'],
    // A single holiday before a weekend: no night on Thursday, nor on Sunday.
    ['rb', '2026-09-23T21:30:00', 'night'],
    ['rb', '2026-09-24T21:30:00', 'closed'],
    ['rb', '2026-09-25T10:00:00', 'closed'],
    ['rb', '2026-09-28T08:57:00', 'auction'],
    // Working weekends are none of the exchanges'.
    ['rb', '2026-10-10T10:00:00', 'closed'],
  ])('%s at %s: %s', (code, at, state) => {
    expect(states.state(product(code), time(at))).toBe(state);
    expect(states.moment(product(code), time(at)).state).toBe(state);
  });
});

describe('a moment with its surroundings', () => {
  it.each([
    ['rb', '2026-11-23T21:30:00', 'night', 20261124, '2026-11-23T21:00:00', '2026-11-23T23:00:00', 'closed'],
    [
      'rb',
      '2026-11-24T03:00:00',
      'closed',
      20261124,
      '2026-11-23T23:00:00',
      '2026-11-24T09:00:00',
      'trading',
    ],
    ['rb', '2026-11-24T10:20:00', 'break', 20261124, '2026-11-24T10:15:00', '2026-11-24T10:30:00', 'trading'],
    [
      'rb',
      '2026-11-24T16:00:00',
      'closed',
      20261124,
      '2026-11-24T15:00:00',
      '2026-11-24T20:55:00',
      'auction',
    ],
    [
      'rb',
      '2026-11-24T20:30:00',
      'closed',
      20261125,
      '2026-11-24T15:00:00',
      '2026-11-24T20:55:00',
      'auction',
    ],
    // Over a weekend, and over a holiday whose eve has no night.
    [
      'au',
      '2026-11-28T12:00:00',
      'closed',
      20261130,
      '2026-11-28T02:30:00',
      '2026-11-30T09:00:00',
      'trading',
    ],
    [
      'IF',
      '2026-11-27T22:00:00',
      'closed',
      20261130,
      '2026-11-27T15:00:00',
      '2026-11-30T09:25:00',
      'auction',
    ],
    [
      'au',
      '2026-09-30T16:00:00',
      'closed',
      20260930,
      '2026-09-30T15:00:00',
      '2026-10-08T08:55:00',
      'auction',
    ],
    [
      'au',
      '2026-10-03T12:00:00',
      'closed',
      20261008,
      '2026-09-30T15:00:00',
      '2026-10-08T08:55:00',
      'auction',
    ],
  ])('%s at %s', (code, at, state, tradingDay, since, until, next) => {
    const moment = states.moment(product(code), time(at));
    expect({ ...moment, since: shown(moment.since), until: shown(moment.until) }).toEqual({
      state,
      tradingDay,
      since,
      until,
      next,
    });
  });
});

describe('a tick is off session', () => {
  it.each([
    ['rb', '2026-11-23T20:54:59', true],
    ['rb', '2026-11-23T20:59:00', false],
    // The last tick of a session, up to three seconds late.
    ['rb', '2026-11-23T23:00:02.500', false],
    ['rb', '2026-11-23T23:00:03', true],
    ['rb', '2026-11-24T10:15:00.500', false],
    ['rb', '2026-11-24T10:20:00', true],
    ['rb', '2026-11-24T12:00:00', true],
    // The opening tick of the morning, also where the auction was in the evening.
    ['rb', '2026-11-24T08:58:59', true],
    ['rb', '2026-11-24T08:59:00.500', false],
    ['si', '2026-11-24T08:56:00', false],
    ['IF', '2026-11-24T09:29:00', false],
    ['IF', '2026-11-24T09:24:00', true],
    // Closing and settlement prices, and what is later than those.
    ['rb', '2026-11-24T15:00:00.500', false],
    ['rb', '2026-11-24T16:59:59', false],
    ['rb', '2026-11-24T17:00:00', true],
    // Weekends, holidays, nights that are not held, nights of products that have none.
    ['rb', '2026-11-28T10:00:00', true],
    ['rb', '2026-11-28T15:30:00', true],
    ['rb', '2026-10-05T10:00:00', true],
    ['rb', '2026-09-24T21:30:00', true],
    ['si', '2026-11-23T21:30:00', true],
  ])('%s at %s: %s', (code, at, off) => {
    expect(states.isOffSession(product(code), time(at))).toBe(off);
  });
});

describe('instruments with hours of their own', () => {
  it('trading at settlement ends at noon and has no night', () => {
    const tas = states.scheduleOfInstrument(product('sc'), 'sc2701TAS');
    expect(tas.state(time('2026-11-23T21:30:00'))).toBe('closed');
    expect(tas.state(time('2026-11-24T09:30:00'))).toBe('trading');
    expect(tas.state(time('2026-11-24T13:30:00'))).toBe('closed');
    expect(tas.isOffSession(time('2026-11-24T13:30:00'))).toBe(true);
    const usual = states.scheduleOfInstrument(product('sc'), 'sc2701');
    expect(usual).toBe(states.scheduleOf(product('sc')));
    expect(usual.state(time('2026-11-23T21:30:00'))).toBe('night');
  });

  it('a bond future ends at noon on its last trading day', () => {
    const bond = states.scheduleOfInstrument(product('T'), 'T2612');
    const usual = states.scheduleOf(product('T'));
    const partOf = ({ state, since, tradingDay }: SessionMoment): unknown => [state, since, tradingDay];
    for (const at of [
      '2026-12-10T13:30:00',
      '2026-12-11T09:26:00',
      '2026-12-11T11:29:59',
      '2026-12-14T14:00:00',
    ])
      expect(partOf(bond.moment(time(at)))).toEqual(partOf(usual.moment(time(at))));
    expect(bond.state(time('2026-12-11T13:30:00'))).toBe('closed');
    expect(bond.isOffSession(time('2026-12-11T11:30:02'))).toBe(false);
    expect(bond.isOffSession(time('2026-12-11T13:30:00'))).toBe(true);
    // Its settlement price comes when all do.
    expect(bond.isOffSession(time('2026-12-11T15:30:00'))).toBe(false);
    expect(bond.moment(time('2026-12-11T08:00:00')).since).toBe(time('2026-12-10T15:15:00'));
    expect(bond.moment(time('2026-12-11T13:30:00')).since).toBe(time('2026-12-11T11:30:00'));
    expect(states.scheduleOfInstrument(product('T'), 'T2703').state(time('2026-12-11T13:30:00'))).toBe(
      'trading',
    );
    expect(states.scheduleOfInstrument(product('IF'), 'IF2612')).toBe(states.scheduleOf(product('IF')));
  });

  it('a product that the table lacks is on session whenever any product is', () => {
    const unknown = states.scheduleOfInstrument(undefined, 'zz2701');
    for (const at of ['2026-11-24T02:00:00', '2026-11-24T10:20:00', '2026-11-24T15:10:00'])
      expect(unknown.isOffSession(time(at))).toBe(false);
    expect(unknown.isOffSession(time('2026-11-28T10:00:00'))).toBe(true);
  });
});

describe('hours and calendars', () => {
  it('a market that never closes trades at any moment', () => {
    const always = new SessionStates('always', new WeekdayCalendar());
    const sunday = time('2026-11-29T12:00:00');
    expect(always.moment(product('rb'), sunday)).toEqual({
      state: 'trading',
      tradingDay: 20261130,
      since: undefined,
      until: undefined,
      next: undefined,
    });
    expect(always.isOffSession(product('rb'), sunday)).toBe(false);
    expect(always.scheduleOfInstrument(product('sc'), 'sc2701TAS').state(sunday)).toBe('trading');
  });

  it('a calendar with other holidays cancels other nights', () => {
    const other = new SessionStates('exchange', new HolidayCalendar([20261126]));
    expect(other.state(product('rb'), time('2026-11-25T21:30:00'))).toBe('closed');
    expect(other.state(product('rb'), time('2026-11-26T10:00:00'))).toBe('closed');
    expect(other.state(product('rb'), time('2026-11-26T21:30:00'))).toBe('closed');
    expect(other.state(product('rb'), time('2026-11-27T08:57:00'))).toBe('auction');
  });

  it('a product whose row has other hours keeps those', () => {
    const row = { ...product('rb'), nightClose: '01:00', dayHours: [['09:15', '12:00']] as const };
    expect(states.state(row, time('2026-11-24T00:30:00'))).toBe('night');
    expect(states.state(row, time('2026-11-24T09:05:00'))).toBe('closed');
    expect(states.state(row, time('2026-11-24T11:45:00'))).toBe('trading');
    expect(states.state(row, time('2026-11-24T13:45:00'))).toBe('closed');
  });
});
