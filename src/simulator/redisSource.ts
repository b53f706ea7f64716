import { Redis } from 'ioredis';
import { Heap } from '../base/heap.js';
import { loadCalendar } from '../market/calendar/holidayCalendar.js';
import { parseInstrumentId } from '../market/instruments/instrumentId.js';
import type { ProductTable } from '../market/instruments/products.js';
import { Field, fieldCount } from '../market/quotes/quoteFields.js';
import { dayToUtcMs } from '../market/calendar/tradingCalendar.js';
import { TickRecord } from '../ring/tickRecord.js';
import { decodeTick } from '../tickText/tickCodec.js';
import { parseRedisAddress, type RedisDay } from './redisAddress.js';
import type { ReplaySource } from './replaySource.js';
import { recordOf } from '../market/quotes/rowRecord.js';
import { shanghaiOffsetMs } from '../base/shanghaiTime.js';
import { errorText } from '../base/errorText.js';

/** Entries of all pages together, some 300 bytes each, and the most and the fewest of one page. */
const pagesEntries = 250_000;
const mostPageEntries = 500;
const fewestPageEntries = 10;
const scanCount = 1000;
/** Streams that one pipeline asks. */
const pipelineStreams = 64;
const answerTimeoutMs = 10_000;
/** A trading day begins at 20:00; ids may be a little late, and other days' ticks are skipped by their trading day. */
const firstHourMs = 18 * 3_600_000;
const lastHourMs = 22 * 3_600_000;

interface StoredTick {
  readonly receivedMs: number;
  readonly text: string;
}

/** One instrument's stream. */
interface Stream {
  readonly key: string;
  readonly redisKey: string;
  readonly multiplier: number;
  /** Ticks that were fetched, from `next` on those that were not taken. */
  ticks: StoredTick[];
  next: number;
  /** Where the next page begins; undefined at the end. */
  cursor: string | undefined;
}

/**
 * A trading day from the streams that the gateway stores ticks in (docs/storage.md), merged by receive time. The streams are
 * read in pages, so the memory is bounded by their number.
 */
export class RedisReplaySource implements ReplaySource {
  readonly record = new TickRecord();
  key = '';
  readonly tradingDay: number;
  readonly #client: Redis;
  readonly #streams: Stream[];
  readonly #last: string;
  readonly #say: (text: string) => void;
  readonly #row = new Float64Array(fieldCount);
  readonly #pageEntries: number;
  /** Streams with ticks that were fetched and not taken. */
  readonly #ready = new Heap<Stream>(isEarlier);
  /** Streams whose next tick is yet to be fetched. */
  #dry: Stream[];
  #unreadable = 0;

  private constructor(
    client: Redis,
    streams: Stream[],
    day: number,
    last: string,
    say: (text: string) => void,
  ) {
    this.#client = client;
    this.#streams = streams;
    this.#dry = [...streams];
    this.tradingDay = day;
    this.#last = last;
    this.#say = say;
    const share = Math.floor(pagesEntries / Math.max(1, streams.length));
    this.#pageEntries = Math.min(mostPageEntries, Math.max(fewestPageEntries, share));
  }

