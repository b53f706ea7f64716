import { setImmediate as nextTurn } from 'node:timers/promises';
import { Cancelled, type ChunkSender } from './chunkSender.js';
import { encodeCursor } from './cursor.js';
import type { HistoryReading, HistorySource } from './historySource.js';
import { HistoryError } from './historySource.js';
import type { CpuThrottle } from './cpuThrottle.js';
import type { HistoryQuery } from './query.js';
import { longestPiece, tickWriter, type PageTail, type TickWriter } from './tickWriter.js';

/** Ticks that are written in one go, some 0.3 ms. */
const ticksPerSlice = 128;

/**
 * Answers a query: reads ticks of the source, leaves those outside of the interval out, and writes the others into
 * chunks. One tick beyond the limit is looked for, so that a cursor is given only where there is another page.
 *
 * @returns ticks that were given
 * @throws HistoryError, before or during the answer; Cancelled when nobody wants it any more
 */
export async function answerQuery(
  query: HistoryQuery,
  source: HistorySource,
  sender: ChunkSender,
  throttle: CpuThrottle,
): Promise<number> {
  const { key, fromMs, toMs, after } = query;
  if (after !== undefined && after.source !== source.name)
    throw new HistoryError(
      'cursor_expired',
      `ticks come from ${source.name} now, the cursor is of ${after.source}`,
    );
  const reading = await source.open({ key, fromMs, toMs, after: after?.position });
  try {
    const { completeFromMs } = reading;
    const writer = tickWriter(query.format, key, query.columns);
    sender.begin({ source: source.name, completeFromMs });
    sender.write((into, at) =>
      writer.head(into, at, { key, fromMs, toMs, source: source.name, completeFromMs }),
    );
    const tail = await writeRows(query, source, reading, writer, sender, throttle);
    if (!sender.hasRoom(longestPiece)) await sender.flush(tail.count);
    sender.write((into, at) => writer.tail(into, at, tail));
    sender.end(tail.count);
    return tail.count;
  } finally {
    reading.close();
  }
}

async function writeRows(
  { key, fromMs, toMs, limit }: HistoryQuery,
  source: HistorySource,
  reading: HistoryReading,
  writer: TickWriter,
  sender: ChunkSender,
  throttle: CpuThrottle,
): Promise<PageTail> {
  const { row } = reading;
  let count = 0;
  let position = '';
  const put = (into: Uint8Array, at: number): number => writer.row(into, at, row, count === 0);
  do {
    while (reading.next()) {
      const time = row.timeMs;
      if (!(time >= fromMs && time < toMs)) continue;
      if (count === limit) {
        const next = encodeCursor(key, { source: source.name, fromMs, toMs, position });
        return { count, next };
      }
      if (!sender.hasRoom(longestPiece)) await sender.flush(count);
      sender.write(put);
      count++;
      if (count % ticksPerSlice === 0) throttle.rest();
      if (count === limit) position = reading.position;
    }
    throttle.rest();
    // Anyone who has cancelled, or asks for something else, is heard.
    await nextTurn();
    if (sender.cancelled) throw new Cancelled();
  } while (await reading.more());
  return { count, next: null };
}
