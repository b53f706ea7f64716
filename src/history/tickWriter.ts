import { asciiBytes, putBytes, putNumberAlone, putText } from '../base/jsonBytes.js';
import { namesOfFlags } from '../market/quotes/tickFlags.js';
import { ClockBytes } from './clockBytes.js';
import { columns, type HistoryColumn, type ColumnKind } from './columns.js';
import type { HistoryFormat } from './query.js';
import type { StoredRow } from './storedRow.js';

/** No row, and nothing around the rows, has more bytes: there are some 40 members, none with more than 60. */
export const longestPiece = 4096;

/** Texts around the rows. */
export interface PageHead {
  /** `EXCHANGE.id`. */
  readonly key: string;
  readonly fromMs: number;
  /** Infinity where there is no end. */
  readonly toMs: number;
  readonly source: string;
  /** Exchange time of the oldest tick that is kept, in ms; null where none is. */
  readonly completeFromMs: number | null;
}

export interface PageTail {
  readonly count: number;
  /** The cursor of the next page; null after the last one. */
  readonly next: string | null;
}

/** Writes a page of ticks in one of the formats, piece by piece. Each function gives the end of what it has written. */
export interface TickWriter {
  head(into: Uint8Array, at: number, head: PageHead): number;
  row(into: Uint8Array, at: number, row: StoredRow, isFirst: boolean): number;
  tail(into: Uint8Array, at: number, tail: PageTail): number;
}

/** @param names out of columnNames, in their order */
export function tickWriter(format: HistoryFormat, key: string, names: readonly string[]): TickWriter {
  const chosen = columns.filter(({ name }) => names.includes(name));
  const values = new Values(key, format === 'csv');
  if (format === 'csv') return csvWriter(chosen, values);
  const object = objectOf(chosen, values);
  return format === 'json' ? jsonWriter(object) : ndjsonWriter(object);
}

type PutRow = (into: Uint8Array, at: number, row: StoredRow) => number;

const newline = 0x0a;
const quote = 0x22;
const comma = 0x2c;
const closeBrace = 0x7d;

function jsonWriter(object: PutRow): TickWriter {
  return {
    head(into, at, { key, fromMs, toMs, source, completeFromMs }) {
      const to = toMs === Infinity ? null : toMs;
      const head = { instrument_id: key, from: fromMs, to, source, complete_from: completeFromMs };
      return putText(into, at, `${JSON.stringify(head).slice(0, -1)},"ticks":[`);
    },
    row(into, at, row, isFirst) {
      let next = at;
      if (!isFirst) into[next++] = comma;
      into[next++] = newline;
      return object(into, next, row);
    },
    tail: (into, at, tail) => putText(into, at, `\n],${JSON.stringify(tail).slice(1)}\n`),
  };
}

function ndjsonWriter(object: PutRow): TickWriter {
  return {
    head: (_into, at) => at,
    row(into, at, row) {
      const end = object(into, at, row);
      into[end] = newline;
      return end + 1;
    },
    tail: (into, at, { next }) => (next === null ? at : putText(into, at, `{"next":"${next}"}\n`)),
  };
}

function csvWriter(chosen: readonly HistoryColumn[], values: Values): TickWriter {
  return {
    head: (into, at) => putText(into, at, `${chosen.map(({ name }) => name).join(',')}\n`),
    row(into, at, row) {
      let next = at;
      for (let index = 0; index < chosen.length; index++) {
        if (index > 0) into[next++] = comma;
        next = values.put(into, next, chosen[index]!, row);
      }
      into[next] = newline;
      return next + 1;
    },
    tail: (into, at, { next }) => (next === null ? at : putText(into, at, `# next=${next}\n`)),
  };
}

function objectOf(chosen: readonly HistoryColumn[], values: Values): PutRow {
  const rows = new ObjectRows(chosen, values);
  return (into, at, row) => rows.put(into, at, row);
}

/**
 * Rows as JSON objects. Those of the same columns differ in their values alone, and mostly not even in the lengths of
 * those: a row is a copy of the one before, with its own values written over that one's.
 */
class ObjectRows {
  readonly #chosen: readonly HistoryColumn[];
  readonly #values: Values;
  readonly #leads: readonly Uint8Array[];
  /** Of the last row: where it is, and where in it the values begin and how long they are. */
  #into: Uint8Array | undefined;
  #begin = 0;
  #length = 0;
  readonly #places: Int32Array;
  readonly #lengths: Int32Array;

