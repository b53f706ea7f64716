import {
  HistoryError,
  overscanMs,
  type HistoryRange,
  type HistoryReading,
  type HistorySource,
} from './historySource.js';
import { LineRow } from './row.js';

/** Entries of one reading: some 0.15 ms of Redis' time and 0.8 ms of a query's thread. */
const pageEntries = 128;

/** A stream's entry: its id, then names and values in turn. */
export type StreamEntry = readonly [id: Buffer, fields: readonly Buffer[]];

/** XRANGE key start end COUNT count. */
export type ReadStream = (
  key: string,
  start: string,
  end: string,
  count: number,
) => Promise<readonly StreamEntry[]>;

/** Ticks of the streams in Redis. A position is an entry's id. */
export class RedisSource implements HistorySource {
  readonly name = 'redis';
  readonly #read: ReadStream;
  readonly #streamOf: (key: string) => string;

  /** @param streamOf name of an instrument's stream */
  constructor(read: ReadStream, streamOf: (key: string) => string) {
    this.#read = read;
    this.#streamOf = streamOf;
  }

  async open({ key, fromMs, toMs, after }: HistoryRange): Promise<HistoryReading> {
    const stream = this.#streamOf(key);
    const end = toMs === Infinity ? '+' : `${toMs + overscanMs}`;
    const read = (from: string, to: string, count: number): Promise<readonly StreamEntry[]> =>
      this.#read(stream, from, to, count).catch((error: unknown) => {
        throw new HistoryError('history_unavailable', `Redis: ${reasonOf(error)}`);
      });
    const readAfter = async (id: string, count: number): Promise<readonly StreamEntry[]> =>
      withoutFirst(id, await read(id, end, count + 1));
    const [oldest, first] = await Promise.all([
      read('-', '+', 1),
      after === undefined ? read(`${fromMs - overscanMs}`, end, pageEntries) : readAfter(after, pageEntries),
    ]);
    return new StreamReading(readAfter, first, timeOfFirst(oldest));
  }
}

class StreamReading implements HistoryReading {
  readonly row = new LineRow();
  readonly completeFromMs: number | null;
  readonly #readAfter: (id: string, count: number) => Promise<readonly StreamEntry[]>;
  #entries: readonly StreamEntry[];
  #next = 0;
  /** Another reading may find more. */
  #mayHaveMore: boolean;
  /** Asked for while the entries before it are given. */
  #coming: Promise<readonly StreamEntry[]> | undefined;

  constructor(
    readAfter: (id: string, count: number) => Promise<readonly StreamEntry[]>,
    first: readonly StreamEntry[],
    completeFromMs: number | null,
  ) {
    this.#readAfter = readAfter;
    this.#entries = first;
    this.#mayHaveMore = first.length === pageEntries;
    this.completeFromMs = completeFromMs;
  }

  get position(): string {
    return idOf(this.#entries[this.#next - 1]!);
  }

  next(): boolean {
    while (this.#next < this.#entries.length) {
      const line = lineOf(this.#entries[this.#next++]!);
      // What is no tick was not written by a gateway.
      if (line !== undefined && this.row.read(line)) return true;
    }
    return false;
  }

  async more(): Promise<boolean> {
    if (!this.#mayHaveMore) return false;
    this.#entries = await (this.#coming ?? this.#ask());
    this.#next = 0;
    this.#mayHaveMore = this.#entries.length === pageEntries;
    this.#coming = this.#mayHaveMore ? this.#ask() : undefined;
    return this.#entries.length > 0;
  }

  close(): void {
    this.#mayHaveMore = false;
  }

  #ask(): Promise<readonly StreamEntry[]> {
    const asked = this.#readAfter(idOf(this.#entries.at(-1)!), pageEntries);
    // Whoever awaits it hears of the failure; after a close nobody does.
    asked.catch(() => undefined);
    return asked;
  }
}

/**
 * What follows an entry that was given before. Where that is gone, so may others be that came after it.
 *
 * @param entries those from `id` on
 * @throws HistoryError
 */
function withoutFirst(id: string, entries: readonly StreamEntry[]): readonly StreamEntry[] {
  if (entries[0] === undefined || idOf(entries[0]) !== id)
    throw new HistoryError('cursor_expired', 'the ticks at the cursor are no longer in Redis');
  return entries.slice(1);
}

function idOf([id]: StreamEntry): string {
  return id.toString('latin1');
}

const tickName = Buffer.from('tick');

function lineOf([, fields]: StreamEntry): Buffer | undefined {
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]!;
    // Most names are told apart by their length, at less than the price of a call.
    if (name.length === tickName.length && name[0] === tickName[0] && tickName.equals(name))
      return fields[i + 1];
  }
  return undefined;
}

function timeOfFirst([entry]: readonly StreamEntry[]): number | null {
  const line = entry === undefined ? undefined : lineOf(entry);
  const row = new LineRow();
  return line !== undefined && row.read(line) ? row.timeMs : null;
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
}
