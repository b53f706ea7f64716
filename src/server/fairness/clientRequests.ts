import { Fifo } from '../../base/fifo.js';
import { workBurstSeconds, type AddressAccount, type WaitingFrames } from './addressAccounts.js';
import { TokenBucket } from './tokenBucket.js';
import type { WorkQueue, Worker } from './workQueue.js';

/** Work in parts of some 0.1 ms, with a `yield` after each. */
export type Work = Generator<undefined, void>;

/** A frame that waits for its turn. */
interface WaitingFrame {
  readonly bytes: Buffer;
  readonly isBinary: boolean;
}

/** Limits of one client's requests. */
export interface RequestLimits {
  /** Share of the main thread, in percent, that the requests of one client may take. */
  readonly clientWork: number;
  /** Bytes of the largest frame. */
  readonly maxFrameBytes: number;
}

export interface RequestParts {
  readonly queue: WorkQueue;
  readonly limits: RequestLimits;
  /** Handles a frame, whose bytes are valid only during the call; what it leaves to be done comes back. Never throws. */
  handle(frame: ArrayBuffer | Buffer, isBinary: boolean): Work | undefined;
  /** Lets what is newly listed join the client's patterns. */
  relist(): Work;
  /** Sends some of the snapshots that wait; true while more can be sent at once. */
  sendSnapshots(): boolean;
  /** A step is over. */
  stepped(): void;
  /** Is reported an exception in work that `handle` has left. */
  failed(error: unknown): void;
  /** The client has used up its share, or its address has: its requests begin to wait. */
  delayed(): void;
  /** More waits than may: the client is to be closed. */
  overrun(): void;
  /** So many bytes of frames wait. */
  held(bytes: number): void;
}

/** Frames of one address that may wait. */
const mostWaitingFrames = 10_000;
/** Bytes of those of one client that may wait, as a multiple of the largest frame. */
const waitingFrameFactor = 4;
/** Bytes that a waiting frame costs in addition to its own. */
const frameOverheadBytes = 150;
/**
 * ms that one step is charged at most. The longest take some 10 ms, for frames of a megabyte; what goes beyond it is time in
 * which a busy machine did something else.
 */
const mostChargedMs = 10;
/** ms of the main thread that a frame takes before it is handled, in uWebSockets.js. */
const frameMs = 0.002;
const bytesPerMs = 100_000;
/** Steps of a frame that was begun which are done at once. */
const stepsAtOnce = 8;
/** Steps of the work for a client that has left which are done at once: most have little to give up. */
const stepsAtLeave = 4;

/**
 * What one client asks for, done in its turns and in order: the work of a frame is finished, and the snapshots that it
 * called for are on their way, before the next frame is looked at.
 */
export class ClientRequests implements Worker, WaitingFrames {
  isQueued = false;
  isDelayed = false;
  readonly account: AddressAccount;
  readonly #work: TokenBucket;
  readonly #parts: RequestParts;
  /** Undefined until a frame has had to wait. */
  #frames: Fifo<WaitingFrame> | undefined;
  #heldBytes = 0;
  #current: Work | undefined;
  #relistWaits = false;
  #snapshotsWait = false;
  /** A step is being done, perhaps further down the stack. */
  #isRunning = false;
  #gone = false;

  constructor(account: AddressAccount, parts: RequestParts, nowMs: number) {
    this.account = account;
    this.#parts = parts;
    const workMs = parts.limits.clientWork * 10;
    this.#work = new TokenBucket(workMs, workMs * workBurstSeconds, nowMs);
  }

  get waitingFrames(): number {
    return this.#frames?.length ?? 0;
  }

  overrun(): void {
    this.#parts.overrun();
  }

  delayed(): void {
    this.#parts.delayed();
  }

