import type { KeyForm } from '../market/quoteEncoder.js';
import type { BackpressureLimits } from './backpressure.js';
import type { ClientSocket } from './clientSocket.js';
import type { CongestionWatch } from './congestionWatch.js';
import type { Work } from './fairness/clientRequests.js';
import { FairQueue, type Lane } from './fairness/fairQueue.js';
import type { Interests } from './interests.js';
import { rtnDataHead, rtnDataTail, subscribeQuoteAck } from './frames.js';
import { formOf, type ServedMarket } from './market.js';

/** One key in one client's set. */
interface AidEntry {
  readonly client: AidClient;
  readonly slot: number;
  readonly form: KeyForm;
  /** Version of the quote that the client holds; 0 = nothing. */
  sentVersion: number;
  /** In the client's dirty list. */
  dirty: boolean;
  /** Index in the list of the slot. */
  position: number;
}

/** The aid side of a session. */
export class AidClient {
  readonly socket: ClientSocket;
  readonly interests: Interests;
  entries: AidEntry[] = [];
  /** The entries whose quote has moved on since the last answer: the first dirtyCount of the list. */
  dirty: AidEntry[] = [];
  dirtyCount = 0;
  /** End of this client's rtn_data frames, with its ins_list; in bytes, off the heap, where it is long. */
  tail: string | Buffer = rtnDataTail('');
  /** The client has not yet been sent the tail that it has now. */
  tailChanged = false;
  /** A peek waits for an answer. One flag and no counter: clients send peeks back to back. */
  peekPending = false;
  /** Its set is being replaced, in steps: until that is done it is not answered. */
  isChanging = false;
  /** Waits among those that are to be answered. */
  queued = false;

  /** Of its address. */
  readonly lane: Lane<AidClient>;

  constructor(socket: ClientSocket, interests: Interests, lane: Lane<AidClient>) {
    this.socket = socket;
    this.interests = interests;
    this.lane = lane;
  }
}

/** Keys of a set that are taken in or out in one step. */
const keysPerStep = 128;
/** Instruments of one answer; what is beyond it follows with the next peek, so that no answer holds up ticks. */
const quotesPerAnswer = 2048;
/** A tail of more characters is kept as bytes. */
const longTail = 4096;

/**
 * The aid side of all sessions. A tick marks the instrument's entries. Clients whose peek waits and for whom something is
 * marked are answered in the order in which both came together, a number at a time, each with all that is marked by then.
 * While no peek waits, changes only stay marked: a client that is slow to peek costs nothing.
 */
export class AidBoard {
  readonly #market: ServedMarket;
  readonly #limits: BackpressureLimits;
  readonly #watch: CongestionWatch;
  /** By slot: who wants the instrument, in no order. */
  readonly #bySlot: (AidEntry[] | undefined)[] = [];
  readonly #toAnswer = new FairQueue<AidClient>();
  readonly #wake: () => void;

  /** @param wake is called when somebody is to be answered outside of a batch of ticks */
  constructor(market: ServedMarket, limits: BackpressureLimits, watch: CongestionWatch, wake: () => void) {
    this.#market = market;
    this.#limits = limits;
    this.#watch = watch;
    this.#wake = wake;
  }

  /** Clients that are to be answered. */
  get waiting(): number {
    return this.#toAnswer.length;
  }

  /** The instrument's quote moved on, or is no more to be kept back. */
  mark(slot: number): void {
    const entries = this.#bySlot[slot];
    if (entries === undefined) return;
    for (const entry of entries) {
      if (entry.dirty) continue;
      entry.dirty = true;
      const { client } = entry;
      client.dirty[client.dirtyCount++] = entry;
      if (client.peekPending && !client.queued) this.#queue(client);
    }
  }

  /** Answers so many of the clients that have waited longest. */
  answer(clients: number): void {
    for (let left = clients; left > 0; left--) {
      const client = this.#toAnswer.shift();
      if (client === undefined) return;
      client.queued = false;
      this.#answer(client);
    }
  }

  peek(client: AidClient): void {
    client.peekPending = true;
    this.resume(client);
  }

  /** Has the client answered in its turn, if there is something to say; also one whose buffer has drained. */
  resume(client: AidClient): void {
    if (!client.peekPending || client.queued) return;
    if (client.dirtyCount === 0 && !client.tailChanged) return;
    this.#queue(client);
    this.#wake();
  }

