import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { loadCalendar } from '../../src/market/calendar/holidayCalendar.js';
import { TickFeed, type FeedSettings } from '../../src/simulator/tickFeed.js';
import { buildNative } from './nativeClient.js';
import { fieldsOf, type TickFields } from './tickFields.js';

const noValue = Number.MAX_VALUE;
const hourMs = 3_600_000;
const at = (time: string): number => Date.parse(`${time}:00+08:00`);
const [tradingDay, actionDay, time, last, open, high, low] = [0, 392, 208, 80, 112, 120, 128];
const [volume, turnover, close, settlement, preClose, preSettlement] = [136, 144, 160, 168, 96, 88];
const opened: TickFeed[] = [];
const { holidays } = loadCalendar();

beforeAll(buildNative);
afterEach(() => {
  for (const feed of opened.splice(0)) feed.close();
});

function openFeed(settings: Partial<FeedSettings> = {}): TickFeed {
  const feed = new TickFeed({ rate: 0.05, hours: 'exchange', holidays, ...settings });
  opened.push(feed);
  return feed;
}

/** Every tick of an instrument between two instants, as the feed hands them over. */
function ticksOf(id: string, from: string, to: string, settings: Partial<FeedSettings> = {}): TickFields[] {
  const feed = openFeed(settings);
  feed.setLateLimit(100 * hourMs);
  feed.setActive(feed.add(id), true, at(from));
  const ticks: TickFields[] = [];
  for (let now = at(from); now <= at(to); now += hourMs / 4) {
    feed.collect(now, (_, frames, start, end) => ticks.push(fieldsOf(frames.subarray(start, end))));
  }
  return ticks;
}

/** Minutes of the day with ticks, as one text for every unbroken stretch. */
function stretches(ticks: readonly TickFields[]): string[] {
  const minutes = [...new Set(ticks.map((tick) => String(tick[time]).slice(0, 5)))];
  const number = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
  const found: string[][] = [];
  for (const minute of minutes) {
    const current = found.at(-1);
    const gap = current === undefined ? NaN : (number(minute) - number(current.at(-1)!) + 1440) % 1440;
    if (gap <= 3) current!.push(minute);
    else found.push([minute]);
  }
  return found.map((stretch) => `${stretch[0]!}-${stretch.at(-1)!}`);
}

describe('a trading day', () => {
  // Around 15:00 come the close price and, after it, the settlement price.
  it.each([
    ['rb2701', ['20:59-23:00', '09:00-10:15', '10:30-11:30', '13:30-15:00']],
    ['au2702', ['20:59-02:30', '09:00-10:15', '10:30-11:30', '13:30-15:00']],
    ['si2701', ['08:59-10:15', '10:30-11:30', '13:30-15:00']],
    ['IF2612', ['09:29-11:30', '13:00-15:00']],
    ['T2612', ['09:29-11:30', '13:00-15:15']],
  ])('of %s has its sessions, one tick of the auction, and silence between', (id, expected) => {
    const ticks = ticksOf(id, '2026-11-23T20:00', '2026-11-24T20:00', { rate: 0.2 });
    const trading = ticks.filter((tick) => tick[close] === noValue);
    expect(stretches(trading)).toEqual(expected);
    const status = ticks.slice(trading.length);
    expect(status.map((tick) => [tick[close] !== noValue, tick[settlement] !== noValue])).toEqual([
      [true, false],
      [true, true],
    ]);
    expect(String(status[1]![time]) > '15:30').toBe(true);
    expect(String(status[1]![time]) < '17:00').toBe(true);
    const auction = expected[0]!.slice(0, 5);
    expect(trading.filter((tick) => String(tick[time]).startsWith(auction))).toHaveLength(1);
  });

  it('opens with the auction’s price and volume, and begins the next one with what was settled', () => {
    const ticks = ticksOf('rb2701', '2026-11-23T20:00', '2026-11-25T20:00');
    const days = ['20261124', '20261125'].map((day) => ticks.filter((tick) => tick[tradingDay] === day));
    expect(days[0]!.length + days[1]!.length).toBe(ticks.length);
    const auction = days[0]![0]!;
    expect([open, high, low].map((field) => auction[field])).toEqual(Array(3).fill(auction[last]));
    expect(Number(auction[volume])).toBeGreaterThan(0);
    const settled = days[0]!.at(-1)!;
    expect(settled[close]).toBe(settled[last]);
    for (const tick of days[1]!) {
      expect([tick[preClose], tick[preSettlement]]).toEqual([settled[close], settled[settlement]]);
    }
    for (const day of days) {
      day.slice(1).forEach((tick, i) => {
        expect(Number(tick[volume])).toBeGreaterThanOrEqual(Number(day[i]![volume]));
        expect(Number(tick[turnover])).toBeGreaterThanOrEqual(Number(day[i]![turnover]));
        expect(Number(tick[high])).toBeGreaterThanOrEqual(Number(tick[last]));
        expect(Number(tick[low])).toBeLessThanOrEqual(Number(tick[last]));
        expect(tick[open]).toBe(auction === day[0] ? auction[open] : days[1]![0]![open]);
      });
    }
  });

  it('is the same for who asks late and out of order', () => {
    const live = ticksOf('au2702', '2026-11-23T20:00', '2026-11-24T20:00', {
      rate: 0.01,
      arrivals: 'poisson',
    });
    const feed = openFeed({ rate: 0.01, arrivals: 'poisson' });
    const index = feed.add('au2702');
    const asked: TickFields[] = [];
    for (let now = at('2026-11-24T20:00'); now > at('2026-11-23T20:59');) {
      const step = feed.newestStep(index, now);
      asked.unshift(fieldsOf(feed.tickFrame(index, step)));
      now = step - 1;
    }
    expect(asked.filter((tick) => tick[tradingDay] === '20261124')).toEqual(live);
  });
});

