import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HistoryRow } from '../../src/history/storedRow.js';
import { longestPackedRow, packedNumbers, packRow, RowUnpacker } from '../../src/history/rowPacking.js';
import { Field, fieldCount } from '../../src/market/quotes/quoteFields.js';

interface Given {
  values: number[];
  flags: number;
  receiveUs: number;
}

const value = fc.oneof(
  fc.constantFrom(NaN, 0, 1, -1, 0.2, 3500, 3500.5, 1e300, -1e300, 5e-324, 2 ** 53, 1 / 3),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((each) => each + 0),
  fc.integer().map((each) => each / 10_000),
  fc.integer({ min: -1e15, max: 1e15 }),
);
const row: fc.Arbitrary<Given> = fc.record({
  values: fc.array(value, { minLength: fieldCount, maxLength: fieldCount }),
  flags: fc.integer({ min: 0, max: 0x7fffffff }),
  receiveUs: fc.integer({ min: 1e15, max: 4e15 }),
});

function pack(rows: Given[]): Buffer {
  const into = Buffer.alloc(rows.length * longestPackedRow, 0xff);
  const before = new Float64Array(packedNumbers).fill(NaN);
  let end = 0;
  for (const { values, flags, receiveUs } of rows) {
    const begin = end;
    end = packRow(Float64Array.from(values), flags, receiveUs / 1000, before, 0, into, end);
    expect(end - begin).toBeLessThanOrEqual(longestPackedRow);
  }
  return into.subarray(0, end);
}

function unpack(packed: Buffer): Given[] {
  const unpacker = new RowUnpacker();
  const into = new HistoryRow();
  const rows: Given[] = [];
  unpacker.open(packed);
  while (unpacker.pending) {
    unpacker.next(into);
    rows.push({
      values: [...into.values],
      flags: into.flags,
      receiveUs: Math.round(into.receiveMs * 1000),
    });
  }
  return rows;
}

it('packs any rows and gives the very same ones back', () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 20 }), (rows) => {
      expect(unpack(pack(rows))).toEqual(rows);
    }),
    { numRuns: 300 },
  );
});

it('takes some sixty bytes for an ordinary tick with five levels', () => {
  const rows: Given[] = [];
  for (let i = 0; i < 1000; i++) {
    const values = new Array<number>(fieldCount).fill(NaN);
    const price = 3500 + ((i * 7) % 13);
    values[Field.timestamp] = 1767576600000 + i * 500;
    values[Field.tradingDay] = 20260105;
    values[Field.lastPrice] = price;
    values[Field.volume] = 1000 + i * 3;
    values[Field.turnover] = 35_000_000 + i * price * 30;
    values[Field.openInterest] = 500_000 + (i % 5);
    values[Field.average] = 3500 + i / 997;
    for (let level = 0; level < 5; level++) {
      values[Field.bidPrice1 + level] = price - 1 - level;
      values[Field.askPrice1 + level] = price + 1 + level;
      values[Field.bidVolume1 + level] = (i * 31 + level * 17) % 300;
      values[Field.askVolume1 + level] = (i * 37 + level * 19) % 300;
    }
    rows.push({ values, flags: 0, receiveUs: 1767576600000000 + i * 500_123 });
  }
  expect(pack(rows).length / rows.length).toBeLessThan(75);
});