  /** Takes a frame in, whose bytes are valid only during the call. */
  receive(frame: ArrayBuffer, isBinary: boolean): void {
    if (this.#gone) return;
    const { queue } = this.#parts;
    const startMs = performance.now();
    const costMs = frameMs + frame.byteLength / bytesPerMs;
    if (this.#isRunning || !queue.mayRun(this, startMs)) {
      queue.charge(this, costMs, startMs);
      this.#wait(frame, isBinary);
      return;
    }
    this.#isRunning = true;
    this.#follow(this.#parts.handle(frame, isBinary));
    this.#isRunning = false;
    const now = performance.now();
    queue.charge(this, now - startMs + costMs, now);
    if (this.#hasMore) this.#run(stepsAtOnce);
  }

  /** The list has changed. */
  relist(): void {
    if (this.#gone) return;
    this.#relistWaits = true;
    this.#run();
  }

  /** Has the snapshots sent that wait for the client; may be called from within the work of a frame. */
  sendSnapshots(): void {
    if (this.#gone) return;
    this.#snapshotsWait = true;
    this.#run();
  }

  /** The client has left: of all that there was to do, only `release` is still done, in debt or not. */
  leave(release: Work): void {
    this.#gone = true;
    this.account.waitingFrames -= this.waitingFrames;
    this.account.waiting.delete(this);
    this.#frames = undefined;
    this.#relistWaits = false;
    this.#snapshotsWait = false;
    this.#current = release;
    if (this.#isRunning) return;
    for (let i = 0; i < stepsAtLeave && this.step(); i++);
    if (this.#hasMore) this.#parts.queue.add(this);
  }

  msInDebt(nowMs: number): number {
    return this.#gone ? 0 : Math.max(this.#work.msInDebt(nowMs), this.account.work.msInDebt(nowMs));
  }

  charge(ms: number, nowMs: number): void {
    const charged = Math.min(ms, mostChargedMs);
    this.#work.charge(charged, nowMs);
    this.account.work.charge(charged, nowMs);
  }

  step(): boolean {
    const work = this.#current;
    this.#isRunning = true;
    try {
      if (work === undefined) this.#begin();
      else if (work.next().done === true) {
        this.#end(work);
        // In the same step, so that no ticks come between an acknowledgement and the snapshots that follow it.
        if (this.#snapshotsWait) this.#sendSnapshots();
      }
    } catch (error) {
      this.#end(work);
      this.#parts.failed(error);
    }
    this.#parts.stepped();
    this.#isRunning = false;
    return this.#hasMore;
  }

  get #hasMore(): boolean {
    return this.#current !== undefined || this.#relistWaits || this.#snapshotsWait || this.waitingFrames > 0;
  }

  /** Turns to what comes next: the list, snapshots, the next frame. */
  #begin(): void {
    if (this.#relistWaits) {
      this.#relistWaits = false;
      this.#follow(this.#parts.relist());
    } else if (this.#snapshotsWait) {
      this.#sendSnapshots();
    } else {
      const frame = this.#frames?.shift();
      if (frame === undefined) return;
      this.account.waitingFrames--;
      if (this.waitingFrames === 0) this.account.waiting.delete(this);
      this.#hold(-frame.bytes.length - frameOverheadBytes);
      this.#follow(this.#parts.handle(frame.bytes, frame.isBinary));
    }
  }

  #sendSnapshots(): void {
    this.#snapshotsWait = this.#parts.sendSnapshots() && !this.#gone;
  }

  /** Continues with work, unless the client has left meanwhile. */
  #follow(work: Work | undefined): void {
    if (!this.#gone) this.#current = work;
  }

  #end(work: Work | undefined): void {
    if (this.#current === work) this.#current = undefined;
  }

  /**
   * Does what fits into the present slice before it returns.
   *
   * @param steps that are done in any case: most requests are over after a few, and ticks that a subscription brings are
   *   not to come before its client has its place
   */
  #run(steps = 0): void {
    if (this.#isRunning || this.isQueued) return;
    const { queue } = this.#parts;
    let now = performance.now();
    for (let done = 0; this.#hasMore && (done < steps || queue.mayRun(this, now)); done++) {
      if (done > 0) queue.giveWay();
      const before = performance.now();
      this.step();
      now = performance.now();
      queue.charge(this, now - before, now);
    }
    if (this.#hasMore) queue.add(this);
  }

  #wait(frame: ArrayBuffer, isBinary: boolean): void {
    const { account } = this;
    const { limits, queue } = this.#parts;
    if (this.#heldBytes + frame.byteLength > waitingFrameFactor * limits.maxFrameBytes) {
      this.overrun();
      return;
    }
    const frames = (this.#frames ??= new Fifo());
    frames.push({ bytes: Buffer.from(Buffer.from(frame)), isBinary });
    account.waiting.add(this);
    account.waitingFrames++;
    this.#hold(frame.byteLength + frameOverheadBytes);
    if (account.waitingFrames > mostWaitingFrames) mostWaiting(account).overrun();
    if (!this.#gone) queue.add(this);
  }

  #hold(bytes: number): void {
    this.#heldBytes += bytes;
    if (!this.#gone) this.#parts.held(this.#heldBytes);
  }
}

/** The client of the address that has the most frames waiting. */
function mostWaiting({ waiting }: AddressAccount): WaitingFrames {
  let most: WaitingFrames | undefined;
  for (const each of waiting) if (most === undefined || each.waitingFrames > most.waitingFrames) most = each;
  return most!;
}
