import { resolve } from 'node:path';
import { readTextFile } from '../base/jsonFile.js';

const longestSecretBytes = 4096;
const largestFileBytes = 64 * 1024;

export interface SecretSources {
  readonly value: string;
  /** Name of an environment variable, empty for none. */
  readonly variable: string;
  /** Path of a file, empty for none. */
  readonly file: string;
}

/** `from` is the source that is at fault. */
export type Secret =
  { readonly value: string } | { readonly fault: string; readonly from: keyof SecretSources };

function readSecretFile(path: string): Secret {
  let content: string;
  try {
    content = readTextFile(path, largestFileBytes);
  } catch (error) {
    return { from: 'file', fault: `${path}: ${(error as Error).message}` };
  }
  const value = content.replace(/\r?\n$/, '');
  if (value === '') return { from: 'file', fault: `${path}: is empty, must hold one line with a password` };
  if (Buffer.byteLength(value) > longestSecretBytes || /\p{Cc}/u.test(value))
    return {
      from: 'file',
      fault: `${path}: must hold one line of at most ${longestSecretBytes} bytes with a password`,
    };
  return { value };
}

/** Finds a secret in the one place that is named; none at all is the empty secret. Faults never quote it. */
export function resolveSecret(
  sources: SecretSources,
  context: { readonly env: NodeJS.ProcessEnv; readonly cwd: string },
): Secret {
  const given = Object.values(sources).filter((source) => source !== '').length;
  if (given > 1) return { from: 'value', fault: 'the password is given in more than one way, keep one' };
  if (sources.file !== '') return readSecretFile(resolve(context.cwd, sources.file));
  if (sources.variable === '') return { value: sources.value };
  const value = context.env[sources.variable];
  if (value === undefined || value === '')
    return { from: 'variable', fault: `the environment variable ${sources.variable} is not set` };
  return { value };
}
