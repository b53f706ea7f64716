import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExchangeClock, type TickTime } from '../../src/market/exchangeClock.js';
import type { Exchange } from '../../src/market/products.js';
import { WeekdayCalendar } from '../../src/market/tradingCalendar.js';

const shanghai = (text: string): number => Date.parse(`${text.replace(' ', 'T')}+08:00`);
const secondsOf = (time: string): number => {
  const [hours, minutes, seconds] = time.split(':').map(Number);
  return hours! * 3600 + minutes! * 60 + seconds!;
};

function resolve(
  exchange: Exchange,
  tradingDay: number,
  actionDay: number,
  time: string,
  receivedAt: string,
  millisec = 0,
): TickTime | undefined {
  const out: TickTime = { epochMs: 0, tradingDay: 0, stale: false, repaired: false };
  const clock = new ExchangeClock(new WeekdayCalendar());
  return clock.resolve(exchange, tradingDay, actionDay, secondsOf(time), millisec, shanghai(receivedAt), out)
    ? out
    : undefined;
}

interface Golden {
  why: string;
  tick: [Exchange, number, number, string, string];
  natural: string;
  tradingDay: number;
  stale?: boolean;
}

// 12 April 2024 is a Friday.
const golden: Golden[] = [
  {
    why: 'SHFE by day',
    tick: ['SHFE', 20240412, 20240412, '10:00:00', '2024-04-12 10:00:00.3'],
    natural: '2024-04-12 10:00:00',
    tradingDay: 20240412,
  },
  {
    why: 'SHFE on Friday night',
    tick: ['SHFE', 20240415, 20240412, '21:00:00', '2024-04-12 21:00:00.2'],
    natural: '2024-04-12 21:00:00',
    tradingDay: 20240415,
  },
  {
    why: 'gold after midnight, on Saturday',
    tick: ['SHFE', 20240415, 20240413, '00:30:00', '2024-04-13 00:30:00.2'],
    natural: '2024-04-13 00:30:00',
    tradingDay: 20240415,
  },
  {
    why: 'DCE on Friday night puts Monday into both days',
    tick: ['DCE', 20240415, 20240415, '22:59:00', '2024-04-12 22:59:00.2'],
    natural: '2024-04-12 22:59:00',
    tradingDay: 20240415,
  },
  {
    why: 'CZCE on Friday night puts Friday into both days',
    tick: ['CZCE', 20240412, 20240412, '21:30:00', '2024-04-12 21:30:00.2'],
    natural: '2024-04-12 21:30:00',
    tradingDay: 20240415,
  },
  {
    why: 'CZCE on an evaluation front',
    tick: ['CZCE', 20240415, 20240412, '21:30:00', '2024-04-12 21:30:00.2'],
    natural: '2024-04-12 21:30:00',
    tradingDay: 20240415,
  },
  {
    why: 'CZCE without a trading day',
    tick: ['CZCE', 0, 20240411, '21:30:00', '2024-04-11 21:30:00.2'],
    natural: '2024-04-11 21:30:00',
    tradingDay: 20240412,
  },
  {
    why: 'CFFEX by day',
    tick: ['CFFEX', 20240412, 20240412, '14:59:59', '2024-04-12 15:00:00.1'],
    natural: '2024-04-12 14:59:59',
    tradingDay: 20240412,
  },
  {
    why: 'a night in the middle of the week',
    tick: ['INE', 20240411, 20240411, '02:29:59', '2024-04-11 02:30:00'],
    natural: '2024-04-11 02:29:59',
    tradingDay: 20240411,
  },
  {
    why: 'a clock that is ahead at midnight',
    tick: ['SHFE', 20240411, 20240410, '23:59:59', '2024-04-11 00:00:00.2'],
    natural: '2024-04-10 23:59:59',
    tradingDay: 20240411,
  },
  {
    why: 'a clock that is behind at midnight',
    tick: ['SHFE', 20240411, 20240411, '00:00:00', '2024-04-10 23:59:59.9'],
    natural: '2024-04-11 00:00:00',
    tradingDay: 20240411,
  },
  {
    why: 'a snapshot of last night, read in the morning',
    tick: ['DCE', 20240411, 20240411, '22:59:59', '2024-04-11 08:45:00'],
    natural: '2024-04-10 22:59:59',
    tradingDay: 20240411,
    stale: true,
  },
  {
    why: 'a snapshot of Friday night, read on Monday',
    tick: ['DCE', 20240415, 20240415, '22:59:59', '2024-04-15 08:45:00'],
    natural: '2024-04-12 22:59:59',
    tradingDay: 20240415,
    stale: true,
  },
  {
    why: 'yesterday’s close, read this morning',
    tick: ['SHFE', 20240411, 20240411, '15:00:00', '2024-04-12 08:45:00'],
    natural: '2024-04-11 15:00:00',
    tradingDay: 20240411,
    stale: true,
  },
  {
    why: 'empty days on a Saturday morning',
    tick: ['SHFE', 0, 0, '00:30:00', '2024-04-13 00:30:01'],
    natural: '2024-04-13 00:30:00',
    tradingDay: 20240415,
  },
  {
    why: 'empty days on a Friday evening',
    tick: ['SHFE', 0, 0, '21:30:00', '2024-04-12 21:30:01'],
    natural: '2024-04-12 21:30:00',
    tradingDay: 20240415,
  },
  {
    why: 'malformed days',
    tick: ['SHFE', -1, -1, '10:30:00', '2024-04-12 10:30:01'],
    natural: '2024-04-12 10:30:00',
    tradingDay: 20240412,
  },
  {
    why: 'a front that runs at weekends',
    tick: ['SHFE', 20240415, 20240413, '14:00:00', '2024-04-13 14:00:00.2'],
    natural: '2024-04-13 14:00:00',
    tradingDay: 20240415,
  },
  {
    why: 'a snapshot of a front that runs at weekends',
    tick: ['DCE', 20240415, 20240415, '14:00:00', '2024-04-13 14:10:00'],
    natural: '2024-04-13 14:00:00',
    tradingDay: 20240415,
    stale: true,
  },
  {
    why: 'a host whose clock is slow',
    tick: ['SHFE', 20240412, 20240412, '10:00:00', '2024-04-12 09:58:00'],
    natural: '2024-04-12 10:00:00',
    tradingDay: 20240412,
    stale: true,
  },
  {
    why: 'CZCE between day and evening, as on simulated fronts whose day begins at 20:00',
    tick: ['CZCE', 20240411, 20240411, '19:59:59', '2024-04-11 19:59:59.2'],
    natural: '2024-04-11 19:59:59',
    tradingDay: 20240411,
  },
  {
    why: 'a trading day of the far future',
    tick: ['SHFE', 20991231, 20991231, '10:00:00', '2024-04-12 10:00:00.2'],
    natural: '2024-04-12 10:00:00',
    tradingDay: 20240412,
  },
  {
    why: 'days of the far future at CZCE',
    tick: ['CZCE', 20991231, 20991231, '21:00:00', '2024-04-12 21:00:00.2'],
    natural: '2024-04-12 21:00:00',
    tradingDay: 20240415,
  },
  {
    why: 'the trading day at the end of a long holiday',
    tick: ['SHFE', 20261009, 20260930, '15:00:00', '2026-09-30 15:00:00.2'],
    natural: '2026-09-30 15:00:00',
    tradingDay: 20261009,
  },
  {
    why: 'the first day that computers know',
    tick: ['SHFE', 19700101, 19700101, '21:00:00', '2024-04-12 21:00:00.2'],
    natural: '2024-04-12 21:00:00',
    tradingDay: 20240415,
  },
];

