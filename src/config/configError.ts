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
  constructor(readonly problems: readonly ConfigProblem[]) {
    super(problems.map((problem) => problem.text).join('\n'));
  }
}
