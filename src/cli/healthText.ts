import { isRecord } from '../config/record.js';
import { cell, tableLines } from './textTable.js';

/** Columns that come first; further fields of a connection follow in the order they come. */
const leadingColumns = ['id', 'status', 'quality', 'subscriptions'];
/** Fields of /health that are not printed as a line of their own. */
const headFields = ['status', 'timestamp', 'connections'];

type Row = Readonly<Record<string, unknown>>;

function connectionTable(rows: readonly Row[], width: number): string[] {
  const titles = [...new Set([...leadingColumns, ...rows.flatMap((row) => Object.keys(row))])];
  const columns = titles.map((title, index) => ({ title, least: Math.max(10, title.length), rank: index }));
  return tableLines(
    columns,
    rows.map((row) => titles.map((title) => cell(row[title]))),
    width,
  );
}

function pairs(value: unknown): string {
  if (!isRecord(value)) return '-';
  return Object.entries(value)
    .map(([key, member]) => `${key} ${cell(member)}`)
    .join(', ');
}

/** The answer of /health as text; what is absent is skipped. */
export function renderHealth(health: Row, width: number): string {
  const rows = Array.isArray(health['connections']) ? health['connections'].filter(isRecord) : [];
  const rest = Object.entries(health).filter(([key]) => !headFields.includes(key));
  const head = `${cell(health['status'])} at ${cell(health['timestamp'])}`;
  const table = rows.length === 0 ? ['no connections'] : connectionTable(rows, width);
  const tail = rest.map(([key, value]) => `${key}: ${isRecord(value) ? pairs(value) : cell(value)}`);
  return [head, '', ...table, '', ...tail].join('\n').trimEnd();
}
