import type { KeyForm } from '../shared/pushOptions.js';
import type { BackpressureLimits } from './backpressure.js';
import { Charts, type ChartRequest } from './charts.js';
import type { ClientSocket } from './clientSocket.js';
import type { CongestionWatch } from './congestionWatch.js';
import type { Work } from '../fairness/clientRequests.js';
import { FairQueue, type Lane } from '../fairness/fairQueue.js';
import type { ClientDemand } from './clientDemand.js';
import { rtnDataHead, rtnDataTail, subscribeQuoteAck, withPatches } from './frames.js';
import { formOf, type ServedMarket } from '../shared/servedMarket.js';
import { WaitingPatches } from './waitingPatches.js';

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
  readonly demand: ClientDemand;
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
  /** The client's set is being replaced, in steps: peeks are not answered until that is done. */
  isChanging = false;
  /** Waits among those that are to be answered. */
  queued = false;
  /** Undefined before the first of either. */
  charts: Charts | undefined;
  patches: WaitingPatches | undefined;
  /** Names that the client has been told are of no instrument; undefined before the first. */
  toldUnknown: Set<string> | undefined;
  /** Is called when what is kept for the client has changed. */
  noteKept: () => void = () => undefined;

  /** Of its address. */
  readonly lane: Lane<AidClient>;

  constructor(socket: ClientSocket, demand: ClientDemand, lane: Lane<AidClient>) {
    this.socket = socket;
    this.demand = demand;
    this.lane = lane;
  }

  /** Whether answers to requests of its own wait. */
  get hasPatches(): boolean {
    return this.patches?.isEmpty === false;
  }

  /** Whether there is something to say. */
  get hasNews(): boolean {
    return this.dirtyCount > 0 || this.tailChanged || this.hasPatches;
  }

  /** Characters of charts and answers that are kept for it. */
  get keptChars(): number {
    return (this.charts?.chars ?? 0) + (this.patches?.chars ?? 0);
  }
}

/** Keys of a set that are taken in or out in one step. */
const keysPerStep = 128;
/** Instruments of one answer; what is beyond it follows with the next peek, so that no answer holds up ticks. */
const quotesPerAnswer = 2048;
/** Characters of answers that may wait for one client's peek. */
const mostWaiting = 8 * 1024 * 1024;
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

  /** The lane of the clients of one address. */
  laneOf(account: object): Lane<AidClient> {
    return this.#toAnswer.laneOf(account);
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
    // Answers to its own requests are part of the client's work; ticks alone come in the turn of their delivery.
    if (client.hasPatches) this.#answer(client);
    else this.resume(client);
  }

  /** Has the client answered in its turn, if there is something to say; also one whose buffer has drained. */
  resume(client: AidClient): void {
    if (!client.peekPending || client.queued || !client.hasNews) return;
    this.#queue(client);
    this.#wake();
  }

  /**
   * Has a JSON merge patch sent with the next answer to a peek, in place of one on the same subject that still waits.
   * False where too much waits already.
   */
  patch(client: AidClient, subject: string, patch: string): boolean {
    client.patches ??= new WaitingPatches(mostWaiting);
    if (!client.patches.put(subject, patch)) return false;
    client.noteKept();
    if (!client.queued) this.#answer(client);
    return true;
  }

  /**
   * Answers a set_chart, whose text is a JSON object, with the next answer to a peek, in steps. False where too much waits
   * already.
   */
  *chart(client: AidClient, request: ChartRequest, text: string): Generator<undefined, boolean> {
    const charts = (client.charts ??= new Charts());
    const patch = yield* charts.answer(request, text);
    if (patch === undefined || this.patch(client, `chart ${request.id}`, patch)) return true;
    charts.forget(request.id);
    return false;
  }

  /**
   * Replaces the client's set by the keys of `insList`, which it is also echoed, in steps.
   *
   * @returns the keys that no instrument can have
   */
  *subscribe(
    client: AidClient,
    insList: string,
    keys: readonly string[],
  ): Generator<undefined, readonly string[]> {
    const unknown: string[] = [];
    client.isChanging = true;
    const slotsBefore: number[] = [];
    yield* this.#takeOutAll(client, slotsBefore);
    let added = 0;
    for (const key of keys) {
      if (!this.#add(client, key)) unknown.push(key);
      if (++added % keysPerStep === 0) yield;
    }
    // After the new ones, so that what stays is never dropped in between.
    for (const slot of slotsBefore) client.demand.remove(slot);
    const tail = rtnDataTail(insList);
    client.tail = tail.length > longTail ? Buffer.from(tail) : tail;
    client.tailChanged = true;
    client.isChanging = false;
    client.socket.send(subscribeQuoteAck);
    this.#answer(client);
    return unknown;
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
    // Those that ticked meanwhile, and have been taken out since.
    client.dirty = [];
    client.dirtyCount = 0;
  }

  /** False where there is no such instrument. */
  #add(client: AidClient, key: string): boolean {
    const { directory, book, snapshots } = this.#market;
    const instrument = directory.resolve(key, client.demand.unproven);
    if (instrument === undefined) {
      if (!directory.lacksSlot(key)) return false;
      directory.countRefused(1);
      return true;
    }
    const { slot } = instrument;
    while (this.#bySlot.length < slot) this.#bySlot.push(undefined);
    const entries = (this.#bySlot[slot] ??= []);
    client.demand.add(slot);
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
    return true;
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
    if (!client.hasNews) return;
    if (client.socket.buffered > this.#limits.holdBytes) {
      this.#watch.wait(client.socket);
      return;
    }
    const quotes = this.#collect(client);
    const patches = client.patches?.take() ?? '';
    if (quotes === '' && patches === '' && !client.tailChanged) return;
    client.peekPending = false;
    client.tailChanged = false;
    const tail = patches === '' ? client.tail : withPatches(client.tail, patches);
    client.socket.send(
      typeof tail === 'string'
        ? rtnDataHead + quotes + tail
        : Buffer.concat([Buffer.from(rtnDataHead + quotes), tail]),
    );
    if (patches !== '') client.noteKept();
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
