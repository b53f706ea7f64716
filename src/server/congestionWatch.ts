import type { Logger } from 'pino';
import type { BackpressureLimits } from './backpressure.js';
import type { ClientSocket } from './clientSocket.js';

/** Of a UTF-16 unit in UTF-8. */
const maxBytesPerChar = 3;

/** Knows the sockets that something waits for, and cuts off those that do not read. */
export class CongestionWatch {
  /** Clients that were cut off. */
  cutOff = 0;
  readonly #limits: BackpressureLimits;
  readonly #logger: Logger;
  readonly #waitedFor = new Set<ClientSocket>();
  readonly #timer: NodeJS.Timeout;

  constructor(limits: BackpressureLimits, logger: Logger) {
    this.#limits = limits;
    this.#logger = logger;
    this.#timer = setInterval(() => {
      this.#check();
    }, limits.stallCheckMs);
    this.#timer.unref();
  }

  /** A frame went into the buffer instead of onto the wire. */
  backedUp(socket: ClientSocket, frameChars: number, dropped: boolean): void {
    const { buffered } = socket;
    // One frame may be long by right, so what counts is what was unread before it.
    const before = buffered - frameChars * maxBytesPerChar;
    if (dropped || before > this.#limits.cutBytes) this.#cutOff(socket, buffered, 'it does not read');
    else if (buffered > this.#limits.resumeBytes) this.#wait(socket);
  }

  /** Bytes left the buffer. */
  drained(socket: ClientSocket): void {
    if (!this.#waitedFor.has(socket)) return;
    socket.lastProgressMs = performance.now();
    if (socket.buffered <= this.#limits.resumeBytes) this.#waitedFor.delete(socket);
  }

  /** Something holds back for the socket until its buffer has drained. */
  wait(socket: ClientSocket): void {
    this.#wait(socket);
  }

  forget(socket: ClientSocket): void {
    this.#waitedFor.delete(socket);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #wait(socket: ClientSocket): void {
    if (this.#waitedFor.has(socket)) return;
    socket.lastProgressMs = performance.now();
    this.#waitedFor.add(socket);
  }

  #check(): void {
    const now = performance.now();
    for (const socket of this.#waitedFor) {
      const stalledMs = now - socket.lastProgressMs;
      if (stalledMs <= this.#limits.stallMs) continue;
      const { buffered } = socket;
      if (buffered <= this.#limits.resumeBytes) this.#waitedFor.delete(socket);
      else this.#cutOff(socket, buffered, `it has read nothing for ${Math.round(stalledMs)} ms`);
    }
  }

  #cutOff(socket: ClientSocket, buffered: number, why: string): void {
    if (socket.closed) return;
    this.cutOff++;
    this.#waitedFor.delete(socket);
    this.#logger.warn(
      { session: socket.id, address: socket.address, unreadBytes: buffered },
      `client ${socket.id} at ${socket.address} is cut off: ${why}, ${buffered} bytes wait for it`,
    );
    socket.cut();
  }
}
