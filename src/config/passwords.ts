import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const longestSecretBytes = 4096;

export interface SecretSources {
  readonly value: string;
  /** Name of an environment variable, empty for none. */
  readonly variable: string;
  /** Path of a file, empty for none. */
  readonly file: string;
}

export type Secret = { readonly value: string } | { readonly fault: string };

function readSecretFile(path: string): Secret {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    return { fault: `cannot read ${path} (${(error as NodeJS.ErrnoException).code ?? 'unreadable'})` };
  }
  const value = content.replace(/\r?\n$/, '');
  if (value === '') return { fault: `${path} is empty` };
  if (Buffer.byteLength(value) > longestSecretBytes || /\p{Cc}/u.test(value))
    return { fault: `${path} does not hold one line with a password` };
  return { value };
}

/** Finds a secret in the one place that is named; none at all is the empty secret. Faults never quote it. */
export function resolveSecret(
  sources: SecretSources,
  context: { readonly env: NodeJS.ProcessEnv; readonly cwd: string },
): Secret {
  const given = Object.values(sources).filter((source) => source !== '').length;
  if (given > 1) return { fault: 'the password is given in more than one way, keep one' };
  if (sources.file !== '') return readSecretFile(resolve(context.cwd, sources.file));
  if (sources.variable === '') return { value: sources.value };
  const value = context.env[sources.variable];
  if (value === undefined || value === '')
    return { fault: `the environment variable ${sources.variable} is not set` };
  return { value };
}
