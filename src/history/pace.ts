import { performance } from 'node:perf_hooks';

/** Most of a core that a thread's queries take, all of them together. */
const share = 0.5;
/** A thread that was held up itself does not sleep for long because of it. */
const longestRestMs = 2;

/**
 * The pace of a thread that works in the background: after each slice of work it sleeps for as long as that took. Niceness
 * alone does not do: a thread that has a core keeps it until the system's scheduler looks again, which may be 4 ms later,
 * and what ticks go through waits meanwhile. It is the thread that sleeps, not a query, so many queries at once take no more
 * of the machine than one; and it counts elapsed time, so that on a busy machine the rests become longer as well.
 */
export class Pace {
  readonly #cell = new Int32Array(new SharedArrayBuffer(4));
  #busyMs = busyMs();

  /** To be called after each slice of work; half a ms is a good length of one. */
  rest(): void {
    const workedMs = busyMs() - this.#busyMs;
    // Nothing ever changes the cell or notifies of it.
    Atomics.wait(this.#cell, 0, 0, Math.min(longestRestMs, (workedMs * (1 - share)) / share));
    this.#busyMs = busyMs();
  }
}

/** Time in ms that the thread has not waited for anything, since it began. */
function busyMs(): number {
  return performance.eventLoopUtilization().active;
}
