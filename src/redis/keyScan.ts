import { causeOf, type RedisNode } from './redisNode.js';

/** Keys that a server looks at for one page: it does nothing else meanwhile, for less than a ms. */
const scanCount = 1000;
const malformed = 'its answer to SCAN is malformed';

/**
 * Goes through the keys that begin with a prefix, on one server after the other, a page at a time: whoever the caller is may do
 * something else between two pages, however many keys there are that begin otherwise.
 */
export class KeyScan {
  readonly #pattern: string;
  /** Those to come. */
  readonly #nodes: RedisNode[];
  #node: RedisNode | undefined;
  #cursor = '0';
  #found: string[] = [];
  #refusal: string | undefined;

  /** @param prefix without characters that are special in a glob pattern: see the format of redis_key_prefix */
  constructor(nodes: readonly RedisNode[], prefix: string) {
    this.#pattern = `${prefix}*`;
    this.#nodes = [...nodes];
    this.#node = this.#nodes.shift();
  }

  /** All keys have been given, but for those that could not be seen. */
  get isDone(): boolean {
    return this.#node === undefined;
  }

  /** Why not all keys could be seen; undefined where they could. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /**
   * Hands the next keys, at most so many and maybe none, to a function that asks their server for something. To be called
   * until all is done.
   *
   * @throws UnknownOutcome when the connection is lost: nothing more comes of this scan then
   */
  async step(most: number, onKeys: (node: RedisNode, keys: string[]) => Promise<void>): Promise<void> {
    const node = this.#node;
    if (node === undefined) return;
    if (this.#found.length === 0 && !(await this.#readPage(node))) this.#cursor = '0';
    const keys = this.#found.splice(0, most);
    if (keys.length > 0) await onKeys(node, keys);
    if (this.#found.length === 0 && this.#cursor === '0') this.#node = this.#nodes.shift();
  }

  /** False where the server refuses. */
  async #readPage(node: RedisNode): Promise<boolean> {
    const [reply] = await node.run([['SCAN', this.#cursor, 'MATCH', this.#pattern, 'COUNT', `${scanCount}`]]);
    const answer = reply !== undefined && 'value' in reply ? reply.value : undefined;
    const [next, keys] = Array.isArray(answer) ? (answer as unknown[]) : [];
    if (typeof next === 'string' && Array.isArray(keys)) {
      this.#cursor = next;
      this.#found = keys.map(String);
      return true;
    }
    this.#refusal ??= reply !== undefined && 'error' in reply ? causeOf(reply.error) : malformed;
    return false;
  }
}
