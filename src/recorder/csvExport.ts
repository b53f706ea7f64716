import { writeSync } from 'node:fs';
import { longestPiece, tickWriter, type TickWriter } from '../history/tickWriter.js';
import type { HistoryRow } from '../history/storedRow.js';
import { exportColumns } from './exportColumns.js';
import type { RowWriter } from './rowWriter.js';

const bufferBytes = 1 << 20;
const names = exportColumns.map(({ name }) => name);

/** Writes rows as CSV with a line of names, as /api/history/ticks does. */
export class CsvExport implements RowWriter {
  readonly #descriptor: number;
  readonly #buffer = Buffer.alloc(bufferBytes);
  readonly #writers = new Map<string, TickWriter>();
  #length = 0;

  /** @param descriptor is open for writing; anyone who opened it closes it */
  constructor(descriptor: number) {
    this.#descriptor = descriptor;
    this.#length = this.#buffer.write(`${names.join(',')}\n`, 'latin1');
  }

  add(key: string, row: HistoryRow): void {
    let writer = this.#writers.get(key);
    if (writer === undefined) this.#writers.set(key, (writer = tickWriter('csv', key, names)));
    if (this.#length + longestPiece > bufferBytes) this.#flush();
    this.#length = writer.row(this.#buffer, this.#length, row, false);
  }

  finish(): void {
    this.#flush();
  }

  #flush(): void {
    for (let at = 0; at < this.#length;)
      at += writeSync(this.#descriptor, this.#buffer, at, this.#length - at);
    this.#length = 0;
  }
}
