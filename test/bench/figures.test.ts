import { describe, expect, it } from 'vitest';
import { findCeiling } from '../../bench/figures/ceiling.js';
import { hopNames, hopsOf, slowerHop, type HopName } from '../../bench/figures/hops.js';
import { agree, middleRun, pairedRatio, pairedRatioBetween, spreadOf } from '../../bench/figures/spread.js';
import { spreadOverClients } from '../../bench/instruments.js';
import { regressions } from '../../bench/report/compare.js';
import type { TickTraceReport } from '../../src/profile/tickTrace.js';

describe('a spread', () => {
  it('is median, least and greatest', () => {
    expect(spreadOf([5, 1, 3])).toEqual({ median: 3, least: 1, most: 5, runs: 3 });
    expect(spreadOf([4, 1, 3, 2]).median).toBe(2.5);
    expect(() => spreadOf([])).toThrow(RangeError);
  });

  it('of ratios pairs the runs that took turns', () => {
    expect(pairedRatio([2, 6, 9], [1, 2, 3])).toEqual({ median: 3, least: 2, most: 3, runs: 3 });
  });

  it('of ratios is as wide as figures that are known to lie between two allow', () => {
    const above = [
      { least: 10, most: 12 },
      { least: 20, most: 30 },
      { least: 12, most: 13 },
    ];
    const below = [10, 10, 10].map((least) => ({ least, most: 16 }));
    expect(pairedRatioBetween(above, below)).toEqual({ median: 1.2, least: 10 / 16, most: 3, runs: 3 });
  });

  it('agrees with another that it overlaps', () => {
    expect(agree(spreadOf([1, 2]), spreadOf([2, 3]))).toBe(true);
    expect(agree(spreadOf([1, 2]), spreadOf([3, 4]))).toBe(false);
  });

  it('has a run in the middle', () => {
    expect(middleRun([3, 1, 2, 4], (each) => each)).toBe(2);
  });
});

describe('the search for a ceiling', () => {
  const search = (limit: number) =>
    findCeiling({ startRate: 1000, attempts: 14, p99LimitMs: 50 }, (rate) =>
      Promise.resolve({ p99Ms: rate > limit ? 80 : 4, deliveredPerS: rate * 20, offeredPerS: rate * 20 }),
    );

  it('comes close to the highest rate that holds, from below', async () => {
    for (const limit of [1500, 7300, 40_000]) {
      const { rate, best } = await search(limit);
      expect(rate).toBeLessThanOrEqual(limit);
      expect(rate).toBeGreaterThan(limit * 0.85);
      expect(best!.deliveredPerS / 20).toBe(rate);
    }
  });

  it('goes down when the first rate is too high, and says when none holds', async () => {
    expect((await search(300)).rate).toBeGreaterThan(200);
    expect((await search(0)).best).toBeUndefined();
  });

  it('says which rate did not hold, and looks for one until it has it', async () => {
    const { rate, broken } = await search(7300);
    expect(rate).toBeLessThanOrEqual(7300);
    expect(broken).toBeGreaterThan(7300);
    const short = { startRate: 1000, attempts: 2, p99LimitMs: 50 };
    const found = await findCeiling(short, (offered) =>
      Promise.resolve({ p99Ms: offered > 4000 ? 80 : 4, deliveredPerS: offered, offeredPerS: offered }),
    );
    expect(found.rate).toBeGreaterThan(2000);
    expect(found.broken).toBeLessThan(7000);
    const endless = await findCeiling(short, (offered) =>
      Promise.resolve({ p99Ms: 4, deliveredPerS: offered, offeredPerS: offered }),
    );
    expect(endless.broken).toBe(Infinity);
  });

  it('takes no single bad moment for a ceiling', async () => {
    let tries = 0;
    const { rate } = await findCeiling({ startRate: 1000, attempts: 14, p99LimitMs: 50 }, (offered) => {
      const hiccup = ++tries % 3 === 0;
      const p99Ms = hiccup || offered > 7300 ? 80 : 4;
      return Promise.resolve({ p99Ms, deliveredPerS: offered, offeredPerS: offered });
    });
    expect(rate).toBeGreaterThan(7300 * 0.85);
  });

  it('takes falling behind for a failure even while p99 is fine', async () => {
    const { rate } = await findCeiling({ startRate: 1000, attempts: 8, p99LimitMs: 50 }, (offered) =>
      Promise.resolve({ p99Ms: 1, deliveredPerS: Math.min(offered, 2000), offeredPerS: offered }),
    );
    expect(rate).toBeLessThan(2100);
  });
});

