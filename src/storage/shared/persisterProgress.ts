/** Instruments that ticks are counted of exactly, as many as a tape has; and the longest key. */
const mostInstruments = 65_536;
const keyBytes = 96;

const place = { next: 0, lost: 1, stored: 2, instruments: 3, marks: 4 } as const;
const headBytes = (place.marks + 2 * mostInstruments) * Float64Array.BYTES_PER_ELEMENT;

/** Memory for a PersisterProgress, at the tape's first tick. What is not used of it takes no room. */
export function allocateProgress(): SharedArrayBuffer {
  return new SharedArrayBuffer(headBytes + mostInstruments * keyBytes);
}

/**
 * How far the persister has come, in shared memory that outlasts its thread: another thread of the same run that is given
 * it continues there.
 *
 *   f64 next, lost, stored, instruments
 *       65,536 × run (Runs.mark), n       by instrument: the newest tick that was counted as stored
 *   u8  65,536 × c[96]                    by instrument: `EXCHANGE.id` in latin1, NUL-padded
 *
 * Ticks of one instrument are stored, and counted, in their order. So whatever of them a later thread finds stored was
 * counted if it is not behind the mark, whichever server has answered first.
 *
 * A thread may be ended between any two calls. So what must agree is written together: the tape's position with what
 * was lost before it, and the ticks that are stored with the mark of the one that was counted.
 */
export class PersisterProgress {
  /** Lost, by earlier threads. */
  readonly #lostBefore: number;
  readonly #values: Float64Array;
  readonly #keys: Buffer;

  constructor(memory: SharedArrayBuffer) {
    this.#values = new Float64Array(memory, 0, headBytes / Float64Array.BYTES_PER_ELEMENT);
    this.#keys = Buffer.from(memory, headBytes);
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

  /** Keys of the instruments that have a mark, in their order. */
  get keys(): string[] {
    return Array.from({ length: this.#values[place.instruments]! }, (_, instrument) => {
      const begin = instrument * keyBytes;
      const key = this.#keys.toString('latin1', begin, begin + keyBytes);
      return key.replace(/\0+$/, '');
    });
  }

  /** Gives the next instrument a mark. */
  add(key: string): void {
    const instrument = this.#values[place.instruments]!;
    if (instrument === mostInstruments) return;
    this.#keys.write(key, instrument * keyBytes, keyBytes, 'latin1');
    this.#values[place.instruments] = instrument + 1;
  }

  /** @param lost by this thread */
  reach(next: number, lost: number): void {
    const values = this.#values;
    const lostOfAll = this.#lostBefore + lost;
    values[place.next] = next;
    values[place.lost] = lostOfAll;
  }

  /**
   * Counts a tick as stored, once: it may be found again, in the folder or by another thread.
   *
   * @param run Runs.mark
   */
  count(instrument: number, run: number, n: number): void {
    const values = this.#values;
    const stored = this.stored + 1;
    const mark = place.marks + 2 * instrument;
    if (instrument >= mostInstruments) values[place.stored] = stored;
    else if (values[mark] !== run || values[mark + 1]! < n) {
      values[place.stored] = stored;
      values[mark] = run;
      values[mark + 1] = n;
    }
  }

  /** A tick that was counted is not in Redis any more; to be called for the newest ones of an instrument first. */
  uncount(instrument: number, run: number, n: number): void {
    const values = this.#values;
    const stored = this.stored - 1;
    const mark = place.marks + 2 * instrument;
    values[place.stored] = stored;
    if (instrument >= mostInstruments) return;
    values[mark] = run;
    values[mark + 1] = n - 1;
  }
}
