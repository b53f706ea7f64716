import type { Logger } from 'pino';
import type { BackpressureLimits } from './backpressure.js';
import type { ClientSocket } from './clientSocket.js';
import { marked } from '../../base/logEvents.js';

/** Of a UTF-16 unit in UTF-8. */
const maxBytesPerChar = 3;

/** Knows the sockets that something waits for, and cuts off those that do not read. */
export class CongestionWatch {
  /** Clients that were cut off. */
  cutOff = 0;
  readonly #limits: BackpressureLimits;
  readonly #logger: Logger;
  readonly #waitedFor = new Set<ClientSocket>();
  /** Bytes that wait for each client that has not read all, as far as is known. */
  readonly #unread = new Map<ClientSocket, number>();
  #unreadTotal = 0;
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
    this.#count(socket, socket.buffered);
    while (this.#unreadTotal > this.#limits.totalCutBytes) this.#cutOffLargest();
  }

  /** Bytes left the buffer. */
  drained(socket: ClientSocket): void {
    this.#count(socket, socket.buffered);
    if (!this.#waitedFor.has(socket)) return;
    socket.lastProgressMs = performance.now();
    if (socket.buffered <= this.#limits.resumeBytes) this.#waitedFor.delete(socket);
  }

  /** Something holds back for the socket until its buffer has drained. */
  wait(socket: ClientSocket): void {
    this.#wait(socket);
  }

  forget(socket: ClientSocket): void {
    this.#count(socket, 0);
    this.#waitedFor.delete(socket);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #count(socket: ClientSocket, bytes: number): void {
    this.#unreadTotal += bytes - (this.#unread.get(socket) ?? 0);
    if (bytes === 0) this.#unread.delete(socket);
    else this.#unread.set(socket, bytes);
  }

  #cutOffLargest(): void {
    let largest: ClientSocket | undefined;
    let most = 0;
    for (const [socket, bytes] of this.#unread) {
      if (bytes <= most) continue;
      most = bytes;
      largest = socket;
    }
    if (largest === undefined) return;
    this.#count(largest, 0);
    this.#cutOff(largest, most, 'all clients together have too much unread, and this one the most');
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
      marked('client_cut_off', { session: socket.id, address: socket.address, unreadBytes: buffered }),
      `client ${socket.id} at ${socket.address} is cut off: ${why}, ${buffered} bytes wait for it`,
    );
    socket.cut();
  }
}
