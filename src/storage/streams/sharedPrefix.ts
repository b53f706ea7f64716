import { fieldCount } from '../../market/quotes/quoteFields.js';
import { beganAt } from '../shared/gatewayRuns.js';
import { decodeTick } from '../../tickText/tickCodec.js';

/**
 * Whether a stream's newest entry, which is of a run that this process does not write, is of a gateway that runs at the
 * same time: it was received after this run began. That is told from the clocks of both machines.
 *
 * @param entry its run's name, and its line
 * @param own name of this process's run
 * @returns the other run's name; undefined where it is over, or does not tell
 */
export function otherWriter(
  entry: { readonly run: string; readonly text: string },
  own: string,
): string | undefined {
  const head = decodeTick(entry.text, new Float64Array(fieldCount));
  const isOfGateway = !Number.isNaN(beganAt(entry.run));
  return isOfGateway && head !== undefined && head.receivedMs > beganAt(own) ? entry.run : undefined;
}
