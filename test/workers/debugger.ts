import { once } from 'node:events';
import { WebSocket } from 'ws';
import { until } from '../helpers/until.js';

interface Attached {
  readonly sessionId: string;
  readonly workerInfo: { readonly url: string };
}

/** A debugger on a running Node process with `--inspect`: for what cannot be done to a worker thread from outside. */
export class Debugger {
  readonly #socket: WebSocket;
  readonly #workers = new Map<string, Attached>();
  #id = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => {
      const { method, params } = JSON.parse((data as Buffer).toString()) as {
        method?: string;
        params: Attached;
      };
      if (method === 'NodeWorker.attachedToWorker') this.#workers.set(params.sessionId, params);
      if (method === 'NodeWorker.detachedFromWorker') this.#workers.delete(params.sessionId);
    });
  }

  /** @param url as the process prints it: ws://127.0.0.1:port/id */
  static async attach(url: string): Promise<Debugger> {
    const socket = new WebSocket(url);
    await once(socket, 'open');
    const attached = new Debugger(socket);
    attached.#send('NodeWorker.enable', { waitForDebuggerOnStart: false });
    return attached;
  }

  get workers(): number {
    return this.#workers.size;
  }

  /** Runs code in one of the process's workers, one of that script if it is named. */
  async runInWorker(code: string, script = ''): Promise<void> {
    const found = (): string | undefined =>
      [...this.#workers].find(([, { workerInfo }]) => workerInfo.url.endsWith(script))?.[0];
    await until('a worker', () => found() !== undefined);
    const sessionId = found();
    const message = JSON.stringify({
      id: ++this.#id,
      method: 'Runtime.evaluate',
      params: { expression: code },
    });
    this.#send('NodeWorker.sendMessageToWorker', { sessionId, message });
  }

  close(): void {
    this.#socket.close();
  }

  #send(method: string, params: object): void {
    this.#socket.send(JSON.stringify({ id: ++this.#id, method, params }));
  }
}
