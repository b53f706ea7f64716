import type { NamedFile } from './namedFiles.js';

export type ConfigSource = 'file' | 'environment' | 'arguments';

export interface ConfigProblem {
  /** The source that has to be corrected. */
  readonly source: ConfigSource;
  /** One line: where, what is wrong, what is allowed. Holds no secret. */
  readonly text: string;
}

/** Problems that have a line each; the rest is counted. */
const mostLines = 20;

/** A configuration that cannot be used; the message has one line for each of the first 20 things that are wrong. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** @param files what the configuration names, as far as that could be told */
  constructor(
    readonly problems: readonly ConfigProblem[],
    readonly files: readonly NamedFile[] = [],
  ) {
    super(linesOf(problems).join('\n'));
  }

  /** The message's lines. */
  get lines(): readonly string[] {
    return linesOf(this.problems);
  }
}

function linesOf(problems: readonly ConfigProblem[]): string[] {
  const lines = problems.slice(0, mostLines).map(({ text }) => text);
  const more = problems.length - mostLines;
  return more > 0 ? [...lines, `and ${more} more problem${more === 1 ? '' : 's'}`] : lines;
}
