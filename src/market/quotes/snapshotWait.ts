import { Fifo } from '../../base/fifo.js';
import { grown } from '../../base/growable.js';

/** A front answers a subscription with a snapshot, within this time if it is well, in ms. */
export const snapshotWaitMs = 500;
const firstSlots = 1024;

/** Standing of an instrument's known state. */
const Standing = {
  /** No line has brought it since there is one again: it may have moved meanwhile. */
  unknown: 0,
  /** As `unknown`, and somebody waits for the front's snapshot. */
  awaited: 1,
  /** As `unknown`, and the front has had its time. */
  overdue: 2,
  /** A line that is still there has brought it, or has brought another since. */
  confirmed: 3,
} as const;

/**
 * Tells which of the states that are held are those of the front, and which may be old: nobody may have subscribed the
 * instrument for a while, or the state comes from an earlier run.
 *
 * Who wants an instrument whose line has just been asked for waits for the first tick, for `snapshotWaitMs` at most.
 * Instruments with a line that has ticked are never waited for. Pure: ticks and clocks go in. Moments are ms on a clock
 * that never steps back.
 */
export class SnapshotWait {
  /** By slot. */
  #standing = new Uint8Array(firstSlots);
  /** Since when there is a line; NaN while there is none. */
  #carriedSince = new Float64Array(firstSlots).fill(NaN);
  /** Slots that somebody waits for, or has waited for, the first that is due first. */
  readonly #awaited = new Fifo<{ readonly slot: number; readonly dueAt: number }>();

  /** When `takeOverdue` has something to say, unless ticks come before; Infinity when nobody waits. */
  get dueAt(): number {
    return this.#awaited.peek()?.dueAt ?? Infinity;
  }

  /** The instrument has so many lines on connections that are logged in. */
  carried(slot: number, lines: number, now: number): void {
    if (slot >= this.#standing.length) this.#grow(slot);
    if (lines === 0) {
      this.#carriedSince[slot] = NaN;
      if (this.#standing[slot] === Standing.confirmed) this.#standing[slot] = Standing.unknown;
    } else if (Number.isNaN(this.#carriedSince[slot]!)) {
      this.#carriedSince[slot] = now;
      if (this.#standing[slot] === Standing.overdue) this.#standing[slot] = Standing.unknown;
    }
  }

  /**
   * A line has brought the held state, or another in its place. For the tick path.
   *
   * @returns whether somebody has waited for it
   */
  ticked(slot: number): boolean {
    const standing = this.#standing[slot];
    // Of an instrument without a line it is what was still under way.
    if (standing === Standing.confirmed || !(this.#carriedSince[slot]! >= 0)) return false;
    this.#standing[slot] = Standing.confirmed;
    return standing === Standing.awaited;
  }

  /**
   * What becomes of somebody who wants the state that is held. `wait`: for `ticked` or `takeOverdue`; `old`: it is to be
   * shown as such; `take`: it is the front's.
   */
  ask(slot: number, now: number): 'take' | 'wait' | 'old' {
    if (slot >= this.#standing.length) this.#grow(slot);
    switch (this.#standing[slot]!) {
      case Standing.confirmed:
        return 'take';
      case Standing.awaited:
        return 'wait';
      case Standing.overdue:
        return 'old';
    }
    // A line that has been there for longer brings no snapshot any more.
    if (now - this.#carriedSince[slot]! >= snapshotWaitMs) {
      this.#standing[slot] = Standing.overdue;
      return 'old';
    }
    this.#standing[slot] = Standing.awaited;
    this.#awaited.push({ slot, dueAt: now + snapshotWaitMs });
    return 'wait';
  }

  /** Slots whose front has had its time: what is held of them is old, and is to be shown as such. */
  takeOverdue(now: number): number[] {
    const overdue: number[] = [];
    while (this.dueAt <= now) {
      const { slot } = this.#awaited.shift()!;
      if (this.#standing[slot] !== Standing.awaited) continue;
      this.#standing[slot] = Standing.overdue;
      overdue.push(slot);
    }
    return overdue;
  }

  #grow(slot: number): void {
    this.#standing = grown(this.#standing, slot + 1);
    this.#carriedSince = grown(this.#carriedSince, slot + 1, NaN);
  }
}
