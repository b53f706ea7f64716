import { availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';
import { TapeWatch } from '../tape/tape.js';

/** Share of a core, per core of the machine, that all queries of a thread together use while ticks arrive. */
const shareOfCore = 0.05;
/** A thread that was held up itself does not sleep for long because of it. */
const longestRestMs = 20;
/** Without a tick for so long nobody needs the machine for others. */
const quietMs = 1000;

/**
 * Most of one core that a thread's queries take on a machine of so many while ticks come: a tenth of two, since a tick is to
 * find one free at any moment; from twenty on there is always one, and no need to rest.
 */
export function shareOf(cores: number): number {
  return Math.min(1, cores * shareOfCore);
}

/**
 * The pace of a thread that works in the background: while ticks come, it sleeps after each slice of work, so long that it
 * takes no more than its share of a core. It is the thread that sleeps, not a query, so many queries at once take no more of
 * the machine than one; and it counts elapsed time, so that on a busy machine the rests become longer as well.
 */
export class CpuThrottle {
  readonly #ticks: TapeWatch | undefined;
  readonly #restsPerWork: number;
  readonly #cell = new Int32Array(new SharedArrayBuffer(4));
  #comeTicks = true;
  #lookedAt = performance.now();
  #busyMs = busyMs();

  /**
   * @param tape of the ticks that others are to go through; without it there are no rests
   * @param share of a core, from above 0 to 1
   */
  constructor(tape: SharedArrayBuffer | undefined, share = shareOf(availableParallelism())) {
    this.#ticks = tape === undefined ? undefined : new TapeWatch(tape);
    this.#restsPerWork = (1 - share) / share;
  }

  /** To be called after each slice of work; half a ms is a good length of one. */
  rest(): void {
    if (this.#ticks === undefined) return;
    const now = performance.now();
    if (now - this.#lookedAt >= quietMs) {
      this.#comeTicks = this.#ticks.look();
      this.#lookedAt = now;
    }
    const restMs = Math.min(longestRestMs, (busyMs() - this.#busyMs) * this.#restsPerWork);
    // Nothing ever changes the cell or notifies of it.
    if (this.#comeTicks && restMs > 0) Atomics.wait(this.#cell, 0, 0, restMs);
    this.#busyMs = busyMs();
  }
}

/** Time in ms that the thread has not waited for anything, since it began. */
function busyMs(): number {
  return performance.eventLoopUtilization().active;
}
