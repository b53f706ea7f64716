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
  let controlPort: number | undefined;
  try {
    ports = await fronts.listen();
    controlPort = await fronts.listenForControl();
  } catch (error) {
    fronts.close();
    throw error;
  }
  stopOnRequest(fronts);
  const addresses = ports.map((port) => `tcp://${given.host}:${port}`).join(' ');
  const control = controlPort === undefined ? '' : `; control at http://127.0.0.1:${controlPort}`;
  process.stdout.write(
    `ready: ${fronts.instruments} instruments, ${given.rate} ticks/s each, at ${addresses}${control}\n`,
  );
  // A parent that has gone meanwhile is noticed by the disconnect event.
  const message = { type: 'ready', ports, ...(controlPort === undefined ? {} : { controlPort }) };
  process.send?.(message, undefined, undefined, () => undefined);
}

run(process.argv.slice(2)).catch((error: unknown) => {
  complain(error instanceof ArgumentError ? exitBadArguments : exitCannotRun, error);
});
