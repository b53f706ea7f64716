/** Memory for a PersisterProgress, at the tape's first tick. */
export function allocateProgress(): SharedArrayBuffer {
  return new SharedArrayBuffer(8);
}

/**
 * How far the persister has come on the tape, in shared memory that outlasts its thread: another thread of the same run
 * that is given it goes on there.
 */
export class PersisterProgress {
  readonly #memory: BigUint64Array;

  constructor(memory: SharedArrayBuffer) {
    this.#memory = new BigUint64Array(memory);
  }

  /** Number of the tape's first tick, counted from 0 on, that is neither in Redis nor on disk nor lost for good. */
  get next(): number {
    return Number(Atomics.load(this.#memory, 0));
  }

  set next(n: number) {
    Atomics.store(this.#memory, 0, BigInt(n));
  }
}
