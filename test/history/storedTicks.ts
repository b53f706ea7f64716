import type { Redis } from 'ioredis';
import type { StoredRow } from '../../src/history/storedRow.js';
import { WindowWriter } from '../../src/history/tickWindow.js';
import { Field, fieldCount } from '../../src/market/quotes/quoteFields.js';
import { encodeTick } from '../../src/tickText/tickCodec.js';

/** 09:00:00 Shanghai on Monday, 5 January 2026. */
export const firstTimeMs = Date.UTC(2026, 0, 5, 1);
/** ms between two ticks of an instrument. */
export const stepMs = 500;

export function timeOfTick(index: number): number {
  return firstTimeMs + index * stepMs;
}

/** The values of a tick that follow from its index, with some that are absent. */
export function valuesOfTick(index: number): Float64Array {
  const values = new Float64Array(fieldCount).fill(NaN);
  const price = 3500 + ((index * 7) % 13) / 5;
  values[Field.timestamp] = timeOfTick(index);
  values[Field.tradingDay] = 20260105;
  values[Field.lastPrice] = price;
  values[Field.volume] = index;
  values[Field.turnover] = 35_000_000 + index * 30_000;
  values[Field.openInterest] = 500_000 + (index % 5);
  values[Field.average] = 3500 + index / 997;
  values[Field.bidPrice1] = price - 0.2;
  values[Field.bidVolume1] = (index * 31) % 300;
  values[Field.askPrice1] = price + 0.2;
  values[Field.askVolume1] = (index * 37) % 300;
  return values;
}

export function flagsOfTick(index: number): number {
  return index % 10 === 0 ? 6 : 0;
}

export function receiveMsOfTick(index: number): number {
  return timeOfTick(index) + 3.125;
}

/** Appends ticks of one instrument to a window: those with the indices from `begin` to before `end`. */
export function fillWindow(
  memory: SharedArrayBuffer,
  slot: number,
  key: string,
  begin: number,
  end: number,
): WindowWriter {
  const writer = new WindowWriter(memory);
  for (let index = begin; index < end; index++) appendTick(writer, slot, key, index);
  return writer;
}

export function appendTick(writer: WindowWriter, slot: number, key: string, index: number): void {
  writer.append(
    slot,
    key,
    valuesOfTick(index),
    flagsOfTick(index),
    receiveMsOfTick(index),
    timeOfTick(index),
  );
}

/** The index of the tick that a row holds; throws unless the row is that tick in every value. */
export function indexOfRow(row: StoredRow): number {
  const index = numberIn((into) => row.putValue(into, 0, Field.volume));
  const expected = valuesOfTick(index);
  for (let field = 0; field < fieldCount; field++) {
    const value = numberIn((into) => row.putValue(into, 0, field));
    if (!Object.is(value, expected[field]))
      throw new Error(`tick ${index} has ${value} in field ${field}, not ${expected[field]!}`);
  }
  const receivedMs = numberIn((into) => row.putReceived(into, 0));
  if (row.flags !== flagsOfTick(index) || receivedMs !== receiveMsOfTick(index))
    throw new Error(`tick ${index} has flags ${row.flags}, received at ${receivedMs}`);
  return index;
}

const written = Buffer.alloc(100);

/** The number that is written at the begin of some memory; NaN where nothing is. */
function numberIn(put: (into: Uint8Array) => number): number {
  const end = put(written);
  return end === 0 ? NaN : Number(written.toString('latin1', 0, end));
}

/** A tick as the default columns of the json and ndjson formats give it. */
export function tickAsJson(index: number): Record<string, unknown> {
  const values = valuesOfTick(index);
  const time = new Date(timeOfTick(index) + 8 * 3_600_000).toISOString();
  return {
    datetime: `${time.slice(0, 10)} ${time.slice(11, 23)}`,
    timestamp: timeOfTick(index),
    trading_day: '20260105',
    last_price: values[Field.lastPrice],
    open_price: null,
    highest_price: null,
    lowest_price: null,
    close_price: null,
    upper_limit_price: null,
    lower_limit_price: null,
    turnover: values[Field.turnover],
    volume: index,
    open_interest: values[Field.openInterest],
    average: values[Field.average],
    settlement: null,
    pre_settlement: null,
    pre_close: null,
    pre_open_interest: null,
    bid_price1: values[Field.bidPrice1],
    bid_volume1: values[Field.bidVolume1],
    ask_price1: values[Field.askPrice1],
    ask_volume1: values[Field.askVolume1],
    flags: flagsOfTick(index) === 0 ? [] : ['stale', 'off_session'],
    receive_time: receiveMsOfTick(index),
  };
}

/** A tick as it lies in Redis. */
export function lineOf(index: number): string {
  return encodeTick(flagsOfTick(index), receiveMsOfTick(index), valuesOfTick(index));
}

/** Stores ticks that differ in their time alone. ARGV: first time, step, count, the line before and after its time. */
const storeScript = `
for i = 0, ARGV[3] - 1 do
  local time = string.format('%d', ARGV[1] + i * ARGV[2])
  redis.call('XADD', KEYS[1], time .. '-0', 'time', time, 'tick', ARGV[4] .. time .. ARGV[5])
end`;
/** Redis does nothing else meanwhile. */
const storedAtOnce = 50_000;

/** Fills a stream with copies of the first tick that differ in their time alone. */
export async function storeMany(client: Redis, stream: string, count: number): Promise<void> {
  const [before, after] = lineOf(0).split(`${timeOfTick(0)}`);
  for (let index = 0; index < count; index += storedAtOnce) {
    const some = Math.min(storedAtOnce, count - index);
    await client.eval(storeScript, 1, stream, timeOfTick(index), stepMs, some, before!, after!);
  }
}
