import { isRecord } from './record.js';

/** The range of `priority`. */
const last = 10;
/** Above it a priority is a mistake. */
const largest = 100;

/**
 * Files of the C++ gateway number their connections up to 90 by priority. Where a list has priorities from 11 to 100, all of
 * it is scaled to 1 to 10, in the same order.
 *
 * @returns the list, and a line that says what was done where it was
 */
export function scalePriorities(entries: readonly unknown[]): {
  readonly entries: readonly unknown[];
  readonly warning: string | undefined;
} {
  const most = Math.max(0, ...entries.map((entry) => (isRecord(entry) ? scalable(entry['priority']) : 0)));
  if (most <= last) return { entries, warning: undefined };
  return {
    entries: entries.map((entry) => {
      const given = isRecord(entry) ? scalable(entry['priority']) : 0;
      return given === 0 ? entry : { ...(entry as object), priority: Math.ceil((given * last) / most) };
    }),
    warning:
      `connections: priorities up to ${most} are taken as 1 to ${last}, in the same order; a later one takes instruments ` +
      'only when all earlier ones are full, so leave priority out where all are to share the load',
  };
}

/** A priority that can be scaled; 0 for anything else. */
function scalable(value: unknown): number {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= largest ? Number(value) : 0;
}
