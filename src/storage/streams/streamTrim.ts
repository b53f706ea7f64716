import { KeyScan } from '../../redis/keyScan.js';
import type { RedisLink } from '../../redis/redisLink.js';

/** Streams that are trimmed together. */
const trimCount = 100;

/**
 * Removes entries older than `beforeMs` (ms since the epoch) from all streams, also from those of instruments that do not
 * tick any more, some streams at a time. The streams stay, for they know which ids they had.
 */
export class StreamTrim {
  readonly #scan: KeyScan;
  readonly #minId: string;

  constructor(link: RedisLink, prefix: string, beforeMs: number) {
    this.#scan = new KeyScan(link.nodes(), `${prefix}ticks:`);
    this.#minId = `${Math.trunc(beforeMs)}`;
  }

  get isDone(): boolean {
    return this.#scan.isDone;
  }

  /** @throws UnknownOutcome when the connection is lost */
  async step(): Promise<void> {
    await this.#scan.step(trimCount, async (node, keys) => {
      await node.run(keys.map((key) => ['XTRIM', key, 'MINID', this.#minId]));
    });
  }
}
