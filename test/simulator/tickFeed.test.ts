import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { loadProducts } from '../../src/market/instruments/products.js';
import { TickFeed } from '../../src/simulator/tickFeed.js';
import { buildNative } from './nativeClient.js';
import { fieldsOf, stepsBetween, type TickFields } from './tickFields.js';

const noValue = Number.MAX_VALUE;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** Monday 2026-11-23, 00:00 Shanghai. */
const monday = Date.UTC(2026, 10, 22, 16);
const ids = ['rb2701', 'au2702', 'CF701', 'm2701', 'IF2612', 'T2612', 'TS2612', 'si2701', 'sc2701', 'l2701F'];
/** Units of a lot. */
const multipliers = new Map(
  ids.map((id) => [
    id,
    loadProducts().get(/^[A-Za-z]+/.exec(id)![0] + (id.endsWith('F') ? '_f' : ''))!.multiplier,
  ]),
);
const opened: TickFeed[] = [];

function open(seed = 1, rate = 2): TickFeed {
  const feed = new TickFeed({ seed, rate });
  opened.push(feed);
  return feed;
}

function tick(feed: TickFeed, id: string, step: number): TickFields {
  return fieldsOf(feed.tickFrame(feed.add(id), step));
}

const last = 80;
const highest = 120;
const lowest = 128;
const turnover = 144;
const volume = 136;

beforeAll(buildNative);
afterEach(() => {
  for (const feed of opened.splice(0)) feed.close();
});

describe('a tick', () => {
  it('is a pure function of seed, instrument and step, in whatever order it is asked for', () => {
    const step = fc.integer({ min: monday - 80 * hourMs, max: monday + 80 * hourMs });
    const question = fc.tuple(fc.constantFrom(...ids), step);
    fc.assert(
      fc.property(fc.array(question, { minLength: 1, maxLength: 8 }), (questions) => {
        const used = open(7);
        for (const [id, at] of questions) {
          const fresh = new TickFeed({ seed: 7, rate: 50 });
          expect(tick(used, id, at)).toEqual(tick(fresh, id, at));
          fresh.close();
        }
      }),
      { numRuns: 60 },
    );
  });

  it('differs between seeds and between instruments', () => {
    const step = monday + 10 * hourMs;
    expect(tick(open(1), 'rb2701', step)).not.toEqual(tick(open(2), 'rb2701', step));
    expect(tick(open(1), 'rb2701', step)).not.toEqual(tick(open(1), 'rb2705', step));
  });

  it.each(ids)(
    'of %s has every price on its tick, inside the limits, and a book around the last price',
    (id) => {
      const feed = open();
      const priceTick =
        { au: 0.02, CF: 5, IF: 0.2, T: 0.005, TS: 0.002, si: 5, sc: 0.1 }[/^[A-Za-z]+/.exec(id)![0]] ?? 1;
      for (let step = monday; step < monday + 30 * hourMs; step += 613_777) {
        const fields = tick(feed, id, step);
        const upper = Number(fields[176]);
        const lower = Number(fields[184]);
        const given = [80, 88, 96, 112, 120, 128, 176, 184, 224, 240, 256, 272, 288, 304, 320, 336, 352, 368];
        for (const price of given
          .map((offset) => Number(fields[offset]))
          .filter((value) => value !== noValue)) {
          expect(Math.abs(price / priceTick - Math.round(price / priceTick))).toBeLessThan(1e-6);
          expect(price).toBeGreaterThanOrEqual(lower);
          expect(price).toBeLessThanOrEqual(upper);
        }
        expect(Number(fields[224])).toBeLessThan(Number(fields[240]));
        expect([fields[224], fields[240]]).toContain(fields[last]);
        for (const offset of [160, 168, 192, 200, 568, 576]) expect(fields[offset]).toBe(noValue);
        expect(fields[40]).toBe('');
      }
    },
  );
});

