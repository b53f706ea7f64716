import { describe, expect, it } from 'vitest';
import { loadCalendar } from '../../src/market/calendar/holidayCalendar.js';
import { alwaysOpen, ExchangeHours } from '../../src/market/hours/marketHours.js';
import { WeekdayCalendar } from '../../src/market/calendar/tradingCalendar.js';

// 2026-11-23 is a Monday; 2026-10-01, a Thursday, and the days to 2026-10-07 are holidays.
const time = (text: string): number => Date.parse(`${text}+08:00`);
const hours = new ExchangeHours(loadCalendar());
const weekdays = new ExchangeHours(new WeekdayCalendar());

describe('the hours in which no product trades', () => {
  it.each([
    ['2026-11-23T08:54:59', true],
    ['2026-11-23T08:55:00', false],
    ['2026-11-23T10:20:00', false],
    ['2026-11-23T12:00:00', true],
    ['2026-11-23T13:00:00', false],
    ['2026-11-23T15:17:59', false],
    ['2026-11-23T15:18:00', true],
    ['2026-11-23T20:55:00', false],
    ['2026-11-24T00:00:00', false],
    ['2026-11-24T02:32:59', false],
    ['2026-11-24T02:33:00', true],
    // The small hours of a Monday follow a Sunday, those of a Saturday a Friday.
    ['2026-11-23T01:00:00', true],
    ['2026-11-28T01:00:00', false],
    ['2026-11-28T10:00:00', true],
    ['2026-11-29T21:30:00', true],
    // A holiday, its eve's night, which is not held, and the night after its end.
    ['2026-10-05T10:00:00', true],
    ['2026-09-30T10:00:00', false],
    ['2026-09-30T21:30:00', true],
    ['2026-10-01T01:00:00', true],
    ['2026-10-07T21:30:00', true],
    ['2026-10-08T09:30:00', false],
    ['2026-10-08T21:30:00', false],
    ['2026-10-09T21:30:00', false],
  ])('%s: %s', (text, closed) => {
    expect(hours.isClosed(time(text))).toBe(closed);
  });

  it('are those of any weekday where the calendar does not know the holiday', () => {
    expect(weekdays.isClosed(time('2026-10-05T10:00:00'))).toBe(false);
    expect(weekdays.isClosed(time('2026-09-30T21:30:00'))).toBe(false);
  });
});

describe('ticks that stopped', () => {
  it.each([
    // An end of a session, and three minutes after it.
    ['2026-11-23T10:14:00', '2026-11-23T10:15:05', true],
    ['2026-11-23T10:17:00', '2026-11-23T10:17:20', true],
    ['2026-11-23T10:40:00', '2026-11-23T10:41:00', false],
    // An auction, but not the trading that follows it.
    ['2026-11-23T08:59:03', '2026-11-23T08:59:30', true],
    ['2026-11-23T09:00:10', '2026-11-23T09:01:00', false],
    ['2026-11-23T20:59:59', '2026-11-23T21:00:30', true],
    ['2026-11-23T21:00:00', '2026-11-23T21:00:30', false],
    // Settlement prices.
    ['2026-11-23T15:41:00', '2026-11-23T15:42:00', true],
    ['2026-11-23T17:00:00', '2026-11-23T17:01:00', false],
    // A night's end after midnight.
    ['2026-11-24T00:59:59', '2026-11-24T01:00:10', true],
  ])('between %s and %s may have paused: %s', (from, to, may) => {
    expect(hours.pausesBetween(time(from), time(to))).toBe(may);
  });
});

describe('the last opening', () => {
  it.each([
    ['2026-11-23T09:00:00', 0, '2026-11-23T09:00:00'],
    ['2026-11-23T10:29:59', 1, '2026-11-23T09:30:00'],
    ['2026-11-23T20:00:00', 4, '2026-11-23T13:30:00'],
    ['2026-11-24T03:00:00', 5, '2026-11-23T21:00:00'],
    ['2026-10-08T09:10:00', 0, '2026-10-08T09:00:00'],
  ])('at %s is number %d, at %s', (now, index, opening) => {
    expect(hours.lastOpening(time(now))).toEqual({ index, at: time(opening) });
  });

  it.each(['2026-11-28T09:30:00', '2026-11-23T02:00:00', '2026-10-05T09:30:00', '2026-09-30T21:30:00'])(
    'at %s did not take place',
    (now) => {
      expect(hours.lastOpening(time(now))).toBeUndefined();
    },
  );
});

it('a market that never closes has no pauses and no openings', () => {
  const anyTime = time('2026-11-22T10:15:00');
  expect(alwaysOpen.isClosed(anyTime)).toBe(false);
  expect(alwaysOpen.pausesBetween(anyTime - 1000, anyTime + 1000)).toBe(false);
  expect(alwaysOpen.lastOpening(anyTime)).toBeUndefined();
});
