import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { calendarOf, HolidayCalendar, loadCalendar } from '../../src/market/holidayCalendar.js';

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

it('takes every weekday for a trading day in years that it does not cover', () => {
  expect(loadCalendar().next(20301004)).toBe(20301007);
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

it('says once for each year that its table lacks it, and goes on with weekdays', () => {
  const missing: number[] = [];
  const calendar = calendarOf({ path: 'any', years: { 2026: [20261001] } }, (year) => missing.push(year));
  expect(calendar.next(20261231)).toBe(20270101);
  expect(calendar.previous(20270104)).toBe(20270101);
  expect(calendar.isTradingDay(20261001)).toBe(false);
  expect(calendar.isTradingDay(20251231)).toBe(true);
  expect(missing).toEqual([2027, 2025]);
});
