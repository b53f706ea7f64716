import { ArgumentError, readOptions } from './commandLine.js';
import { zonedTime, zonedTimeForm } from './zonedTime.js';
import { arrivalKinds, dateRules, hoursModes, type FeedSettings } from './tickFeed.js';

export interface SimulatorArguments extends Omit<FeedSettings, 'holidays'> {
  readonly help: boolean;
  readonly fronts: number;
  /** Port of the first front, the others follow; 0 picks free ports. */
  readonly basePort: number;
  readonly host: string;
  /** Number of instruments, futures first; undefined for all futures. */
  readonly instruments: number | undefined;
  /** Error id that logins are answered with, 0 for none. */
  readonly rejectLogin: number;
  /** Port of the control API on loopback, 0 for a free one; undefined for no control API. */
  readonly controlPort: number | undefined;
  /** Packets that may wait for a client before it is cut. */
  readonly queueLimit: number;
  /** Real ms after which a tick is too late to be sent, unless it is its instrument's newest. */
  readonly lateLimitMs: number;
  /** When the scripted clock starts, ms since the epoch; undefined for the present. */
  readonly clockStartMs: number | undefined;
  /** Simulated ms per real ms. */
  readonly clockSpeed: number;
  /** File with rows that go over the built-in product table; empty for none. */
  readonly productsFile: string;
  /** File with the holidays of `hours` exchange; empty for that of the package. */
  readonly calendarFile: string;
  /** A recorded day in place of the simulated exchange. */
  readonly replay: ReplayArguments | undefined;
}

export interface ReplayArguments {
  /** Recordings, or one redis:// address. */
  readonly sources: readonly string[];
  /** Recorded ms per real ms; max: as fast as the sessions read. */
  readonly speed: number | 'max';
  /** How long, from the first subscription on, all instruments may take to be subscribed to. */
  readonly waitMs: number;
}

const maxPort = 65_535;
const maxSpeed = 1_000_000;
const maxInstruments = 100_000;

function numberOf(name: string, text: string, allowed: string, accepts: (value: number) => boolean): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (!accepts(value)) throw new ArgumentError(`--${name} ${text}: must be ${allowed}`);
  return value;
}

function oneOf<T extends string>(name: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === text);
  if (found === undefined) throw new ArgumentError(`--${name} ${text}: must be one of ${allowed.join(', ')}`);
  return found;
}

const integerIn =
  (from: number, to: number) =>
  (value: number): boolean =>
    Number.isInteger(value) && value >= from && value <= to;

function timeOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = zonedTime(text);
  if (ms >= 0) return ms;
  throw new ArgumentError(`--${name} ${text}: must be ${zonedTimeForm}`);
}

/** Options that say what the simulated exchange sends, and what they are where nobody gives them. */
const exchangeOptions = {
  rate: '2',
  seed: '1',
  instruments: undefined,
  hours: 'always',
  calendar: '',
  dates: 'production',
  arrivals: 'uniform',
  levels: '5',
  'limit-days': '0',
  bench: false,
  'bench-start': undefined,
  'clock-start': undefined,
  'clock-speed': '1',
} as const;

function replayOf(values: ReturnType<typeof readOptions>): ReplayArguments | undefined {
  const { replay, speed, 'replay-wait': wait } = values;
  if (replay === undefined) {
    const odd = speed === undefined ? (wait === undefined ? undefined : 'replay-wait') : 'speed';
    if (odd !== undefined) throw new ArgumentError(`--${odd}: only with --replay`);
    return undefined;
  }
  const other = Object.entries(exchangeOptions).find(
    ([name, preset]) => values[name as keyof typeof exchangeOptions] !== preset,
  );
  if (other !== undefined)
    throw new ArgumentError(`--${other[0]}: not with --replay, which has the ticks of the recording`);
  if (values.products !== '' && !replay.some(isRedisAddress))
    throw new ArgumentError('--products: not with recordings, which hold the ticks as they came');
  if (replay.some((source) => source.trim() === '')) throw new ArgumentError('--replay: must name a file');
  if (replay.length > 1 && replay.some(isRedisAddress))
    throw new ArgumentError('--replay: either files or one redis:// address');
  return {
    sources: replay,
    speed:
      speed === 'max'
        ? 'max'
        : numberOf(
            'speed',
            speed ?? '1',
            `"max" or a number above 0 up to ${maxSpeed}`,
            (value) => value > 0 && value <= maxSpeed,
          ),
    waitMs:
      1000 *
      numberOf(
        'replay-wait',
        wait ?? '5',
        'a number of seconds from 0 to 3600',
        (seconds) => seconds >= 0 && seconds <= 3600,
      ),
  };
}

