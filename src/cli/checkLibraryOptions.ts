import { parseArgs } from 'node:util';
import { libraryVersion } from '../config/formats.js';
import { closest } from '../base/spelling.js';
import { UsageError } from './usageError.js';

const definitions = {
  'front-addr': { type: 'string' },
  'broker-id': { type: 'string' },
  'user-id': { type: 'string' },
  'password-env': { type: 'string' },
  instrument: { type: 'string' },
  'ctp-version': { type: 'string' },
  evaluation: { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

type OptionName = keyof typeof definitions;

/** Options that say something about a front's login. */
const ofTheFront: readonly OptionName[] = ['broker-id', 'user-id', 'password-env', 'instrument'];
const maybeSeveral: ReadonlySet<string> = new Set<OptionName>(['front-addr', 'instrument']);
const maybeEmpty: ReadonlySet<string> = new Set<OptionName>(['broker-id', 'user-id']);

/** Options of `qactpmdgateway check-library …`. */
export interface CheckLibraryCommand {
  readonly mode: 'check-library';
  readonly file: string;
  /** Empty: only this machine is dialled. */
  readonly frontAddr: readonly string[];
  readonly brokerId: string;
  readonly userId: string;
  /** Name of the environment variable that holds the password; empty: none is sent. */
  readonly passwordEnv: string;
  /** Empty: listed contracts of lively products. */
  readonly instruments: readonly string[];
  readonly ctpVersion: string;
  readonly evaluation: boolean;
  readonly json: boolean;
}

/** Reads what follows the word check-library. Throws a UsageError. */
export function parseCheckLibrary(argv: readonly string[]): CheckLibraryCommand {
  const { files, given } = read(argv);
  if (files.length !== 1)
    throw new UsageError('check-library: name one library, such as libs/vendor/thostmduserapi_se.so');
  const all = (name: OptionName): string[] => given.get(name) ?? [];
  const one = (name: OptionName): string => all(name)[0] ?? '';
  const odd = ofTheFront.find((name) => given.has(name) && !given.has('front-addr'));
  if (odd !== undefined) throw new UsageError(`check-library: --${odd} goes with --front-addr only`);
  const ctpVersion = one('ctp-version');
  if (!libraryVersion.accepts(ctpVersion))
    throw new UsageError(`--ctp-version must be ${libraryVersion.allowed}, not "${ctpVersion}"`);
  return {
    mode: 'check-library',
    file: files[0]!,
    frontAddr: all('front-addr'),
    brokerId: one('broker-id'),
    userId: one('user-id'),
    passwordEnv: one('password-env'),
    instruments: all('instrument').flatMap((text) => text.split(',')),
    ctpVersion,
    evaluation: given.has('evaluation'),
    json: given.has('json'),
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
      throw new UsageError(`check-library: unknown option ${token.rawName}, ${hint}`);
    }
    if (definitions[name as OptionName].type === 'boolean') {
      if (value !== undefined) throw new UsageError(`--${name} takes no value`);
    } else if (
      value === undefined ||
      (value.trim() === '' && !maybeEmpty.has(name)) ||
      (!token.inlineValue && value.startsWith('--'))
    ) {
      throw new UsageError(`--${name} needs a value`);
    }
    const values = given.get(name as OptionName) ?? [];
    if (values.length > 0 && !maybeSeveral.has(name)) throw new UsageError(`--${name} is given twice`);
    given.set(name as OptionName, [...values, value ?? '']);
  }
  return { files, given };
}
