import type { UwsSocket, UwsText } from '../uws/uwsApi.js';

/** Learns what happens on sockets. */
export interface SocketWatcher {
  /** A frame went out. */
  sent(): void;
  /** The socket buffers a frame of so many characters, or has even `dropped` it. */
  backedUp(socket: ClientSocket, frameChars: number, dropped: boolean): void;
}

const textFrame = false;
const uncompressed = false;
/** Result of a send that did not have to buffer anything. */
const sentAtOnce = 1;

/**
 * One client's WebSocket. uWebSockets throws on any use after close, and a socket may close inside a call on it, so
 * every access goes through here and does nothing once the socket is closed.
 */
export class ClientSocket {
  readonly id: number;
  readonly address: string;
  /** When bytes last left the buffer, by performance.now(); kept while the socket is waited for. */
  lastProgressMs = 0;
  /** Writes what waits for the socket elsewhere; called before anything else goes out, so that it goes after it. */
  writeWaiting: () => void = nothingWaits;
  readonly #ws: UwsSocket<unknown>;
  readonly #watcher: SocketWatcher;
  #closed = false;

  constructor(ws: UwsSocket<unknown>, id: number, address: string, watcher: SocketWatcher) {
    this.#ws = ws;
    this.id = id;
    this.address = address;
    this.#watcher = watcher;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Bytes that wait in this process for the client to read. */
  get buffered(): number {
    return this.#closed ? 0 : this.#ws.getBufferedAmount();
  }

  send(frame: UwsText): void {
    this.writeWaiting();
    if (this.#closed) return;
    const status = this.#ws.send(frame, textFrame, uncompressed);
    this.#watcher.sent();
    if (status !== sentAtOnce) this.#watcher.backedUp(this, frame.length, status === 2);
  }

  /** Sends one of the frames that have been waiting; false when it had to be buffered. */
  sendWaiting(frame: UwsText): boolean {
    return this.#closed || this.#ws.send(frame, textFrame, uncompressed) === sentAtOnce;
  }

  /** Packs everything that `work` sends into as few writes as possible. */
  inOneWrite(work: () => void): void {
    if (!this.#closed) this.#ws.cork(work);
  }

  /** Closes with a code that the client sees, after all that waits. */
  end(code: number, reason: string): void {
    this.writeWaiting();
    if (!this.#closed) this.#ws.end(code, reason);
  }

  /** Cuts the connection, with all that it has not read. */
  cut(): void {
    if (!this.#closed) this.#ws.close();
  }

  /** To be called first thing when uWebSockets reports the close. */
  markClosed(): void {
    this.#closed = true;
  }
}

function nothingWaits(): void {
  return undefined;
}
