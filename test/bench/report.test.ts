import { expect, it } from 'vitest';
import { scaleChart } from '../../bench/report/chart.js';
import { merged } from '../../bench/report/store.js';
import { shown, table } from '../../bench/report/table.js';
import { spreadOf } from '../../bench/figures/spread.js';
import type { ScaleCurve } from '../../bench/scenarios/scale.js';

const curve = (against: string, costs: readonly number[]): ScaleCurve => ({
  against,
  conditions: 'as usual',
  points: costs.map((cost, index) => ({
    at: 100 * (index + 1),
    us_per_tick: spreadOf([cost, cost * 1.1]),
  })),
});

it('a table lines its columns up', () => {
  expect(
    table([
      ['name', 'value'],
      ['a', '1'],
      ['longer', '12345'],
    ]),
  ).toBe('name    value\na           1\nlonger  12345');
});

it('numbers are shown with about three digits that count', () => {
  expect([0, 0.01234, 1.239, 45.67, 123456].map(shown)).toEqual(['0', '0.0123', '1.24', '45.7', '123,456']);
});

it('the chart has a panel, a line and a bar per point for each curve, all within its bounds', () => {
  const svg = scaleChart([
    curve('clients', [10, 12, 19]),
    curve('instruments', [5, 5]),
    curve('fan-out', [1]),
  ]);
  expect(svg.match(/<polyline/g)).toHaveLength(3);
  expect(svg.match(/<circle/g)).toHaveLength(6);
  const [, width = '', height = ''] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? [];
  for (const [, x = ''] of svg.matchAll(/ c?x[12]?="([\d.-]+)"/g)) {
    expect(Number(x)).toBeGreaterThanOrEqual(0);
    expect(Number(x)).toBeLessThanOrEqual(Number(width));
  }
  for (const [, y = ''] of svg.matchAll(/ c?y[12]?="([\d.-]+)"/g)) {
    expect(Number(y)).toBeGreaterThanOrEqual(0);
    expect(Number(y)).toBeLessThanOrEqual(Number(height));
  }
});

it('what is measured again takes the place of what was stored', () => {
  const stored = { results: [], curves: [curve('clients', [1]), curve('fan-out', [2])] };
  const fresh = { results: [], curves: [curve('clients', [9]), curve('instruments', [3])] };
  expect(
    merged(stored, fresh).curves.map(({ against, points }) => [against, points[0]!.us_per_tick.least]),
  ).toEqual([
    ['clients', 9],
    ['fan-out', 2],
    ['instruments', 3],
  ]);
});
