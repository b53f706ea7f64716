import { once } from 'node:events';
import WebSocket from 'ws';
import type { Quote } from './pushRecorder.js';

/** An aid client that peeks as fast as it is answered and keeps every state that each quote has had. */
export class AidFollower {
  readonly #socket: WebSocket;
  readonly #states = new Map<string, Quote[]>();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    // A gateway that is killed may reset the connection.
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => {
      this.#hear(JSON.parse(data.toString('utf8')) as { aid: string; data: { quotes?: Quote }[] });
    });
  }

  static async start(url: string, insList: string): Promise<AidFollower> {
    const socket = new WebSocket(url);
    const follower = new AidFollower(socket);
    await once(socket, 'open');
    socket.send(JSON.stringify({ aid: 'subscribe_quote', ins_list: insList }));
    return follower;
  }

  /** The states of one key, oldest first. */
  of(key: string): readonly Quote[] {
    return this.#states.get(key) ?? [];
  }

  async stop(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }

  #hear({ aid, data }: { aid: string; data: { quotes?: Quote }[] }): void {
    if (aid !== 'rtn_data') return;
    for (const [key, patch] of Object.entries(data[0]?.quotes ?? {})) {
      const states = this.#states.get(key) ?? [];
      states.push({ ...states.at(-1), ...(patch as Quote) });
      this.#states.set(key, states);
    }
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send('{"aid":"peek_message"}');
  }
}
