import type { RedisLink } from '../../redis/redisLink.js';
import { causeOf, UnknownOutcome, type RedisNode } from '../../redis/redisNode.js';
import { memberOf } from './streamEnds.js';
import type { StoredInstrument } from '../quotes/storedInstrument.js';
import { streamIdText, type StreamId } from '../../tickText/streamId.js';

/** Entries that are looked at for one tick. */
const mostEntries = 8;

/** A tick that may be in its stream. */
export interface Sought {
  readonly instrument: StoredInstrument;
  /** The least id that it may have. */
  readonly from: StreamId;
  /** The greatest one; undefined where any greater one may be. */
  readonly to?: StreamId;
  /** Name of the tick's run and its number, `run.n`. */
  readonly seq: string;
}

/** Result for one tick. */
export interface FoundTick {
  /** It is there. */
  readonly isStored: boolean;
  /** Lines of the entries where it might be. */
  readonly lines: readonly string[];
}

/**
 * Looks for ticks in their streams.
 *
 * @throws UnknownOutcome when that is not possible
 */
export async function findTicks(link: RedisLink, sought: readonly Sought[]): Promise<FoundTick[]> {
  const found = new Array<FoundTick>(sought.length);
  const byNode = new Map<RedisNode, number[]>();
  sought.forEach(({ instrument }, index) => {
    const node = link.nodeOf(instrument.ticksSlot);
    if (node === undefined) throw new UnknownOutcome('no server is known to have the key');
    const indexes = byNode.get(node);
    if (indexes === undefined) byNode.set(node, [index]);
    else indexes.push(index);
  });
  const answers = [...byNode].map(async ([node, indexes]) => {
    const replies = await node.run(indexes.map((index) => question(sought[index]!)));
    replies.forEach((reply, at) => {
      if ('error' in reply) {
        link.consider(reply.error, node);
        throw new UnknownOutcome(causeOf(reply.error));
      }
      const index = indexes[at]!;
      found[index] = foundIn(reply.value, sought[index]!.seq);
    });
  });
  await Promise.all(answers);
  return found;
}

function question({ instrument, from, to }: Sought): string[] {
  const end = to === undefined ? '+' : streamIdText(to);
  return ['XRANGE', instrument.ticksKey, streamIdText(from), end, 'COUNT', `${mostEntries}`];
}

/** @param entries as XRANGE gives them: each an id, and names and values */
function foundIn(entries: unknown, seq: string): FoundTick {
  if (!Array.isArray(entries)) throw new UnknownOutcome('its answer to XRANGE is malformed');
  const fields = (entries as unknown[]).flatMap((entry) => {
    const [, pairs] = Array.isArray(entry) ? (entry as unknown[]) : [];
    return Array.isArray(pairs) ? [pairs as unknown[]] : [];
  });
  return {
    isStored: fields.some((pairs) => memberOf(pairs, 'seq') === seq),
    lines: fields.flatMap((pairs) => {
      const line = memberOf(pairs, 'tick');
      return typeof line === 'string' ? [line] : [];
    }),
  };
}
