import { expect, it } from 'vitest';
import { longestPiece, tickWriter } from '../../src/history/tickWriter.js';
import { HistoryRow } from '../../src/history/row.js';

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