describe('ExchangeClock', () => {
  it.each(golden)('$why', ({ tick, natural, tradingDay, stale }) => {
    const found = resolve(...tick);
    expect(found && new Date(found.epochMs).toISOString()).toBe(new Date(shanghai(natural)).toISOString());
    expect(found?.tradingDay).toBe(tradingDay);
    expect(found?.stale).toBe(stale ?? false);
  });

  it('keeps milliseconds', () => {
    expect(resolve('SHFE', 20240412, 20240412, '10:00:00', '2024-04-12 10:00:00.6', 500)?.epochMs).toBe(
      shanghai('2024-04-12 10:00:00.500'),
    );
  });

  it('refuses a tick without a usable time', () => {
    const out: TickTime = { epochMs: 0, tradingDay: 0, stale: false, repaired: false };
    const clock = new ExchangeClock(new WeekdayCalendar());
    for (const [seconds, millisec] of [
      [-1, 0],
      [-2, 0],
      [86_400, 0],
      [0, -1],
      [0, 1000],
    ] as const) {
      expect(clock.resolve('SHFE', 20240412, 20240412, seconds, millisec, 0, out)).toBe(false);
    }
  });

  it('never dates a tick after its receipt by more than the host’s clock may err, whatever the front sends', () => {
    const clock = new ExchangeClock(new WeekdayCalendar());
    const out: TickTime = { epochMs: 0, tradingDay: 0, stale: false, repaired: false };
    const day = fc.oneof(fc.constant(0), fc.constant(-1), fc.integer({ min: 0, max: 99_999_999 }));
    fc.assert(
      fc.property(
        fc.constantFrom<Exchange>('SHFE', 'INE', 'DCE', 'CZCE', 'CFFEX', 'GFEX'),
        day,
        day,
        fc.nat(86_399),
        fc.nat(999),
        fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2035, 0) }),
        (exchange, tradingDay, actionDay, seconds, millisec, receiveMs) => {
          expect(clock.resolve(exchange, tradingDay, actionDay, seconds, millisec, receiveMs, out)).toBe(
            true,
          );
          expect(out.epochMs).toBeLessThanOrEqual(receiveMs + 15 * 60_000);
          expect((out.epochMs + 8 * 3_600_000) % 86_400_000).toBe(seconds * 1000 + millisec);
          expect(new WeekdayCalendar().isTradingDay(out.tradingDay)).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('gives a live tick its receive time, whatever days the front of its exchange sends, all week round', () => {
    const clock = new ExchangeClock(new WeekdayCalendar());
    const out: TickTime = { epochMs: 0, tradingDay: 0, stale: false, repaired: false };
    const weekMs = 7 * 86_400_000;
    fc.assert(
      fc.property(fc.nat(weekMs), fc.nat(2000), (offset, lateMs) => {
        const at = Date.UTC(2024, 3, 8) + offset;
        const local = new Date(at + 8 * 3_600_000);
        const seconds = local.getUTCHours() * 3600 + local.getUTCMinutes() * 60 + local.getUTCSeconds();
        const actionDay =
          local.getUTCFullYear() * 10000 + (local.getUTCMonth() + 1) * 100 + local.getUTCDate();
        clock.resolve('SHFE', 0, actionDay, seconds, at % 1000, at + lateMs, out);
        expect(out.epochMs).toBe(at);
      }),
    );
  });
});
