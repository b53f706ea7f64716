import { parseArgs } from 'node:util';
import { tradingHours } from '../config/options.js';
import { closest } from '../base/spelling.js';
import { queryTimeForms, parseQueryTime } from '../history/queryTime.js';
import {
  parsePattern,
  patternForms,
  type InstrumentPattern,
} from '../market/instruments/instrumentPattern.js';
import { wholeRange, type TickRange } from '../recorder/recordedTicks.js';
import { UsageError } from './usageError.js';

const formats = ['csv', 'parquet'] as const;
const nsPerMs = 1_000_000n;

const definitions = {
  format: { type: 'string', multiple: true },
  output: { type: 'string', multiple: true },
  instrument: { type: 'string', multiple: true },
  from: { type: 'string', multiple: true },
  to: { type: 'string', multiple: true },
  'trading-hours': { type: 'string', multiple: true },
  config: { type: 'string', multiple: true },
} as const;

type OptionName = keyof typeof definitions;

/** Options of `qactpmdgateway export …`. */
export interface ExportCommand {
  readonly mode: 'export';
  readonly files: readonly string[];
  readonly format: (typeof formats)[number];
  readonly output: string;
  /** Empty: all. */
  readonly patterns: readonly InstrumentPattern[];
  /** Receive times. */
  readonly range: TickRange;
  /** Undefined: those of the configuration. */
  readonly tradingHours: (typeof tradingHours)[number] | undefined;
  readonly configFile: string | undefined;
}

/** Reads what follows the word export. Throws a UsageError. */
export function parseExport(argv: readonly string[]): ExportCommand {
  const { files, given } = read(argv);
  if (files.length === 0)
    throw new UsageError('export: name the recordings, such as ticks/20261124-0001.ticks');
  const one = (name: OptionName): string | undefined => {
    const values = given.get(name) ?? [];
    if (values.length > 1) throw new UsageError(`--${name} is given twice`);
    return values[0];
  };
  const output = one('output');
  if (output === undefined) throw new UsageError('export: --output names the file to write');
  const range = rangeOf(one('from'), one('to'));
  const hours = one('trading-hours');
  return {
    mode: 'export',
    files,
    format: oneOf('format', one('format') ?? formatOf(output), formats),
    output,
    patterns: (given.get('instrument') ?? []).flatMap((text) => text.split(',')).map(patternOf),
    range,
    tradingHours: hours === undefined ? undefined : oneOf('trading-hours', hours, tradingHours),
    configFile: one('config'),
  };
}

function read(argv: readonly string[]): { files: string[]; given: Map<OptionName, string[]> } {
  const files: string[] = [];
  const given = new Map<OptionName, string[]>();
  const { tokens } = parseArgs({ args: [...argv], options: definitions, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind === 'positional') files.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, value } = token;
    if (!Object.hasOwn(definitions, name)) {
      const near = closest(name, Object.keys(definitions));
      const hint = near === undefined ? 'see --help' : `did you mean --${near}?`;
      throw new UsageError(`export: unknown option ${token.rawName}, ${hint}`);
    }
    if (value === undefined || value.trim() === '' || (!token.inlineValue && value.startsWith('--')))
      throw new UsageError(`--${name} needs a value`);
    given.set(name as OptionName, [...(given.get(name as OptionName) ?? []), value]);
  }
  return { files, given };
}

/** By the file's name, where no format is given. */
function formatOf(output: string): (typeof formats)[number] {
  const found = formats.find((format) => output.toLowerCase().endsWith(`.${format}`));
  if (found !== undefined) return found;
  const endings = formats.map((format) => `.${format}`).join(' nor ');
  const choices = formats.map((format) => `--format ${format}`).join(' or ');
  throw new UsageError(`export: --output ${output} ends in neither ${endings}; add ${choices}`);
}

function oneOf<T extends string>(name: OptionName, value: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === value);
  if (found === undefined)
    throw new UsageError(`--${name} must be one of ${allowed.join(', ')}, not "${value}"`);
  return found;
}

function patternOf(text: string): InstrumentPattern {
  const pattern = parsePattern(text.trim());
  if ('problem' in pattern)
    throw new UsageError(`--instrument "${text}": ${pattern.problem}; must be ${patternForms}`);
  return pattern;
}

/** From an instant on, and before another. */
function rangeOf(from: string | undefined, to: string | undefined): TickRange {
  const ns = (name: OptionName, text: string): bigint => {
    const ms = parseQueryTime(text);
    if (ms === undefined) throw new UsageError(`--${name} must be ${queryTimeForms}, not "${text}"`);
    return BigInt(ms) * nsPerMs;
  };
  const fromNs = from === undefined ? wholeRange.fromNs : ns('from', from);
  const toNs = to === undefined ? wholeRange.toNs : ns('to', to) - 1n;
  if (toNs < fromNs) throw new UsageError('--to must be later than --from');
  return { fromNs, toNs };
}
