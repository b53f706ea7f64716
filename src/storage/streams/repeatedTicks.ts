import { Field, fieldCount } from '../../market/quotes/quoteFields.js';
import { beganLater, ownRun } from '../shared/gatewayRuns.js';
import type { StoredInstrument } from '../quotes/storedInstrument.js';
import { decodeTick } from '../../tickText/tickCodec.js';

/** As the quote book: so many in a row prove that the newest entry is the one that is wrong. */
const mostRepeated = 20;

/**
 * Whether a tick tells nothing after a stream's newest entry, which is of a run that this process does not write: a front
 * repeats its last tick to anyone who subscribes, and a slower one may repeat older ones; and a file that could not be
 * deleted brings its ticks once more after later runs have stored theirs.
 *
 * @param run the tick's run, and its name
 * @param text the tick's line
 */
export function isRepeated(instrument: StoredInstrument, run: number, name: string, text: string): boolean {
  const { foreign } = instrument;
  if (foreign === undefined) return false;
  if (run !== ownRun && beganLater(foreign.run, name)) return true;
  if (instrument.repeated >= mostRepeated || !isNotNewer(text, foreign.text)) {
    // What follows it has been compared by the quote book.
    instrument.repeated = mostRepeated;
    return false;
  }
  instrument.repeated++;
  return true;
}

/** Whether a tick's line tells nothing new after another one of the same instrument. */
export function isNotNewer(text: string, before: string): boolean {
  const row = readRow(text);
  const held = readRow(before);
  if (row === undefined || held === undefined) return false;
  for (const field of [Field.tradingDay, Field.volume, Field.timestamp])
    if (row[field] !== held[field]) return row[field]! < held[field]!;
  return row.every((value, field) => Object.is(value, held[field]));
}

function readRow(text: string): Float64Array | undefined {
  const row = new Float64Array(fieldCount);
  return decodeTick(text, row) === undefined ? undefined : row;
}
