import type { FieldSet, KeyForm } from '../market/quoteEncoder.js';
import type { BackpressureLimits } from './backpressure.js';
import type { ClientSocket } from './clientSocket.js';
import type { CongestionWatch } from './congestionWatch.js';
import type { Interests } from './interests.js';
import { formOf, type ServedInstrument, type ServedMarket } from './market.js';
import type { PushOptions } from './messages.js';

/** One instrument in one encoding: what one `publish` reaches. */
interface Channel {
  readonly name: string;
  /** The name's bytes, which are cheaper to hand over. */
  readonly topic: Uint8Array;
  readonly slot: number;
  readonly form: KeyForm;
  readonly fields: FieldSet | null;
  readonly diff: boolean;
  /** Subscriptions that use it, joined or not. */
  holders: number;
  /** Sockets that `publish` reaches. */
  members: number;
  /** Version of the quote that every member holds. */
  version: number;
}

/** One key in one client's set. */
interface PushSubscription {
  readonly channel: Channel;
  /** The client gets the channel's pushes. Otherwise it waits for a snapshot first. */
  joined: boolean;
  /** Version of the quote that the client holds while it has not joined; 0 = nothing. */
  heldVersion: number;
  cancelled: boolean;
  /** The client knows that the front has refused the instrument. */
  refusalTold: boolean;
}

/** The action side of a session. */
export class PushClient {
  readonly socket: ClientSocket;
  readonly interests: Interests;
  /** By the id as the client wrote it. */
  readonly subscriptions = new Map<string, PushSubscription>();
  /** Subscriptions that have not joined, from nextWaiting on, first come first served. */
  waiting: PushSubscription[] = [];
  nextWaiting = 0;
  /** Has left its channels because it does not read fast enough, and is not yet back in all of them. */
  lagging = false;

  constructor(socket: ClientSocket, interests: Interests) {
    this.socket = socket;
    this.interests = interests;
  }
}

/** uWebSockets forgets what is still to be sent to a socket that leaves its last topic, so every push client keeps one. */
const keepTopic = new TextEncoder().encode('keep');
const textFrame = false;
const uncompressed = false;

type Publish = (topic: Uint8Array, frame: string, isBinary: boolean, compress: boolean) => boolean;

/**
 * The action side of all sessions. A tick is encoded once for each encoding that somebody gets, and published; every
 * member of a channel so gets every tick, in order. A client joins a channel after the newest snapshot, and leaves all of
 * them while it lags: it then misses ticks, but never the newest state.
 *
 * subscribed ──► waiting ──(buffer is short: snapshot if newer than heldVersion)──► joined
 *                   ▲                                                                 │
 *                   └──────────────────────(buffer is too long)───────────────────────┘
 */
export class PushBoard {
  /** Frames that were published, times the sockets that they went to. */
  delivered = 0;
  /** How often a client began to lag. */
  lagged = 0;
  readonly #market: ServedMarket;
  readonly #limits: BackpressureLimits;
  readonly #watch: CongestionWatch;
  readonly #publish: Publish;
  readonly #channels = new Map<string, Channel>();
  /** By slot: the channels with members. */
  readonly #bySlot: Channel[][] = [];
  readonly #clients = new Set<PushClient>();
  #publishedSinceScan = 0;
  #lagBytes: number;

  constructor(market: ServedMarket, limits: BackpressureLimits, watch: CongestionWatch, publish: Publish) {
    this.#market = market;
    this.#limits = limits;
    this.#watch = watch;
    this.#publish = publish;
    this.#lagBytes = limits.lagBytes;
  }

