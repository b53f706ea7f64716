import { describe, expect, it } from 'vitest';
import { HistoryRow } from '../../src/history/storedRow.js';
import { packedNumbers, packRow, RowUnpacker } from '../../src/history/rowPacking.js';
import { ExchangeClock } from '../../src/market/quotes/exchangeClock.js';
import { readHolidays, calendarOf } from '../../src/market/calendar/holidayCalendar.js';
import { InstrumentDirectory } from '../../src/market/instruments/instrumentDirectory.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import { QuoteBook } from '../../src/market/quotes/quoteBook.js';
import { fieldCount } from '../../src/market/quotes/quoteFields.js';
import { SessionStates } from '../../src/market/hours/sessionStates.js';
import { namesOfFlags } from '../../src/market/quotes/tickFlags.js';
import { AcceptedTicks } from '../../src/recorder/acceptedTicks.js';
import { BlockBuilder, sealBlock } from '../../src/recorder/blockCodec.js';
import { RecordableTick } from '../../src/recorder/recordableTick.js';
import { RecordedTicks, wholeRange, type TickRange } from '../../src/recorder/recordedTicks.js';
import { RecordingReader } from '../../src/recorder/recordingReader.js';
import { RecordingWriter } from '../../src/recorder/recordingWriter.js';
import { doubleWord } from '../../src/ring/tickRecord.js';
import { allocateTape, TapeReader, TapeWriter } from '../../src/tape/tape.js';
import { decodeTick, encodeTick } from '../../src/tickText/tickCodec.js';
import { makeTick, type TickFields } from '../market/ticks.js';
import { recordingFolder } from './recordings.js';

// Clients, recorder, Redis and the history window show the same of packets that lack fields, or are from outside sessions.

const holidays = readHolidays();
const products = loadProducts();
const directory = new InstrumentDirectory({
  products,
  maxInstruments: 100,
  now: () => shanghai('2026-11-30 12:00:00'),
});

function shanghai(text: string): number {
  return Date.parse(`${text.replace(' ', 'T')}+08:00`);
}

const zeros = Object.fromEntries(Object.keys(doubleWord).map((name) => [name, 0]));

/** A packet of an instrument, received 123 ms after its time. */
function packet(id: string, at: string, day: number, fields: TickFields): TickFields & { id: string } {
  const [hours, minutes, seconds] = at.slice(11).split(':').map(Number) as [number, number, number];
  return {
    id,
    receivedAt: shanghai(at) + 123,
    actionDay: Number(at.slice(0, 10).replaceAll('-', '')),
    tradingDay: day,
    updateTime: hours * 3600 + minutes * 60 + seconds,
    ...fields,
  };
}

const whole = (volume: number, price: number, multiplier: number): TickFields => ({
  volume,
  lastPrice: price,
  doubles: {
    openPrice: price - 3,
    highestPrice: price + 2.2,
    lowestPrice: price - 7,
    turnover: volume * (price - 1.3) * multiplier,
    averagePrice: (price - 1.3) * (multiplier === 10 ? 10 : 1),
    upperLimitPrice: price * 1.1,
    lowerLimitPrice: price * 0.9,
    preSettlementPrice: price - 5.1,
    preOpenInterest: 77,
  },
});
const quotesAlone = (bid: number): TickFields => ({
  volume: 0,
  lastPrice: 0,
  doubles: { ...zeros, bidPrice1: bid, askPrice1: bid + 1 },
});

/** In the order in which they come. */
const packets = [
  // Before anything whole: a test on Saturday, which is shown and not kept, and quotes alone.
  packet('cu2701', '2026-11-28 10:00:00', 20261130, whole(9, 70_000, 5)),
  packet('rb2701', '2026-11-27 21:00:00', 20261130, quotesAlone(3390)),
  packet('rb2701', '2026-11-27 21:00:01', 20261130, quotesAlone(3391)),
  packet('rb2701', '2026-11-27 21:00:02', 20261130, whole(300, 3407.7, 10)),
  packet('rb2701', '2026-11-27 21:00:03', 0, quotesAlone(3401)),
  packet('rb2701', '2026-11-27 21:00:04', 20261130, {
    ...whole(310, 3408, 10),
    doubles: { ...zeros, bidPrice1: 3400 },
  }),
  // CZCE, whose average and turnover have rules of their own.
  packet('SR701', '2026-11-27 21:00:03', 20261127, {
    ...whole(5, 6300, 1),
    doubles: { ...whole(5, 6300, 1).doubles, turnover: 5 * 6298.7 },
  }),
  packet('SR701', '2026-11-27 21:00:04', 20261127, quotesAlone(6299)),
  // A line that lacks fields is ahead of one that has them.
  packet('rb2701', '2026-11-30 09:00:02', 20261130, { ...quotesAlone(3404), source: 1 }),
  packet('rb2701', '2026-11-30 09:00:01', 20261130, { ...whole(340, 3409, 10), source: 2 }),
  packet('SP m2701&m2705', '2026-11-30 09:00:01', 20261130, { ...whole(3, -12, 10), lastPrice: -12 }),
  packet('SP m2701&m2705', '2026-11-30 09:00:02', 20261130, quotesAlone(-1)),
  packet('rb2701', '2026-11-30 12:00:00', 20261130, whole(9999, 9999, 10)),
  packet('rb2701', '2026-11-30 15:30:00', 20261130, {
    ...whole(340, 3409, 10),
    doubles: { closePrice: 3409 },
  }),
  packet('rb2701', '2026-11-30 17:30:00', 20261130, {
    ...quotesAlone(1),
    doubles: { ...zeros, settlementPrice: 3405.3, bidPrice1: 1 },
  }),
  packet('rb2701', '2026-11-30 17:31:00', 20261130, {
    volume: 340,
    lastPrice: 3409,
    doubles: { ...zeros, lastPrice: 3409, settlementPrice: 3405.3 },
  }),
  packet('rb2701', '2026-11-30 21:00:01', 0, quotesAlone(3410)),
];

