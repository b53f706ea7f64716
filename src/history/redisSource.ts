import {
  HistoryError,
  overscanMs,
  type HistoryRange,
  type HistoryReading,
  type HistorySource,
} from './historySource.js';
import { LineRow } from './storedRow.js';
import { StreamPage } from './streamPage.js';
import { errorText } from '../base/errorText.js';

/** Entries of one reading: some 0.4 ms of Redis' time. */
const pageEntries = 512;

/** Reads entries of a stream into a page: XRANGE key start end COUNT count. */
export type ReadStream = (
  key: string,
  start: string,
  end: string,
  count: number,
  page: StreamPage,
) => Promise<void>;

/** Ticks of the streams in Redis. A position is an entry's id. */
export class RedisHistorySource implements HistorySource {
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
    const read = (from: string, to: string, count: number, page: StreamPage): Promise<void> =>
      this.#read(stream, from, to, count, page).catch((error: unknown) => {
        throw new HistoryError('history_unavailable', `Redis: ${reasonOf(error)}`);
      });
    const readAfter: ReadAfter = async (id, page) => {
      await read(id, end, pageEntries + 1, page);
      if (page.count === 0 || page.idOf(0) !== id)
        throw new HistoryError('cursor_expired', 'the ticks at the cursor are no longer in Redis');
    };
    const oldest = new StreamPage(1);
    const first = new StreamPage(pageEntries + 1);
    await Promise.all([
      read('-', '+', 1, oldest),
      after === undefined ? read(`${fromMs - overscanMs}`, end, pageEntries, first) : readAfter(after, first),
    ]);
    return new StreamReading(readAfter, first, after === undefined ? 0 : 1, timeOfFirst(oldest));
  }
}

/**
 * Reads an entry that was given before, to be skipped, and those that follow it. Where it is gone, so may others be that
 * came after it.
 *
 * @throws HistoryError
 */
type ReadAfter = (id: string, page: StreamPage) => Promise<void>;

class StreamReading implements HistoryReading {
  readonly row = new LineRow();
  readonly completeFromMs: number | null;
  readonly #readAfter: ReadAfter;
  #page: StreamPage;
  /** Filled while the entries of the other one are given. */
  #nextPage = new StreamPage(pageEntries + 1);
  #next: number;
  /** Another reading may find more. */
  #mayHaveMore: boolean;
  #coming: Promise<void> | undefined;

  /** @param next the page's first entry to be given */
  constructor(readAfter: ReadAfter, page: StreamPage, next: number, completeFromMs: number | null) {
    this.#readAfter = readAfter;
    this.#page = page;
    this.#next = next;
    this.#mayHaveMore = page.count - next === pageEntries;
    this.completeFromMs = completeFromMs;
  }

  get position(): string {
    return this.#page.idOf(this.#next - 1);
  }

  next(): boolean {
    const page = this.#page;
    while (this.#next < page.count) {
      const entry = this.#next++;
      const end = page.tickEnd(entry);
      // What is no tick was not written by a gateway.
      if (end > 0 && this.row.read(page.bytes, page.tickBegin(entry), end)) return true;
    }
    return false;
  }

  async more(): Promise<boolean> {
    if (!this.#mayHaveMore) return false;
    await (this.#coming ?? this.#ask());
    [this.#page, this.#nextPage] = [this.#nextPage, this.#page];
    this.#next = 1;
    this.#mayHaveMore = this.#page.count > pageEntries;
    this.#coming = this.#mayHaveMore ? this.#ask() : undefined;
    return this.#page.count > 1;
  }

  close(): void {
    this.#mayHaveMore = false;
  }

  #ask(): Promise<void> {
    const asked = this.#readAfter(this.#page.idOf(this.#page.count - 1), this.#nextPage);
    // Anyone who awaits it learns of the failure; after a close nobody does.
    asked.catch(() => undefined);
    return asked;
  }
}

function timeOfFirst(oldest: StreamPage): number | null {
  if (oldest.count === 0 || oldest.tickEnd(0) === 0) return null;
  const row = new LineRow();
  return row.read(oldest.bytes, oldest.tickBegin(0), oldest.tickEnd(0)) ? row.timeMs : null;
}

function reasonOf(error: unknown): string {
  return errorText(error).split('\n')[0]!;
}
