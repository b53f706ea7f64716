import { fieldCount } from '../market/quoteFields.js';
import { parseQuote } from './quoteHash.js';
import type { RedisLink } from './redisLink.js';
import { causeOf, type RedisNode } from './redisNode.js';

/** Keys that are asked for at once. */
const scanCount = 1000;
const malformed = 'its answer to SCAN is malformed';
/** Longer than any time without trading: what is older belongs to instruments that are gone. */
const oldestMs = 15 * 86_400_000;
/** More instruments than an exchange day has. */
const mostQuotes = 32_768;

/** The newest state of an instrument, from an earlier run. */
export interface StoredQuote {
  /** `EXCHANGE.id` */
  readonly key: string;
  readonly flags: number;
  /** ms since the epoch. */
  readonly receivedMs: number;
  readonly row: Float64Array;
}

/**
 * Goes through the keys that begin with `prefix`, some at a time.
 *
 * @returns why not all of them could be seen; undefined when they were
 * @throws UnknownOutcome when the connection is lost
 */
export async function scanKeys(
  node: RedisNode,
  prefix: string,
  onKeys: (keys: string[]) => Promise<void>,
): Promise<string | undefined> {
  let cursor = '0';
  do {
    const [reply] = await node.run([['SCAN', cursor, 'MATCH', `${prefix}*`, 'COUNT', `${scanCount}`]]);
    if (reply === undefined || 'error' in reply)
      return reply === undefined ? malformed : causeOf(reply.error);
    const [next, keys] = Array.isArray(reply.value) ? (reply.value as unknown[]) : [];
    if (typeof next !== 'string' || !Array.isArray(keys)) return malformed;
    cursor = next;
    if (keys.length > 0) await onKeys(keys.map(String));
  } while (cursor !== '0');
  return undefined;
}

/**
 * Reads the hashes of quotes and gives them out in parts, the last of which says so. What is older than 15 days, or no
 * quote, is left out.
 *
 * @returns why not all of them could be read; undefined when they were
 * @throws UnknownOutcome when the connection is lost
 */
export async function readQuotes(
  link: RedisLink,
  prefix: string,
  onQuotes: (quotes: readonly StoredQuote[], isLast: boolean) => void,
): Promise<string | undefined> {
  const begin = `${prefix}quote:`;
  const since = Date.now() - oldestMs;
  let count = 0;
  let refusal: string | undefined;
  for (const node of link.nodes()) {
    const refused = await scanKeys(node, begin, async (keys) => {
      if (count >= mostQuotes) return;
      const replies = await node.run(keys.map((key) => ['HGETALL', key]));
      const quotes = replies.flatMap((reply, index) => {
        if ('error' in reply || !Array.isArray(reply.value)) return [];
        const quote = parseQuote(reply.value.map(String));
        if (quote === undefined || quote.receivedMs < since || quote.row.length !== fieldCount) return [];
        return [{ key: keys[index]!.slice(begin.length), ...quote }];
      });
      count += quotes.length;
      onQuotes(quotes, false);
    });
    refusal ??= refused;
  }
  onQuotes([], true);
  return refusal;
}
