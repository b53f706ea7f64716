import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { calendarOf, HolidayCalendar, loadCalendar } from '../../src/market/calendar/holidayCalendar.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import { SessionStates } from '../../src/market/hours/sessionStates.js';

it('knows the long holidays of the years that it covers', () => {
  const calendar = loadCalendar();
  expect(calendar.next(20240208)).toBe(20240219);
  expect(calendar.next(20250127)).toBe(20250205);
  expect(calendar.previous(20251009)).toBe(20250930);
  expect(calendar.next(20260213)).toBe(20260224);
  expect(calendar.next(20260930)).toBe(20261008);
  expect([20260102, 20260105, 20260619, 20260620].map((day) => calendar.isTradingDay(day))).toEqual([
    false,
    true,
    false,
    false,
  ]);
});

it('has a night’s holiday eves where the exchanges had none in 2024 and 2025', () => {
  const calendar = loadCalendar();
  for (const eve of [20241231, 20250127, 20250403, 20250430, 20250530, 20250930]) {
    expect(calendar.isTradingDay(eve)).toBe(true);
    const next = calendar.next(eve);
    expect(calendar.holidays.some((day) => day > eve && day < next)).toBe(true);
  }
});

it('knows the holidays with a fixed date, and no others, of years that it does not cover', () => {
  const calendar = loadCalendar();
  expect(calendar.next(20301001)).toBe(20301004);
  expect(calendar.next(20280503)).toBe(20280504);
  for (const day of [20270101, 20290501, 20280101, 20291001])
    expect([day, calendar.isTradingDay(day)]).toEqual([day, false]);
  expect(calendar.isTradingDay(20270208)).toBe(true);
  // A covered year is as its file says.
  expect(calendarOf({ path: 'any', years: { 2030: [] } }).isTradingDay(20301001)).toBe(true);
});

it("knows that there is no night on New Year's Eve in the last year of its file", () => {
  const calendar = loadCalendar();
  const states = new SessionStates('exchange', calendar);
  const au = loadProducts().get('au')!;
  const at = (text: string): number => Date.parse(`${text}+08:00`);
  expect(calendar.next(20261231)).toBe(20270104);
  expect(states.state(au, at('2026-12-30T21:30:00'))).toBe('night');
  expect(states.moment(au, at('2026-12-31T21:30:00'))).toMatchObject({
    state: 'closed',
    tradingDay: 20270104,
    since: at('2026-12-31T15:00:00'),
    until: at('2027-01-04T08:55:00'),
    next: 'auction',
  });
  expect(states.state(au, at('2027-01-01T10:00:00'))).toBe('closed');
  expect(states.state(au, at('2027-01-04T21:30:00'))).toBe('night');
  expect(states.state(au, at('2028-02-29T10:00:00'))).toBe('trading');
  expect(states.moment(au, at('2028-02-29T01:00:00'))).toMatchObject({
    state: 'night',
    tradingDay: 20280229,
  });
});

it('lists weekdays alone', () => {
  const calendar = new HolidayCalendar([20261001, 20261003]);
  expect(calendar.holidays).toEqual([20261001]);
});

it('names what is wrong in a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'calendar-'));
  const path = join(folder, 'calendar.json');
  writeFileSync(path, '{"years": {"2027": [20261231]}}');
  expect(() => loadCalendar(path)).toThrow(`${path}: 20261231 is not a yyyymmdd day of 2027`);
  rmSync(folder, { recursive: true });
});

it('says once for each year that its table lacks it, and continues with what is always so', () => {
  const missing: number[] = [];
  const calendar = calendarOf({ path: 'any', years: { 2026: [20261001] } }, (year) => missing.push(year));
  expect(calendar.next(20261231)).toBe(20270104);
  expect(calendar.previous(20270104)).toBe(20261231);
  expect(calendar.isTradingDay(20261001)).toBe(false);
  expect(calendar.isTradingDay(20251231)).toBe(true);
  expect(missing).toEqual([2027, 2025]);
});
