const firstCapacity = 64;

/**
 * First in, first out, without moving or allocating anything once it is as large as it has to be.
 *
 *   items  [.. .. a b c .. ..]     head → a, the oldest; count = 3; the capacity is a power of two
 */
export class Fifo<Item> {
  #items = new Array<Item | undefined>(firstCapacity).fill(undefined);
  #head = 0;
  #count = 0;

  get length(): number {
    return this.#count;
  }

  push(item: Item): void {
    if (this.#count === this.#items.length) this.#grow();
    this.#items[(this.#head + this.#count++) & (this.#items.length - 1)] = item;
  }

  /** The oldest, which stays; undefined when there is none. */
  peek(): Item | undefined {
    return this.#items[this.#head];
  }

  /** Takes the oldest; undefined when there is none. */
  shift(): Item | undefined {
    if (this.#count === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#items.length - 1);
    this.#count--;
    return item;
  }

  #grow(): void {
    const { length } = this.#items;
    const items = new Array<Item | undefined>(2 * length).fill(undefined);
    for (let i = 0; i < length; i++) items[i] = this.#items[(this.#head + i) & (length - 1)];
    this.#items = items;
    this.#head = 0;
  }
}
