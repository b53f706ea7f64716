import type { Socket } from 'node:net';

/** Packets that may wait for a session's client; the production fronts' SendingListSize. */
export const maxQueuedPackets = 10_000;
const firstBatchBytes = 64 * 1024;

/** What a session has to send: frames are gathered and leave in one write per flush. */
export class Outbox {
  readonly #socket: Socket;
  readonly #onOverflow: () => void;
  #batch = Buffer.allocUnsafe(firstBatchBytes);
  #length = 0;
  #gathered = 0;
  #queued = 0;

  /** `onOverflow` is called when the client has left more than the allowed number of packets unread. */
  constructor(socket: Socket, onOverflow: () => void) {
    this.#socket = socket;
    this.#onOverflow = onOverflow;
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
    this.#queued += packets;
    this.#socket.write(this.#batch.subarray(0, this.#length), () => {
      this.#queued -= packets;
    });
    this.#length = 0;
    this.#gathered = 0;
    if (this.#socket.writableLength === 0) return;
    // The kernel did not take all of it: the buffer belongs to the socket until it has left.
    this.#batch = Buffer.allocUnsafe(firstBatchBytes);
    if (this.#queued > maxQueuedPackets) this.#onOverflow();
  }
}
