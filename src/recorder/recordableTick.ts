import { recordOf } from '../market/quotes/rowRecord.js';
import { TickFlag } from '../market/quotes/tickFlags.js';
import type { TapeRecord } from '../tape/tape.js';
import { intWord, RecordForm, TickRecord } from '../ring/tickRecord.js';

/** Ticks whose state has more sources than their own packet. */
const composed = TickFlag.partial | TickFlag.offSession;

/**
 * What is recorded of a tick: the vendor's record, from which the state follows that clients saw. Where it does not, since
 * the packet lacked fields that were known from earlier ones, a record of that state takes its place; so each tick of a
 * recording can be read without those before it.
 */
export class RecordableTick {
  readonly #made = new TickRecord();

  /** The record; it holds until the next call. */
  of({ tick, row, flags }: TapeRecord): TickRecord {
    if ((flags & composed) === 0) return tick;
    const made = this.#made;
    recordOf(row, tick.receiveTimeMs, 1, made);
    made.i32[intWord.form] = RecordForm.quote;
    for (const word of kept) made.i32[word] = tick.i32[word]!;
    return made;
  }
}

/** Words that are the tick's own; the time of receipt to the nanosecond. */
const kept = [intWord.slot, intWord.connection, intWord.receiveTimeLow, intWord.receiveTimeHigh] as const;
