import { Fifo } from '../../base/fifo.js';

/** Items of one address, first come first served. */
export class Lane<Item> {
  readonly items = new Fifo<Item>();
  /** Kept by the queue: it has items. */
  isActive = false;
}

/** A queue in which addresses take turns: one with many clients makes its own clients wait, and not those of others. */
export class FairQueue<Item> {
  readonly #lanes = new Fifo<Lane<Item>>();
  readonly #laneOf = new WeakMap<object, Lane<Item>>();
  #length = 0;

  /** Items of all lanes. */
  get length(): number {
    return this.#length;
  }

  /** The lane of an address. @param account one object for each address */
  laneOf(account: object): Lane<Item> {
    const known = this.#laneOf.get(account);
    if (known !== undefined) return known;
    const lane = new Lane<Item>();
    this.#laneOf.set(account, lane);
    return lane;
  }

  push(lane: Lane<Item>, item: Item): void {
    lane.items.push(item);
    this.#length++;
    if (lane.isActive) return;
    lane.isActive = true;
    this.#lanes.push(lane);
  }

  /** The oldest item of the lane whose turn it is; undefined when there is none. */
  shift(): Item | undefined {
    const lane = this.#lanes.shift();
    if (lane === undefined) return undefined;
    const item = lane.items.shift();
    this.#length--;
    if (lane.items.length > 0) this.#lanes.push(lane);
    else lane.isActive = false;
    return item;
  }
}
