/** Shanghai has had no daylight saving since 1991. */
const shanghaiOffsetMs = 8 * 3_600_000;
const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
/** Last ticks of a session come after its end. */
const lateTicksMs = 3 * minuteMs;

const at = (hour: number, minute: number): number => (hour * 60 + minute) * minuteMs;

/** Times of day at which ticks of some product pause: auctions, breaks, closes (exchange rules). */
const pauses = [
  at(1, 0),
  at(2, 30),
  at(8, 59),
  at(9, 29),
  at(10, 15),
  at(11, 30),
  at(15, 0),
  at(15, 15),
  at(20, 59),
  at(23, 0),
];
/** Times of day at which continuous trading of some product begins. */
export const openings: readonly number[] = [
  at(9, 0),
  at(9, 30),
  at(10, 30),
  at(13, 0),
  at(13, 30),
  at(21, 0),
];
/** When any product trades, with auctions and late ticks, on weekdays; the night's end belongs to the next day. */
const openHours = [
  [0, at(2, 33)],
  [at(8, 55), at(11, 33)],
  [at(13, 0), at(15, 18)],
  [at(20, 55), dayMs],
] as const;
const nightEnd = at(2, 33);

/** True when ticks may rightly have stopped between the two moments, ms since the epoch. */
export function pausesBetween(fromMs: number, toMs: number): boolean {
  return pauses.some((pause) => lastOccurrence(pause, toMs) >= fromMs - lateTicksMs);
}

/** True in the hours in which no product trades; a public holiday is not known here. */
export function isClosed(timeMs: number): boolean {
  const local = timeMs + shanghaiOffsetMs;
  const timeOfDay = local % dayMs;
  // The night's small hours belong to the evening before.
  const weekday = new Date(timeOfDay < nightEnd ? local - dayMs : local).getUTCDay();
  if (weekday === 0 || weekday === 6) return true;
  return !openHours.some(([from, to]) => timeOfDay >= from && timeOfDay < to);
}

/** The newest moment, not after `timeMs`, that has this time of day in Shanghai. Both in ms. */
export function lastOccurrence(timeOfDayMs: number, timeMs: number): number {
  const local = timeMs + shanghaiOffsetMs;
  const today = local - (local % dayMs) + timeOfDayMs;
  return (today <= local ? today : today - dayMs) - shanghaiOffsetMs;
}