  constructor(chosen: readonly HistoryColumn[], values: Values) {
    this.#chosen = chosen;
    this.#values = values;
    this.#leads = chosen.map(({ name }, index) => asciiBytes(`${index === 0 ? '{' : ','}"${name}":`));
    this.#places = new Int32Array(chosen.length);
    this.#lengths = new Int32Array(chosen.length);
  }

  put(into: Uint8Array, at: number, row: StoredRow): number {
    const length = into === this.#into ? this.#putOver(into, at, row) : this.#putWhole(into, at, row);
    this.#into = into;
    this.#begin = at;
    this.#length = length;
    return at + length;
  }

  #putWhole(into: Uint8Array, at: number, row: StoredRow): number {
    let next = at;
    for (let index = 0; index < this.#chosen.length; index++) {
      next = putBytes(into, next, this.#leads[index]!);
      const end = this.#values.put(into, next, this.#chosen[index]!, row);
      this.#places[index] = next - at;
      this.#lengths[index] = end - next;
      next = end;
    }
    into[next++] = closeBrace;
    return next - at;
  }

  #putOver(into: Uint8Array, at: number, row: StoredRow): number {
    const places = this.#places;
    const lengths = this.#lengths;
    const lastEnd = this.#begin + this.#length;
    into.copyWithin(at, this.#begin, lastEnd);
    // How much longer the row has become so far.
    let shift = 0;
    for (let index = 0; index < this.#chosen.length; index++) {
      const begin = at + places[index]! + shift;
      const end = this.#values.put(into, begin, this.#chosen[index]!, row);
      const growth = end - begin - lengths[index]!;
      if (growth !== 0) {
        // What follows is elsewhere now, and may have been written over.
        into.copyWithin(end, this.#begin + places[index]! + lengths[index]!, lastEnd);
        lengths[index] = end - begin;
      }
      places[index] = begin - at;
      shift += growth;
    }
    return this.#length + shift;
  }
}

/**
 * Values as JSON has them, or bare as in CSV, where the absent are empty and flags have bars between them. Behind the end of
 * a value nothing is written.
 */
class Values {
  readonly #clock: ClockBytes;
  readonly #isBare: boolean;
  readonly #key: Uint8Array;
  readonly #null: Uint8Array;
  /** By mask. */
  readonly #flags = new Map<number, Uint8Array>();

  constructor(key: string, isBare: boolean) {
    this.#isBare = isBare;
    this.#clock = new ClockBytes(isBare);
    this.#key = asciiBytes(isBare ? key : JSON.stringify(key));
    this.#null = asciiBytes(isBare ? '' : 'null');
  }

  put(into: Uint8Array, at: number, { kind, field }: HistoryColumn, row: StoredRow): number {
    const end = this.#put(into, at, kind, field, row);
    return end === at ? putBytes(into, at, this.#null) : end;
  }

  /** The end; `at` where the value is absent. */
  #put(into: Uint8Array, at: number, kind: ColumnKind, field: number, row: StoredRow): number {
    switch (kind) {
      case 'number':
        return row.putValue(into, at, field);
      case 'flags':
        return putBytes(into, at, this.#flagsText(row.flags));
      case 'receive_time':
        return row.putReceived(into, at);
      case 'instrument_id':
        return putBytes(into, at, this.#key);
      case 'day':
        return this.#putQuoted(into, at, row, field);
      case 'datetime':
        return this.#clock.putDateTime(into, at, row.timeMs);
      case 'update_time':
        return this.#clock.putTimeOfDay(into, at, row.timeMs);
      case 'update_millisec':
        return row.timeMs >= 0 ? putNumberAlone(into, at, row.timeMs % 1000) : at;
    }
  }

  #putQuoted(into: Uint8Array, at: number, row: StoredRow, field: number): number {
    if (this.#isBare) return row.putValue(into, at, field);
    into[at] = quote;
    const end = row.putValue(into, at + 1, field);
    if (end === at + 1) return at;
    into[end] = quote;
    return end + 1;
  }

  #flagsText(flags: number): Uint8Array {
    let text = this.#flags.get(flags);
    if (text === undefined) {
      const names = namesOfFlags(flags);
      text = asciiBytes(this.#isBare ? names.join('|') : JSON.stringify(names));
      this.#flags.set(flags, text);
    }
    return text;
  }
}