export function isRedisAddress(source: string): boolean {
  return /^rediss?:\/\//.test(source);
}

/** Reads the simulator's command line. Throws ArgumentError with one line. */
export function parseArguments(argv: readonly string[]): SimulatorArguments {
  const values = readOptions(argv);
  const fronts = numberOf('fronts', values.fronts, 'a whole number from 1 to 1000', integerIn(1, 1000));
  const lastBase = maxPort - fronts + 1;
  const rejectLogin = values['reject-login'];
  const controlPort = values['control-port'];
  const { instruments } = values;
  const hours = oneOf('hours', values.hours, hoursModes);
  const scripted = values['clock-start'] !== undefined || values['clock-speed'] !== '1';
  if (values.calendar !== '' && hours !== 'exchange')
    throw new ArgumentError(
      '--calendar: only with --hours exchange, a market that is always open has no holidays',
    );
  const replay = replayOf(values);
  const benchStart = values['bench-start'] ?? (values.bench ? String(Date.now() * 1000) : undefined);
  if (benchStart !== undefined && (hours !== 'always' || scripted)) {
    throw new ArgumentError('--bench: only with --hours always and without a scripted clock');
  }
  return {
    help: values.help,
    fronts,
    basePort: numberOf(
      'base-port',
      values['base-port'],
      `a whole number from 0 to ${lastBase}`,
      integerIn(0, lastBase),
    ),
    host: values.host,
    rate: numberOf('rate', values.rate, 'a number above 0 up to 1000', (rate) => rate > 0 && rate <= 1000),
    seed: numberOf(
      'seed',
      values.seed,
      'a whole number from 0 to 2^53 - 1',
      integerIn(0, Number.MAX_SAFE_INTEGER),
    ),
    instruments:
      instruments === undefined
        ? undefined
        : numberOf(
            'instruments',
            instruments,
            `a whole number from 1 to ${maxInstruments}`,
            integerIn(1, maxInstruments),
          ),
    hours,
    dates: oneOf('dates', values.dates, dateRules),
    arrivals: oneOf('arrivals', values.arrivals, arrivalKinds),
    levels: numberOf('levels', values.levels, 'a whole number from 1 to 5', integerIn(1, 5)),
    limitShare: numberOf(
      'limit-days',
      values['limit-days'],
      'a number from 0 to 1',
      (share) => share >= 0 && share <= 1,
    ),
    benchStartUs:
      benchStart === undefined
        ? undefined
        : numberOf(
            'bench-start',
            benchStart,
            'a whole number of µs since the epoch',
            integerIn(0, Number.MAX_SAFE_INTEGER),
          ),
    rejectLogin:
      rejectLogin === undefined
        ? 0
        : numberOf(
            'reject-login',
            rejectLogin,
            'an error id from 1 to 2147483647',
            integerIn(1, 2 ** 31 - 1),
          ),
    controlPort:
      controlPort === undefined
        ? undefined
        : numberOf('control-port', controlPort, `a whole number from 0 to ${maxPort}`, integerIn(0, maxPort)),
    // At maximum speed the replay waits for who does not read.
    queueLimit:
      replay?.speed === 'max'
        ? Infinity
        : numberOf(
            'queue-limit',
            values['queue-limit'],
            'a whole number from 1 to 2147483647',
            integerIn(1, 2 ** 31 - 1),
          ),
    lateLimitMs: numberOf(
      'late-limit',
      values['late-limit'],
      'a whole number of ms from 1 to 3600000',
      integerIn(1, 3_600_000),
    ),
    clockStartMs: timeOf('clock-start', values['clock-start']),
    clockSpeed: numberOf(
      'clock-speed',
      values['clock-speed'],
      `a number above 0 up to ${maxSpeed}`,
      (speed) => speed > 0 && speed <= maxSpeed,
    ),
    productsFile: values.products,
    calendarFile: values.calendar,
    replay,
  };
}
