import { resolve } from 'node:path';
import { parse } from 'csv-parse/sync';
import { contractNamed, type Contract } from '../market/instruments/contracts.js';
import { parseInstrumentId } from '../market/instruments/instrumentId.js';
import { exchanges, type ProductTable } from '../market/instruments/products.js';
import type { TradingCalendar } from '../market/calendar/tradingCalendar.js';
import { readBytes } from '../base/jsonFile.js';
import { parseJsonText } from '../base/jsonText.js';
import { isRecord } from './record.js';
import { displayValue } from './displayValue.js';
import { cellText, dayForms, dayOf, numberOf } from './tableCells.js';
import { separatorOf, tableText } from './tableText.js';

/** Names of the columns, here and in tables of the vendor's own query; case and underscores are ignored. */
const columns = {
  instrument_id: ['instrumentid'],
  exchange_id: ['exchangeid'],
  name: ['name', 'insname', 'instrumentname'],
  price_tick: ['pricetick'],
  volume_multiple: ['volumemultiple'],
  expire_date: ['expiredate'],
  strike: ['strike', 'strikeprice'],
  underlying: ['underlying', 'underlyinginstrid'],
} as const;
type Column = keyof typeof columns;
type Row = Readonly<Partial<Record<Column, string>>>;

interface PlacedRow {
  /** Such as "line 12". */
  readonly place: string;
  readonly row: Row;
}

/** Wrong rows of a file that are named; the rest is counted. */
const mostNamed = 10;
const longestName = 100;

export interface ImportedInstruments {
  readonly contracts: readonly Contract[];
  /** Problems that make a file useless, a line each. */
  readonly faults: readonly string[];
  /** Rows that were skipped, and why. */
  readonly warnings: readonly string[];
}

export interface ImportContext {
  /** Folder that file names are relative to. */
  readonly cwd: string;
  readonly products: ProductTable;
  /** yyyymmdd */
  readonly today: number;
  /** Decides when futures expire whose row does not say; weekdays by default. */
  readonly calendar?: TradingCalendar | undefined;
  /** Take expired ones too. */
  readonly withExpired?: boolean;
}

/**
 * Reads lists of instruments: a table with a header line where a file's name ends with .csv, .tsv or .txt, otherwise a JSON
 * list of objects with the same keys, which may be named .tsv or .txt as well. Rows that are wrong or expired are skipped, all others are taken; of an instrument with
 * several rows the last one counts.
 */
export function readImportedInstruments(
  files: readonly string[],
  context: ImportContext,
): ImportedInstruments {
  const { cwd, today, withExpired = false } = context;
  const contracts = new Map<string, Contract>();
  const faults: string[] = [];
  const warnings: string[] = [];
  for (const file of files) {
    let rows: readonly PlacedRow[];
    try {
      rows = readRows(file, cwd);
    } catch (error) {
      faults.push(`${file}: ${(error as Error).message}`);
      continue;
    }
    const wrong: string[] = [];
    for (const { place, row } of rows) {
      const read = toContract(row, context);
      if ('problem' in read) wrong.push(`${file}: ${place}: ${read.problem}`);
      else if (withExpired || read.contract.expireDate >= today)
        contracts.set(read.contract.id, read.contract);
    }
    warnings.push(...wrong.slice(0, mostNamed));
    if (wrong.length > mostNamed)
      warnings.push(`${file}: ${wrong.length - mostNamed} more of its ${rows.length} rows are left out`);
  }
  return { contracts: [...contracts.values()], faults, warnings };
}

