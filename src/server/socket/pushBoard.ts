import { longestFrame } from './quoteEncoder.js';
import { type FieldSet, type KeyForm, type TickView } from '../shared/pushOptions.js';
import type { BackpressureLimits } from './backpressure.js';
import type { ClientSocket } from './clientSocket.js';
import type { CongestionWatch } from './congestionWatch.js';
import { Deliveries } from './deliveries.js';
import type { Work } from '../fairness/clientRequests.js';
import { FairQueue, type Lane } from '../fairness/fairQueue.js';
import { ViewBudget } from '../fairness/viewBudget.js';
import type { ClientDemand } from './clientDemand.js';
import { formOf, type ServedInstrument, type ServedMarket } from '../shared/servedMarket.js';
import type { PushOptions } from '../shared/pushOptions.js';

/** One instrument in one encoding: those who have joined get the same frames. */
interface Channel {
  readonly name: string;
  readonly slot: number;
  readonly form: KeyForm;
  readonly fields: FieldSet | null;
  readonly diff: boolean;
  readonly view: TickView;
  /** Subscriptions that use it, joined or not. */
  holders: number;
  /** Subscriptions that have joined, in no order. */
  members: PushSubscription[];
  /** Numbers of their clients, in the same order: all that a tick looks at. */
  clients: number[];
  /** Version of the quote that every member holds. */
  version: number;
}

/** One key in one client's set. */
interface PushSubscription {
  readonly client: PushClient;
  readonly channel: Channel;
  /** Place among the channel's members; -1 while it has not joined, but waits for a snapshot first. */
  position: number;
  /** Version of the quote that the client holds while it has not joined; 0 = nothing. */
  heldVersion: number;
  cancelled: boolean;
  /** The one that it takes the place of, which continues until this one joins; undefined: none. */
  replaced: PushSubscription | undefined;
  /** The client knows that the front has refused the instrument. */
  refusalTold: boolean;
}

const notJoined = -1;
const noNumber = -1;

export interface PushClientParts {
  readonly socket: ClientSocket;
  readonly demand: ClientDemand;
  readonly account: object;
  readonly lane: Lane<number>;
  readonly sendSnapshots: () => void;
}

/** The action side of a session. */
export class PushClient {
  readonly socket: ClientSocket;
  readonly demand: ClientDemand;
  /** By the id as the client wrote it. */
  readonly subscriptions = new Map<string, PushSubscription>();
  /** Subscriptions that have not joined, from nextWaiting on, first come first served. */
  waiting: PushSubscription[] = [];
  nextWaiting = 0;
  /** Has left its channels because it does not read fast enough, and is not yet back in all of them. */
  lagging = false;
  /** Bytes that were buffered for it when its queue was last written, or when the buffer last drained. */
  unread = 0;
  /** Among the clients that deliveries are queued for; -1 before the first subscription. */
  number = noNumber;

  /** Of its address: one object for each. */
  readonly account: object;
  /** Of that address. */
  readonly lane: Lane<number>;

  /** Has the snapshots sent that wait, in the client's turn. */
  readonly sendSnapshots: () => void;

  constructor({ socket, demand, account, lane, sendSnapshots }: PushClientParts) {
    this.sendSnapshots = sendSnapshots;
    this.socket = socket;
    this.demand = demand;
    this.account = account;
    this.lane = lane;
  }

  /** Whether subscriptions wait for their snapshots. */
  get hasWaiting(): boolean {
    return this.nextWaiting < this.waiting.length;
  }
}

/** Cost of a frame with chosen fields, ms of the main thread: of the frame, and of each member. */
const frameMs = 0.0008;
const memberMs = 0.0001;
/** Snapshots that one client is sent in one step. */
const snapshotsPerStep = 64;
/** Subscriptions of a client that has left, given up in one step. */
const releasesPerStep = 256;
/** Frames queued for all clients together, past which they are written without heed of who else waits. */
const queuedLimit = 32_768;

