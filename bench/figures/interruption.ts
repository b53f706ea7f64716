/** An instrument's ticks as they were due. */
export interface DueTicks {
  /** Number of the first of them; the others follow without a gap. */
  readonly first: number;
  /** When each should have been sent, ms since the epoch, rising. */
  readonly atMs: readonly number[];
}

/** One tick at a client. */
export interface Arrival {
  readonly sequence: number;
  /** ms since the epoch. */
  readonly receivedMs: number;
}

/** What a fault did to one stream. */
export interface Interruption {
  /** The longest time for which news was due and none had come, in ms. */
  readonly gapMs: number;
  /** Ticks that a later one came instead of. */
  readonly lost: number;
}

/**
 * Looks at one client's stream of one instrument between two times.
 *
 * A gap begins when the first tick that the client has not got was due, and ends when that one or any later one comes:
 * it is how long the client's state was older than the market's, and needs no allowance for an instrument's usual pauses,
 * since a tick that was not due is not waited for. Ticks before the first arrival are not waited for either.
 *
 * @param arrivals in the order of receipt, from before `fromMs` on
 */
export function interruptionOf(
  due: DueTicks,
  arrivals: readonly Arrival[],
  fromMs: number,
  toMs: number,
): Interruption {
  const dueAt = (sequence: number): number => due.atMs[sequence - due.first] ?? Infinity;
  let newest = -1;
  let gapMs = 0;
  let lost = 0;
  for (const { sequence, receivedMs } of arrivals) {
    if (receivedMs >= toMs) break;
    if (sequence <= newest) continue;
    if (newest >= 0 && receivedMs >= fromMs) {
      gapMs = Math.max(gapMs, receivedMs - dueAt(newest + 1));
      lost += sequence - newest - 1;
    }
    newest = sequence;
  }
  // What has not come at all was waited for until the end.
  if (newest >= 0) gapMs = Math.max(gapMs, toMs - dueAt(newest + 1));
  return { gapMs, lost };
}