/** A trace in which each tick spends so many ms at each hop. */
function traceOf(cost: Readonly<Record<HopName, number>>): ReturnType<typeof hopsOf> {
  const columns = [
    'instrument',
    'volume',
    'open_interest',
    'received',
    'begun',
    'taken',
    'applied',
    'published',
    'ended',
    'written',
  ];
  const batch = 10;
  const samples: [string, ...number[]][] = [];
  const probes = [];
  for (let first = 0; first < 500; first += batch) {
    const intended = 1000 + first;
    const received = intended + cost.front;
    const begun = received + cost.ring;
    const perTick = (cost.book + cost.encode) / batch;
    const ended = begun + cost.book + cost.encode;
    for (let i = 0; i < batch; i++) {
      const taken = begun + i * perTick;
      const applied = taken + cost.book / batch;
      const published = applied + cost.encode / batch;
      const written = ended + cost.write;
      const place = first + i;
      const times = [received, begun, taken, applied, published, ended, written];
      samples.push(['rb2701', place, intended * 1000, ...times]);
      probes.push({ instrument: 'rb2701', sequence: place, receivedMs: written + cost.client });
    }
  }
  const report: TickTraceReport = {
    one_in: 1,
    columns,
    samples,
    loop_delay_ms: { p50: 0, p99: 0, max: 0 },
    gc: { count: 0, total_ms: 0, max_ms: 0 },
  };
  return hopsOf(report, 0, probes);
}

describe('the table of hops', () => {
  const usual = { front: 0.5, ring: 0.1, book: 0.2, encode: 0.4, write: 0.6, client: 0.3 };

  it('gives each hop its time', () => {
    const hops = traceOf(usual);
    for (const name of hopNames) {
      expect(hops[name].samples).toBe(500);
      expect(hops[name].mean_ms).toBeCloseTo(usual[name], 2);
    }
  });

  it.each(hopNames)('names %s when it has become slower', (slow) => {
    const { hop, byMs } = slowerHop(traceOf(usual), traceOf({ ...usual, [slow]: usual[slow] + 1.5 }));
    expect(hop).toBe(slow);
    expect(byMs).toBeCloseTo(1.5, 1);
  });
});

describe('a comparison with stored results', () => {
  const stored = [{ scenario: 'ceiling', ratio: 0.8, ratio_spread: spreadOf([0.75, 0.8, 0.85]) }];
  const now = (values: number[]) => [
    { scenario: 'ceiling', ratio: spreadOf(values).median, ratio_spread: spreadOf(values) },
  ];

  it('fails on a ratio that fell, and on nothing else', () => {
    expect(regressions(stored, now([0.4, 0.5, 0.55]))).toHaveLength(1);
    expect(regressions(stored, now([0.7, 0.74, 0.78]))).toEqual([]);
    expect(regressions(stored, now([0.9]))).toEqual([]);
    expect(regressions(stored, [{ scenario: 'fanout', ratio: 0.1 }, { scenario: 'ceiling' }])).toEqual([]);
  });

  it('forgives what is within the spread', () => {
    expect(regressions(stored, now([0.5, 0.6, 0.76]))).toEqual([]);
  });
});

it('spreads instruments evenly over clients', () => {
  const ids = Array.from({ length: 500 }, (_, i) => `i${i}`);
  const plan = spreadOverClients(ids, 1000, 10);
  const counts = new Map<string, number>();
  for (const list of plan) {
    expect(new Set(list).size).toBe(10);
    for (const id of list) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  expect([...new Set(counts.values())]).toEqual([20]);
});
