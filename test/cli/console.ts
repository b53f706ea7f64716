import { runCli, type CliResult } from '../../src/cli/runCli.js';
import { temporaryFolder } from '../config/sources.js';

export interface Ran {
  readonly result: CliResult;
  readonly out: string;
  readonly err: string;
}

/** Runs the command line in this process and keeps what it prints. */
export async function run(
  argv: readonly string[],
  env: NodeJS.ProcessEnv = {},
  cwd = temporaryFolder(),
  columns?: number,
): Promise<Ran> {
  let out = '';
  let err = '';
  const result = await runCli(argv, env, {
    out: (text) => (out += text),
    err: (text) => (err += text),
    columns,
    cwd,
  });
  return { result, out, err };
}
