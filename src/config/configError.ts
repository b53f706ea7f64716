import type { NamedFile } from './namedFiles.js';

export type ConfigSource = 'file' | 'environment' | 'arguments';

export interface ConfigProblem {
  /** Who must mend it. */
  readonly source: ConfigSource;
  /** One line: where, what is wrong, what is allowed. Holds no secret. */
  readonly text: string;
}

/** A configuration that cannot be used; the message has one line for each thing that is wrong. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** @param files what the configuration names, as far as that could be told */
  constructor(
    readonly problems: readonly ConfigProblem[],
    readonly files: readonly NamedFile[] = [],
  ) {
    super(problems.map((problem) => problem.text).join('\n'));
  }
}
