import { AidClient } from './aidBoard.js';
import type { ClientSocket } from './clientSocket.js';
import { Interests, type Demand } from './interests.js';
import { BadFrameGauge } from './limits.js';
import type { PatternSet } from './patternSet.js';
import { PushClient } from './pushBoard.js';

/** One WebSocket client; it may speak both protocols at once. */
export class Session {
  readonly socket: ClientSocket;
  readonly interests: Interests;
  readonly aid: AidClient;
  readonly push: PushClient;
  readonly badFrames: BadFrameGauge;
  /** Of the action side; undefined before the first. */
  patterns: PatternSet | undefined;

  constructor(socket: ClientSocket, demand: Demand, maxBadFrames: number) {
    this.socket = socket;
    this.interests = new Interests(demand);
    this.aid = new AidClient(socket, this.interests);
    this.push = new PushClient(socket, this.interests);
    this.badFrames = new BadFrameGauge(maxBadFrames);
  }
}
