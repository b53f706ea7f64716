import fc from 'fast-check';
import { expect, it } from 'vitest';
import { longestPiece, tickWriter } from '../../src/history/tickWriter.js';
import { columnNames, defaultColumns } from '../../src/history/columns.js';
import { HistoryRow, LineRow } from '../../src/history/storedRow.js';
import { Field, fieldCount } from '../../src/market/quotes/quoteFields.js';
import { encodeTick } from '../../src/tickText/tickCodec.js';
import { flagsOfTick, lineOf, receiveMsOfTick, timeOfTick, valuesOfTick } from './storedTicks.js';

it('writes a time of receipt with the three decimals that it has, whatever they are', () => {
  const writer = tickWriter('csv', 'SHFE.rb2605', ['receive_time']);
  const into = new Uint8Array(longestPiece);
  const row = new HistoryRow();
  const wholeMs = 1_795_399_868_348;
  for (let micro = 0; micro < 1000; micro++) {
    row.receiveMs = (wholeMs * 1000 + micro) / 1000;
    const text = Buffer.from(into.subarray(0, writer.row(into, 0, row, true))).toString();
    expect(Number(text.trim())).toBe(row.receiveMs);
    expect(text.trim()).toMatch(/^\d{13}(\.\d{1,3})?$/);
  }
});

it.each(['json', 'ndjson', 'csv'] as const)('writes the same %s of stored digits as of numbers', (format) => {
  const writer = tickWriter(format, 'SHFE.rb2605', [...defaultColumns, 'update_time', 'update_millisec']);
  const textOf = (row: HistoryRow | LineRow): string => {
    const into = new Uint8Array(longestPiece);
    return Buffer.from(into.subarray(0, writer.row(into, 0, row, false))).toString();
  };
  const [numbers, digits] = [new HistoryRow(), new LineRow()];
  for (let index = 0; index < 300; index++) {
    numbers.values.set(valuesOfTick(index));
    // Forms of their own: an exponent, a zero in front, a minus, and nothing that JSON knows.
    numbers.values.set([1.5e-7, 2e22, -0.2, Infinity], Field.openPrice);
    numbers.flags = flagsOfTick(index);
    numbers.receiveMs = receiveMsOfTick(index);
    expect(digits.read(Buffer.from(encodeTick(numbers.flags, numbers.receiveMs, numbers.values)))).toBe(true);
    expect(textOf(digits)).toBe(textOf(numbers));
  }
});

it('writes what JSON takes of lines that no gateway has written, and keeps to what a line is', () => {
  const writer = tickWriter('ndjson', 'SHFE.rb2605', [
    'datetime',
    'last_price',
    'open_price',
    'volume',
    'trading_day',
  ]);
  const row = new LineRow();
  const into = new Uint8Array(longestPiece);
  expect(row.read(Buffer.from('0,1,007,-Infinity,-00.50'))).toBe(true);
  const text = Buffer.from(into.subarray(0, writer.row(into, 0, row, true))).toString();
  expect(JSON.parse(text)).toEqual({
    datetime: null,
    last_price: 7,
    open_price: null,
    volume: null,
    trading_day: null,
  });
  expect(row.read(Buffer.from(`${lineOf(0)}${',1'.repeat(fieldCount)}`))).toBe(false);
  expect(row.read(Buffer.from(lineOf(0)))).toBe(true);
});

/** Of many lengths, some absent, some that JSON does not have. */
const anyValue = fc.oneof(
  fc.constant(NaN),
  fc.constantFrom(0, -1, 7, 3500, 3500.2, 123_456.7891, 1e15, 1.5e-7, Infinity),
  fc.integer(),
  fc.double(),
);
const anyTime = fc.constantFrom(
  NaN,
  0,
  timeOfTick(0),
  timeOfTick(1),
  timeOfTick(200_000),
  timeOfTick(0) + 0.5,
);
const anyRow = fc.record({
  values: fc.array(anyValue, { minLength: fieldCount, maxLength: fieldCount }),
  time: anyTime,
  received: anyTime.map((ms) => ms + 0.125),
  flags: fc.nat({ max: 15 }),
  asDigits: fc.boolean(),
  /** In memory other than that of the row before. */
  elsewhere: fc.boolean(),
});

it('writes a row as if there had been none before it, whatever there was', () => {
  const names = fc.oneof(fc.constant([...columnNames]), fc.subarray([...columnNames], { minLength: 1 }));
  fc.assert(
    fc.property(
      fc.constantFrom('json', 'ndjson', 'csv'),
      names,
      fc.array(anyRow, { minLength: 2, maxLength: 12 }),
      (format, columns, rows) => {
        const writer = tickWriter(format, 'SHFE.rb2605', columns);
        let into = new Uint8Array(16 * longestPiece).fill(0x21);
        let at = 0;
        for (const { values, time, received, flags, asDigits, elsewhere } of rows) {
          const numbers = new HistoryRow();
          numbers.values.set(values);
          numbers.values[Field.timestamp] = time;
          numbers.flags = flags;
          numbers.receiveMs = received;
          const digits = new LineRow();
          const line = encodeTick(flags, received, numbers.values);
          const row = asDigits && digits.read(Buffer.from(line)) ? digits : numbers;
          if (elsewhere) {
            into = new Uint8Array(16 * longestPiece);
            at = 0;
          }
          const end = writer.row(into, at, row, false);
          const alone = new Uint8Array(longestPiece);
          const length = tickWriter(format, 'SHFE.rb2605', columns).row(alone, 0, row, false);
          expect(Buffer.from(into.subarray(at, end)).toString()).toBe(
            Buffer.from(alone.subarray(0, length)).toString(),
          );
          at = end;
        }
      },
    ),
    { numRuns: 300 },
  );
});
