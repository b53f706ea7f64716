import type { RedisLink } from '../../redis/redisLink.js';
import { causeOf, UnknownOutcome, type RedisNode, type Reply } from '../../redis/redisNode.js';
import type { GatewayRuns } from '../shared/gatewayRuns.js';
import type { StoredInstrument } from '../quotes/storedInstrument.js';
import { noId, parseStreamId, type StreamId } from '../../tickText/streamId.js';

/** The end of a stream. */
interface StreamEnd {
  readonly last: StreamId;
  /** The newest entry: its run, its number there, and its line. */
  readonly newest: { readonly run: string; readonly n: number; readonly text: string } | undefined;
}

/**
 * Reads the ends of streams, so that it is known which ticks are there.
 *
 * @throws UnknownOutcome when that is not possible
 */
export async function readEnds(
  link: RedisLink,
  instruments: readonly StoredInstrument[],
  runs: GatewayRuns,
): Promise<void> {
  const byNode = new Map<RedisNode, StoredInstrument[]>();
  for (const instrument of instruments) {
    const node = link.nodeOf(instrument.ticksSlot);
    if (node === undefined) throw new UnknownOutcome('no server is known to have the key');
    const list = byNode.get(node);
    if (list === undefined) byNode.set(node, [instrument]);
    else list.push(instrument);
  }
  const answers = [...byNode].map(async ([node, list]) => {
    const replies = await node.run(list.map(({ ticksKey }) => ['XINFO', 'STREAM', ticksKey]));
    replies.forEach((reply, index) => takeEnd(list[index]!, endOf(reply, link, node), runs));
  });
  await Promise.all(answers);
}

function takeEnd(instrument: StoredInstrument, { last, newest }: StreamEnd, runs: GatewayRuns): void {
  instrument.lastMs = last.ms;
  instrument.lastN = last.n;
  instrument.newestRun = newest === undefined ? -1 : runs.find(newest.run);
  instrument.newestN = newest?.n ?? 0;
  instrument.foreign = instrument.newestRun < 0 ? newest : undefined;
  instrument.isKnown = true;
  instrument.repeated = 0;
}

function endOf(reply: Reply, link: RedisLink, node: RedisNode): StreamEnd {
  if ('value' in reply) {
    const end = parseEnd(reply.value);
    if (end === undefined) throw new UnknownOutcome('its answer to XINFO STREAM is malformed');
    return end;
  }
  const { message } = reply.error;
  // A foreign key of that name: XADD will say so.
  if (message.includes('no such key') || message.startsWith('WRONGTYPE'))
    return { last: noId, newest: undefined };
  link.consider(reply.error, node);
  throw new UnknownOutcome(causeOf(reply.error));
}

/**
 * @param info names and values, as XINFO STREAM gives them
 * @returns undefined where it is something else
 */
function parseEnd(info: unknown): StreamEnd | undefined {
  const last = parseStreamId(String(memberOf(info, 'last-generated-id')));
  if (last === undefined) return undefined;
  const entry = memberOf(info, 'last-entry');
  if (!Array.isArray(entry)) return { last, newest: undefined };
  const [, fields] = entry as unknown[];
  const seq = memberOf(fields, 'seq');
  const tick = memberOf(fields, 'tick');
  // What somebody else has put there is none of our ticks.
  const [run = '', n] = typeof seq === 'string' ? seq.split('.') : [];
  return { last, newest: { run, n: Number(n), text: typeof tick === 'string' ? tick : '' } };
}

/** The value that follows a name in a list of both. */
export function memberOf(pairs: unknown, name: string): unknown {
  if (!Array.isArray(pairs)) return undefined;
  const at = pairs.indexOf(name);
  return at < 0 ? undefined : (pairs as unknown[])[at + 1];
}
