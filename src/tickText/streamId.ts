/** Id of an entry in a Redis stream, `<ms>-<n>`. */
export interface StreamId {
  readonly ms: number;
  readonly n: number;
}

/** Less than the id of any entry. */
export const noId: StreamId = { ms: 0, n: 0 };

/** A time that is ahead of the receipt by more than this is a front's mistake, not the exchange's clock. */
const farthestAheadMs = 60_000;

/** Undefined for anything but `<ms>-<n>`. */
export function parseStreamId(text: string): StreamId | undefined {
  const match = /^(\d{1,20})-(\d{1,20})$/.exec(text);
  return match === null ? undefined : { ms: Number(match[1]), n: Number(match[2]) };
}

export function streamIdText({ ms, n }: StreamId): string {
  return `${ms}-${n}`;
}

export function isAfter(a: StreamId, b: StreamId): boolean {
  return a.ms > b.ms || (a.ms === b.ms && a.n > b.n);
}

/**
 * The id of the next entry: its exchange time, but never less than the last id's, for Redis refuses ids that step back.
 * An exchange time that cannot be, ahead of the receipt, gives way to the time of receipt: it would carry all ids after
 * it into the future.
 *
 * @param timeMs exchange time, ms since the epoch
 * @param receivedMs ms since the epoch
 */
export function nextId(last: StreamId, timeMs: number, receivedMs: number): StreamId {
  const isPlausible = timeMs <= receivedMs + farthestAheadMs;
  const ms = Math.max(1, Math.trunc(isPlausible ? timeMs : receivedMs) || 1);
  if (ms > last.ms) return { ms, n: 0 };
  return last.n < Number.MAX_SAFE_INTEGER ? { ms: last.ms, n: last.n + 1 } : { ms: last.ms + 1, n: 0 };
}
