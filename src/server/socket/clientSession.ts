import { AidClient } from './aidBoard.js';
import type { ClientSocket } from './clientSocket.js';
import type { AddressAccount } from '../fairness/addressAccounts.js';
import type { Lane } from '../fairness/fairQueue.js';
import { ClientRequests, type RequestParts } from '../fairness/clientRequests.js';
import { aidEntryBytes, subscriptionBytes, type KeptBytes } from '../fairness/keptBytes.js';
import { ClientDemand, type InstrumentDemand } from './clientDemand.js';
import { BadFrameGauge, controlFrameBurst, controlFramesPerSecond } from './limits.js';
import { TokenBucket } from '../fairness/tokenBucket.js';
import type { PatternSet } from './patternSet.js';
import { PushClient } from './pushBoard.js';

/** Of RFC 6455. */
const policyViolationCode = 1008;

export interface ClientSessionParts {
  readonly socket: ClientSocket;
  readonly demand: InstrumentDemand;
  readonly maxBadFrames: number;
  /** Of the client's address. */
  readonly account: AddressAccount;
  /** Of that address. */
  readonly aidLane: Lane<AidClient>;
  readonly pushLane: Lane<number>;
  readonly kept: KeptBytes<ClientSession>;
  requests(session: ClientSession): RequestParts;
}

/** One WebSocket client; it may speak both protocols at once. */
export class ClientSession {
  readonly socket: ClientSocket;
  readonly demand: ClientDemand;
  readonly aid: AidClient;
  readonly push: PushClient;
  readonly badFrames: BadFrameGauge;
  readonly requests: ClientRequests;
  /** Pings and pongs that the client may still send. */
  readonly controlFrames = new TokenBucket(controlFramesPerSecond, controlFrameBurst, performance.now());
  /** Of the action side; undefined before the first. */
  patterns: PatternSet | undefined;
  /** By slot: the ids of the action side that the client knows to wait for a place (WaitingBoard). */
  waiting: Map<number, string[]> | undefined;
  /** Bytes of the frames that the client has sent whole, headers included. */
  received = 0;
  readonly #kept: KeptBytes<ClientSession>;

  constructor(parts: ClientSessionParts) {
    const { socket, demand, maxBadFrames, account, kept } = parts;
    this.socket = socket;
    this.demand = new ClientDemand(demand, { address: account.address });
    this.aid = new AidClient(socket, this.demand, parts.aidLane);
    this.push = new PushClient({
      socket,
      demand: this.demand,
      account,
      lane: parts.pushLane,
      sendSnapshots: () => this.requests.sendSnapshots(),
    });
    this.badFrames = new BadFrameGauge(maxBadFrames);
    this.requests = new ClientRequests(account, parts.requests(this), performance.now());
    this.#kept = kept;
    this.aid.noteKept = () => this.noteAidSet();
  }

  /**
   * Closes the client for what it did, with code 1008. Where many clients of its address were closed so, its connection is
   * cut: after a close frame the kernel takes in what the client continues to send until it answers, for seconds.
   */
  expel(reason: string): void {
    if (this.requests.account.farewells.tryTake(1, performance.now()))
      this.socket.end(policyViolationCode, reason);
    else this.socket.cut();
  }

  /** Whether the action side has subscriptions. */
  get listens(): boolean {
    return this.push.subscriptions.size > 0;
  }

  /** To be called when the action side's subscriptions have changed. */
  noteSubscriptions(): void {
    // The step that calls may have closed the session, which counts no more.
    if (this.socket.closed) return;
    this.#kept.set(this, 'action', this.push.subscriptions.size * subscriptionBytes);
  }

  /** To be called when the aid side's set has changed, or what else is kept for it. */
  noteAidSet(): void {
    if (this.socket.closed) return;
    const { entries, tail, keptChars } = this.aid;
    this.#kept.set(this, 'aid', entries.length * aidEntryBytes + tail.length + keptChars);
  }
}