interface Seen {
  readonly key: string;
  readonly row: Float64Array;
  readonly flags: number;
  readonly receiveMs: number;
}

const shown = ({ key, row, flags, receiveMs }: Seen): unknown => [
  key,
  [...row],
  namesOfFlags(flags),
  receiveMs,
];

/** What clients are sent, and a tape of what of it is kept. */
function live(): {
  readonly seen: readonly Seen[];
  readonly kept: readonly Seen[];
  readonly tape: SharedArrayBuffer;
} {
  const calendar = calendarOf(holidays);
  const book = new QuoteBook(directory, new ExchangeClock(calendar), new SessionStates('exchange', calendar));
  const tape = allocateTape(64, fieldCount);
  const keyOf = (slot: number): string => directory.bySlot(slot).key;
  const writer = new TapeWriter(tape, book, keyOf);
  const seen: Seen[] = [];
  const kept: Seen[] = [];
  for (const { id, ...fields } of packets) {
    const { slot } = directory.resolve(id)!;
    const tick = makeTick({ slot, ...fields });
    if (!book.apply(tick)) continue;
    const row = new Float64Array(fieldCount);
    book.copyRow(slot, row, 0);
    const state = { key: keyOf(slot), row, flags: book.flags(slot), receiveMs: tick.receiveTimeMs };
    seen.push(state);
    // As the gateway does.
    if (book.isProvisional(slot)) continue;
    kept.push(state);
    writer.append(tick);
  }
  return { seen, kept, tape };
}

function recordingOf(tape: SharedArrayBuffer): string {
  const writer = new RecordingWriter(recordingFolder(), 20261130);
  const block = new BlockBuilder(64);
  const recordable = new RecordableTick();
  const reader = new TapeReader(tape);
  while (reader.next()) block.add(recordable.of(reader.record).i32, reader.record.key, reader.record.flags);
  writer.append(sealBlock(block.finish(), writer.fileId, 0));
  writer.sync();
  writer.close();
  return writer.path;
}

function readBack(path: string, range: TickRange): Seen[] {
  const reader = new RecordingReader(path);
  const recorded = new RecordedTicks([reader], range, (error) => expect(error.message).toBe(''));
  const market = { products, importedInstruments: [], tradingHours: 'exchange', holidays } as const;
  const ticks = new AcceptedTicks(recorded, { market, patterns: [], warn: () => undefined });
  const rows: Seen[] = [];
  while (ticks.next() === true) {
    const { values, flags, receiveMs } = ticks.row;
    rows.push({ key: ticks.key, row: values.slice(), flags, receiveMs });
  }
  reader.close();
  return rows;
}

describe('what is kept of packets that lack fields, and of those from outside sessions', () => {
  it('is what clients were sent, but for what has no session', () => {
    const { seen, kept } = live();
    expect(seen).toHaveLength(kept.length + 1);
    expect(seen.filter((each) => !kept.includes(each)).map(({ key }) => key)).toEqual(['SHFE.cu2701']);
    const flags = kept.map((each) => namesOfFlags(each.flags));
    expect(flags.filter((each) => each.includes('partial')).length).toBeGreaterThan(8);
    expect(flags.filter((each) => each.includes('off_session'))).toHaveLength(1);
  });

  it('a recording gives every bit of it back, from any tick on', () => {
    const { kept, tape } = live();
    const path = recordingOf(tape);
    expect(readBack(path, wholeRange).map(shown)).toEqual(kept.map(shown));
    for (const first of kept) {
      const fromNs = BigInt(Math.round(first.receiveMs)) * 1_000_000n;
      const rows = readBack(path, { ...wholeRange, fromNs });
      const rest = kept.filter(({ receiveMs }) => receiveMs >= first.receiveMs);
      expect(rows.map(shown)).toEqual(rest.map(shown));
    }
  });

  it('so do the lines in Redis and the rows of the window', () => {
    const { kept } = live();
    const row = new Float64Array(fieldCount);
    const unpacked = new HistoryRow();
    const bytes = new Uint8Array(1000);
    for (const each of kept) {
      const head = decodeTick(encodeTick(each.flags, each.receiveMs, each.row), row)!;
      expect(shown({ key: each.key, row, ...head, receiveMs: head.receivedMs })).toEqual(shown(each));
      const end = packRow(
        each.row,
        each.flags,
        each.receiveMs,
        new Float64Array(packedNumbers).fill(NaN),
        0,
        bytes,
        0,
      );
      const unpacker = new RowUnpacker();
      unpacker.open(bytes.subarray(0, end));
      unpacker.next(unpacked);
      const { values, flags, receiveMs } = unpacked;
      expect(shown({ key: each.key, row: values, flags, receiveMs })).toEqual(shown(each));
    }
  });
});
