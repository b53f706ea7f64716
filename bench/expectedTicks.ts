import { TickFeed } from '../src/simulator/tickFeed.js';
import { tickField } from '../src/simulator/tickFrame.js';
import type { FeedOptions } from './processes/fronts.js';

/**
 * The numbers that instruments' ticks must have reached at a time, from the same pure rule as the fronts': what a
 * client ended on is compared with what was sent, not with what another client got.
 *
 * @param atMs ms since the epoch
 */
export function sequencesAt(
  ids: readonly string[],
  options: FeedOptions,
  atMs: number,
): ReadonlyMap<string, number> {
  const { seed, rate, arrivals, startUs } = options;
  const feed = new TickFeed({ seed, rate, arrivals, benchStartUs: startUs });
  try {
    return new Map(
      ids.map((id) => [id, feed.newestFrame(feed.add(id), atMs)?.readInt32LE(tickField.volume) ?? 0]),
    );
  } finally {
    feed.close();
  }
}
