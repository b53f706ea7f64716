import { fieldCount } from '../../market/quotes/quoteFields.js';
import { KeyScan } from '../../redis/keyScan.js';
import { parseQuote } from './quoteHash.js';
import type { RedisLink } from '../../redis/redisLink.js';

/** Hashes that are read together. */
const readCount = 250;
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

/** Reads the hashes of quotes, some at a time. What is older than 15 days, or no quote, is skipped. */
export class QuoteScan {
  readonly #scan: KeyScan;
  readonly #begin: string;
  readonly #since = Date.now() - oldestMs;
  #count = 0;

  constructor(link: RedisLink, prefix: string) {
    this.#begin = `${prefix}quote:`;
    this.#scan = new KeyScan(link.nodes(), this.#begin);
  }

  /** Those that could be read have been given. */
  get isDone(): boolean {
    return this.#scan.isDone || this.#count >= mostQuotes;
  }

  /** Why not all of them could be read; undefined when they were. */
  get refusal(): string | undefined {
    return this.#scan.refusal;
  }

  /** @throws UnknownOutcome when the connection is lost */
  async step(): Promise<StoredQuote[]> {
    const quotes: StoredQuote[] = [];
    await this.#scan.step(readCount, async (node, keys) => {
      const replies = await node.run(keys.map((key) => ['HGETALL', key]));
      replies.forEach((reply, index) => {
        if ('error' in reply || !Array.isArray(reply.value)) return;
        const quote = parseQuote(reply.value.map(String));
        if (quote === undefined || quote.receivedMs < this.#since || quote.row.length !== fieldCount) return;
        quotes.push({ key: keys[index]!.slice(this.#begin.length), ...quote });
      });
    });
    this.#count += quotes.length;
    return quotes;
  }
}
