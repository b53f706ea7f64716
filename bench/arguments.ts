import { parseArgs } from 'node:util';
import { hopNames } from './figures/hops.js';
import { scenarios } from './scenarios/catalogue.js';
import type { Settings } from './scenarios/settings.js';
import { errorText } from '../src/base/errorText.js';

export interface BenchArguments {
  readonly help: boolean;
  /** Names; empty for all that are built. */
  readonly scenario: string | undefined;
  readonly json: boolean;
  readonly compare: string | undefined;
  readonly output: string | undefined;
  /** Put what is measured into the stored results and write bench/RESULTS.md. */
  readonly results: boolean;
  /** Measure each scenario twice, and fail where the two ratios do not agree within their spreads. */
  readonly twice: boolean;
  readonly settings: Settings;
}

/** The curves of cost per tick, which are no scenario with latencies. */
export const scaleName = 'scale';

/** What the command line says that cannot be; one line. */
export class ArgumentError extends Error {
  override readonly name = 'ArgumentError';
}

export const usage = `npm run bench -- [options]
  --scenario NAME   one scenario; without it, all that are built
  --json            its result as one JSON object in the last line
  --output FILE     results as JSON
  --compare FILE    compare with the results of FILE; fails on a ratio that has become worse
  --results         put what is measured into bench/results.json, RESULTS.md and scale.svg; 5 runs at least
  --full            longer windows and 5 runs at least; without it a scenario takes less than a minute
  --twice           measure again, and fail where the two ratios do not agree within their spreads
  --seconds S  --warmup S  --runs N                  length and number of the runs
  --clients C  --each K  --instruments N             clients, instruments of each, instruments in all
  --rate R     --connections N                       ticks per second over all instruments; connections
  --slow HOP        make a hop slow on purpose: ${hopNames.join(', ')}
  --profile FILE    CPU profile of the gateway's main thread during the last run
scenarios
${scenarios.map(({ name, summary }) => `  ${name.padEnd(12)} ${summary}`).join('\n')}
  ${scaleName.padEnd(12)} cost per tick against clients, instruments, connections and fan-out
`;

const numeric = [
  'seconds',
  'warmup',
  'runs',
  'clients',
  'each',
  'instruments',
  'rate',
  'connections',
] as const;
const whole: readonly string[] = ['runs', 'clients', 'each', 'instruments', 'connections'];

/** Reads the command line. Throws an ArgumentError that names the option. */
export function parseArguments(argv: readonly string[]): BenchArguments {
  const values = read(argv);
  const numbers = Object.fromEntries(
    numeric.map((name) => {
      const text = values[name];
      if (text === undefined) return [name, undefined];
      const value = Number(text);
      if (!(value > 0) || (whole.includes(name) && !Number.isInteger(value)))
        throw new ArgumentError(
          `--${name} ${text}: must be a ${whole.includes(name) ? 'whole ' : ''}number above 0`,
        );
      return [name, value];
    }),
  ) as Record<(typeof numeric)[number], number | undefined>;
  const slow = hopNames.find((name) => name === values.slow);
  if (values.slow !== undefined && slow === undefined)
    throw new ArgumentError(`--slow ${values.slow}: must be one of ${hopNames.join(', ')}`);
  const { scenario } = values;
  const names = [...scenarios.map(({ name }) => name), scaleName];
  if (scenario !== undefined && !names.includes(scenario))
    throw new ArgumentError(`--scenario ${scenario}: must be one of ${names.join(', ')}`);
  return {
    help: values.help,
    scenario,
    json: values.json,
    compare: values.compare,
    output: values.output,
    results: values.results,
    twice: values.twice,
    settings: {
      ...numbers,
      full: values.full,
      thorough: values.full || values.results,
      slow,
      profile: values.profile,
    },
  };
}

function read(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({
      args: [...argv],
      options: {
        help: flag,
        scenario: text,
        json: flag,
        compare: text,
        output: text,
        results: flag,
        full: flag,
        twice: flag,
        seconds: text,
        warmup: text,
        runs: text,
        clients: text,
        each: text,
        instruments: text,
        rate: text,
        connections: text,
        slow: text,
        profile: text,
      },
    }).values;
  } catch (error) {
    // Node's message may continue with advice on further lines.
    const message = errorText(error);
    throw new ArgumentError(message.split(/\n|\. /, 1).join(''));
  }
}