  /**
   * Connects, and finds the instruments that have ticks of the day.
   *
   * @param products say how much the stored averages were divided by
   * @param say takes one line on what cannot be read
   * @throws ArgumentError for an address that is none; Error of one line when Redis cannot be used or has no such tick
   */
  static async open(
    address: string,
    products: ProductTable,
    say: (text: string) => void,
  ): Promise<RedisReplaySource> {
    const place = parseRedisAddress(address);
    const client = clientFor(place);
    const name = `Redis at ${place.host}:${place.port}`;
    try {
      await client.connect();
      const { first, last } = idsOf(place.day);
      const streams = await findStreams(client, place, first, products);
      const source = new RedisReplaySource(client, streams, place.day, last, say);
      await source.load();
      source.#streams.splice(0, Infinity, ...streams.filter(({ ticks }) => ticks.length > 0));
      if (source.#streams.length === 0)
        throw new Error(`no tick of trading day ${place.day} under ${place.prefix}ticks:*`);
      return source;
    } catch (error) {
      client.disconnect();
      throw new Error(`${name}: ${errorText(error)}`, { cause: error });
    }
  }

  get keys(): string[] {
    return this.#streams.map(({ key }) => key);
  }

  next(): boolean {
    const stream = this.#ready.first;
    if (stream === undefined || this.#dry.length > 0) return false;
    const { text, receivedMs } = stream.ticks[stream.next++]!;
    if (stream.next < stream.ticks.length) {
      this.#ready.firstMoved();
    } else {
      this.#ready.shift();
      if (stream.cursor !== undefined) this.#dry.push(stream);
    }
    decodeTick(text, this.#row);
    recordOf(this.#row, receivedMs, stream.multiplier, this.record);
    this.key = stream.key;
    return true;
  }

  /** Fetches the next page of every stream that has run dry, until it has a tick of the day or ends. */
  async load(): Promise<boolean> {
    while (this.#dry.length > 0) {
      const dry = this.#dry;
      this.#dry = [];
      for (let at = 0; at < dry.length; at += pipelineStreams)
        await this.#fetch(dry.slice(at, at + pipelineStreams));
      for (const stream of dry) {
        if (stream.ticks.length > 0) this.#ready.push(stream);
        else if (stream.cursor !== undefined) this.#dry.push(stream);
      }
    }
    const more = this.#ready.first !== undefined;
    if (!more && this.#unreadable > 0)
      this.#say(`${this.#unreadable} entries of Redis are no ticks; left out`);
    return more;
  }

  close(): void {
    this.#client.disconnect();
  }

  async #fetch(streams: readonly Stream[]): Promise<void> {
    const pipeline = this.#client.pipeline();
    for (const { redisKey, cursor } of streams)
      pipeline.xrange(redisKey, cursor!, this.#last, 'COUNT', this.#pageEntries);
    const answers = (await pipeline.exec()) ?? [];
    answers.forEach(([error, entries], index) => {
      if (error !== null) throw error;
      this.#take(streams[index]!, entries as [string, string[]][]);
    });
  }

  #take(stream: Stream, entries: readonly [string, string[]][]): void {
    stream.ticks = [];
    stream.next = 0;
    for (const [, fields] of entries) {
      const text = fields[fields.indexOf('tick') + 1];
      const head = text === undefined ? undefined : decodeTick(text, this.#row);
      if (head === undefined || text === undefined) this.#unreadable++;
      else if (this.#row[Field.tradingDay] === this.tradingDay)
        stream.ticks.push({ receivedMs: head.receivedMs, text });
    }
    const lastId = entries.at(-1)?.[0];
    stream.cursor = entries.length < this.#pageEntries || lastId === undefined ? undefined : `(${lastId}`;
  }
}

/** By the next ticks' times of receipt, and at the same time by name. */
function isEarlier(one: Stream, other: Stream): boolean {
  const [a, b] = [one.ticks[one.next]!.receivedMs, other.ticks[other.next]!.receivedMs];
  return a < b || (a === b && one.key < other.key);
}

function clientFor({ host, port, tls, username, password, database }: RedisDay): Redis {
  const client = new Redis({
    host,
    port,
    db: database,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
    lazyConnect: true,
    connectTimeout: answerTimeoutMs,
    commandTimeout: answerTimeoutMs,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  // Every failure reaches anyone who waits for an answer.
  client.on('error', () => undefined);
  return client;
}

/** Ids between which a trading day's ticks lie: from the evening of the trading day before. */
function idsOf(day: number): { readonly first: string; readonly last: string } {
  const midnight = (yyyymmdd: number): number => dayToUtcMs(yyyymmdd) - shanghaiOffsetMs;
  return {
    first: String(midnight(loadCalendar().previous(day)) + firstHourMs),
    last: String(midnight(day) + lastHourMs),
  };
}

/** Streams under the prefix; names that are no instrument's are skipped. */
async function findStreams(
  client: Redis,
  { prefix }: RedisDay,
  first: string,
  products: ProductTable,
): Promise<Stream[]> {
  const begin = `${prefix}ticks:`;
  const found = new Set<string>();
  let cursor = '0';
  do {
    const [next, keys] = await client.scan(cursor, 'MATCH', `${literal(begin)}*`, 'COUNT', scanCount);
    for (const key of keys) found.add(key);
    cursor = next;
  } while (cursor !== '0');
  return [...found].sort().flatMap((redisKey) => {
    const key = redisKey.slice(begin.length);
    const parsed = parseInstrumentId(key, products);
    if (parsed === undefined || `${parsed.exchange}.${parsed.id}` !== key) return [];
    const multiplier = parsed.exchange === 'CZCE' ? 1 : (parsed.product?.multiplier ?? 1);
    return [{ key, redisKey, multiplier, ticks: [], next: 0, cursor: first }];
  });
}

/** A pattern of Redis that matches only this text. */
function literal(text: string): string {
  return text.replaceAll(/[\\*?[\]^]/g, '\\$&');
}
