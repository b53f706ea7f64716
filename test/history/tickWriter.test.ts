import { expect, it } from 'vitest';
import { longestPiece, tickWriter } from '../../src/history/tickWriter.js';
import { defaultColumns } from '../../src/history/columns.js';
import { HistoryRow, LineRow } from '../../src/history/row.js';
import { F, fieldCount } from '../../src/market/quoteFields.js';
import { encodeTick } from '../../src/storage/tickCodec.js';
import { flagsOfTick, lineOf, receiveMsOfTick, valuesOfTick } from './storedTicks.js';

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
    numbers.values.set([1.5e-7, 2e22, -0.2, Infinity], F.openPrice);
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
