import { FairQueue } from './fairQueue.js';

/** Does work that is charged to an allowance. */
export interface Worker {
  /** One object for each address: addresses take turns. */
  readonly account: object;
  /** True from `add` until there is nothing left to do. Kept by the queue. */
  isQueued: boolean;
  /** True when it has waited for an allowance since it was last idle. Kept by the queue. */
  isDelayed: boolean;
  /** Time in ms until the worker may continue; 0 when it may. */
  msInDebt(nowMs: number): number;
  /** Charges work that was done, in ms of the main thread. */
  charge(ms: number, nowMs: number): void;
  /** Does a part that takes some 0.1 ms; false when nothing is left to do. */
  step(): boolean;
  /** Is told that it begins to wait for an allowance. */
  delayed(): void;
}

/** ms that requests of clients take of the main thread in one go. */
const sliceMs = 1;
/** Time for ticks after a slice, as a multiple of what the slice has taken. */
const pauseFactor = 1;
/** Time for ticks after a slice while ticks wait in the rings, as a multiple of what the slice has taken. */
const busyPauseFactor = 9;
/** ms that such a pause lasts at most. */
const longestPauseMs = 100;
/** ms between two looks at those who wait for an allowance. */
const delayedCheckMs = 20;

/**
 * Does what clients ask for in turns, a slice at a time, so that ticks are taken from the rings and written in between.
 * Addresses take turns by the step, and the clients of each among themselves. A client that has used up its own allowance, or its address's, waits until some has come
 * back. What fits into the present slice is done at once.
 */
export class WorkQueue {
  /** Clients that had to wait for an allowance, each time they began to. */
  delayed = 0;
  readonly #isBusy: () => boolean;
  readonly #takeTicks: () => void;
  readonly #ready = new FairQueue<Worker>();
  readonly #waiting = new Set<Worker>();
  #waitingCheckedMs = 0;
  /** ms that the present slice has taken. */
  #usedMs = 0;
  /** When the pause after the present slice is over. */
  #nextSliceMs = 0;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires; Infinity while there is none. */
  #dueMs = Infinity;
  #stopped = false;

  /**
   * @param isBusy whether ticks wait in the rings
   * @param takeTicks takes in the ticks that wait, unless it has just done so
   */
  constructor(isBusy: () => boolean, takeTicks: () => void) {
    this.#isBusy = isBusy;
    this.#takeTicks = takeTicks;
  }

  /** Workers that have something left to do. */
  get length(): number {
    return this.#ready.length + this.#waiting.size;
  }

  /** Whether the worker may do a step at once, and charge it, without a turn in the queue. */
  mayRun(worker: Worker, nowMs: number): boolean {
    if (worker.isQueued) return false;
    if (nowMs >= this.#nextSliceMs && !this.#isBusy()) this.#usedMs = 0;
    return this.#usedMs < sliceMs && worker.msInDebt(nowMs) === 0;
  }

  /** To be called between steps that a worker does by itself: ticks that have come go first. */
  giveWay(): void {
    this.#takeTicks();
  }

  /** Charges a worker for what it has done by itself. */
  charge(worker: Worker, ms: number, nowMs: number): void {
    worker.charge(ms, nowMs);
    this.#usedMs += ms;
    this.#nextSliceMs = nowMs + this.#pauseMs();
  }

  /** Has the worker's steps done in its turns. */
  add(worker: Worker): void {
    if (worker.isQueued) return;
    worker.isQueued = true;
    this.#ready.push(this.#ready.laneOf(worker.account), worker);
    this.#schedule(Math.max(0, this.#nextSliceMs - performance.now()));
  }

  /** Does nothing from now on. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(ms: number): void {
    const dueMs = performance.now() + ms;
    if (this.#stopped || dueMs >= this.#dueMs) return;
    clearTimeout(this.#timer);
    this.#dueMs = dueMs;
    this.#timer = setTimeout(this.#turn, ms);
  }

  readonly #turn = (): void => {
    this.#dueMs = Infinity;
    let now = performance.now();
    this.#usedMs = 0;
    if (now - this.#waitingCheckedMs >= delayedCheckMs) this.#takeBack(now);
    while (this.#usedMs < sliceMs) {
      const worker = this.#ready.shift();
      if (worker === undefined) break;
      if (worker.msInDebt(now) > 0) {
        this.#wait(worker);
        continue;
      }
      const hasMore = worker.step();
      const after = performance.now();
      this.charge(worker, after - now, after);
      now = after;
      if (hasMore) {
        this.#ready.push(this.#ready.laneOf(worker.account), worker);
      } else {
        worker.isQueued = false;
        worker.isDelayed = false;
      }
    }
    if (this.#ready.length > 0) this.#schedule(this.#pauseMs());
    else if (this.#waiting.size > 0) this.#schedule(delayedCheckMs);
  };

  #pauseMs(): number {
    const factor = this.#isBusy() ? busyPauseFactor : pauseFactor;
    return Math.min(longestPauseMs, this.#usedMs * factor);
  }

  #wait(worker: Worker): void {
    this.#waiting.add(worker);
    if (worker.isDelayed) return;
    worker.isDelayed = true;
    this.delayed++;
    worker.delayed();
  }

  #takeBack(nowMs: number): void {
    this.#waitingCheckedMs = nowMs;
    for (const worker of this.#waiting) {
      if (worker.msInDebt(nowMs) > 0) continue;
      this.#waiting.delete(worker);
      this.#ready.push(this.#ready.laneOf(worker.account), worker);
    }
  }
}