describe('within a trading day', () => {
  it.each(ids)(
    '%s: volume and turnover never fall, highest and lowest only widen and hold the last price',
    (id) => {
      const feed = open();
      let before = tick(feed, id, monday - 52 * hourMs);
      // From Friday 20:00 through the weekend to Monday, first coarsely, then tick by tick.
      const coarse = Array.from({ length: 300 }, (_, i) => monday - 52 * hourMs + i * 12 * minuteMs);
      const fine = stepsBetween(feed, feed.add(id), monday + 9 * hourMs, monday + 9 * hourMs + 3 * minuteMs);
      for (const step of [...coarse.filter((at) => at < monday + 8 * hourMs), ...fine]) {
        const now = tick(feed, id, step);
        expect(Number(now[volume])).toBeGreaterThanOrEqual(Number(before[volume]));
        expect(Number(now[turnover])).toBeGreaterThanOrEqual(Number(before[turnover]));
        expect(Number(now[highest])).toBeGreaterThanOrEqual(Number(before[highest]));
        expect(Number(now[lowest])).toBeLessThanOrEqual(Number(before[lowest]));
        expect(Number(now[highest])).toBeGreaterThanOrEqual(Number(now[last]));
        expect(Number(now[lowest])).toBeLessThanOrEqual(Number(now[last]));
        for (const fixed of [88, 96, 104, 112, 176, 184]) expect(now[fixed]).toBe(before[fixed]);
        before = now;
      }
    },
  );

  it.each(ids)('%s: the average price lies between the lowest and the highest so far', (id) => {
    const feed = open();
    const average = 384;
    // The first hours of a trading day, when little has been traded.
    for (let step = monday + 20 * hourMs; step < monday + 23 * hourMs; step += 2777) {
      const fields = tick(feed, id, step);
      if (fields[last] === noValue) continue;
      // CZCE sends the price of a unit, all others that of a lot.
      const multiplier = id.startsWith('CF') ? 1 : multipliers.get(id)!;
      const unit = Number(fields[average]) / multiplier;
      expect(unit).toBeGreaterThanOrEqual(Number(fields[lowest]) * (1 - 1e-9));
      expect(unit).toBeLessThanOrEqual(Number(fields[highest]) * (1 + 1e-9));
    }
  });

  it('a new highest price was traded: at two ticks a second it is the last price of a tick', () => {
    const feed = open();
    const index = feed.add('rb2701');
    const start = monday - 4 * hourMs + 10 * hourMs;
    let before = Number(tick(feed, 'rb2701', start - 1)[highest]);
    for (const step of stepsBetween(feed, index, start, start + 20 * minuteMs)) {
      const now = tick(feed, 'rb2701', step);
      if (Number(now[highest]) > before) expect(now[last]).toBe(now[highest]);
      before = Number(now[highest]);
    }
  });
});

describe('the trading day', () => {
  it('switches at 20:00 Shanghai: volume starts again and the day before gives the reference prices', () => {
    const feed = open();
    const evening = monday + 20 * hourMs;
    const before = tick(feed, 'rb2701', evening - 1);
    const after = tick(feed, 'rb2701', evening);
    expect([before[0], after[0]]).toEqual(['20261123', '20261124']);
    expect(Number(after[volume])).toBeLessThanOrEqual(50);
    expect(Number(before[volume])).toBeGreaterThan(Number(after[volume]));
    expect(after[88]).not.toBe(before[88]);
  });

  it('of the weekend is Monday', () => {
    const feed = open();
    expect(tick(feed, 'rb2701', monday - 52 * hourMs)[0]).toBe('20261123');
    expect(tick(feed, 'rb2701', monday - 52 * hourMs - 1)[0]).toBe('20261120');
    expect(tick(feed, 'rb2701', monday - 30 * hourMs)[0]).toBe('20261123');
  });

  it.each([
    ['rb2701', '20261123', '20261120'],
    ['sc2701', '20261123', '20261120'],
    ['m2701', '20261123', '20261123'],
    ['si2701', '20261123', '20261123'],
    ['CF701', '20261120', '20261120'],
  ])("of %s on Friday night is stamped as its exchange's fronts stamp it", (id, tradingDay, actionDay) => {
    const fields = tick(open(), id, monday - 51 * hourMs);
    expect([fields[0], fields[392], fields[208]]).toEqual([tradingDay, actionDay, '21:00:00']);
  });
});

it.each([
  ['rb2701', (ms: number) => ms === 0 || ms === 500],
  ['sc2701', (ms: number) => ms === 0 || ms === 500],
  ['CF701', (ms: number) => ms === 0],
  ['IF2612', (ms: number) => ms % 100 === 0],
])('milliseconds of %s are as coarse as its exchange sends them', (id, allowed) => {
  const feed = open();
  for (let step = monday; step < monday + 5000; step += 137) {
    expect(allowed(Number(tick(feed, id, step)[220]))).toBe(true);
  }
});

it('milliseconds of DCE are the real ones', () => {
  expect(tick(open(), 'm2701', monday + 123)[220]).toBe(123);
});

