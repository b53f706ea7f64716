import type { RedisConfig } from '../config/redisConfig.js';
import { clusterSlot } from '../redis/clusterSlot.js';
import { argumentBytes } from '../redis/commandBytes.js';
import { RedisLink } from '../redis/redisLink.js';
import type { RedisNode } from '../redis/redisNode.js';
import type { StreamPage } from './streamPage.js';

/** ms that a query waits for a connection that is being made. */
const patienceMs = 5000;

/** Reads streams of whichever server has them. Connects with the first reading, and from then on by itself. */
export class StreamReader {
  readonly #link: RedisLink;
  readonly #waiting = new Set<(cause: string) => void>();
  #isStarted = false;

  constructor(config: RedisConfig) {
    const wake = (cause: string): void => {
      for (const each of this.#waiting) each(cause);
    };
    this.#link = new RedisLink(config, { onUp: () => wake(''), onDown: wake });
  }

  /**
   * XRANGE key start end COUNT count, into `page`.
   *
   * @throws an Error with a few words when Redis cannot be used or refuses
   */
  async read(key: string, start: string, end: string, count: number, page: StreamPage): Promise<void> {
    const node = await this.#nodeOf(key);
    page.clear();
    await node.read(commandOf(['XRANGE', key, start, end, 'COUNT', String(count)]), page);
    if (page.refusal === undefined) return;
    this.#link.consider(page.refusal, node);
    throw page.refusal;
  }

  close(): void {
    this.#link.close();
  }

  async #nodeOf(key: string): Promise<RedisNode> {
    if (!this.#isStarted) this.#link.start();
    this.#isStarted = true;
    const slot = clusterSlot(key);
    let node = this.#link.nodeOf(slot);
    if (node?.isReady !== true) {
      const cause = await this.#change();
      node = this.#link.nodeOf(slot);
      if (node?.isReady !== true) throw new Error(cause === '' ? 'no server has the key' : cause);
    }
    return node;
  }

  /** Waits until the connection is made or has failed: '', or why it has. */
  #change(): Promise<string> {
    return new Promise((resolve) => {
      const end = (cause: string): void => {
        this.#waiting.delete(end);
        clearTimeout(timer);
        resolve(cause);
      };
      const timer = setTimeout(end, patienceMs, `no connection within ${patienceMs} ms`);
      this.#waiting.add(end);
    });
  }
}

function commandOf(words: readonly string[]): Buffer {
  return Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...words.map(argumentBytes)]);
}
