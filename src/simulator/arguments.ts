import { parseArgs, type ParseArgsConfig } from 'node:util';
import { closest } from '../suggest.js';
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

export const usage = `Simulated market-data fronts
  --fronts N            number of fronts, 1 to 1000 (1)
  --base-port P         port of the first front, the others follow; 0 picks free ports (17001)
  --host ADDRESS        address to listen on (127.0.0.1)
  --rate R              ticks per second of each instrument, above 0 up to 1000 (2)
  --seed S              which market is simulated; fronts with one seed agree (1)
  --instruments N       futures first, then options, those nearest to the money first; up to 100000 (all futures)
  --hours MODE          always: open at any hour; exchange: sessions, auctions, nights, holidays (always)
  --calendar FILE       the holidays of --hours exchange, in the form of data/calendar.json (that file)
  --products FILE       rows that go over the built-in product table, as the gateway's products_file (none)
  --dates RULE          stamp ticks as production fronts or as simnow do (production)
  --arrivals KIND       uniform, poisson, or burst: all instruments within 10 ms, each half second at rate 2 (uniform)
  --levels N            levels of the book, 1 to 5 (5)
  --limit-days SHARE    share of an instrument's days on which it stands at its price limit, 0 to 1 (0)
  --bench               Volume numbers an instrument's ticks, OpenInterest is the time of each, in µs since the start
  --bench-start US      start of the bench run in µs since the epoch; nothing ticks before it (now)
  --reject-login CODE   answer every login with this error id
  --control-port P      control API for faults on loopback; 0 picks a free port (none)
  --queue-limit N       packets that may wait for a client before it is cut (10000)
  --late-limit MS       ticks that are later than this, in real time, are skipped but for each instrument's newest (500)
  --clock-start ISO     begin at this time, such as 2026-11-23T20:59:00+08:00, and not at the present
  --clock-speed N       let time pass N times as fast, above 0 up to 1000000 (1)
  --replay FILE         send a recorded day in place of the simulated exchange's; again for its further files, or
                        redis://HOST:PORT/DB?day=YYYYMMDD for a trading day that Redis holds
  --speed N             with --replay: N times as fast as it was, above 0 up to 1000000, or max: as fast as it is
                        read, without loss (1)
  --replay-wait S       begin once every instrument of the recording is subscribed to, or S seconds after the first
                        one is, 0 to 3600 (5)
  -h, --help            this text
`;

/** What the command line says that cannot be; the message names the option. */
export class ArgumentError extends Error {}

const options = {
  fronts: { type: 'string', default: '1' },
  'base-port': { type: 'string', default: '17001' },
  host: { type: 'string', default: '127.0.0.1' },
  rate: { type: 'string', default: '2' },
  seed: { type: 'string', default: '1' },
  instruments: { type: 'string' },
  hours: { type: 'string', default: 'always' },
  calendar: { type: 'string', default: '' },
  products: { type: 'string', default: '' },
  dates: { type: 'string', default: 'production' },
  arrivals: { type: 'string', default: 'uniform' },
  levels: { type: 'string', default: '5' },
  'limit-days': { type: 'string', default: '0' },
  bench: { type: 'boolean', default: false },
  'bench-start': { type: 'string' },
  'reject-login': { type: 'string' },
  'control-port': { type: 'string' },
  'queue-limit': { type: 'string', default: '10000' },
  'late-limit': { type: 'string', default: '500' },
  'clock-start': { type: 'string' },
  'clock-speed': { type: 'string', default: '1' },
  replay: { type: 'string', multiple: true },
  speed: { type: 'string' },
  'replay-wait': { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const satisfies ParseArgsConfig['options'];

/** The names of options that take a value, with their dashes. */
const valued: ReadonlySet<string> = new Set(
  Object.entries(options).flatMap(([name, { type }]) => (type === 'string' ? [`--${name}`] : [])),
);

function read(argv: readonly string[]) {
  try {
    return parseArgs({ args: withNegatives(argv), options }).values;
  } catch (error) {
    throw new ArgumentError(whyUnreadable(argv, error));
  }
}

/** A number below 0 is a value, and not an option: what is wrong with it is told where the value is checked. */
function withNegatives(argv: readonly string[]): string[] {
  const args: string[] = [];
  for (const text of argv) {
    const option = args.at(-1);
    if (/^-[\d.]/.test(text) && option !== undefined && valued.has(option))
      args[args.length - 1] = `${option}=${text}`;
    else args.push(text);
  }
  return args;
}

function whyUnreadable(argv: readonly string[], error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const seeHelp = 'see --help';
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    const known = Object.keys(options).map((name) => `--${name}`);
    const given = argv
      .map((text) => text.split('=', 1)[0]!)
      .find((text) => text.startsWith('-') && text !== '-h' && !known.includes(text));
    if (given !== undefined) {
      const near = closest(given, known);
      return `${given}: there is no such option, ${near === undefined ? seeHelp : `did you mean ${near}?`}`;
    }
  }
  const [, option] = /^Option '(?:-h, )?(--[a-z-]+)/.exec(message) ?? [];
  if (code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE' && option !== undefined)
    return valued.has(option) ? `${option}: must have a value, ${seeHelp}` : `${option}: takes no value`;
  // Node's message may go on with advice on further lines.
  return message.split(/\n|\. /, 1).join('');
}

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
  // Without a zone it would mean something else on every machine.
  const ms = /(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : NaN;
  if (ms >= 0) return ms;
  throw new ArgumentError(
    `--${name} ${text}: must be an ISO time with its zone, such as 2026-11-23T20:59:00+08:00`,
  );
}

/** Options that say what the simulated exchange sends, and what they are where nobody gives them. */
const exchangeOptions = {
  rate: '2',
  seed: '1',
  instruments: undefined,
  hours: 'always',
  calendar: '',
  products: '',
  dates: 'production',
  arrivals: 'uniform',
  levels: '5',
  'limit-days': '0',
  bench: false,
  'bench-start': undefined,
  'clock-start': undefined,
  'clock-speed': '1',
} as const;

function replayOf(values: ReturnType<typeof read>): ReplayArguments | undefined {
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
  const values = read(argv);
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
