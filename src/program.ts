import { runCli } from './cli/runCli.js';
import { Gateway } from './gateway.js';
import { createLogger } from './logging.js';
import { ProfileServer, profileSocketPath } from './profile/profileServer.js';

/**
 * Runs one command line to its end and gives the exit code: 0 after a clean stop, 1 when the gateway could not
 * start or stop, otherwise the command's own. A gateway runs until `shutdown` is aborted.
 */
export async function runProgram(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  shutdown: AbortSignal,
): Promise<number> {
  const outcome = await runCli(argv, env);
  if (outcome.kind === 'done') return outcome.exitCode;

  const { config, options } = outcome;
  const log = createLogger(config.logLevel);
  const gateway = new Gateway(config, log);
  let profiles: ProfileServer | undefined;
  let exitCode = 0;
  try {
    if (options.profile)
      profiles = await ProfileServer.open(profileSocketPath(config.flowPath, env), log, gateway.trace);
    await gateway.start(shutdown);
    await aborted(shutdown);
    log.info({ signal: String(shutdown.reason) }, 'stopping');
  } catch (error) {
    log.fatal(error instanceof Error ? error.message : String(error));
    exitCode = 1;
  }
  const hung = await gateway.stop();
  await profiles?.close();
  if (hung.length > 0) {
    log.fatal(`did not stop within ${config.shutdownDeadline} s: ${hung.join(', ')}`);
    exitCode = 1;
  } else if (exitCode === 0) {
    log.info('stopped');
  }
  return exitCode;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
