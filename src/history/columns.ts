import { Field, quoteFields } from '../market/quotes/quoteFields.js';

/** How a column shows what it is made from. */
export type ColumnKind =
  | 'instrument_id'
  | 'datetime'
  | 'update_time'
  | 'update_millisec'
  | 'day'
  | 'number'
  | 'flags'
  | 'receive_time';

/** A member of a stored tick as it is given out. */
export interface HistoryColumn {
  readonly name: string;
  readonly kind: ColumnKind;
  /** Index into quoteFields; -1 for what is no quote field. */
  readonly field: number;
  /** Given where the query does not choose. */
  readonly isDefault: boolean;
}

function column(name: string, kind: ColumnKind, field = -1, isDefault = true): HistoryColumn {
  return { name, kind, field, isDefault };
}

/**
 * Everything that can be given of a tick, in the order in which it is: the names of an action push, what is wrong with the
 * tick, and when it came. The id and the two halves of the time are repetitions that must be asked for, levels 2 to 5 are
 * mostly empty.
 */
export const columns: readonly HistoryColumn[] = [
  column('instrument_id', 'instrument_id', -1, false),
  column('datetime', 'datetime', Field.timestamp),
  column('update_time', 'update_time', Field.timestamp, false),
  column('update_millisec', 'update_millisec', Field.timestamp, false),
  column('timestamp', 'number', Field.timestamp),
  column('trading_day', 'day', Field.tradingDay),
  ...quoteFields.flatMap(({ name, kind, documented }, field) =>
    kind === 'time' ? [] : [column(name, 'number', field, documented)],
  ),
  column('flags', 'flags'),
  column('receive_time', 'receive_time'),
];

export const columnNames: readonly string[] = columns.map(({ name }) => name);
export const defaultColumns: readonly string[] = columns
  .filter(({ isDefault }) => isDefault)
  .map(({ name }) => name);
