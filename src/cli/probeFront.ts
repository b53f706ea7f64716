import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** How a fake front treats a connection that it has accepted. */
export type FrontManner = 'silent' | 'close' | 'garbage' | 'reset';

/** Bytes of every value, in an order that no protocol has. */
const garbage = Buffer.from(Array.from({ length: 512 }, (_, i) => (i * 37 + 11) & 0xff));

/** A listener on the loopback interface that treats connections in one manner, which may change. */
export class ProbeFront {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  manner: FrontManner;
  accepted = 0;
  /** Bytes that came over all connections. */
  received = 0;

  private constructor(manner: FrontManner) {
    this.manner = manner;
    this.#server = createServer((socket) => this.#take(socket));
  }

  static async open(manner: FrontManner): Promise<ProbeFront> {
    const front = new ProbeFront(manner);
    front.#server.listen(0, '127.0.0.1');
    await once(front.#server, 'listening');
    return front;
  }

  get address(): string {
    return `tcp://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ends every connection that is open. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.hangUp();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #take(socket: Socket): void {
    this.accepted++;
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('data', (data: Buffer) => (this.received += data.length));
    if (this.manner === 'close') socket.destroy();
    if (this.manner === 'reset') socket.resetAndDestroy();
    if (this.manner === 'garbage') socket.write(garbage);
  }
}