  /** Replaces the client's set by the keys of `insList`, which it is also echoed, in steps. */
  *subscribe(client: AidClient, insList: string, keys: readonly string[]): Work {
    client.isChanging = true;
    const slotsBefore: number[] = [];
    yield* this.#takeOutAll(client, slotsBefore);
    let added = 0;
    for (const key of keys) {
      this.#add(client, key);
      if (++added % keysPerStep === 0) yield;
    }
    // After the new ones, so that what stays is never dropped in between.
    for (const slot of slotsBefore) client.interests.remove(slot);
    const tail = rtnDataTail(insList);
    client.tail = tail.length > longTail ? Buffer.from(tail) : tail;
    client.tailChanged = true;
    client.isChanging = false;
    client.socket.send(subscribeQuoteAck);
    this.#answer(client);
  }

  /** Forgets a client whose socket is closed, in steps. */
  *leave(client: AidClient): Work {
    client.isChanging = true;
    client.peekPending = false;
    yield* this.#takeOutAll(client, []);
  }

  /** @param slots takes those of the instruments that are taken out */
  *#takeOutAll(client: AidClient, slots: number[]): Work {
    client.dirty = [];
    client.dirtyCount = 0;
    for (let entry = client.entries.pop(); entry !== undefined; entry = client.entries.pop()) {
      this.#takeOut(entry);
      slots.push(entry.slot);
      if (slots.length % keysPerStep === 0) yield;
    }
  }

  #add(client: AidClient, key: string): void {
    const { directory, book, snapshots } = this.#market;
    const instrument = directory.resolve(key, client.interests.unproven);
    if (instrument === undefined) {
      if (directory.lacksSlot(key)) directory.countRefused(1);
      return;
    }
    const { slot } = instrument;
    while (this.#bySlot.length < slot) this.#bySlot.push(undefined);
    const entries = (this.#bySlot[slot] ??= []);
    client.interests.add(slot);
    const dirty = book.version(slot) > 0 && snapshots?.isAwaited(slot) !== true;
    const entry: AidEntry = {
      client,
      slot,
      form: formOf(instrument, key),
      sentVersion: 0,
      dirty,
      position: entries.length,
    };
    entries.push(entry);
    client.entries.push(entry);
    if (dirty) client.dirty[client.dirtyCount++] = entry;
  }

  #takeOut(entry: AidEntry): void {
    const entries = this.#bySlot[entry.slot]!;
    const last = entries.pop()!;
    if (entries.length === 0) this.#bySlot[entry.slot] = undefined;
    if (last === entry) return;
    entries[entry.position] = last;
    last.position = entry.position;
  }

  #queue(client: AidClient): void {
    client.queued = true;
    this.#toAnswer.push(client.lane, client);
  }

  /** Answers the pending peek if there is something to say and the client reads. */
  #answer(client: AidClient): void {
    if (!client.peekPending || client.isChanging || client.socket.closed) return;
    if (client.dirtyCount === 0 && !client.tailChanged) return;
    if (client.socket.buffered > this.#limits.holdBytes) {
      this.#watch.wait(client.socket);
      return;
    }
    const quotes = this.#collect(client);
    if (quotes === '' && !client.tailChanged) return;
    client.peekPending = false;
    client.tailChanged = false;
    const { tail } = client;
    client.socket.send(
      typeof tail === 'string'
        ? rtnDataHead + quotes + tail
        : Buffer.concat([Buffer.from(rtnDataHead + quotes), tail]),
    );
  }

  #collect(client: AidClient): string {
    const { book, encoder } = this.#market;
    const { dirty, dirtyCount } = client;
    const answered = Math.min(dirtyCount, quotesPerAnswer);
    let quotes = '';
    for (let i = 0; i < answered; i++) {
      const entry = dirty[i]!;
      entry.dirty = false;
      const fragment = encoder.aidQuote(entry.slot, entry.sentVersion, entry.form);
      entry.sentVersion = book.version(entry.slot);
      if (fragment === '') continue;
      quotes = quotes === '' ? fragment : `${quotes},${fragment}`;
    }
    client.dirtyCount = dirtyCount - answered;
    if (client.dirtyCount > 0) dirty.copyWithin(0, answered, dirtyCount);
    return quotes;
  }
}
