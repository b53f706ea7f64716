import { describe, expect, it } from 'vitest';
import { parseQueryTime } from '../../src/history/queryTime.js';

const moment = Date.UTC(2026, 0, 5, 1, 30);

describe('parseMoment', () => {
  it.each([
    '2026-01-05T09:30:00+08:00',
    '2026-01-05T09:30:00.000+0800',
    '2026-01-05T09:30+08',
    '2026-01-05T01:30:00Z',
    '2026-01-05t01:30:00z',
    '2026-01-04T20:30:00-05:00',
    '1767576600',
    '1767576600000',
    '1767576600000000',
    '1767576600000000000',
  ])('takes %s', (text) => {
    expect(parseQueryTime(text)).toBe(moment);
  });

  it('takes a time without a zone for one of Shanghai', () => {
    for (const text of ['2026-01-05T09:30:00', '2026-01-05 09:30', '2026-01-05T09:30:00,0'])
      expect(parseQueryTime(text)).toBe(moment);
    for (const text of ['2026-01-05', '20260105', '2026-01-05T00:00'])
      expect(parseQueryTime(text)).toBe(Date.UTC(2026, 0, 4, 16));
  });

  it('takes a blank for the plus sign that it was in the address', () => {
    expect(parseQueryTime('2026-01-05T09:30:00 08:00')).toBe(moment);
    expect(parseQueryTime('2026-01-05 09:30 08:00')).toBe(moment);
  });

  it.each([
    ['2026-01-05T09:30:00.5', moment + 500],
    ['2026-01-05T09:30:00.007', moment + 7],
    ['2026-01-05T09:30:00.0071', moment + 8],
    ['2026-01-05T09:30:00.000000001', moment + 1],
    ['1767576600.5', moment + 500],
    ['1767576600.0071', moment + 8],
    ['1767576600007.000000001', moment + 8],
    ['1767576600007001', moment + 8],
    ['1767576600007000000', moment + 7],
    ['1767576600007000001', moment + 8],
  ])('rounds %s up to a whole ms', (text, ms) => {
    expect(parseQueryTime(text)).toBe(ms);
  });

  it.each([
    '',
    ' ',
    'now',
    'NaN',
    '0',
    '-1',
    '1e12',
    '0x1',
    '12345',
    '12345678901',
    '12345678901234567890',
    '20260132',
    '2026-02-29',
    '2026-13-01',
    '2026-1-5',
    '2026-01-05T24:00',
    '2026-01-05T09:60',
    '2026-01-05T09:30:60',
    '2026-01-05T09:30:00+15:00',
    '2026-01-05T09:30:00+08:00x',
    '2026-01-05T09:30:00.1234567890',
    '1989-12-31',
    '2200-01-02',
    '9999999999',
    '2026-01-05\0',
    '２０２６０１０５',
  ])('does not take %j', (text) => {
    expect(parseQueryTime(text)).toBeUndefined();
  });
});