  /** Pushes the instrument's newest tick. To be called after every tick that the book took in. */
  tick(slot: number): void {
    const channels = this.#bySlot[slot];
    if (channels === undefined || channels.length === 0) return;
    const { book, encoder } = this.#market;
    const version = book.version(slot);
    for (const channel of channels) {
      const { form, fields, version: before } = channel;
      if (before === version) continue;
      const frame =
        channel.diff && before > 0
          ? encoder.actionDiffFrame(slot, before, form, fields)
          : encoder.actionFrame(slot, form, fields);
      channel.version = version;
      if (frame === '') continue;
      this.#publish(channel.topic, frame, textFrame, uncompressed);
      this.delivered += channel.members;
      this.#publishedSinceScan += frame.length;
    }
    if (this.#publishedSinceScan >= this.#limits.scanEvery) this.#scan();
  }

  /** Subscribes, or changes the encoding of what is subscribed. Snapshots follow by `resume`. */
  subscribe(client: PushClient, requested: string, instrument: ServedInstrument, options: PushOptions): void {
    if (!this.#clients.has(client)) {
      this.#clients.add(client);
      client.socket.subscribe(keepTopic);
    }
    const { slot } = instrument;
    client.interests.add(slot);
    this.unsubscribe(client, requested);
    const channel = this.#channelOf(slot, formOf(instrument, requested), options);
    channel.holders++;
    const subscription = { channel, joined: false, heldVersion: 0, cancelled: false, refusalTold: false };
    client.subscriptions.set(requested, subscription);
    client.waiting.push(subscription);
  }

  unsubscribe(client: PushClient, requested: string): void {
    const subscription = client.subscriptions.get(requested);
    if (subscription === undefined) return;
    client.subscriptions.delete(requested);
    this.#release(client, subscription);
    client.interests.remove(subscription.channel.slot);
  }

  /** Sends snapshots to subscriptions that wait and lets them join, as long as the socket takes it. */
  resume(client: PushClient): void {
    const { socket } = client;
    if (socket.closed || client.nextWaiting === client.waiting.length) return;
    socket.inOneWrite(() => {
      this.#joinWaiting(client);
    });
  }

  /** Forgets a client whose socket is closed. */
  leave(client: PushClient): void {
    for (const subscription of client.subscriptions.values()) this.#release(client, subscription);
    client.subscriptions.clear();
    client.waiting = [];
    client.nextWaiting = 0;
    this.#clients.delete(client);
  }

  #joinWaiting(client: PushClient): void {
    const { book, encoder } = this.#market;
    const { socket, waiting } = client;
    while (client.nextWaiting < waiting.length) {
      if (socket.closed) return;
      if (socket.buffered > this.#limits.holdBytes) {
        this.#watch.wait(socket);
        return;
      }
      const subscription = waiting[client.nextWaiting++]!;
      if (subscription.cancelled) continue;
      const { channel } = subscription;
      if (book.version(channel.slot) > subscription.heldVersion)
        socket.send(encoder.actionFrame(channel.slot, channel.form, channel.fields));
      this.#join(client, subscription);
    }
    client.waiting = [];
    client.nextWaiting = 0;
    client.lagging = false;
  }

  #join(client: PushClient, subscription: PushSubscription): void {
    // Sending the snapshot may have closed the socket.
    if (client.socket.closed) return;
    const { channel } = subscription;
    if (channel.members === 0) {
      channel.version = this.#market.book.version(channel.slot);
      while (this.#bySlot.length <= channel.slot) this.#bySlot.push([]);
      this.#bySlot[channel.slot]!.push(channel);
    }
    channel.members++;
    subscription.joined = true;
    client.socket.subscribe(channel.topic);
  }

  #part(client: PushClient, subscription: PushSubscription): void {
    const { channel } = subscription;
    subscription.joined = false;
    subscription.heldVersion = channel.version;
    client.socket.unsubscribe(channel.topic);
    if (--channel.members > 0) return;
    const channels = this.#bySlot[channel.slot]!;
    channels.splice(channels.indexOf(channel), 1);
  }

  #release(client: PushClient, subscription: PushSubscription): void {
    subscription.cancelled = true;
    if (subscription.joined) this.#part(client, subscription);
    if (--subscription.channel.holders === 0) this.#channels.delete(subscription.channel.name);
  }

  /** Looks at all push clients, and takes those that lag out of their channels. */
  #scan(): void {
    this.#publishedSinceScan = 0;
    let total = 0;
    for (const client of this.#clients) {
      const { buffered } = client.socket;
      total += buffered;
      if (buffered > this.#lagBytes) this.#beginLag(client);
    }
    const { lagBytes, scarceLagBytes, totalBytes } = this.#limits;
    this.#lagBytes = total > totalBytes ? scarceLagBytes : lagBytes;
  }

  #beginLag(client: PushClient): void {
    this.#watch.wait(client.socket);
    if (!client.lagging) this.lagged++;
    client.lagging = true;
    const waiting = client.waiting.slice(client.nextWaiting);
    for (const subscription of client.subscriptions.values()) {
      if (!subscription.joined) continue;
      this.#part(client, subscription);
      waiting.push(subscription);
    }
    client.waiting = waiting;
    client.nextWaiting = 0;
  }

  #channelOf(slot: number, form: KeyForm, { fields, diff }: PushOptions): Channel {
    const name = `${slot}/${form}/${diff ? 'diff' : 'full'}/${fields === null ? '*' : fields.key}`;
    const known = this.#channels.get(name);
    if (known !== undefined) return known;
    const topic = new TextEncoder().encode(name);
    const channel: Channel = { name, topic, slot, form, fields, diff, holders: 0, members: 0, version: 0 };
    this.#channels.set(name, channel);
    return channel;
  }
}
