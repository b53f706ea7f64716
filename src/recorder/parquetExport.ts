import { writeSync } from 'node:fs';
import { ByteWriter, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer';
import type { HistoryColumn } from '../history/columns.js';
import { toMicroseconds } from '../history/receiveTime.js';
import type { HistoryRow } from '../history/storedRow.js';
import { ClockText } from '../base/shanghaiText.js';
import { Field } from '../market/quotes/quoteFields.js';
import { namesOfFlags } from '../market/quotes/tickFlags.js';
import { exportColumns } from './exportColumns.js';
import type { RowWriter } from './rowWriter.js';

/** Some 50 MB of values in memory. */
const rowGroupRows = 50_000;
const columnType = { number: 'DOUBLE', day: 'INT32', time: 'TIMESTAMP', text: 'STRING' } as const;

/** Readers take the older mark of a timestamp, which the library sets as well, for one without a zone. */
const instant = { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' } as const;

type Kind = keyof typeof columnType;
type Value = number | string | Date | undefined;

function kindOf({ kind, field }: HistoryColumn): Kind {
  if (kind === 'day') return 'day';
  return kind === 'number'
    ? field === Field.timestamp
      ? 'time'
      : 'number'
    : kind === 'receive_time'
      ? 'number'
      : 'text';
}

/** Writes rows as Parquet, a row group at a time, so that memory does not grow with the file. */
export class ParquetExport implements RowWriter {
  readonly #columns = exportColumns.map((column) => ({ column, kind: kindOf(column), data: [] as Value[] }));
  readonly #clock = new ClockText();
  readonly #flags = new Map<number, string>();
  readonly #descriptor: number;
  readonly #bytes = new ByteWriter();
  readonly #writer: ParquetWriter;
  readonly #groupRows: number;
  #rows = 0;

  /**
   * @param descriptor is open for writing; anyone who opened it closes it
   * @param groupRows rows of a row group
   */
  constructor(descriptor: number, groupRows = rowGroupRows) {
    this.#descriptor = descriptor;
    this.#groupRows = groupRows;
    const columnData = this.#columnData();
    const schema = schemaFromColumnData({ columnData }).map((element) =>
      element.converted_type === 'TIMESTAMP_MILLIS' ? { ...element, logical_type: instant } : element,
    );
    this.#writer = new ParquetWriter({ writer: this.#bytes, schema });
  }

  add(key: string, row: HistoryRow): void {
    for (const { column, kind, data } of this.#columns) data.push(this.#valueOf(column, kind, key, row));
    if (++this.#rows === this.#groupRows) this.#writeGroup();
  }

  finish(): void {
    this.#writeGroup();
    void this.#writer.finish();
    this.#flush();
  }

  #columnData() {
    return this.#columns.map(({ column, kind, data }) => ({
      name: column.name,
      data,
      type: columnType[kind],
    }));
  }

  #valueOf({ kind: what, field }: HistoryColumn, kind: Kind, key: string, row: HistoryRow): Value {
    switch (what) {
      case 'instrument_id':
        return key;
      case 'flags':
        return this.#flagsText(row.flags);
      case 'receive_time':
        return toMicroseconds(row.receiveMs);
      case 'number':
      case 'day':
      case 'datetime':
      case 'update_time':
      case 'update_millisec': {
        const value = row.values[field]!;
        if (Number.isNaN(value)) return undefined;
        if (kind === 'time') return new Date(value);
        return kind === 'text' ? this.#clock.dateTime(value).slice(1, -1) : value;
      }
    }
  }

  #flagsText(flags: number): string {
    let text = this.#flags.get(flags);
    if (text === undefined) this.#flags.set(flags, (text = namesOfFlags(flags).join('|')));
    return text;
  }

  #writeGroup(): void {
    if (this.#rows === 0) return;
    // Nothing waits: the bytes go to memory, and from there to the file.
    void this.#writer.write({ columnData: this.#columnData(), rowGroupSize: this.#groupRows });
    for (const { data } of this.#columns) data.length = 0;
    this.#rows = 0;
    this.#flush();
  }

  #flush(): void {
    const bytes = new Uint8Array(this.#bytes.buffer, 0, this.#bytes.index);
    for (let at = 0; at < bytes.length;) at += writeSync(this.#descriptor, bytes, at, bytes.length - at);
    this.#bytes.index = 0;
  }
}