it('a snapshot outside the hours is the last tick, hours old', () => {
  const feed = openFeed();
  const snapshot = fieldsOf(feed.newestFrame(feed.add('si2701'), at('2026-11-22T12:00'))!);
  expect([snapshot[tradingDay], snapshot[settlement] === noValue]).toEqual(['20261120', false]);
});

it('has no night before a holiday, and the auction of the day after it in the morning', () => {
  const ticks = ticksOf('rb2701', '2026-09-30T16:55', '2026-10-08T10:10');
  expect(stretches(ticks)).toEqual(['08:59-10:09']);
  expect(new Set(ticks.map((tick) => tick[tradingDay]))).toEqual(new Set(['20261008']));
  expect(stretches(ticksOf('rb2701', '2026-09-29T16:55', '2026-09-30T10:10'))).toEqual([
    '20:59-23:00',
    '09:00-10:09',
  ]);
});

it('has a Friday night that belongs to Monday and continues on Saturday morning', () => {
  const ticks = ticksOf('au2702', '2026-11-20T17:00', '2026-11-23T08:00');
  expect(stretches(ticks)).toEqual(['20:59-02:30']);
  expect(new Set(ticks.map((tick) => `${tick[tradingDay]!} ${tick[actionDay]!}`))).toEqual(
    new Set(['20261123 20261120', '20261123 20261121']),
  );
});

it.each([
  ['rb2701', '20261123 20261120', '20261123 20261120'],
  ['m2701', '20261123 20261123', '20261123 20261120'],
  ['CF701', '20261120 20261120', '20261123 20261120'],
])('stamps a night tick of %s as production fronts do, or as SimNow’s', (id, production, simnow) => {
  for (const [dates, expected] of [
    ['production', production],
    ['simnow', simnow],
  ] as const) {
    const feed = openFeed({ dates });
    const tick = fieldsOf(feed.newestFrame(feed.add(id), at('2026-11-20T21:30'))!);
    expect(`${tick[tradingDay]!} ${tick[actionDay]!}`).toBe(expected);
  }
});

it('has no price before the first trade of an option that opens without one', () => {
  const feed = openFeed();
  const ids = Array.from({ length: 40 }, (_, i) => `cu2701C${80000 + 500 * i}`);
  const auctions = ids.map((id) =>
    fieldsOf(feed.newestFrame(feed.add(id), at('2026-11-24T20:59') + 59_999)!),
  );
  const quiet = auctions.filter((tick) => tick[volume] === 0);
  expect(quiet.length).toBeGreaterThan(3);
  expect(quiet.length).toBeLessThan(25);
  for (const tick of quiet) {
    expect([last, open, high, low].map((field) => tick[field])).toEqual(Array(4).fill(noValue));
    expect([tick[turnover], tick[384]]).toEqual([0, 0]);
  }
  // An hour later all of them have traded.
  for (const id of ids) {
    const tick = fieldsOf(feed.newestFrame(feed.add(id), at('2026-11-24T22:00'))!);
    expect(Number(tick[volume])).toBeGreaterThan(0);
    expect(Number(tick[low])).toBeLessThanOrEqual(Number(tick[open]));
  }
});

it('CZCE carries the settlement price of the day before until there is a new one', () => {
  const feed = openFeed();
  const tick = fieldsOf(feed.newestFrame(feed.add('CF701'), at('2026-11-24T10:00'))!);
  expect(tick[settlement]).toBe(tick[preSettlement]);
});

it('sends as many levels as it is told', () => {
  const feed = openFeed({ levels: 1 });
  const tick = fieldsOf(feed.newestFrame(feed.add('rb2701'), at('2026-11-24T10:00'))!);
  expect([tick[224], tick[240]]).not.toContain(noValue);
  for (let level = 1; level < 5; level++) {
    const side = [224, 232, 240, 248].map((field) => tick[field + 32 * level]);
    expect(side).toEqual([noValue, 0, noValue, 0]);
  }
});

it.each(['always', 'exchange'] as const)(
  'stands at a limit for a while, hours %s: one side of the book is empty, volume grows, and the price was traded',
  (hours) => {
    const both = ['rb2701', 'm2701', 'CF701', 'au2702', 'IF2612', 'si2701'].map((id) =>
      ticksOf(id, '2026-11-23T20:00', '2026-11-24T20:00', { rate: 0.1, limitShare: 1, hours }),
    );
    let [up, down] = [0, 0];
    for (const ticks of both) {
      const locked = ticks.filter((tick) => tick[232] === 0 || tick[248] === 0);
      expect(locked.length).toBeGreaterThan(60);
      for (const tick of locked) {
        const isUp = tick[248] === 0;
        if (isUp) up++;
        else down++;
        const limit = tick[isUp ? 176 : 184];
        expect([tick[last], tick[isUp ? high : low], tick[isUp ? 224 : 240]]).toEqual(Array(3).fill(limit));
        for (let level = 0; level < 5; level++) expect(tick[(isUp ? 240 : 224) + 32 * level]).toBe(noValue);
      }
      const free = ticks.filter((tick) => !locked.includes(tick) && tick[close] === noValue);
      expect(free.length).toBeGreaterThan(locked.length);
    }
    expect(up).toBeGreaterThan(0);
    expect(down).toBeGreaterThan(0);
  },
);
