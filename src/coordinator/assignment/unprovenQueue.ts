/** A client that asks for instruments: one object for each client. */
export interface UnprovenClient {
  readonly address: string;
}

/** Unproven instruments that may have places on connections at once. */
export interface UnprovenLimits {
  readonly perClient: number;
  readonly perAddress: number;
  readonly total: number;
}

/**
 * `waiting`: for its turn; `admitted`: it may have a place, which counts against the share of one of its askers;
 * `refused`: no front has it, and it needs no place.
 */
export type UnprovenState = 'waiting' | 'admitted' | 'refused';

/** Share of all clients of one address. */
interface AddressShare {
  held: number;
  clients: number;
}

/** Share of one client. */
interface Share {
  readonly client: UnprovenClient;
  readonly address: AddressShare;
  held: number;
  /** Unproven instruments that it asks for. */
  asks: number;
  /** Slots that wait, the longest waiting first. */
  readonly waiting: Set<number>;
}

interface Entry {
  readonly key: string;
  readonly shares: Share[];
  state: UnprovenState;
  /** Whose share it counts against while it is admitted. */
  payer: Share | undefined;
}

/** How an instrument ceased to be unproven. */
export interface Proven {
  readonly key: string;
  readonly state: UnprovenState;
  /** How many ask for it. */
  readonly askers: number;
}

/**
 * Instruments that clients want and that nobody knows to exist. Any client can name tens of thousands of them, so a few have
 * places at a time: so many for each client, for each address, and in all. The client with the fewest is next, and by address
 * first, so neither many clients of one address nor many names of one client keep others from their turn.
 */
export class UnprovenQueue {
  readonly #entries = new Map<number, Entry>();
  readonly #shares = new Map<UnprovenClient, Share>();
  readonly #addresses = new Map<string, AddressShare>();
  readonly #limits: UnprovenLimits;
  /** Slots, those that have been so for longest first. */
  readonly #admitted = new Set<number>();
  #refused = 0;

  constructor(limits: UnprovenLimits) {
    this.#limits = limits;
  }

  /** Unproven instruments that somebody asks for. */
  get size(): number {
    return this.#entries.size;
  }

  /** Unproven instruments that wait for their turn. */
  get waiting(): number {
    return this.#entries.size - this.#admitted.size - this.#refused;
  }

  /** Those that are admitted, those that have been so for longest first. */
  admitted(): Iterable<number> {
    return this.#admitted;
  }

  /** All of them. */
  slots(): Iterable<number> {
    return this.#entries.keys();
  }

  /** Undefined where nobody asks for it, or it is proven. */
  state(slot: number): UnprovenState | undefined {
    return this.#entries.get(slot)?.state;
  }

