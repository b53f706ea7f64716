import { BlockBuilder, sealBlock } from '../../src/recorder/blockCodec.js';
import { RecordingWriter } from '../../src/recorder/recordingWriter.js';
import { listInstruments } from '../../src/market/instruments/optionContracts.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import { dayToUtcMs, utcMsToDay, WeekdayCalendar } from '../../src/market/calendar/tradingCalendar.js';
import { intWord, TickRecord, tickRecordBytes } from '../../src/ring/tickRecord.js';
import { TickFeed } from '../../src/simulator/tickFeed.js';
import { tickField } from '../../src/simulator/tickFrame.js';
import { headerBytes } from '../../src/simulator/wire.js';

const recordsPerBlock = 8192;
const stepMs = 100;
/** 10:00 in Shanghai. */
const beginMs = 2 * 3_600_000;
const nsPerMs = 1_000_000n;
/** A record from its last price to its volumes is the frame from its body's begin on. */
const sameFromWord = 6;

export interface MadeRecording {
  readonly path: string;
  /** EXCHANGE.id of each. */
  readonly keys: readonly string[];
  readonly bytes: number;
  /** Ticks by key. */
  readonly counts: ReadonlyMap<string, number>;
}

/**
 * Records a market of the simulated exchange's: so many ticks of so many instruments, `rate` a second each, from 10:00 of
 * the last weekday before today on.
 */
export function makeRecording(
  folder: string,
  options: { readonly ticks: number; readonly instruments: number; readonly rate: number },
): MadeRecording {
  const calendar = new WeekdayCalendar();
  const day = calendar.previous(utcMsToDay(Date.now()));
  const startMs = dayToUtcMs(day) + beginMs;
  const contracts = listInstruments(loadProducts(), new Date(startMs), calendar, options.instruments);
  const keys = contracts.map(({ exchange, id }) => `${exchange}.${id}`);
  const feed = new TickFeed({ seed: 1, rate: options.rate, levels: 5 });
  const byIndex: string[] = [];
  contracts.forEach(({ id }, at) => {
    const index = feed.add(id);
    byIndex[index] = keys[at]!;
    feed.setActive(index, true, startMs);
  });
  const writer = new RecordingWriter(folder, day);
  const builder = new BlockBuilder(recordsPerBlock);
  const record = new TickRecord();
  const counts = new Map<string, number>();
  let written = 0;
  for (let now = startMs + stepMs; written < options.ticks; now += stepMs) {
    feed.collect(now, (index, frames, start) => {
      if (written >= options.ticks) return;
      written++;
      const key = byIndex[index]!;
      counts.set(key, (counts.get(key) ?? 0) + 1);
      fill(record, frames, start, BigInt(now) * nsPerMs + BigInt(written));
      builder.add(record.i32, key);
      if (builder.full) writer.append(sealBlock(builder.finish(), writer.fileId, 0));
    });
  }
  if (builder.count > 0) writer.append(sealBlock(builder.finish(), writer.fileId, 0));
  writer.close();
  feed.close();
  return { path: writer.path, keys, bytes: writer.length, counts };
}

function fill({ i32 }: TickRecord, frames: Buffer, start: number, receiveNs: bigint): void {
  for (let word = sameFromWord; word < intWord.tradingDay; word++)
    i32[word] = frames.readInt32LE(start + headerBytes + 4 * (word - sameFromWord));
  const text = (at: number): string => frames.toString('latin1', start + at, start + at + 8);
  i32[intWord.length] = tickRecordBytes;
  i32[intWord.tradingDay] = Number(text(tickField.tradingDay));
  i32[intWord.actionDay] = Number(text(tickField.actionDay));
  const [hours, minutes, seconds] = text(tickField.updateTime).split(':').map(Number);
  i32[intWord.updateTime] = hours! * 3600 + minutes! * 60 + seconds!;
  i32[intWord.receiveTimeLow] = Number(BigInt.asIntN(32, receiveNs));
  i32[intWord.receiveTimeHigh] = Number(receiveNs >> 32n);
}
