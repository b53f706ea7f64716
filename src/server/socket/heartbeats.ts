import { heartbeatFrame } from './frames.js';
import type { ClientSession } from './clientSession.js';

/** Sends each session that asked for it a frame at its own interval. */
export class Heartbeats {
  readonly #timers = new Map<ClientSession, NodeJS.Timeout>();
  readonly #holdBytes: number;

  /** @param holdBytes what a client may have unread and still be sent one: no queue of them grows */
  constructor(holdBytes: number) {
    this.#holdBytes = holdBytes;
  }

  /** @param seconds between two frames from now on; 0 for none */
  set(session: ClientSession, seconds: number): void {
    this.forget(session);
    if (seconds === 0 || session.socket.closed) return;
    const beat = (): void => {
      if (session.socket.buffered <= this.#holdBytes) session.socket.send(heartbeatFrame(Date.now()));
    };
    this.#timers.set(session, setInterval(beat, seconds * 1000));
  }

  /** To be called when the session ends. */
  forget(session: ClientSession): void {
    clearInterval(this.#timers.get(session));
    this.#timers.delete(session);
  }
}
