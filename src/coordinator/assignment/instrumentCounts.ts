import { isProven, stateOf, type InstrumentState, type Want } from './want.js';
import { grown } from '../../base/growable.js';

const states: readonly InstrumentState[] = ['pending', 'subscribing', 'active', 'failed', 'cancelled'];

/** Counts of instruments. */
export interface CoordinatorCounts {
  readonly wanted: number;
  /** Proven, wanted, not refused, and without any line on a connection that is logged in. */
  readonly waiting: number;
  readonly refused: number;
  /** Proven, with fewer lines than redundancy asks for and connections could give. */
  readonly short: number;
  /** Wanted and unproven. */
  readonly unproven: number;
  /** Unproven, not refused, and without a line on a logged-in connection. */
  readonly unprovenWaiting: number;
  readonly states: Readonly<Record<InstrumentState, number>>;
}

const waitingBit = 8;
const unprovenBit = 16;
const stateBits = 7;
const firstSlots = 1024;

/** Counts instruments by state, and looks only at those that have changed since it counted last. */
export class InstrumentCounter {
  readonly #changed = new Set<number>();
  readonly #counts: Record<InstrumentState, number> = {
    pending: 0,
    subscribing: 0,
    active: 0,
    failed: 0,
    cancelled: 0,
  };
  #waiting = 0;
  #unprovenWaiting = 0;
  /** By slot: place of its state + 1, with a bit when it waits, and one when it is unproven; 0 for none. */
  #counted = new Uint8Array(firstSlots);

  /** Something of the instrument has changed. */
  note(slot: number): void {
    this.#changed.add(slot);
  }

  /** @returns the counts, and how many are wanted and possible but have no line on a connection that is logged in */
  take(wants: ReadonlyMap<number, Want>): {
    readonly states: Readonly<Record<InstrumentState, number>>;
    readonly waiting: number;
    readonly unprovenWaiting: number;
  } {
    for (const slot of this.#changed) {
      this.#add(this.#counted[slot] ?? 0, -1);
      const want = wants.get(slot);
      const now = want === undefined || want.isProbe ? 0 : codeOf(want);
      this.#add(now, 1);
      this.#set(slot, now);
    }
    this.#changed.clear();
    return {
      states: { ...this.#counts },
      waiting: this.#waiting,
      unprovenWaiting: this.#unprovenWaiting,
    };
  }

  #add(code: number, by: number): void {
    const state = states[(code & stateBits) - 1];
    if (state !== undefined) this.#counts[state] += by;
    if ((code & waitingBit) === 0) return;
    if ((code & unprovenBit) === 0) this.#waiting += by;
    else this.#unprovenWaiting += by;
  }

  #set(slot: number, code: number): void {
    this.#counted = grown(this.#counted, slot + 1);
    this.#counted[slot] = code;
  }
}

function codeOf(want: Want): number {
  const state = states.indexOf(stateOf(want)) + 1;
  return state | (isWaiting(want) ? waitingBit : 0) | (isProven(want) ? 0 : unprovenBit);
}

/** Wanted and possible, but no connection that is logged in carries it. */
export function isWaiting(want: Want): boolean {
  return want.count > 0 && want.failure === undefined && !want.lines.some((line) => line.connection.isUp);
}
