/** Memory that a client makes the gateway keep, by kind. */
export interface Kept {
  /** Frames that wait for their turn. */
  frames: number;
  /** The aid side's list and instruments. */
  aid: number;
  /** The action side's subscriptions and patterns. */
  action: number;
}

/** Estimates, in bytes, of what one instrument of a client costs. */
export const aidEntryBytes = 150;
export const subscriptionBytes = 250;

/**
 * The sum of what all clients make the gateway keep, in bytes. When it passes the limit, those who have the most are
 * closed, one by one, until the others fit.
 */
export class KeptBytes<Client> {
  readonly #limit: number;
  readonly #of = new Map<Client, Kept>();
  readonly #close: (client: Client, bytes: number) => void;
  #total = 0;

  /** @param close closes a client, which has so many bytes; it is counted no more */
  constructor(limit: number, close: (client: Client, bytes: number) => void) {
    this.#limit = limit;
    this.#close = close;
  }

  get total(): number {
    return this.#total;
  }

  /** States what a client has of one kind. */
  set(client: Client, kind: keyof Kept, bytes: number): void {
    let kept = this.#of.get(client);
    if (kept === undefined) {
      if (bytes === 0) return;
      kept = { frames: 0, aid: 0, action: 0 };
      this.#of.set(client, kept);
    }
    this.#total += bytes - kept[kind];
    kept[kind] = bytes;
    while (this.#total > this.#limit) this.#closeLargest();
  }

  /** Counts a client no more. */
  forget(client: Client): void {
    const kept = this.#of.get(client);
    if (kept === undefined) return;
    this.#total -= sum(kept);
    this.#of.delete(client);
  }

  #closeLargest(): void {
    let largest: Client | undefined;
    let most = -1;
    for (const [client, kept] of this.#of) {
      const bytes = sum(kept);
      if (bytes <= most) continue;
      most = bytes;
      largest = client;
    }
    this.forget(largest!);
    this.#close(largest!, most);
  }
}

function sum({ frames, aid, action }: Kept): number {
  return frames + aid + action;
}
