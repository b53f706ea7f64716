import type { ConnectionRecord } from './connectionRecord.js';
import type { CoordinatorSettings } from './coordinatorSettings.js';
import type { LineActivation } from './lineActivation.js';
import { hasActive, isProven, type Want } from './want.js';
import type { LineTable } from './lineTable.js';
import { isGood } from './linePriority.js';
import type { Refusals } from './refusals.js';
import type { ConnectionRoster } from './connectionRoster.js';
import type { Shortage } from './shortage.js';

export interface LineReconcilerParts {
  readonly table: LineTable;
  readonly roster: ConnectionRoster;
  readonly activation: LineActivation;
  readonly refusals: Refusals;
  readonly shortage: Shortage;
  /** Gives the instrument a line on the connection. */
  readonly add: (want: Want, connection: ConnectionRecord) => void;
}

/** Gives an instrument the lines that it should have, as far as there is room, and takes what it has too many. */
export class LineReconciler {
  readonly #parts: LineReconcilerParts;

  constructor(parts: LineReconcilerParts) {
    this.#parts = parts;
  }

  settle(want: Want, options: CoordinatorSettings, now: number): void {
    const { table, roster, activation, refusals, shortage, add } = this.#parts;
    const { slot } = want;
    if (want.count === 0 || want.failure !== undefined) {
      shortage.forget(slot);
      for (const line of [...want.lines])
        if (want.failure !== undefined || line.connection.retiring || (want.isProbe && !line.connection.isUp))
          table.remove(line);
      return;
    }
    const asked = isProven(want) ? options.redundancy(slot) : 1;
    const target = asked === 1 ? 1 : Math.max(1, Math.min(asked, roster.untried(want)));
    // Those that it was to wait for are down.
    for (const line of want.lines)
      if (line.ahead !== undefined && !hasActive(want)) activation.activate(line);
    let good = want.lines.filter((line) => isGood(line, options.autoFailover)).length;
    for (const line of want.lines) {
      if (good >= target || !line.leaving || !line.connection.takesLines) continue;
      table.stay(line);
      good++;
    }
    for (; good < target && roster.room > 0; good++) {
      const connection = roster.pick(options, want);
      if (connection === undefined) break;
      add(want, connection);
    }
    if (good > 0) want.refusal = undefined;
    this.#removeSurplus(want, target - good, options.autoFailover);
    shortage.note(want, good, target);
    if (want.refusal !== undefined && !roster.hasHope(want, now))
      refusals.giveUp(want, want.refusal.code, want.refusal.text);
  }

  /** @param missing lines that it lacks; negative when it has too many */
  #removeSurplus(want: Want, missing: number, autoFailover: boolean): void {
    const { table } = this.#parts;
    const isReplaced =
      missing <= 0 && want.lines.every((line) => !isGood(line, autoFailover) || line.state === 'active');
    let surplus = -missing;
    let kept = 0;
    for (const line of [...want.lines]) {
      if (isGood(line, autoFailover)) {
        if (surplus-- > 0) table.remove(line);
      } else if (line.leaving) {
        if (isReplaced || !line.connection.isUp) table.remove(line);
        // A line of a connection that is down keeps its place while there is no better one: its worker asks again.
      } else if (kept++ >= missing) {
        table.remove(line);
      }
    }
  }
}
