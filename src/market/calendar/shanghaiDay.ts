import { shanghaiOffsetMs } from '../../base/shanghaiTime.js';
import { utcMsToDay } from './tradingCalendar.js';

/** The yyyymmdd day in Shanghai at a time in ms since the epoch. */
export function shanghaiDay(epochMs: number): number {
  return utcMsToDay(epochMs + shanghaiOffsetMs);
}