  /** Those that wait for their turn, in no order. */
  *queued(): Iterable<number> {
    for (const [slot, { state }] of this.#entries) if (state === 'waiting') yield slot;
  }

  /** How many of its unproven instruments a client has here. */
  asksOf(client: UnprovenClient): number {
    return this.#shares.get(client)?.asks ?? 0;
  }

  /** One more client asks for it. What was refused waits again. */
  ask(slot: number, key: string, client: UnprovenClient): void {
    let entry = this.#entries.get(slot);
    if (entry === undefined) {
      entry = { key, shares: [], state: 'waiting', payer: undefined };
      this.#entries.set(slot, entry);
    }
    const share = this.#shareOf(client);
    share.asks++;
    entry.shares.push(share);
    if (entry.state === 'waiting') share.waiting.add(slot);
    else if (entry.state === 'refused') this.requeue(slot);
  }

  /** A client asks for it no more. What the others have no share left for waits again. */
  leave(slot: number, client: UnprovenClient): void {
    const entry = this.#entries.get(slot);
    const share = this.#shares.get(client);
    const at = share === undefined ? -1 : (entry?.shares.indexOf(share) ?? -1);
    if (entry === undefined || share === undefined || at < 0)
      throw new Error(`slot ${slot} was left by a client that had not asked for it`);
    entry.shares.splice(at, 1);
    share.waiting.delete(slot);
    if (entry.payer === share) {
      this.#uncharge(slot, entry);
      const next = entry.shares.find((each) => this.#fits(each));
      if (next !== undefined) this.#charge(slot, entry, next);
      else if (entry.shares.length > 0) this.#wait(slot, entry);
    }
    this.#forgetAsk(share);
    if (entry.shares.length > 0) return;
    if (entry.state === 'refused') this.#refused--;
    this.#entries.delete(slot);
  }

  /** It is unproven no more. */
  remove(slot: number): Proven | undefined {
    const entry = this.#entries.get(slot);
    if (entry === undefined) return undefined;
    const { key, state, shares } = entry;
    if (entry.payer !== undefined) this.#uncharge(slot, entry);
    if (state === 'refused') this.#refused--;
    for (const share of shares) {
      share.waiting.delete(slot);
      this.#forgetAsk(share);
    }
    this.#entries.delete(slot);
    return { key, state, askers: shares.length };
  }

  /** It waits again, behind all others of its askers. */
  requeue(slot: number): void {
    const entry = this.#entries.get(slot);
    if (entry === undefined || entry.state === 'waiting') return;
    if (entry.payer !== undefined) this.#uncharge(slot, entry);
    if (entry.state === 'refused') this.#refused--;
    this.#wait(slot, entry);
  }

  /** No front has it. */
  refuse(slot: number): void {
    const entry = this.#entries.get(slot);
    if (entry?.state !== 'admitted') return;
    this.#uncharge(slot, entry);
    entry.state = 'refused';
    this.#refused++;
  }

  /** Whether others could have a turn in place of one that is admitted. */
  isWaitedFor(slot: number): boolean {
    const entry = this.#entries.get(slot);
    const payer = entry?.payer;
    if (payer === undefined || this.waiting === 0) return false;
    const { perClient, perAddress, total } = this.#limits;
    for (const { waiting, held, address } of this.#shares.values()) {
      if (waiting.size === 0) continue;
      const itsHeld = payer.waiting === waiting ? held - 1 : held;
      const addressHeld = payer.address === address ? address.held - 1 : address.held;
      if (itsHeld < perClient && addressHeld < perAddress && this.#admitted.size - 1 < total) return true;
    }
    return false;
  }

  /** Admits as many as may be; those that were not admitted before. */
  admit(): { readonly slot: number; readonly key: string; readonly askers: number }[] {
    const admitted: { slot: number; key: string; askers: number }[] = [];
    while (this.waiting > 0) {
      const share = this.#next();
      if (share === undefined) break;
      const slot = share.waiting.values().next().value!;
      const entry = this.#entries.get(slot)!;
      for (const each of entry.shares) each.waiting.delete(slot);
      this.#charge(slot, entry, share);
      admitted.push({ slot, key: entry.key, askers: entry.shares.length });
    }
    return admitted;
  }

  /**
   * The client whose turn is next: the one with the least among those with waiting instruments and a share to spare.
   */
  #next(): Share | undefined {
    let next: Share | undefined;
    for (const share of this.#shares.values()) {
      if (share.waiting.size === 0 || !this.#fits(share)) continue;
      if (next === undefined || hasLess(share, next)) next = share;
    }
    return next;
  }

  #fits({ held, address }: Share): boolean {
    const { perClient, perAddress, total } = this.#limits;
    return held < perClient && address.held < perAddress && this.#admitted.size < total;
  }

  #charge(slot: number, entry: Entry, share: Share): void {
    entry.state = 'admitted';
    entry.payer = share;
    share.held++;
    share.address.held++;
    this.#admitted.add(slot);
  }

  #uncharge(slot: number, entry: Entry): void {
    const share = entry.payer!;
    entry.payer = undefined;
    share.held--;
    share.address.held--;
    this.#admitted.delete(slot);
  }

  #wait(slot: number, entry: Entry): void {
    entry.state = 'waiting';
    for (const share of entry.shares) share.waiting.add(slot);
  }

  #shareOf(client: UnprovenClient): Share {
    const known = this.#shares.get(client);
    if (known !== undefined) return known;
    const address = this.#addresses.get(client.address) ?? { held: 0, clients: 0 };
    this.#addresses.set(client.address, address);
    address.clients++;
    const share = { client, address, held: 0, asks: 0, waiting: new Set<number>() };
    this.#shares.set(client, share);
    return share;
  }

  #forgetAsk(share: Share): void {
    if (--share.asks > 0) return;
    this.#shares.delete(share.client);
    if (--share.address.clients === 0) this.#addresses.delete(share.client.address);
  }
}

function hasLess(a: Share, b: Share): boolean {
  return a.address.held === b.address.held ? a.held < b.held : a.address.held < b.address.held;
}
