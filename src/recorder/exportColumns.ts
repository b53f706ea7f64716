import { columns, type HistoryColumn } from '../history/columns.js';

/** Halves of the exchange time, which is there whole. */
const left = ['update_time', 'update_millisec'];

/** The columns of an export: those of /api/history/ticks, all levels included. */
export const exportColumns: readonly HistoryColumn[] = columns.filter(({ name }) => !left.includes(name));
