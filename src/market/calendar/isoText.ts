import { shanghaiOffsetMs } from '../../base/shanghaiTime.js';

/** `2026-11-23T21:00:00.500+08:00` of a time in ms since the epoch; whole seconds have no fraction. */
export function formatMoment(epochMs: number): string {
  const local = new Date(epochMs + shanghaiOffsetMs).toISOString();
  return `${local.slice(0, 19)}${local.slice(19, 23) === '.000' ? '' : local.slice(19, 23)}+08:00`;
}
