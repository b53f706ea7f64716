import { describe, expect, it } from 'vitest';
import { WeekdayCalendar } from '../../src/market/calendar/tradingCalendar.js';

describe('WeekdayCalendar', () => {
  const calendar = new WeekdayCalendar();

  it('steps over weekends, months and years', () => {
    expect(calendar.next(20240412)).toBe(20240415);
    expect(calendar.previous(20240415)).toBe(20240412);
    expect(calendar.next(20241231)).toBe(20250101);
    expect(calendar.previous(20240301)).toBe(20240229);
    expect(calendar.isTradingDay(20240413)).toBe(false);
  });

  it('comes to an end at the first and the last day, and without a day', () => {
    expect(calendar.previous(19700101)).toBe(19691231);
    expect(calendar.next(99991231)).toBe(100000103);
    expect(calendar.next(20240230)).toBeNaN();
    expect(calendar.isTradingDay(20240230)).toBe(false);
  });
});
