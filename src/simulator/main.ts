import { ArgumentError, parseArguments, usage } from './arguments.js';
import { Fronts } from './fronts.js';

const exitCannotRun = 1;
const exitBadArguments = 2;

function complain(code: number, error: unknown): void {
  process.stderr.write(`simulator: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = code;
}

/** Ends the fronts on SIGTERM, on SIGINT from a terminal, and when the parent process goes away. */
function stopOnRequest(fronts: Fronts): void {
  const isChild = process.send !== undefined;
  const stop = (): void => {
    fronts.close();
    if (process.connected) process.disconnect();
  };
  process.once('SIGTERM', stop);
  // A terminal sends SIGINT to the whole group; a child leaves it to its parent.
  process.on('SIGINT', isChild ? () => undefined : stop);
  process.once('disconnect', stop);
  if (isChild && !process.connected) stop();
}

async function run(argv: readonly string[]): Promise<void> {
  const given = parseArguments(argv);
  if (given.help) {
    process.stdout.write(usage);
    return;
  }
  const fronts = new Fronts(given);
  let ports: number[];
  try {
    ports = await fronts.listen();
  } catch (error) {
    fronts.close();
    throw error;
  }
  stopOnRequest(fronts);
  const addresses = ports.map((port) => `tcp://${given.host}:${port}`).join(' ');
  process.stdout.write(
    `ready: ${fronts.instruments} instruments, ${given.rate} ticks/s each, at ${addresses}\n`,
  );
  // A parent that has gone meanwhile is noticed by the disconnect event.
  process.send?.({ type: 'ready', ports }, undefined, undefined, () => undefined);
}

run(process.argv.slice(2)).catch((error: unknown) => {
  complain(error instanceof ArgumentError ? exitBadArguments : exitCannotRun, error);
});
