/** Loaded into a persister's thread before its own code: ticks whose volume ends in 777 crash it. */
import { Field } from '../../dist/src/market/quotes/quoteFields.js';
import { StoredInstrument } from '../../dist/src/storage/quotes/storedInstrument.js';

const { take } = StoredInstrument.prototype;
StoredInstrument.prototype.take = function (row, ...rest) {
  if (row[Field.volume] % 1000 === 777) throw new Error('a tick that cannot be taken');
  return take.call(this, row, ...rest);
};
