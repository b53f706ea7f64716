import type { ConnectionRecord } from './connectionRecord.js';
import type { Want } from './want.js';
import type { Line } from './connectionRecord.js';
import type { LineTable } from './lineTable.js';
import { mayCarry } from './linePriority.js';
import { planMoves } from './rebalance.js';
import { strategyRows } from './strategies.js';
import { type Strategy } from '../../config/gatewayConfig.js';

/** A connection takes part when it has been logged in for this long. */
const settledMs = 10_000;
/** How many instruments may be on their way from one connection to another. */
const mostMoving = 50;
/** Instruments that one pass checks for a better place. */
const checkedPerPass = 500;
/** Lines that one pass looks at to even out connections. */
const looksPerPass = 2_000;

export interface RebalancerParts {
  readonly table: LineTable;
  /** A connection that could take the place of the line's. */
  pick(want: Want, instead: Line): ConnectionRecord | undefined;
  /** Subscribes the instrument there, and gives the line up when that is active. */
  move(line: Line, to: ConnectionRecord): void;
}

/**
 * Moves lines to where they belong while nothing more urgent is to be done: connections are evened out, instruments of
 * which two lines have one broker get another one, and each finds its place in the hash. A few at a time, and nothing
 * once all is in its place and nothing has changed.
 */
export class Rebalancer {
  readonly #parts: RebalancerParts;
  /** Instruments that the search for better places has still to look at. */
  #unchecked = 0;
  /** Some of them were on their way when it came to them. */
  #checkAgain = false;
  #checking: IterableIterator<Want>;
  #settledCount = 0;
  /** Nothing has changed since connections were found to be even. */
  #isEven = false;
  #looked = 0;

  constructor(parts: RebalancerParts) {
    this.#parts = parts;
    this.#checking = parts.table.wants.values();
  }

  /** Instruments may have better places now. */
  layoutChanged(): void {
    this.#unchecked = this.#parts.table.wants.size;
    this.#isEven = false;
  }

  /** Connections carry something else now, or another weight. */
  balanceChanged(): void {
    this.#isEven = false;
  }

  /** @param open connections that may take lines; @param now ms on a clock that never steps back */
  pass(strategy: Strategy, open: readonly ConnectionRecord[], now: number): void {
    const { table } = this.#parts;
    const settled = open.filter((each) => now - each.upSince >= settledMs);
    if (settled.length !== this.#settledCount) this.layoutChanged();
    this.#settledCount = settled.length;
    let budget = mostMoving - table.leaving.size;
    if (settled.length < 2 || budget <= 0) return;
    if (!this.#isEven) budget -= this.#evenOut(strategy, settled, budget);
    for (let looks = checkedPerPass; looks > 0 && budget > 0 && this.#unchecked > 0; looks--) {
      this.#unchecked--;
      const want = this.#nextToCheck();
      if (want === undefined) break;
      if (want.lines.some((line) => !canMove(want, line))) this.#checkAgain = true;
      else if (this.#findBetter(strategy, want, settled)) budget--;
    }
    if (this.#unchecked === 0 && this.#checkAgain) {
      this.#unchecked = table.wants.size;
      this.#checkAgain = false;
    }
  }

  #nextToCheck(): Want | undefined {
    let next = this.#checking.next();
    if (next.done === true) {
      this.#checking = this.#parts.table.wants.values();
      next = this.#checking.next();
    }
    return next.done === true ? undefined : next.value;
  }

  /** @returns how many lines move */
  #evenOut(strategy: Strategy, settled: readonly ConnectionRecord[], budget: number): number {
    const { table } = this.#parts;
    const mayMove = (line: Line, to: ConnectionRecord): boolean => {
      const want = table.wants.get(line.slot)!;
      return canMove(want, line) && mayCarry(to, want) && !clashes(want, line, to);
    };
    const search = { mayMove, offset: this.#looked, looks: looksPerPass };
    const moves = planMoves(strategy, settled, budget, search);
    this.#looked += looksPerPass - search.looks;
    // The plan may have thought of both lines of one instrument.
    for (const { line, to } of moves) if (mayMove(line, to)) this.#parts.move(line, to);
    // Lines that are not active yet may move later, so only a layout at rest is even.
    this.#isEven = moves.length === 0 && search.looks > 0 && table.unconfirmed.size === 0;
    return moves.length;
  }

  /** Moves one of the instrument's lines to where it belongs: to another broker, or to its place in the hash. */
  #findBetter(strategy: Strategy, want: Want, settled: readonly ConnectionRecord[]): boolean {
    const { hasHome, preference } = strategyRows[strategy];
    for (const line of want.lines) {
      const { connection } = line;
      const to = this.#parts.pick(want, line);
      if (to === undefined || !settled.includes(to) || clashes(want, line, to)) continue;
      const belongsThere =
        hasHome &&
        to.priority === connection.priority &&
        preference(to, want.hash) > preference(connection, want.hash);
      if (!belongsThere && !clashes(want, line, connection)) continue;
      this.#parts.move(line, to);
      return true;
    }
    return false;
  }
}

/** True when another line of the instrument has the same broker. */
function clashes(want: Want, line: Line, { plan }: ConnectionRecord): boolean {
  return want.lines.some((each) => each !== line && each.connection.plan.brokerId === plan.brokerId);
}

/** Nothing of the instrument is under way. */
function canMove(want: Want, line: Line): boolean {
  const isQuiet = want.lines.every((each) => each.state === 'active' && !each.leaving);
  return want.count > 0 && line.connection.isUp && isQuiet;
}
