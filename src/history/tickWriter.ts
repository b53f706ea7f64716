import { ClockText } from '../market/clockText.js';
import { asciiBytes, putBytes, putNumber, putText } from '../market/jsonBytes.js';
import { F } from '../market/quoteFields.js';
import { namesOfFlags } from '../market/tickFlags.js';
import { columns, type Column } from './columns.js';
import type { HistoryFormat } from './query.js';
import type { HistoryRow } from './row.js';

/** No row, and nothing around the rows, has more bytes: there are some 40 members, none with more than 60. */
export const longestPiece = 4096;

/** What stands around the rows. */
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
  row(into: Uint8Array, at: number, row: HistoryRow, isFirst: boolean): number;
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

type PutRow = (into: Uint8Array, at: number, row: HistoryRow) => number;

const newline = 0x0a;
const comma = 0x2c;
const openBrace = 0x7b;
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

function csvWriter(chosen: readonly Column[], values: Values): TickWriter {
  return {
    head: (into, at) => putText(into, at, `${chosen.map(({ name }) => name).join(',')}\n`),
    row(into, at, row) {
      let next = at;
      for (const [index, column] of chosen.entries()) {
        if (index > 0) into[next++] = comma;
        next = values.put(into, next, column, row);
      }
      into[next] = newline;
      return next + 1;
    },
    tail: (into, at, { next }) => (next === null ? at : putText(into, at, `# next=${next}\n`)),
  };
}

function objectOf(chosen: readonly Column[], values: Values): PutRow {
  const leads = chosen.map(({ name }) => asciiBytes(`,"${name}":`));
  return (into, at, row) => {
    let next = at;
    for (const [index, column] of chosen.entries()) {
      next = putBytes(into, next, leads[index]!);
      next = values.put(into, next, column, row);
    }
    // In place of the first member's comma.
    into[at] = openBrace;
    into[next] = closeBrace;
    return next + 1;
  };
}

/** Values as JSON has them, or bare as in CSV, where the absent are empty and flags have bars between them. */
class Values {
  readonly #clock = new ClockText();
  readonly #isBare: boolean;
  readonly #key: Uint8Array;
  readonly #null: Uint8Array;
  /** By mask. */
  readonly #flags = new Map<number, Uint8Array>();

  constructor(key: string, isBare: boolean) {
    this.#isBare = isBare;
    this.#key = asciiBytes(isBare ? key : JSON.stringify(key));
    this.#null = asciiBytes(isBare ? '' : 'null');
  }

  put(into: Uint8Array, at: number, { kind, field }: Column, row: HistoryRow): number {
    if (kind === 'instrument_id') return putBytes(into, at, this.#key);
    if (kind === 'flags') return putBytes(into, at, this.#flagsText(row.flags));
    if (kind === 'receive_time') return this.#putMicroseconds(into, at, row.receiveMs);
    const value = row.values[field]!;
    if (Number.isNaN(value)) return putBytes(into, at, this.#null);
    switch (kind) {
      case 'number':
        return putNumber(into, at, value);
      case 'update_millisec':
        return putNumber(into, at, value % 1000);
      case 'datetime':
        return this.#putQuoted(into, at, this.#clock.dateTime(value));
      case 'update_time':
        return this.#putQuoted(into, at, this.#clock.timeOfDay(value));
      case 'day':
        return this.#putQuoted(into, at, `"${value}"`);
    }
  }

  #putQuoted(into: Uint8Array, at: number, text: string): number {
    return putText(into, at, this.#isBare ? text.slice(1, -1) : text);
  }

  /** A time in ms with its three decimals, which are too many for putNumber's short way. */
  #putMicroseconds(into: Uint8Array, at: number, ms: number): number {
    if (!(ms >= 0)) return putBytes(into, at, this.#null);
    const whole = Math.floor(ms);
    const rest = Math.round((ms - whole) * 1000);
    if (rest === 0 || rest === 1000) return putNumber(into, at, whole + rest / 1000);
    const end = putNumber(into, at, whole);
    // 1.ddd without the 1 in front; one division, so that it is the double that is written so.
    const point = putNumber(into, end, (1000 + rest) / 1000);
    into.copyWithin(end, end + 1, point);
    return point - 1;
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

/** A row's exchange time, ms since the epoch. */
export function timeOf(row: HistoryRow): number {
  return row.values[F.timestamp]!;
}
