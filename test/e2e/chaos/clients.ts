import { once } from 'node:events';
import WebSocket from 'ws';
import { HistoryChecker, type HistoryReport } from '../../../bench/history/historyChecker.js';
import { sightingsIn } from '../../../bench/history/sightings.js';

/** What went wrong in a stream, when it was seen. */
export interface Jump {
  readonly atMs: number;
  readonly client: string;
  readonly instrument: string;
  readonly from: number;
  readonly to: number;
}

/** Clients of both protocols that check what they receive by its numbers, and keep nothing else. */
export class CheckedClients {
  /** States received by all of them. */
  received = 0;
  readonly jumps: Jump[] = [];
  readonly #every = new HistoryChecker('every');
  readonly #newest = new HistoryChecker('newest');
  readonly #sockets: WebSocket[] = [];
  readonly #lost: string[] = [];
  /** By instrument: the newest number of each client, in no order. */
  readonly #last = new Map<string, Map<string, number>>();
  #closing = false;

  async connect(url: string, protocol: 'action' | 'aid', instruments: readonly string[]): Promise<void> {
    const name = `client ${this.#sockets.length} (${protocol})`;
    const socket = new WebSocket(protocol === 'action' ? `${url}?protocol=action` : url);
    this.#sockets.push(socket);
    socket.on('close', () => {
      if (!this.#closing) this.#lost.push(name);
    });
    const checker = protocol === 'action' ? this.#every : this.#newest;
    for (const id of instruments) {
      checker.expect(name, id);
      if (!this.#last.has(id)) this.#last.set(id, new Map());
      this.#last.get(id)!.set(name, -1);
    }
    const peek = '{"aid":"peek_message"}';
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString('utf8')) as { aid?: unknown };
      for (const { instrument, sequence } of sightingsIn(frame)) {
        this.#take(checker, name, instrument, sequence, protocol === 'action');
      }
      if (frame.aid === 'rtn_data') socket.send(peek);
    });
    await once(socket, 'open');
    socket.send(
      JSON.stringify(
        protocol === 'action'
          ? { action: 'subscribe', instruments }
          : { aid: 'subscribe_quote', ins_list: instruments.join(',') },
      ),
    );
  }

  /** Streams without any state yet. */
  silent(): string[] {
    const silent: string[] = [];
    for (const [id, each] of this.#last)
      for (const [name, last] of each) if (last < 0) silent.push(`${id} of ${name}`);
    return silent;
  }

  /** True when all clients of each instrument hold the same state, and none an older one than `atLeast`. */
  agree(atLeast: ReadonlyMap<string, number>): boolean {
    for (const [id, each] of this.#last) {
      const numbers = new Set(each.values());
      if (numbers.size > 1 || [...numbers][0]! < atLeast.get(id)!) return false;
    }
    return true;
  }

  /** Who was cut off, and what the pushes and the peeks look like so far. */
  judge(): { cutOff: readonly string[]; pushes: HistoryReport; peeks: HistoryReport } {
    return { cutOff: this.#lost, pushes: this.#every.report(), peeks: this.#newest.report() };
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all(
      this.#sockets.map(async (socket) => {
        if (socket.readyState === WebSocket.CLOSED) return;
        const closed = once(socket, 'close');
        socket.close();
        await closed;
      }),
    );
  }

  #take(checker: HistoryChecker, name: string, instrument: string, sequence: number, every: boolean): void {
    this.received++;
    checker.take(name, instrument, sequence);
    const last = this.#last.get(instrument)!;
    const from = last.get(name)!;
    if (from >= 0 && (sequence <= from || (every && sequence > from + 1)))
      this.jumps.push({ atMs: Date.now(), client: name, instrument, from, to: sequence });
    last.set(name, Math.max(from, sequence));
  }
}
