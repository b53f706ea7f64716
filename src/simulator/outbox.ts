import type { Socket } from 'node:net';

/** Packets that may wait for a session's client; the production fronts' SendingListSize. */
export const defaultQueueLimit = 10_000;
const firstBatchBytes = 64 * 1024;

/** Decides how a session's packets leave; asked again at every flush. */
export interface Sending {
  /** Packets that may wait for the client. */
  readonly queueLimit: number;
  /** Everything is held back this long. */
  readonly delayMs: number;
  /** Nothing is sent; what would have been is lost. */
  readonly silent: boolean;
}

interface Held {
  readonly dueMs: number;
  readonly bytes: Buffer;
  readonly packets: number;
}

/** Frames that a session has to send: they are gathered and leave in one write per flush. */
export class SendQueue {
  readonly #socket: Socket;
  readonly #sending: Sending;
  readonly #onOverflow: () => void;
  #batch = Buffer.allocUnsafe(firstBatchBytes);
  #length = 0;
  #gathered = 0;
  #queued = 0;
  readonly #held: Held[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** `onOverflow` is called when the client has left more than the allowed number of packets unread. */
  constructor(socket: Socket, sending: Sending, onOverflow: () => void) {
    this.#socket = socket;
    this.#sending = sending;
    this.#onOverflow = onOverflow;
    socket.once('close', () => clearTimeout(this.#timer));
  }

  /** Packets that the client has not been able to take yet. */
  get queued(): number {
    return this.#queued;
  }

  /** Bytes that the client has not been able to take yet, those that are held back included. */
  get backlog(): number {
    return this.#socket.writableLength + this.#held.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /** Appends one frame: bytes `start` to `end` of `frame`. */
  add(frame: Buffer, start = 0, end = frame.length): void {
    const needed = this.#length + end - start;
    if (needed > this.#batch.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#batch.length));
      this.#batch.copy(larger, 0, 0, this.#length);
      this.#batch = larger;
    }
    frame.copy(this.#batch, this.#length, start, end);
    this.#length = needed;
    this.#gathered++;
  }

  /** Hands what has been gathered to the socket. */
  flush(): void {
    if (this.#length === 0) return;
    const packets = this.#gathered;
    const bytes = this.#batch.subarray(0, this.#length);
    this.#length = 0;
    this.#gathered = 0;
    if (this.#sending.silent) return;
    if (this.#sending.delayMs > 0 || this.#held.length > 0) {
      this.#held.push({
        dueMs: performance.now() + this.#sending.delayMs,
        bytes: Buffer.from(bytes),
        packets,
      });
      if (this.#held.length === 1) this.#release();
      return;
    }
    this.#write(bytes, packets);
    // Where the kernel did not take all of it, the buffer belongs to the socket until it has left.
    if (this.#socket.writableLength > 0) this.#batch = Buffer.allocUnsafe(firstBatchBytes);
  }

  #write(bytes: Buffer, packets: number): void {
    this.#queued += packets;
    this.#socket.write(bytes, () => {
      this.#queued -= packets;
    });
    if (this.#socket.writableLength > 0 && this.#queued > this.#sending.queueLimit) this.#onOverflow();
  }

  /** Sends what has been held back long enough, in order. */
  #release(): void {
    for (let head = this.#held[0]; head !== undefined; head = this.#held[0]) {
      const wait = head.dueMs - performance.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.#release(), Math.ceil(wait));
        return;
      }
      this.#held.shift();
      if (!this.#socket.destroyed) this.#write(head.bytes, head.packets);
    }
  }
}
