/** Ends the sentence "must be …". */
export const zonedTimeForm = 'an ISO time with its zone, such as 2026-11-23T20:59:00+08:00';

/** ms since the epoch of an ISO time with its zone; NaN for what is none: without a zone it is another one on each machine. */
export function zonedTime(text: unknown): number {
  return typeof text === 'string' && /(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : NaN;
}
