import { TickFeed } from '../src/simulator/tickFeed.js';
import { tickField } from '../src/simulator/tickFrame.js';
import type { DueTicks } from './figures/interruption.js';
import type { FeedOptions } from './processes/fronts.js';

/** A feed forgives what is later than ten seconds, so it is asked in steps. */
const stepMs = 5000;
const usPerMs = 1000;

/**
 * When each tick of the instruments was due between two times, ms since the epoch: from the fronts' own rule, so that
 * ticks which nobody sent have a time as well. Instruments without a tick are skipped.
 */
export function dueTicks(
  ids: readonly string[],
  options: FeedOptions,
  fromMs: number,
  toMs: number,
): ReadonlyMap<string, DueTicks> {
  const { seed, rate, arrivals, startUs } = options;
  const feed = new TickFeed({ seed, rate, arrivals, benchStartUs: startUs });
  try {
    const due = new Map<string, { first: number; atMs: number[] }>();
    const names = new Map<number, string>();
    for (const id of ids) {
      const index = feed.add(id);
      names.set(index, id);
      feed.setActive(index, true, fromMs);
    }
    for (let at = fromMs; at < toMs; at += stepMs)
      feed.collect(Math.min(at + stepMs, toMs), (index, frames, start) => {
        const id = names.get(index)!;
        const sentMs = (startUs + frames.readDoubleLE(start + tickField.openInterest)) / usPerMs;
        const known = due.get(id);
        if (known === undefined)
          due.set(id, { first: frames.readInt32LE(start + tickField.volume), atMs: [sentMs] });
        else known.atMs.push(sentMs);
      });
    return due;
  } finally {
    feed.close();
  }
}
