import { packagePath } from '../src/base/paths.js';
import { ArgumentError, parseArguments, scaleName, usage, type BenchArguments } from './arguments.js';
import { busyNote } from './busyMachine.js';
import { agree } from './figures/spread.js';
import { regressions } from './report/compare.js';
import { writeResults } from './report/results.js';
import { merged, readStore, writeStore } from './report/store.js';
import { faultTable, hopTable, resultTable } from './report/table.js';
import { scenarios } from './scenarios/catalogue.js';
import type { ScenarioResult } from './scenarios/result.js';
import { measureScale } from './scenarios/scale.js';
import { NotBuilt, type Scenario } from './scenarios/scenario.js';
import type { Settings } from './scenarios/settings.js';
import { errorText } from '../src/base/errorText.js';

const exitFailed = 1;
const exitBadArguments = 2;
const exitNotBuilt = 3;

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function run(argv: readonly string[]): Promise<number> {
  const given = parseArguments(argv);
  if (given.help) {
    print(usage);
    return 0;
  }
  // Before anything of the bench's own runs.
  const busy = busyNote();
  if (busy !== undefined) say(`bench: ${busy}`);
  const results = given.scenario === scaleName ? [] : await measure(given);
  const wantsCurves = given.scenario === scaleName || (given.results && given.scenario === undefined);
  const curves = wantsCurves ? await measureScale(given.settings, say) : [];
  if (results.length > 0) print(resultTable(results));
  for (const { scenario, hops, faults } of results) {
    if (faults !== undefined) print(`\n${scenario}\n${faultTable(faults)}`);
    if (hops !== undefined) print(`\n${scenario}\n${hopTable(hops)}`);
  }
  const standard = packagePath('bench', 'results.json');
  // Before it may be written over.
  const before = given.compare === undefined ? undefined : readStore(given.compare);
  if (given.output !== undefined) writeStore(given.output, { results, curves });
  if (given.results) {
    const store = merged(readStore(standard), { results, curves });
    writeStore(standard, store);
    writeResults(store);
  }
  if (given.json) print(JSON.stringify(given.scenario === undefined ? results : (results[0] ?? curves)));
  const faults = [
    ...(before === undefined ? [] : regressions(before.results, results)),
    ...results.filter(({ again }) => again?.agrees === false).map(disagreement),
  ];
  for (const line of faults) say(line);
  return faults.length === 0 ? 0 : exitFailed;
}

function disagreement({ scenario, ratio, again }: ScenarioResult): string {
  return `${scenario}: the ratio was ${ratio?.toFixed(3)}, then ${again?.ratio.toFixed(3)}: their spreads do not overlap`;
}

/** Runs what was asked for, one scenario after the other. */
async function measure({ scenario, settings, twice }: BenchArguments): Promise<ScenarioResult[]> {
  const results: ScenarioResult[] = [];
  for (const each of scenarios) {
    if (scenario !== undefined && each.name !== scenario) continue;
    try {
      results.push(twice ? await measureTwice(each, settings) : await each.run(settings, say));
    } catch (error) {
      if (!(error instanceof NotBuilt) || scenario !== undefined) throw error;
      say(error.message);
    }
  }
  return results;
}

/** The first measurement, with what the second one says of its ratio. */
async function measureTwice(scenario: Scenario, settings: Settings): Promise<ScenarioResult> {
  const first = await scenario.run(settings, say);
  if (first.ratio_spread === undefined) return first;
  const { ratio, ratio_spread } = await scenario.run(settings, say);
  if (ratio === undefined || ratio_spread === undefined) return first;
  return { ...first, again: { ratio, ratio_spread, agrees: agree(first.ratio_spread, ratio_spread) } };
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(exitFailed));

run(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    say(`bench: ${errorText(error)}`);
    process.exitCode =
      error instanceof ArgumentError
        ? exitBadArguments
        : error instanceof NotBuilt
          ? exitNotBuilt
          : exitFailed;
  },
);
