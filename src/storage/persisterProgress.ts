/** Memory for a PersisterProgress, at the tape's first tick. */
export function allocateProgress(): SharedArrayBuffer {
  return new SharedArrayBuffer(4 * Float64Array.BYTES_PER_ELEMENT);
}

const place = { next: 0, lost: 1, stored: 2, countedUpTo: 3 } as const;

/**
 * How far the persister has come, in shared memory that outlasts its thread: another thread of the same run that is given
 * it goes on there.
 *
 * A thread may be ended between any two calls. So what must agree is written together: the tape's position with what
 * was lost before it, and the ticks that are stored with the newest one that was counted.
 */
export class PersisterProgress {
  /** Ticks before this number of this run were counted as stored by an earlier thread, if they are in Redis. */
  readonly countedBefore: number;
  /** Lost, by earlier threads. */
  readonly #lostBefore: number;
  readonly #values: Float64Array;

  constructor(memory: SharedArrayBuffer) {
    this.#values = new Float64Array(memory);
    this.countedBefore = this.#values[place.countedUpTo]!;
    this.#lostBefore = this.lost;
  }

  /** Number of the tape's first tick, counted from 0 on, that is neither in Redis nor on disk nor lost for good. */
  get next(): number {
    return this.#values[place.next]!;
  }

  /** Ticks that will never be stored, of all threads. */
  get lost(): number {
    return this.#values[place.lost]!;
  }

  /** Ticks that are known to be in Redis, of all threads. */
  get stored(): number {
    return this.#values[place.stored]!;
  }

  /** @param lost by this thread */
  reach(next: number, lost: number): void {
    const values = this.#values;
    const lostOfAll = this.#lostBefore + lost;
    values[place.next] = next;
    values[place.lost] = lostOfAll;
  }

  /** @param countedUpTo number after that of the newest tick of this run that was counted */
  count(stored: number, countedUpTo: number): void {
    const values = this.#values;
    values[place.stored] = stored;
    values[place.countedUpTo] = countedUpTo;
  }
}
