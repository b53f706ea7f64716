import { scanKeys } from './quoteScan.js';
import type { RedisLink } from './redisLink.js';

/**
 * Removes entries older than `beforeMs` (ms since the epoch) from all streams, also from those of instruments that do not
 * tick any more. The streams stay, for they know which ids they had.
 *
 * @throws UnknownOutcome when the connection is lost
 */
export async function trimStreams(link: RedisLink, prefix: string, beforeMs: number): Promise<void> {
  for (const node of link.nodes()) {
    await scanKeys(node, `${prefix}ticks:`, async (keys) => {
      await node.run(keys.map((key) => ['XTRIM', key, 'MINID', `${Math.trunc(beforeMs)}`]));
    });
  }
}