/**
 * The action side of all sessions. A tick is encoded once for each encoding that somebody gets, and queued for every
 * member of the channel, who so gets every tick, in order. Addresses take turns, and the clients of one are written
 * to in the order in which something came for them, a number at a time: a frame waits for the writes before it, not for those of all clients, and what comes
 * while it waits goes along. A client joins a channel after the newest snapshot, and leaves all of them while it lags: it
 * then misses ticks, but never the newest state.
 *
 * subscribed ──► waiting ──(buffer is short: snapshot if newer than heldVersion)──► joined
 *                   ▲                                                                 │
 *                   └──────────────────────(buffer is too long)───────────────────────┘
 *
 * Where the state is old and the front's snapshot is on its way (SnapshotSource), a subscription is held and waits when
 * that has come, or has not come in time.
 */
export class PushBoard {
  /** Frames that were queued for clients. */
  delivered = 0;
  /** How often a client began to lag. */
  lagged = 0;
  readonly #market: ServedMarket;
  readonly #limits: BackpressureLimits;
  readonly #watch: CongestionWatch;
  readonly #views: ViewBudget;
  /** Channels whose members are to be taken out of them, since nobody can pay for their frames. */
  readonly #unpaid = new Set<Channel>();
  /** Clients that wait for the next period of the budget. */
  readonly #resuming = new Set<PushClient>();
  #resumeTimer: NodeJS.Timeout | undefined;
  readonly #channels = new Map<string, Channel>();
  /** By slot: the channels with members. */
  readonly #bySlot: (Channel[] | undefined)[] = [];
  /** How many of them show ticks that are skipped. */
  #showingAll = 0;
  readonly #deliveries = new Deliveries();
  /** By number. */
  readonly #clients: (PushClient | undefined)[] = [];
  /** By slot: subscriptions that are held. */
  readonly #held = new Map<number, PushSubscription[]>();
  /** Clients that something is queued for. */
  readonly #toWrite = new FairQueue<number>();
  /** The client that is written to, and whether its socket took all at once. */
  #writing: PushClient | undefined;
  #wentOut = true;
  /** Bytes buffered for all clients. */
  #unread = 0;

  /** @param viewWork share of the main thread, in percent, for frames with fields that clients have chosen */
  constructor(market: ServedMarket, limits: BackpressureLimits, watch: CongestionWatch, viewWork: number) {
    this.#market = market;
    this.#limits = limits;
    this.#watch = watch;
    this.#views = new ViewBudget(viewWork);
  }

  /** Frames with chosen fields that were not made because their addresses had used up their share. */
  get skippedViews(): number {
    return this.#views.refused;
  }

