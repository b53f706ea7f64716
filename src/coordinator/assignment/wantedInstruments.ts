import { isWaiting } from './instrumentCounts.js';
import { isProven, newWant } from './want.js';
import type { LineTable } from './lineTable.js';
import type { Shortage } from './shortage.js';
import type { Standing } from './standing.js';
import type { ProbeSubscriptions } from './probeSubscriptions.js';

/** Instruments that have no line, or will get none. */
export interface TroubledInstruments {
  readonly waiting: number[];
  readonly failed: { readonly slot: number; readonly code: number; readonly text: string }[];
}

/** Instruments that sessions want, or wanted until a moment ago. */
export class WantedInstruments {
  readonly #table: LineTable;
  readonly #probes: ProbeSubscriptions;
  readonly #shortage: Shortage;
  /** Slots that nobody wants any more, the longest unwanted first, with the moment since when. */
  readonly #cancelled = new Map<number, number>();

  constructor(table: LineTable, probes: ProbeSubscriptions, shortage: Shortage) {
    this.#table = table;
    this.#probes = probes;
    this.#shortage = shortage;
  }

  /** One more session wants the instrument. One that was given up is tried again, so that each session is told. */
  want(slot: number, key: string, standing: Standing): void {
    const want = this.#table.wants.get(slot);
    if (want === undefined) {
      this.#table.wants.set(slot, newWant(slot, key, 1, false, standing));
      this.#table.await(slot, true);
    } else {
      this.#probes.adopt(want);
      if (standing > want.standing) want.standing = standing;
      want.count++;
      want.told = false;
      this.#cancelled.delete(slot);
      if (want.count === 1 || want.failure !== undefined) {
        want.failure = undefined;
        want.refusedBy = undefined;
      }
    }
    this.#table.counter.note(slot);
    this.#table.unsettled.add(slot);
  }

  /** One session less wants it. @throws when no session does */
  drop(slot: number, now: number): void {
    const want = this.#table.wants.get(slot);
    if (want === undefined || want.count === 0)
      throw new Error(`slot ${slot} was dropped more often than wanted`);
    want.count--;
    if (want.count > 0) return;
    this.#cancelled.set(slot, now);
    this.#table.counter.note(slot);
    this.#table.unsettled.add(slot);
  }

  /** Ends what nobody has wanted since `before`. */
  expire(before: number): void {
    for (const [slot, since] of this.#cancelled) {
      if (since > before) return;
      this.end(slot);
    }
  }

  /** Ends it at once, anyone who wants it. */
  end(slot: number): void {
    this.#cancelled.delete(slot);
    this.#table.release(slot);
    this.#shortage.forget(slot);
  }

  /** Slots of the instruments that are wanted and were not refused. */
  *all(): Iterable<number> {
    for (const { slot, count, failure } of this.#table.wants.values())
      if (count > 0 && failure === undefined) yield slot;
  }

  /**
   * The first `most` of those that wait for a line, proven ones first, and of those that were refused.
   *
   * @param queued unproven ones that wait for their turn
   */
  troubles(most: number, queued: Iterable<number>): TroubledInstruments {
    const { waiting, failed }: TroubledInstruments = { waiting: [], failed: [] };
    const unproven: number[] = [];
    for (const want of this.#table.wants.values()) {
      if (isWaiting(want)) (isProven(want) ? waiting : unproven).push(want.slot);
      if (want.count > 0 && want.failure !== undefined && failed.length < most)
        failed.push({ slot: want.slot, ...want.failure });
    }
    return { waiting: [...waiting, ...unproven, ...queued].slice(0, most), failed };
  }
}