function readRows(file: string, cwd: string): PlacedRow[] {
  const text = tableText(readBytes(resolve(cwd, file)));
  const isTable = /\.csv$/i.test(file) || (/\.(?:tsv|txt)$/i.test(file) && !/^\s*[[{]/.test(text));
  const rows = isTable ? csvRows(text) : jsonRows(text);
  if (rows.length === 0) throw new Error('it has no rows');
  return rows;
}

function csvRows(text: string): PlacedRow[] {
  const records = parse(text, {
    bom: true,
    delimiter: separatorOf(text),
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
  }) as unknown as { readonly record: string[]; readonly info: { readonly lines: number } }[];
  const [header, ...lines] = records;
  const places = (header?.record ?? []).map(columnOf);
  if (!places.includes('instrument_id'))
    throw new Error(
      `its first line must name columns, instrument_id among them; there are ${Object.keys(columns).join(', ')}`,
    );
  return lines.map(({ record, info }) => ({ place: `line ${info.lines}`, row: rowOf(places, record) }));
}

function jsonRows(text: string): PlacedRow[] {
  const content = parseJsonText(text);
  if (!Array.isArray(content)) throw new Error(`must be a list of objects, not ${displayValue(content)}`);
  return (content as unknown[]).map((each, index) => {
    const entries = isRecord(each) ? Object.entries(each) : [];
    const row = rowOf(
      entries.map(([key]) => columnOf(key)),
      entries.map(([, value]) => (typeof value === 'string' || typeof value === 'number' ? `${value}` : '')),
    );
    return { place: `entry ${index + 1}`, row };
  });
}

function rowOf(places: readonly (Column | undefined)[], values: readonly string[]): Row {
  const row: Partial<Record<Column, string>> = {};
  places.forEach((column, i) => {
    const value = cellText(values[i] ?? '');
    if (column !== undefined && value !== undefined) row[column] = value;
  });
  return row;
}

function columnOf(name: string): Column | undefined {
  const plain = name.toLowerCase().replaceAll('_', '').replaceAll(' ', '');
  return (Object.keys(columns) as Column[]).find((column) =>
    columns[column].some((known: string) => known === plain),
  );
}

function toContract(
  row: Row,
  { products, today, calendar }: ImportContext,
): { readonly contract: Contract } | { readonly problem: string } {
  const { instrument_id: id, exchange_id: exchange } = row;
  if (id === undefined) return { problem: 'instrument_id: is missing' };
  if (exchange !== undefined && !exchanges.some((each) => each === exchange))
    return { problem: `exchange_id: must be one of ${exchanges.join(', ')}, not ${displayValue(exchange)}` };
  const parsed = parseInstrumentId(exchange === undefined ? id : `${exchange}.${id}`, products);
  if (parsed === undefined) {
    const place =
      exchange === undefined ? ' and of a product that is known, or with exchange_id' : ` of ${exchange}`;
    return { problem: `instrument_id: must have a form${place}, not ${displayValue(id)}` };
  }
  const contract = contractNamed(parsed, today, calendar);
  const priceTick = positiveOf(row, 'price_tick');
  const multiplier = positiveOf(row, 'volume_multiple');
  const strike = positiveOf(row, 'strike');
  const expireDate = expiryOf(row.expire_date);
  for (const each of [priceTick, multiplier, strike, expireDate])
    if (typeof each === 'string') return { problem: each };
  const option =
    contract.option === undefined
      ? undefined
      : {
          ...contract.option,
          ...(strike === undefined ? {} : { strike: strike as number }),
          ...(row.underlying === undefined ? {} : { underlying: row.underlying.slice(0, longestName) }),
        };
  return {
    contract: {
      ...contract,
      ...(expireDate === undefined ? {} : { expireDate: expireDate as number }),
      ...(row.name === undefined ? {} : { name: row.name.slice(0, longestName) }),
      ...(priceTick === undefined ? {} : { priceTick: priceTick as number }),
      ...(multiplier === undefined ? {} : { multiplier: multiplier as number }),
      ...(option === undefined ? {} : { option }),
    },
  };
}

/** The number, undefined where the row has none, or what is wrong with it. */
function positiveOf(row: Row, column: Column): number | string | undefined {
  const text = row[column];
  // The vendor's own tables have 0 or the largest double where there is no strike.
  if (text === undefined || (column === 'strike' && (numberOf(text) === 0 || numberOf(text) > 1e300)))
    return undefined;
  const value = numberOf(text);
  return value > 0 && value <= 1e9
    ? value
    : `${column}: must be a number above 0 and up to 1e9, not ${displayValue(text)}`;
}

function expiryOf(text: string | undefined): number | string | undefined {
  if (text === undefined) return undefined;
  const day = dayOf(text);
  return Number.isNaN(day) ? `expire_date: must be ${dayForms}, not ${displayValue(text)}` : day;
}
