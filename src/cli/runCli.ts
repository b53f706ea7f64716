import { ConfigError } from '../config/configError.js';
import type { GatewayConfig } from '../config/gatewayConfig.js';
import { loadConfig, loadEndpoints, loadMarket, type ConfigSources } from '../config/load.js';
import { packagePath, programVersion } from '../base/paths.js';
import { checkLibrary } from './checkLibrary.js';
import { exportRecordings } from './exportRecordings.js';
import { helpText } from './help.js';
import { importBrokers } from './importBrokers.js';
import { parseCommandLine, type Command } from './options.js';
import { printStatus } from './status.js';
import { processContext, type CliContext } from './cliContext.js';
import { UsageError } from './usageError.js';

/** Exit codes: a gateway that cannot run, and a command line that cannot be meant. */
export const failureExitCode = 1;
export const usageExitCode = 2;

export interface RunOptions {
  readonly profile: boolean;
  /** Loading these again with loadConfig is a reload. */
  readonly sources: ConfigSources;
}

export type CliResult =
  | { readonly kind: 'run'; readonly config: GatewayConfig; readonly options: RunOptions }
  | { readonly kind: 'done'; readonly exitCode: number };

/** Without any word about connections, the simulated exchange that ships with the package. */
function sourcesOf(
  { configFile, args }: Extract<Command, { mode: 'run' | 'status' }>,
  env: NodeJS.ProcessEnv,
  cwd: string,
): ConfigSources {
  const connectionsElsewhere = args.frontAddr !== undefined || (env['QACTPMD_CONNECTIONS'] ?? '') !== '';
  const preset = connectionsElsewhere ? undefined : packagePath('config', 'simulated.json');
  return { file: configFile ?? preset, args, env, cwd };
}

async function runCommand(command: Command, env: NodeJS.ProcessEnv, context: CliContext): Promise<CliResult> {
  const { out, cwd } = context;
  switch (command.mode) {
    case 'help':
      out(helpText);
      return { kind: 'done', exitCode: 0 };
    case 'version':
      out(`${programVersion()}\n`);
      return { kind: 'done', exitCode: 0 };
    case 'import':
      return { kind: 'done', exitCode: importBrokers(command.source, command.output, context) };
    case 'export': {
      const market = loadMarket({ file: command.configFile, args: {}, env, cwd });
      return { kind: 'done', exitCode: await exportRecordings(command, market, context) };
    }
    case 'check-library':
      return { kind: 'done', exitCode: await checkLibrary(command, env, context) };
    case 'status':
      return {
        kind: 'done',
        exitCode: await printStatus(loadEndpoints(sourcesOf(command, env, cwd)), command.json, env, context),
      };
    case 'run': {
      const sources = sourcesOf(command, env, cwd);
      return { kind: 'run', config: loadConfig(sources), options: { profile: command.profile, sources } };
    }
  }
}

/**
 * Carries out what the command line asks for, up to the point where a gateway would start. `argv` is without node
 * and script. Never throws for a mistake of the user's: that is printed, with an exit code.
 */
export async function runCli(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  context: CliContext = processContext(),
): Promise<CliResult> {
  const complain = (message: string): void =>
    context.err(message.replaceAll(/^/gm, 'qactpmdgateway: ') + '\n');
  let command: Command | undefined;
  try {
    command = parseCommandLine(argv);
    return await runCommand(command, env, context);
  } catch (error) {
    if (error instanceof UsageError) {
      complain(error.message);
      return { kind: 'done', exitCode: usageExitCode };
    }
    if (!(error instanceof ConfigError)) throw error;
    complain(error.message);
    const byArguments = error.problems.every((problem) => problem.source === 'arguments');
    // --status says 1 for a degraded gateway, so not knowing where to ask is 2, like no answer.
    const exitCode = byArguments || command?.mode === 'status' ? usageExitCode : failureExitCode;
    return { kind: 'done', exitCode };
  }
}
