import { beforeEach, describe, expect, it } from 'vitest';
import { calendarOf, readHolidays, type HolidayTable } from '../../src/market/calendar/holidayCalendar.js';
import { InstrumentDirectory } from '../../src/market/instruments/instrumentDirectory.js';
import { OffSessionWatch, withoutOpened } from '../../src/market/sessions/offSessionWatch.js';
import { loadProducts } from '../../src/market/instruments/products.js';

// A calendar that calls the Monday 2026-11-30 a holiday.
const wrong: HolidayTable = { path: 'wrong.json', years: { '2026': [20261130] } };
const shanghai = (text: string): number => Date.parse(`${text.replace(' ', 'T')}+08:00`);
const months = ['01', '02', '03', '05', '07', '09', '10', '11'];
const many = ['rb', 'cu', 'm'].flatMap((product) => months.map((month) => `${product}27${month}`));

let directory: InstrumentDirectory;
let told: string[];
let watch: OffSessionWatch;

beforeEach(() => {
  const now = (): number => shanghai('2026-11-27 12:00:00');
  directory = new InstrumentDirectory({ products: loadProducts(), maxInstruments: 100, now });
  told = [];
  watch = new OffSessionWatch(calendarOf(wrong), (text) => told.push(text));
});

interface Ticks {
  readonly ids?: readonly string[];
  readonly at?: string;
  readonly day?: number;
  readonly stated?: number;
  readonly count?: number;
  /** Volume that a tick has more than the one before. */
  readonly step?: number;
  readonly isLive?: boolean;
}

function note({ ids = many, at = '2026-11-30 09:00:00', day = 20261130, ...rest }: Ticks = {}): void {
  const { stated = day, count = 6, step = 1, isLive = true } = rest;
  for (let n = 0; n < count; n++)
    for (const id of ids)
      watch.note({
        instrument: directory.resolve(id)!,
        statedDay: stated,
        tradingDay: day,
        timeMs: shanghai(at) + 500 * n,
        volume: 100 + step * n,
        isLive,
      });
}

describe('a holiday of the calendar', () => {
  it('is a trading day once many instruments of several products trade within its hours', () => {
    note({ count: 5 });
    expect(watch.opening).toBeUndefined();
    note({ count: 1, at: '2026-11-30 09:00:03' });
    note();
    expect(watch.opening).toBe(20261130);
    const opened = calendarOf(withoutOpened(wrong, new Set([20261130])));
    expect([opened.isTradingDay(20261130), opened.previous(20261201)]).toEqual([true, 20261130]);
    watch.useCalendar(opened);
    expect(watch.opening).toBeUndefined();
  });

  it('is one from its night on, which is on Friday', () => {
    note({ at: '2026-11-27 21:00:00' });
    expect(watch.opening).toBe(20261130);
  });

  it.each<[string, Ticks]>([
    ['few instruments trade', { ids: many.slice(0, 5) }],
    ['the instruments are of few products', { ids: many.filter((id) => !id.startsWith('m')) }],
    ['their volume does not grow', { step: 0 }],
    ['they tick at a time at which nobody would trade', { at: '2026-11-30 18:05:00' }],
    ['they have another trading day', { day: 20261201 }],
    ['their trading day does not come from the front', { stated: 0 }],
    ['they are not of the present', { isLive: false }],
    ['it is a weekend', { day: 20261128, at: '2026-11-28 10:00:00' }],
  ])('stays one where %s', (_what, ticks) => {
    note({ count: 40, ...ticks });
    expect(watch.opening).toBeUndefined();
  });

  it('of the bundled calendar stays one in a test for the next trading day', () => {
    watch = new OffSessionWatch(calendarOf(readHolidays()), (text) => told.push(text));
    note({ count: 40, day: 20261008, at: '2026-10-06 10:10:00' });
    expect(watch.opening).toBeUndefined();
  });
});

describe('trading outside sessions', () => {
  it('is reported once per trading day, and counted', () => {
    const ids = ['rb2701', 'cu2701'];
    note({ ids, at: '2026-12-01 18:05:00', day: 20261201, count: 19 });
    expect(told).toEqual([]);
    note({ ids, at: '2026-12-01 18:05:30', day: 20261201, count: 40 });
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(
      /^rb2701 trades outside of its sessions, at 2026-12-01 18:05:\d\d of trading day/,
    );
    expect(told[0]).toContain('trading_hours "always"');
    expect(watch.instruments).toBe(2);
  });

  it('of many trading days takes no more memory than that of a few', () => {
    for (let day = 20261201; day <= 20261230; day++)
      note({ ids: ['rb2701'], day, at: '2026-11-28 10:00:00' });
    expect(watch.instruments).toBeLessThanOrEqual(4);
  });
});