describe('the schedule', () => {
  it('has one tick in each interval and does not depend on when one began to look', () => {
    const feed = open(3, 2);
    const index = feed.add('rb2701');
    const steps = stepsBetween(feed, index, monday, monday + minuteMs - 1);
    expect(steps.map((step) => Math.floor(step / 500))).toEqual(
      Array.from({ length: 120 }, (_, i) => monday / 500 + i),
    );
    const seen: number[] = [];
    feed.setActive(index, true, monday + 10_000);
    for (let now = monday + 10_000; now < monday + minuteMs; now += 37) {
      feed.collect(now, (_, frames, start, end) => {
        seen.push(Number(fieldsOf(frames.subarray(start, end))[volume]));
      });
    }
    const expected = steps.filter((step) => step > monday + 10_000 && step <= monday + minuteMs - 14);
    expect(seen).toEqual(expected.map((step) => tick(feed, 'rb2701', step)[volume]));
  });

  it('sends one tick an instrument for a time that was missed, the newest, and continues from there', () => {
    const feed = open();
    const indices = ids.map((id) => feed.add(id));
    for (const index of indices) feed.setActive(index, true, monday);
    const awake = monday + 5 * hourMs;
    const seen = new Map<number, TickFields[]>();
    const keep = (index: number, frames: Buffer, start: number, end: number): void => {
      seen.set(index, [...(seen.get(index) ?? []), fieldsOf(frames.subarray(start, end))]);
    };
    feed.collect(awake, keep);
    for (const index of indices) {
      expect(seen.get(index)).toEqual([fieldsOf(feed.tickFrame(index, feed.newestStep(index, awake)))]);
    }
    for (const now of [awake + 400, awake + 800]) feed.collect(now, keep);
    for (const index of indices) {
      const since = stepsBetween(feed, index, awake + 1, awake + 800);
      expect(seen.get(index)!.slice(1)).toEqual(since.map((step) => fieldsOf(feed.tickFrame(index, step))));
    }
  });

  it('may be asked for single ticks by those to whom it hands over others', () => {
    const feed = open();
    const indices = ids.map((id) => feed.add(id));
    for (const index of indices) feed.setActive(index, true, monday);
    let seen = 0;
    feed.collect(monday + hourMs, (index, frames, start, end) => {
      const before = Buffer.from(frames.subarray(start, end));
      feed.newestFrame(indices.at(-1)!, monday + 1_000);
      feed.tickFrame(index, feed.newestStep(index, monday + 2_000));
      expect(frames.subarray(start, end).equals(before)).toBe(true);
      seen++;
    });
    expect(seen).toBe(ids.length);
  });

  it('continues when the clock is set back', () => {
    const feed = open();
    feed.setActive(feed.add('rb2701'), true, monday + hourMs);
    let seen = 0;
    for (const now of [monday, monday + 400, monday + 800]) feed.collect(now, () => seen++);
    expect(seen).toBe(stepsBetween(feed, 0, monday + 1, monday + 800).length);
  });

  it('does not schedule what was stopped', () => {
    const feed = open();
    const index = feed.add('rb2701');
    for (let i = 0; i < 500; i++) feed.setActive(index, i % 2 === 0, monday + i);
    expect(feed.nextDue === undefined || feed.nextDue > 0).toBe(true);
    let seen = 0;
    feed.collect(monday + minuteMs, () => seen++);
    expect(seen).toBe(0);
    expect(feed.nextDue).toBeUndefined();
  });

  it('takes up to a thousand ticks a second of one instrument, never two at one step', () => {
    const feed = open(1, 100_000);
    const steps = stepsBetween(feed, feed.add('rb2701'), monday, monday + 999);
    expect(steps).toEqual(Array.from({ length: 1000 }, (_, i) => monday + i));
  });
});

it.each([
  '',
  'rb',
  'rb27',
  'rb2713',
  'RB2701',
  'rb271',
  'SR2701',
  'SHFE.rb2701',
  'SP a2701&a2705',
  'x'.repeat(81),
])('knows no instrument "%s"', (id) => expect(open().add(id)).toBe(-1));

it.each(['cu2701C70000', 'm2701-C-3000', 'm2701-MS-P-3000', 'IO2701-C-4600', 'SR701P5000'])(
  'knows the option %s',
  (id) => {
    const fields = tick(open(), id, monday);
    expect(Number(fields[last])).toBeGreaterThan(0);
  },
);