  /** Does nothing from now on by itself. */
  stop(): void {
    clearTimeout(this.#resumeTimer);
  }

  /** The lane of the clients of one address. */
  laneOf(account: object): Lane<number> {
    return this.#toWrite.laneOf(account);
  }

  /** Clients that have something to be written. */
  get waiting(): number {
    return this.#toWrite.length;
  }

  /** Queues the instrument's newest tick. To be called after every tick that the book took in. */
  tick(slot: number): void {
    const channels = this.#bySlot[slot];
    if (channels === undefined || channels.length === 0) return;
    const deliveries = this.#deliveries;
    const version = this.#market.book.version(slot);
    for (const channel of channels) {
      if (channel.version === version || (channel.fields !== null && !this.#mayEncode(channel))) continue;
      const end = this.#encode(channel);
      channel.version = version;
      if (end !== deliveries.position) this.#queue(channel, end);
    }
    if (this.#unpaid.size > 0) this.#suspendUnpaid();
  }

  /** Whether somebody is to be shown ticks of the instrument that the book has skipped. For the tick path. */
  showsRejected(slot: number): boolean {
    if (this.#showingAll === 0) return false;
    return this.#bySlot[slot]?.some(({ view }) => view === 'all') === true;
  }

  /** Queues the tick that the book has just skipped for those who are shown all. */
  rejected(slot: number): void {
    const deliveries = this.#deliveries;
    for (const channel of this.#bySlot[slot] ?? []) {
      if (channel.view !== 'all' || (channel.fields !== null && !this.#mayEncode(channel))) continue;
      deliveries.reserve(longestFrame);
      const { memory, position } = deliveries;
      const { form, fields } = channel;
      this.#queue(channel, this.#market.encoder.rejectedFrame(memory, position, slot, form, fields));
    }
    if (this.#unpaid.size > 0) this.#suspendUnpaid();
  }

  /** Writes to so many of the clients that have waited longest; to all where too much has gathered. */
  write(clients: number): void {
    const all = this.#deliveries.length > queuedLimit;
    for (let left = all ? Infinity : clients; left > 0; left--) {
      const number = this.#toWrite.shift();
      if (number === undefined) return;
      const client = this.#clients[number];
      if (client === undefined) continue;
      this.#writeTo(client);
      if (!this.#wentOut || client.unread > 0) this.#look(client);
    }
  }

  /** Subscribes, or changes the encoding of what is subscribed. Snapshots follow by `sendSnapshots`. */
  subscribe(client: PushClient, requested: string, instrument: ServedInstrument, options: PushOptions): void {
    if (client.number === noNumber) this.#enter(client);
    const { slot } = instrument;
    const channel = this.#channelOf(slot, formOf(instrument, requested), options);
    channel.holders++;
    const before = client.subscriptions.get(requested);
    if (before === undefined) client.demand.add(slot);
    let replaced = before;
    if (before?.position === notJoined) {
      replaced = before.replaced;
      before.replaced = undefined;
      this.#release(before);
    }
    const subscription: PushSubscription = {
      client,
      channel,
      position: notJoined,
      heldVersion: 0,
      cancelled: false,
      replaced,
      refusalTold: false,
    };
    client.subscriptions.set(requested, subscription);
    client.waiting.push(subscription);
  }

  unsubscribe(client: PushClient, requested: string): void {
    const subscription = client.subscriptions.get(requested);
    if (subscription === undefined) return;
    client.subscriptions.delete(requested);
    this.#release(subscription);
    client.demand.remove(subscription.channel.slot);
  }

  /** Bytes of the client's buffer have gone out. */
  drained(client: PushClient): void {
    if (client.unread > 0) this.#count(client);
  }

  /**
   * Sends snapshots to some of the subscriptions that wait, and lets them join.
   *
   * @returns whether the socket takes more at once
   */
  sendSnapshots(client: PushClient): boolean {
    if (client.socket.closed || !client.hasWaiting) return false;
    let hasMore = false;
    client.socket.inOneWrite(() => {
      hasMore = this.#joinWaiting(client);
    });
    return hasMore;
  }

  /** The instrument's state is no more to be kept back. */
  settled(slot: number): void {
    const held = this.#held.get(slot);
    if (held === undefined) return;
    this.#held.delete(slot);
    for (const subscription of held) {
      if (subscription.cancelled) continue;
      subscription.client.waiting.push(subscription);
      subscription.client.sendSnapshots();
    }
  }

  /** Forgets a client whose socket is closed, in steps. */
  *leave(client: PushClient): Work {
    this.#resuming.delete(client);
    this.#count(client);
    client.waiting = [];
    client.nextWaiting = 0;
    let released = 0;
    for (const [requested, subscription] of client.subscriptions) {
      client.subscriptions.delete(requested);
      this.#release(subscription);
      if (++released % releasesPerStep === 0) yield;
    }
    if (client.number === noNumber) return;
    this.#clients[client.number] = undefined;
    this.#deliveries.removeClient(client.number);
    client.number = noNumber;
  }

  /** Whether an address of a member can pay for a frame with chosen fields. Where none can, the members wait. */
  #mayEncode(channel: Channel): boolean {
    this.#views.advance(performance.now());
    const ms = frameMs + memberMs * channel.fields!.members.length;
    for (const { client } of channel.members) if (this.#views.take(client.account, ms)) return true;
    this.#views.refused++;
    this.#unpaid.add(channel);
    return false;
  }

  /** Takes the members out of channels that nobody pays for; they get the newest state in the next period. */
  #suspendUnpaid(): void {
    for (const channel of this.#unpaid) {
      for (const subscription of [...channel.members]) {
        const { client } = subscription;
        this.#part(subscription);
        client.waiting.push(subscription);
        this.#resuming.add(client);
      }
    }
    this.#unpaid.clear();
    this.#resumeTimer ??= setTimeout(
      () => {
        this.#resumeTimer = undefined;
        const clients = [...this.#resuming];
        this.#resuming.clear();
        for (const client of clients) client.sendSnapshots();
      },
      Math.max(1, this.#views.periodEndMs - performance.now()),
    );
  }

  /** Queues the frame that ends there for every member. */
  #queue({ clients }: Channel, end: number): void {
    const deliveries = this.#deliveries;
    const frame = deliveries.addFrame(end, clients.length);
    for (const client of clients) {
      if (deliveries.isEmpty(client)) this.#toWrite.push(this.#clients[client]!.lane, client);
      deliveries.queue(frame, client);
    }
    this.delivered += clients.length;
  }

  #enter(client: PushClient): void {
    client.number = this.#deliveries.addClient();
    this.#clients[client.number] = client;
    client.socket.writeWaiting = () => this.#writeTo(client);
  }

  /** Writes the channel's newest state behind the frames that are taken; its end, there if there is nothing to say. */
  #encode({ slot, form, fields, diff, view, version }: Channel, whole = !diff || version === 0): number {
    const { encoder } = this.#market;
    const deliveries = this.#deliveries;
    deliveries.reserve(longestFrame);
    const { memory, position } = deliveries;
    return whole
      ? encoder.actionFrame(memory, position, slot, form, fields, view)
      : encoder.actionDiffFrame(memory, position, slot, version, form, fields, view);
  }

  /** Writes all that is queued for a client. */
  #writeTo(client: PushClient): void {
    this.#wentOut = true;
    if (client.number === noNumber || this.#deliveries.isEmpty(client.number)) return;
    this.#writing = client;
    client.socket.inOneWrite(this.#sendQueued);
    this.#writing = undefined;
  }

  readonly #sendQueued = (): void => {
    const { number, socket } = this.#writing!;
    // Sending may close the socket, and then there is nothing queued any more.
    for (
      let frame = this.#deliveries.take(number);
      frame !== undefined;
      frame = this.#deliveries.take(number)
    )
      if (!socket.sendWaiting(frame)) this.#wentOut = false;
  };

  #joinWaiting(client: PushClient): boolean {
    const { book } = this.#market;
    const { socket, waiting } = client;
    for (let left = snapshotsPerStep; client.nextWaiting < waiting.length; left--) {
      if (socket.closed) return false;
      if (socket.buffered > this.#limits.holdBytes) {
        this.#watch.wait(socket);
        return false;
      }
      if (left === 0) return true;
      const subscription = waiting[client.nextWaiting++]!;
      if (subscription.cancelled || this.#hold(subscription)) continue;
      const { channel } = subscription;
      if (book.version(channel.slot) > subscription.heldVersion) {
        const end = this.#encode(channel, true);
        socket.send(this.#deliveries.memory.subarray(this.#deliveries.position, end));
      }
      this.#join(subscription);
    }
    client.waiting = [];
    client.nextWaiting = 0;
    client.lagging = false;
    return false;
  }

  /** Holds the subscription if it is to wait for a front's snapshot. */
  #hold(subscription: PushSubscription): boolean {
    const { slot } = subscription.channel;
    if (this.#market.snapshots?.isAwaited(slot) !== true) return false;
    const held = this.#held.get(slot);
    if (held === undefined) this.#held.set(slot, [subscription]);
    else held.push(subscription);
    return true;
  }

  #join(subscription: PushSubscription): void {
    const { channel, client } = subscription;
    // Sending the snapshot may have closed the socket.
    if (client.socket.closed) return;
    this.#releaseReplaced(subscription);
    subscription.position = channel.members.length;
    if (subscription.position > 0) {
      channel.members.push(subscription);
      channel.clients.push(client.number);
      return;
    }
    // Lists of one are made as such: one that is pushed to has room for 17, and most instruments have few clients.
    channel.members = [subscription];
    channel.clients = [client.number];
    channel.version = this.#market.book.version(channel.slot);
    if (channel.view === 'all') this.#showingAll++;
    const channels = this.#bySlot[channel.slot];
    if (channels === undefined) {
      while (this.#bySlot.length < channel.slot) this.#bySlot.push(undefined);
      this.#bySlot[channel.slot] = [channel];
    } else {
      channels.push(channel);
    }
  }

  #part(subscription: PushSubscription): void {
    const { channel, position } = subscription;
    const { members, clients } = channel;
    subscription.position = notJoined;
    subscription.heldVersion = channel.version;
    const last = members.pop()!;
    const lastClient = clients.pop()!;
    if (last !== subscription) {
      members[position] = last;
      clients[position] = lastClient;
      last.position = position;
    }
    if (members.length > 0) return;
    if (channel.view === 'all') this.#showingAll--;
    const channels = this.#bySlot[channel.slot]!;
    channels.splice(channels.indexOf(channel), 1);
    if (channels.length === 0) this.#bySlot[channel.slot] = undefined;
  }

  #releaseReplaced(subscription: PushSubscription): void {
    if (subscription.replaced === undefined) return;
    this.#release(subscription.replaced);
    subscription.replaced = undefined;
  }

  #release(subscription: PushSubscription): void {
    this.#releaseReplaced(subscription);
    subscription.cancelled = true;
    if (subscription.position !== notJoined) this.#part(subscription);
    if (--subscription.channel.holders === 0) this.#channels.delete(subscription.channel.name);
  }

  /** Takes a client that has too much unread out of its channels. */
  #look(client: PushClient): void {
    this.#count(client);
    const { lagBytes, scarceLagBytes, totalBytes } = this.#limits;
    if (client.unread > (this.#unread > totalBytes ? scarceLagBytes : lagBytes)) this.#beginLag(client);
  }

  #count(client: PushClient): void {
    const { buffered } = client.socket;
    this.#unread += buffered - client.unread;
    client.unread = buffered;
  }

  #beginLag(client: PushClient): void {
    this.#watch.wait(client.socket);
    if (!client.lagging) this.lagged++;
    client.lagging = true;
    const waiting = client.waiting.slice(client.nextWaiting);
    for (const subscription of client.subscriptions.values()) {
      this.#releaseReplaced(subscription);
      if (subscription.position === notJoined) continue;
      this.#part(subscription);
      waiting.push(subscription);
    }
    client.waiting = waiting;
    client.nextWaiting = 0;
  }

  #channelOf(slot: number, form: KeyForm, { fields, diff, view }: PushOptions): Channel {
    const name = `${slot}/${form}/${view}/${diff ? 'diff' : 'full'}/${fields === null ? '*' : fields.key}`;
    const known = this.#channels.get(name);
    if (known !== undefined) return known;
    const channel: Channel = {
      name,
      slot,
      form,
      fields,
      diff,
      view,
      holders: 0,
      members: [],
      clients: [],
      version: 0,
    };
    this.#channels.set(name, channel);
    return channel;
  }
}
