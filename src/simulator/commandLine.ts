import { parseArgs, type ParseArgsConfig } from 'node:util';
import { closest } from '../base/spelling.js';

export const usage = `Simulated market-data fronts
  --fronts N            number of fronts, 1 to 1000 (1)
  --base-port P         port of the first front, the others follow; 0 picks free ports (17001)
  --host ADDRESS        address to listen on (127.0.0.1)
  --rate R              ticks per second of each instrument, above 0 up to 1000 (2)
  --seed S              which market is simulated; fronts with one seed agree (1)
  --instruments N       futures first, then options, those nearest to the money first; up to 100000 (all futures)
  --hours MODE          always: open at any hour; exchange: sessions, auctions, nights, holidays (always)
  --calendar FILE       the holidays of --hours exchange, in the form of data/calendar.json (that file)
  --products FILE       rows that go over the built-in product table, as the gateway's products_file; with a
                        --replay from Redis those of the gateway that stored it (none)
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

/** A wrong command line; the message names the option. */
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

/** The values of all options, as texts. Throws ArgumentError with one line. */
export function readOptions(argv: readonly string[]) {
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
  // Node's message may continue with advice on further lines.
  return message.split(/\n|\. /, 1).join('');
}
