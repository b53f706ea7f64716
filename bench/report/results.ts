import { writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { packagePath } from '../../src/base/paths.js';
import type { ScenarioResult } from '../scenarios/result.js';
import { scaleChart } from './chart.js';
import type { Store } from './store.js';
import { faultTable, hopTable, resultTable, shown, table } from './table.js';

const bytesPerGb = 2 ** 30;

/** The machine and its state, as one line. */
function machine(): string {
  const [cpu] = cpus();
  const load = loadavg()
    .map((each) => each.toFixed(1))
    .join(' ');
  return (
    `Node ${process.versions.node}, Linux ${release()}, ${cpus().length} × ${cpu?.model.trim() ?? 'unknown CPU'}, ` +
    `${(totalmem() / bytesPerGb).toFixed(0)} GB; load average when this was written ${load}`
  );
}

const block = (text: string): string => `\`\`\`\n${text}\n\`\`\`\n`;

function comparisons(result: ScenarioResult): string {
  const lines: string[] = [];
  if (result.calibration !== undefined)
    lines.push(
      `Calibration: ${JSON.stringify(result.calibration)}. Ratio ${shown(result.ratio ?? NaN)}` +
        (result.ratio_spread === undefined
          ? '.'
          : `, from ${shown(result.ratio_spread.least)} to ${shown(result.ratio_spread.most)}.`),
    );
  if (result.again !== undefined) {
    const { ratio, ratio_spread, agrees } = result.again;
    lines.push(
      `Measured again at once: ratio ${shown(ratio)}, from ${shown(ratio_spread.least)} to ${shown(ratio_spread.most)}, ` +
        `after ${shown(result.ratio ?? NaN)}, from ${shown(result.ratio_spread?.least ?? NaN)} to ` +
        `${shown(result.ratio_spread?.most ?? NaN)}: the spreads ${agrees ? 'overlap' : 'do not overlap'}.`,
    );
  }
  if (result.stored !== undefined) lines.push(`Stored: \`${JSON.stringify(result.stored)}\``);
  if (result.ceiling !== undefined) lines.push(`Gateway: \`${JSON.stringify(result.ceiling)}\``);
  for (const [name, figures] of Object.entries(result.baseline ?? {}))
    lines.push(`Against ${name}: \`${JSON.stringify(figures)}\``);
  return lines.map((each) => `- ${each}\n`).join('');
}

function section(result: ScenarioResult): string {
  const hops = result.hops === undefined ? '' : block(hopTable(result.hops));
  const faults = result.faults === undefined ? '' : `${block(faultTable(result.faults))}\n`;
  const lag = result.loop_lag_ms;
  const gc = result.gc;
  const inside =
    lag === undefined || gc === undefined
      ? ''
      : `Loop lag p50 ${shown(lag.p50)} ms, p99 ${shown(lag.p99)} ms; ${gc.count} collections, ` +
        `${shown(gc.total_ms)} ms in all, the longest ${shown(gc.max_ms)} ms. `;
  const capacity = shown(result.load_capacity_per_s);
  return (
    `## ${result.scenario}\n\nConditions: \`${JSON.stringify(result.conditions)}\`\n\n` +
    `${inside}The load generator delivered ${capacity} per second of its own CPU time and used ` +
    `${shown(result.load_cpu_pct)} % of a core; a client’s read brought ${shown(result.frames_per_read)} deliveries.\n\n${comparisons(result)}${faults}${hops}\n`
  );
}

/** Writes bench/RESULTS.md and bench/scale.svg. */
export function writeResults({ results, curves }: Store): void {
  const scaleRows = curves.flatMap(({ against, points }) =>
    points.map(({ at, us_per_tick: { median, least, most } }) => [
      against,
      String(at),
      shown(median),
      `${shown(least)}–${shown(most)}`,
    ]),
  );
  const text =
    '# Measured figures\n\n' +
    'Written by `npm run bench -- --results`. Figures are medians of the runs, spreads their least and greatest. ' +
    'Ratios come from runs that took turns and bind; absolute times are this machine’s at that moment: each result ' +
    'has the load average of its own time.\n\n' +
    `${machine()}\n\n${block(resultTable(results))}\n` +
    'Latency is the client’s receipt minus the intended send time: a late front or a queue counts. ' +
    'Ratio: for fanout the CPU per delivery of bare publish over the gateway’s at the same rate, for ceiling and ' +
    'baseline the gateway’s sustained deliveries over the other’s.\n\n' +
    results.map(section).join('') +
    '## Cost per tick\n\n![CPU per tick against clients, instruments, connections and fan-out](scale.svg)\n\n' +
    curves.map(({ against, conditions }) => `- ${against}: ${conditions}\n`).join('') +
    `\n${block(table([['against', 'value', 'µs per tick', 'spread'], ...scaleRows]))}`;
  writeFileSync(packagePath('bench', 'RESULTS.md'), text);
  writeFileSync(packagePath('bench', 'scale.svg'), scaleChart(curves));
}
