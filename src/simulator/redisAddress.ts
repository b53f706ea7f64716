import { dayToUtcMs } from '../market/calendar/tradingCalendar.js';
import { ArgumentError } from './commandLine.js';

/** Where a stored day lies. */
export interface RedisDay {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  /** Trading day, yyyymmdd. */
  readonly day: number;
  /** Prefix of every key. */
  readonly prefix: string;
}

const form = 'redis://[[USER]:PASSWORD@]HOST[:PORT][/DB]?day=YYYYMMDD[&prefix=PREFIX]';
const defaultPort = 6379;
const defaultPrefix = 'qactpmd:';

/** Reads the address of a stored day. The password never appears in an error. Throws ArgumentError with one line. */
export function parseRedisAddress(text: string): RedisDay {
  const refuse = (why: string): ArgumentError => new ArgumentError(`--replay: ${why}; the form is ${form}`);
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw refuse('this is no address');
  }
  const { searchParams } = url;
  const odd = [...searchParams.keys()].find((name) => name !== 'day' && name !== 'prefix');
  if (odd !== undefined) throw refuse(`"${odd}" is unknown`);
  const dayText = searchParams.get('day') ?? '';
  const day = /^\d{8}$/.test(dayText) ? Number(dayText) : NaN;
  if (Number.isNaN(dayToUtcMs(day))) throw refuse(`day is ${dayText === '' ? 'missing' : `not ${dayText}`}`);
  const database = url.pathname === '' || url.pathname === '/' ? 0 : Number(url.pathname.slice(1));
  if (!Number.isInteger(database) || database < 0) throw refuse(`${url.pathname} is no database`);
  if (url.hostname === '') throw refuse('the host is missing');
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? defaultPort : Number(url.port),
    tls: url.protocol === 'rediss:',
    username: url.username === '' ? undefined : decodeURIComponent(url.username),
    password: url.password === '' ? undefined : decodeURIComponent(url.password),
    database,
    day,
    prefix: searchParams.get('prefix') ?? defaultPrefix,
  };
}
