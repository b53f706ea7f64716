import { RecordingError } from '../recorder/recordingFormat.js';
import { useShortSlices } from '../base/threadPriority.js';
import {
  isRedisAddress,
  parseArguments,
  type ReplayArguments,
  type SimulatorArguments,
} from './arguments.js';
import { SimulationClock } from './clock.js';
import { ArgumentError, usage } from './commandLine.js';
import { Fronts, productsOf } from './fronts.js';
import { RedisReplaySource } from './redisSource.js';
import { ReplayMarket } from './replayMarket.js';
import { RecordedSource } from './replaySource.js';
import { errorText } from '../base/errorText.js';

const exitCannotRun = 1;
const exitBadArguments = 2;

function complain(code: number, error: unknown): void {
  process.stderr.write(`simulator: ${errorText(error)}\n`);
  process.exitCode = code;
}

const say = (text: string): void => void process.stderr.write(`simulator: ${text}\n`);

/** The recorded day that is asked for. It tells in one line each what cannot be read, and how the replay ended. */
async function replayMarket(
  given: SimulatorArguments,
  { sources, speed, waitMs }: ReplayArguments,
  clock: SimulationClock,
): Promise<ReplayMarket> {
  const source = isRedisAddress(sources[0]!)
    ? await RedisReplaySource.open(sources[0]!, productsOf(given), say)
    : openRecordings(sources);
  return new ReplayMarket({
    source,
    speed,
    waitMs,
    clock,
    onEnd: (ticks, seconds) =>
      void process.stdout.write(
        `replayed: ${ticks} ticks in ${seconds.toFixed(2)} s, ${Math.round(ticks / seconds)} ticks/s\n`,
      ),
    onError: (error) => say(`the replay ends early: ${errorText(error)}`),
  });
}

function openRecordings(sources: readonly string[]): RecordedSource {
  try {
    return new RecordedSource(sources, say);
  } catch (error) {
    // One that cannot be opened is a wrong argument; what is wrong in a file is not.
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
    throw error instanceof RecordingError && code !== undefined
      ? new ArgumentError(`--replay ${error.message}`, { cause: error })
      : error;
  }
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
  useShortSlices();
  const clock = new SimulationClock(given.clockStartMs, given.clockSpeed);
  const market = given.replay === undefined ? undefined : await replayMarket(given, given.replay, clock);
  const fronts = new Fronts(given, clock, market);
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
  const pace =
    given.replay === undefined
      ? `${given.rate} ticks/s each`
      : `a replay${given.replay.speed === 'max' ? '' : ` ${given.replay.speed} times as fast`}`;
  process.stdout.write(`ready: ${fronts.instruments} instruments, ${pace}, at ${addresses}${control}\n`);
  // A parent that has gone meanwhile is noticed by the disconnect event.
  const message = { type: 'ready', ports, ...(controlPort === undefined ? {} : { controlPort }) };
  process.send?.(message, undefined, undefined, () => undefined);
}

run(process.argv.slice(2)).catch((error: unknown) => {
  complain(error instanceof ArgumentError ? exitBadArguments : exitCannotRun, error);
});
