import { once } from 'node:events';
import WebSocket from 'ws';
import { until } from '../helpers/until.js';

type Frame = Record<string, unknown>;
type Quotes = Record<string, Record<string, unknown>>;

/** A WebSocket client that keeps every frame in order. */
export class Client {
  readonly frames: Frame[] = [];
  readonly #socket: WebSocket;
  #read = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.frames.push(JSON.parse(data.toString('utf8')) as Frame));
  }

  static async connect(url: string): Promise<Client> {
    const client = new Client(new WebSocket(url));
    await once(client.#socket, 'open');
    return client;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** The close code that the server sends, once it does. */
  async closed(): Promise<number> {
    const [code] = (await once(this.#socket, 'close')) as [number];
    return code;
  }

  send(frame: object | string): void {
    this.#socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** The next frame that has not been taken yet and passes the test; those before it are skipped. */
  async next(what: string, test: (frame: Frame) => boolean = () => true): Promise<Frame> {
    const look = (): Frame | undefined => {
      while (this.#read < this.frames.length) {
        const frame = this.frames[this.#read++]!;
        if (test(frame)) return frame;
      }
      return undefined;
    };
    return until(() => `${what}; got ${JSON.stringify(this.frames.slice(-20)).slice(-600)}`, look);
  }

  /** Frames that nobody has taken yet. */
  get unread(): number {
    return this.frames.length - this.#read;
  }

  /** Asks for changes and gives the quotes and the meta object of the answer. */
  async peek(): Promise<{ quotes: Quotes; meta: Frame }> {
    this.send({ aid: 'peek_message' });
    const frame = await this.next('rtn_data', (each) => each['aid'] === 'rtn_data');
    const [first, meta] = frame['data'] as [{ quotes: Quotes }, Frame];
    return { quotes: first.quotes, meta };
  }

  async close(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }
}
