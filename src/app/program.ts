import { runCli } from '../cli/runCli.js';
import { endProcess } from '../coordinator/workers/workerPool.js';
import { Gateway } from './gateway.js';
import { LimitedLog } from '../log/limitedLog.js';
import { createLogger, LogOutput } from '../log/logging.js';
import { ProfileServer, profileSocketName } from '../profile/profileServer.js';
import { socketPathIn } from '../base/privateSocket.js';
import { Reloads } from './reloadTriggers.js';
import { StandardOutput } from '../log/standardOutput.js';
import { useShortSlices } from '../base/threadPriority.js';
import { errorText } from '../base/errorText.js';
import { marked } from '../base/logEvents.js';

const lastLinesMs = 500;

/**
 * Runs one command line to its end and gives the command's exit code. A gateway runs until `shutdown` is aborted, and reads
 * its configuration again at each SIGHUP event of `hangups`. Then it ends the process: with 0 after a clean stop, 1 when it
 * could not start or stop.
 */
export async function runProgram(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  shutdown: AbortSignal,
  hangups: EventTarget,
): Promise<number> {
  const outcome = await runCli(argv, env);
  if (outcome.kind === 'done') return outcome.exitCode;

  useShortSlices();
  const { config, options } = outcome;
  let output: StandardOutput;
  try {
    // Before any vendor library is loaded, for those print.
    output = StandardOutput.divert();
  } catch (error) {
    const plain = new LogOutput(1);
    createLogger(config.logLevel, plain.stream).fatal(marked('startup_failed'), errorText(error));
    await plain.finish(lastLinesMs);
    return 1;
  }
  const logOutput = new LogOutput(output.fd);
  const log = createLogger(config.logLevel, logOutput.stream);
  const printed = new LimitedLog(log);
  output.onLine((line) =>
    printed.write('output', 'warn', marked('library_output'), `a vendor library prints: ${line}`),
  );
  for (const text of config.warnings) log.warn(marked('config_warning'), text);
  const reloads = new Reloads(options.sources, config, log);
  hangups.addEventListener('SIGHUP', () => reloads.request('SIGHUP'));
  const gateway = new Gateway(config, () => reloads.load(), log);
  let profiles: ProfileServer | undefined;
  let exitCode = 0;
  try {
    if (options.profile)
      profiles = await ProfileServer.open(
        socketPathIn(config.flowPath, profileSocketName, env),
        log,
        gateway.trace,
      );
    await gateway.start(shutdown);
    if (!shutdown.aborted) reloads.begin(() => gateway.reload());
    await aborted(shutdown);
    log.info({ signal: String(shutdown.reason) }, 'stopping');
  } catch (error) {
    log.fatal(marked('startup_failed'), errorText(error));
    exitCode = 1;
  }
  reloads.close();
  const hung = await gateway.stop();
  printed.close();
  await profiles?.close();
  if (hung.length > 0) {
    log.fatal(
      marked('stop_incomplete'),
      `did not stop within ${config.shutdownDeadline} s: ${hung.join(', ')}`,
    );
    exitCode = 1;
  } else if (exitCode === 0) {
    log.info('stopped');
  }
  await logOutput.finish(lastLinesMs);
  // Not by process.exit: that waits for threads that hang in a vendor library, and runs what libraries do at their end.
  return endProcess(exitCode);
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
