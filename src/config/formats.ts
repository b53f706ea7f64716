import { isIPv4, isIPv6 } from 'node:net';

/** Allowed values of an option. File values have JSON types; environment and command line give text. */
export interface Format<T> {
  /** Unique name, under which convict knows the format. */
  readonly name: string;
  /** Ends the sentence "must be …". */
  readonly allowed: string;
  accepts(value: unknown): boolean;
  /** Turns text into a value of the right type; text that cannot be turned comes back as it is. */
  parse(text: string): unknown;
  /** Gives an accepted value its internal form, such as 1 → true or one address → a list. */
  normalize(value: unknown): T;
  /** The one entry of a refused list that is to blame, where there is one. */
  blame?(value: unknown): Blame | undefined;
}

export interface Blame {
  readonly index: number;
  readonly value: unknown;
  /** Allowed entries. */
  readonly allowed: string;
  /** What is wrong with this one, where that is not plain from what is allowed. */
  readonly problem?: string;
}

const booleanTexts = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);
const decimal = /^-?\d+(\.\d+)?$/;
const hostName = /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/;
const dottedNumbers = /^[\d.]+$/;

/** True for a DNS name or an IPv4 address; four numbers that are no address are refused. */
export function isHost(text: string): boolean {
  return text.length <= 253 && hostName.test(text) && (!dottedNumbers.test(text) || isIPv4(text));
}

/** True for a decimal port from 1 to 65535. */
export function isPortText(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65535;
}

function parseNumber(text: string): unknown {
  const trimmed = text.trim();
  return decimal.test(trimmed) ? Number(trimmed) : text;
}

export function integer(min: number, max: number): Format<number> {
  return {
    name: `integer ${min}..${max}`,
    allowed: `an integer from ${min} to ${max}`,
    accepts: (value) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max,
    parse: parseNumber,
    normalize: Number,
  };
}

/** A number above 0 and up to `max`, fractions allowed. */
export function positive(max: number): Format<number> {
  return {
    name: `positive ..${max}`,
    allowed: `a number above 0 and up to ${max}`,
    accepts: (value) => typeof value === 'number' && value > 0 && value <= max,
    parse: parseNumber,
    normalize: Number,
  };
}

export const boolean: Format<boolean> = {
  name: 'strict boolean',
  allowed: 'true, false, 1 or 0',
  accepts: (value) => value === true || value === false || value === 1 || value === 0,
  parse: (text) => booleanTexts.get(text.trim()) ?? text,
  normalize: Boolean,
};

export function oneOf<const T extends string>(...choices: readonly T[]): Format<T> {
  const known = new Map<unknown, T>(choices.map((choice) => [choice, choice]));
  return {
    name: `one of ${choices.join(' ')}`,
    allowed: `one of ${choices.map((choice) => `"${choice}"`).join(', ')}`,
    accepts: (value) => known.has(value),
    parse: (text) => text.trim().toLowerCase(),
    normalize: (value) => known.get(value) ?? choices[0]!,
  };
}

/** "auto" or an integer. */
export function autoOr(min: number, max: number): Format<'auto' | number> {
  const numeric = integer(min, max);
  return {
    name: `auto or ${numeric.name}`,
    allowed: `"auto" or ${numeric.allowed}`,
    accepts: (value) => value === 'auto' || numeric.accepts(value),
    parse: (text) => numeric.parse(text),
    normalize: (value) => (value === 'auto' ? 'auto' : numeric.normalize(value)),
  };
}

/** Text of at most `maxBytes` bytes in UTF-8, without control characters; empty where `maybeEmpty`. */
export function text(maxBytes: number, maybeEmpty = true): Format<string> {
  return {
    name: `text ${maybeEmpty ? 0 : 1}..${maxBytes}`,
    allowed: `${maybeEmpty ? 'a' : 'a non-empty'} text of at most ${maxBytes} bytes without control characters`,
    accepts: (value) =>
      typeof value === 'string' &&
      (maybeEmpty || value.trim() !== '') &&
      Buffer.byteLength(value) <= maxBytes &&
      !/\p{Cc}/u.test(value),
    parse: (given) => given,
    normalize: String,
  };
}

export const host: Format<string> = {
  name: 'host',
  allowed: 'a host name or an IP address',
  accepts: (value) => typeof value === 'string' && (isHost(value) || isIPv6(value)),
  parse: (given) => given.trim(),
  normalize: String,
};

/** A version of the vendor's library by its first three numbers. */
export const libraryVersion: Format<string> = {
  name: 'library version',
  allowed: 'empty, 2013, or a version from 6.3.0 on such as "6.6.9"',
  accepts: (value) => typeof value === 'string' && isLibraryVersion(value),
  parse: (given) => given.trim(),
  normalize: String,
};

function isLibraryVersion(value: string): boolean {
  if (value === '' || value === '2013') return true;
  const [, minor = ''] = /^6\.(\d{1,4})\.\d{1,4}$/.exec(value) ?? [];
  return Number(minor) >= 3;
}

/** Names become folder names under flow_path, so they hold no separator and do not start with a dot. */
export const connectionName: Format<string> = {
  name: 'connection name',
  allowed: '1 to 64 letters, digits, "_", "-" or ".", not starting with "." or "-"',
  accepts: (value) => typeof value === 'string' && /^\w[\w.-]{0,63}$/.test(value),
  parse: (given) => given,
  normalize: String,
};

/** Begins keys that glob patterns are made of, and may hold a hash tag for Redis Cluster. */
export const keyPrefix: Format<string> = {
  name: 'key prefix',
  allowed: '1 to 64 letters, digits, ":", "_", "-", ".", "{" or "}"',
  accepts: (value) => typeof value === 'string' && /^[\w:.{}-]{1,64}$/.test(value),
  parse: (given) => given,
  normalize: String,
};

/** A list whose entries are checked elsewhere, against a table of their own. */
const mostRecords = 1000;

export const recordList: Format<readonly unknown[]> = {
  name: 'record list',
  allowed: `a list of at most ${mostRecords} objects`,
  accepts: (value) => Array.isArray(value) && value.length <= mostRecords,
  parse: (given) => given,
  normalize: (value) => (Array.isArray(value) ? (value as unknown[]).slice(0, mostRecords) : []),
};

const mostFiles = 100;

/** Paths of files; as text, with commas between them. */
export const fileList: Format<readonly string[]> = {
  name: 'file list',
  allowed: `a list of at most ${mostFiles} paths of files`,
  accepts: (value) =>
    Array.isArray(value) &&
    value.length <= mostFiles &&
    value.every((each) => text(4096, false).accepts(each)),
  parse: (given) => given.split(',').map((each) => each.trim()),
  normalize: (value) => (Array.isArray(value) ? value.map(String) : []),
};
