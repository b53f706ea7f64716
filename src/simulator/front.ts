import { createServer, type AddressInfo, type Server } from 'node:net';
import type { Exchange } from './exchange.js';
import { FrontSession, type FrontBehaviour } from './frontSession.js';

const heartbeatIntervalMs = 10_000;

/** One simulated front: a TCP server whose sessions share the process's exchange. */
export class Front {
  readonly #server: Server;
  readonly #sessions = new Set<FrontSession>();
  #sessionsSoFar = 0;
  #heartbeats: NodeJS.Timeout | undefined;

  constructor(id: number, exchange: Exchange, behaviour: FrontBehaviour) {
    this.#server = createServer({ noDelay: true }, (socket) => {
      const ids = { front: id, session: ++this.#sessionsSoFar };
      const session = new FrontSession(socket, exchange, behaviour, ids);
      this.#sessions.add(session);
      socket.once('close', () => this.#sessions.delete(session));
      // A broken connection closes as well, and that is all there is to do about it.
      socket.on('error', () => socket.destroy());
    });
  }

  /** Number of connected clients. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /** Listens and gives the port; port 0 picks a free one. Rejects when the address cannot be had. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject);
        this.#heartbeats = setInterval(() => {
          for (const session of this.#sessions) session.beat();
        }, heartbeatIntervalMs);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  /** Stops listening and cuts every client. */
  close(): void {
    clearInterval(this.#heartbeats);
    this.#server.close();
    for (const session of this.#sessions) session.close();
  }
}
