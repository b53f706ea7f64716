import { hopMeanings, hopNames, type Hops } from '../figures/hops.js';
import type { FaultSummary } from '../scenarios/failover.js';
import type { ScenarioResult } from '../scenarios/result.js';

/** Lines of cells, the first of them the head, in columns as wide as they need; numbers to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A number with about three digits that count. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}

/**
 * One line per scenario. Spreads are least–greatest of its runs; `lost before` is what was lost while the clients came in
 * and in the warm-up.
 */
export function resultTable(results: readonly ScenarioResult[]): string {
  const head = [
    'scenario',
    'offered/s',
    'delivered/s',
    'lost before',
    'lost',
    'dup',
    'reord',
    'behind',
    'p50 ms',
    'p99 ms',
    'p99 spread',
    'max ms',
    'CPU %',
    'RSS MB',
    'load CPU %',
    'drain ms',
    'ratio',
  ];
  const rows = results.map((each) => {
    const p99 = each.spread['p99_ms'];
    return [
      each.scenario,
      shown(each.offered_per_s),
      shown(each.delivered_per_s),
      ...[each.lost_before, each.lost, each.duplicated, each.reordered, each.behind].map(String),
      shown(each.p50_ms),
      shown(each.p99_ms),
      p99 === undefined ? '' : `${shown(p99.least)}–${shown(p99.most)}`,
      shown(each.max_ms),
      shown(each.gateway_cpu_pct),
      shown(each.gateway_rss_mb),
      shown(each.load_cpu_pct),
      each.drain_ms === undefined ? '' : shown(each.drain_ms.median),
      each.ratio === undefined ? '' : shown(each.ratio),
    ];
  });
  return table([head, ...rows]);
}

/** Where ticks spend their time. */
export function hopTable(hops: Hops): string {
  const head = ['hop', 'from → to', 'mean ms', 'p50 ms', 'p99 ms', 'samples'];
  const rows = hopNames.map((name) => {
    const { p50_ms, p99_ms, mean_ms, samples } = hops[name];
    return [name, hopMeanings[name], shown(mean_ms), shown(p50_ms), shown(p99_ms), String(samples)];
  });
  const width = Math.max(...rows.map(([, meaning = '']) => meaning.length));
  const padded = [head, ...rows].map(([name = '', meaning = '', ...figures]) => [
    name,
    meaning.padEnd(width),
    ...figures,
  ]);
  return table(padded);
}

/** What a front's death or silence costs. */
export function faultTable(faults: readonly FaultSummary[]): string {
  const head = [
    'fault',
    'redundancy',
    'gap ms',
    'gap spread',
    'rounds',
    'lost',
    'lost on return',
    'instruments hit',
  ];
  const rows = faults.map((each) => {
    const { median, least, most, runs } = each.gap_ms;
    const spread = `${shown(least)}–${shown(most)}`;
    const counts = [runs, each.lost, each.lost_on_return].map(String);
    return [each.fault, String(each.redundancy), shown(median), spread, ...counts, shown(each.interrupted)];
  });
  return table([head, ...rows]);
}
