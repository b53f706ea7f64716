import { MessageChannel } from 'node:worker_threads';
import { Field, fieldCount } from '../market/quotes/quoteFields.js';
import { argumentBytes } from '../redis/commandBytes.js';
import { encodeTick } from '../tickText/tickCodec.js';
import { answerQuery } from './answerQuery.js';
import { ChunkSender, type HistoryMessage } from './chunkSender.js';
import { defaultColumns } from './columns.js';
import type { HistorySource } from './historySource.js';
import { CpuThrottle } from './cpuThrottle.js';
import { RedisHistorySource } from './redisSource.js';
import type { SourceSettings } from './sources.js';
import { allocateWindow, WindowWriter } from './tickWindow.js';
import { WindowSource } from './windowSource.js';

/** V8 has compiled the most of it by then. */
const ticks = 20_000;
const windowBytes = 4 * 1_048_576;
/** 09:00:00 Shanghai on Monday, 5 January 2026. */
const firstTimeMs = Date.UTC(2026, 0, 5, 1);
const stepMs = 500;
const key = 'SHFE.rb2605';

/**
 * Answers queries for ticks that are made up, so that V8 has compiled what answers take when there is a real one: in the midst
 * of the day that takes a second of several threads, at the cost of those that ticks go through.
 *
 * @returns ticks that each query was given
 */
export async function warmUp(kind: SourceSettings['kind']): Promise<number[]> {
  const answered: number[] = [];
  const source = kind === 'redis' ? madeUpStream() : madeUpWindow();
  for (const format of ['csv', 'json'] as const) {
    const { port1, port2 } = new MessageChannel();
    port2.on('message', (message: HistoryMessage) => {
      if (message.type === 'chunk') port2.postMessage(message.memory, [message.memory]);
    });
    const query = {
      ...{ key, fromMs: firstTimeMs, toMs: Infinity, limit: ticks, after: undefined },
      ...{ format, columns: defaultColumns },
    };
    answered.push(await answerQuery(query, source, new ChunkSender(port1), new CpuThrottle(undefined)));
    port1.close();
  }
  return answered;
}

/** Fills the row of one tick after another; the time of it. */
function fill(row: Float64Array, index: number): number {
  const timeMs = firstTimeMs + index * stepMs;
  const price = 3500 + ((index * 7) % 23) / 5;
  row[Field.timestamp] = timeMs;
  row[Field.tradingDay] = 20260105;
  row[Field.lastPrice] = price;
  row[Field.volume] = index;
  row[Field.turnover] = 35_000_000 + index * 30_000;
  row[Field.average] = 3500 + index / 997;
  row[Field.bidPrice1] = price - 0.2;
  row[Field.bidVolume1] = (index * 31) % 300;
  row[Field.askPrice1] = price + 0.2;
  row[Field.askVolume1] = (index * 37) % 300;
  return timeMs;
}

/** Gives what Redis answers. */
function madeUpStream(): HistorySource {
  const row = new Float64Array(fieldCount).fill(NaN);
  return new RedisHistorySource(
    (_stream, start, _end, count, page) => {
      const from = /^\d+-0$/.test(start) ? (parseInt(start) - firstTimeMs) / stepMs : 0;
      const entries = Array.from({ length: count }, (_, index) => {
        const timeMs = fill(row, from + index);
        return Buffer.concat([
          Buffer.from('*2\r\n'),
          argumentBytes(`${timeMs}-0`),
          Buffer.from('*2\r\n'),
          argumentBytes('tick'),
          argumentBytes(encodeTick(0, timeMs + 3.125, row)),
        ]);
      });
      page.clear();
      page.take(Buffer.concat([Buffer.from(`*${count}\r\n`), ...entries]));
      return Promise.resolve();
    },
    (name) => name,
  );
}

function madeUpWindow(): HistorySource {
  const row = new Float64Array(fieldCount).fill(NaN);
  const memory = allocateWindow(windowBytes, 0);
  const writer = new WindowWriter(memory);
  for (let index = 0; index < ticks; index++) {
    const timeMs = fill(row, index);
    writer.append(0, key, row, 0, timeMs + 3.125, timeMs);
  }
  return new WindowSource(memory);
}
