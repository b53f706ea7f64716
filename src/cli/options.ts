import { parseArgs } from 'node:util';
import type { ConfigArguments } from '../config/arguments.js';
import { environmentName } from '../config/environment.js';
import { gatewayOptions } from '../config/options.js';
import { closest } from '../base/spelling.js';
import { parseCheckLibrary, type CheckLibraryCommand } from './checkLibraryOptions.js';
import { parseExport, type ExportCommand } from './exportOptions.js';
import { UsageError } from './usageError.js';

const definitions = {
  config: { type: 'string' },
  status: { type: 'boolean' },
  json: { type: 'boolean' },
  port: { type: 'string' },
  'front-addr': { type: 'string', multiple: true },
  'broker-id': { type: 'string' },
  strategy: { type: 'string' },
  'log-level': { type: 'string' },
  profile: { type: 'boolean' },
  'import-brokers': { type: 'string' },
  output: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const;

type OptionName = keyof typeof definitions;

/** An empty BrokerID is lawful: most market-data fronts do not ask for one. */
const maybeEmpty: ReadonlySet<OptionName> = new Set(['broker-id']);

/** Words that begin a command line of their own. */
const words = { export: parseExport, 'check-library': parseCheckLibrary } as const;

function isWord(text: string | undefined): text is keyof typeof words {
  return text !== undefined && Object.hasOwn(words, text);
}

export type Command =
  | ExportCommand
  | CheckLibraryCommand
  | { readonly mode: 'help' }
  | { readonly mode: 'version' }
  | { readonly mode: 'import'; readonly source: string; readonly output: string | undefined }
  | {
      readonly mode: 'status';
      readonly configFile: string | undefined;
      readonly args: ConfigArguments;
      readonly json: boolean;
    }
  | {
      readonly mode: 'run';
      readonly configFile: string | undefined;
      readonly args: ConfigArguments;
      readonly profile: boolean;
    };

/** Options that each special mode can be combined with; running takes all that no mode claims. */
const companions = {
  status: ['config', 'port', 'json'],
  'import-brokers': ['output'],
} as const satisfies Partial<Record<OptionName, readonly OptionName[]>>;

function isOption(name: string): name is OptionName {
  return Object.hasOwn(definitions, name);
}

/** Settings that have no option of their own are named with their variable: --redis-host, --host. */
function hintFor(name: string): string {
  const wanted = name.toLowerCase().replaceAll('-', '_');
  const spelled = wanted.replaceAll('_', '-');
  if (isOption(spelled)) return `did you mean --${spelled}?`;
  const setting = Object.keys(gatewayOptions).find((path) =>
    [wanted, `websocket_${wanted}`].includes(path.replaceAll('.', '_')),
  );
  if (setting !== undefined) return `set ${environmentName(setting)}, or ${setting} in the file`;
  const near = closest(name, Object.keys(definitions));
  return near === undefined ? 'see --help' : `did you mean --${near}?`;
}

/** Refuses what parseArgs would take silently or explain in several lines. */
function checkTokens(argv: readonly string[]): Map<OptionName, string[]> {
  const given = new Map<OptionName, string[]>();
  const { tokens } = parseArgs({ args: [...argv], options: definitions, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind === 'positional') throw new UsageError(`unexpected argument "${token.value}", see --help`);
    if (token.kind !== 'option') continue;
    if (!isOption(token.name))
      throw new UsageError(`unknown option ${token.rawName}, ${hintFor(token.name)}`);
    const { type } = definitions[token.name];
    if (type === 'boolean' && token.value !== undefined)
      throw new UsageError(`--${token.name} takes no value`);
    const isEmpty = token.value === undefined || (token.value.trim() === '' && !maybeEmpty.has(token.name));
    if (type === 'string' && isEmpty) throw new UsageError(`--${token.name} needs a value`);
    if (type === 'string' && !token.inlineValue && token.value?.startsWith('--'))
      throw new UsageError(`--${token.name} needs a value, "${token.value}" is an option`);
    const values = given.get(token.name) ?? [];
    if (type === 'string' && values.length > 0 && token.name !== 'front-addr')
      throw new UsageError(`--${token.name} is given twice`);
    given.set(token.name, [...values, token.value ?? '']);
  }
  return given;
}

/** --a, --b and --c */
function listed(names: readonly OptionName[]): string {
  const written = names.map((name) => `--${name}`);
  return [...written.slice(0, -2), written.slice(-2).join(' and ')].join(', ');
}

function checkCombination(given: ReadonlyMap<OptionName, unknown>): void {
  for (const [mode, allowed] of Object.entries(companions)) {
    if (!given.has(mode as OptionName)) continue;
    const odd = [...given.keys()].find(
      (name) => name !== mode && !(allowed as readonly OptionName[]).includes(name),
    );
    if (odd !== undefined)
      throw new UsageError(`--${mode} cannot be combined with --${odd}, only with ${listed(allowed)}`);
  }
  if (given.has('json') && !given.has('status')) throw new UsageError('--json goes with --status only');
  if (given.has('output') && !given.has('import-brokers'))
    throw new UsageError('--output goes with --import-brokers only');
  if (given.has('broker-id') && !given.has('front-addr'))
    throw new UsageError('--broker-id goes with --front-addr only: they describe the single connection');
}

/** Reads the command line (without node and script). Throws a UsageError. */
export function parseCommandLine(argv: readonly string[]): Command {
  const [word, ...rest] = argv;
  if (isWord(word) && !rest.some((each) => each === '--help' || each === '-h')) return words[word](rest);
  const given = checkTokens(isWord(word) ? ['--help'] : argv);
  if (given.has('help')) return { mode: 'help' };
  if (given.has('version')) return { mode: 'version' };
  checkCombination(given);
  const one = (name: OptionName): string | undefined => given.get(name)?.[0];
  const source = one('import-brokers');
  if (source !== undefined) return { mode: 'import', source, output: one('output') };
  const port = one('port');
  const strategy = one('strategy');
  const logLevel = one('log-level');
  const frontAddr = given.get('front-addr');
  const brokerId = one('broker-id');
  const args: ConfigArguments = {
    ...(port === undefined ? {} : { port }),
    ...(strategy === undefined ? {} : { strategy }),
    ...(logLevel === undefined ? {} : { logLevel }),
    ...(frontAddr === undefined ? {} : { frontAddr }),
    ...(brokerId === undefined ? {} : { brokerId }),
  };
  if (given.has('status'))
    return { mode: 'status', configFile: one('config'), args, json: given.has('json') };
  return { mode: 'run', configFile: one('config'), args, profile: given.has('profile') };
}
