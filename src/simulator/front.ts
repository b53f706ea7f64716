import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { happensOnce, type FrontFault, type FaultName } from './faultGrammar.js';
import { FaultSet } from './faultSet.js';
import { FrontSession, type SessionReport } from './frontSession.js';
import type { Market } from './market.js';
import { defaultQueueLimit, type Sending } from './outbox.js';
import { orders } from './wire.js';

const heartbeatIntervalMs = 10_000;
const floodTurnMs = 10;

/** A front as the control API shows it. */
export interface FrontReport {
  readonly index: number;
  readonly port: number;
  readonly listening: boolean;
  readonly accepted: number;
  readonly sessions: readonly SessionReport[];
  readonly faults: readonly Record<string, unknown>[];
}

/** One simulated front: a TCP server whose sessions share the process's exchange. */
export class Front {
  readonly #id: number;
  readonly #exchange: Market;
  readonly #faults = new FaultSet();
  readonly #sending: Sending;
  readonly #sessions = new Set<FrontSession>();
  #server: Server | undefined;
  #address = { host: '', port: 0 };
  #accepted = 0;
  #heartbeats: NodeJS.Timeout | undefined;
  #flood: NodeJS.Timeout | undefined;

  constructor(id: number, exchange: Market, queueLimit = defaultQueueLimit) {
    this.#id = id;
    this.#exchange = exchange;
    const faults = this.#faults;
    this.#sending = {
      get queueLimit() {
        return faults.get('queue_limit')?.packets ?? queueLimit;
      },
      get delayMs() {
        return faults.get('delay')?.ms ?? 0;
      },
      get silent() {
        return faults.has('stall');
      },
    };
  }

  /** Number of connected clients. */
  get sessions(): number {
    return this.#sessions.size;
  }

  get report(): Omit<FrontReport, 'index'> {
    return {
      port: this.#address.port,
      listening: this.#server !== undefined,
      accepted: this.#accepted,
      sessions: [...this.#sessions].map((session) => session.report),
      faults: this.#faults.list(),
    };
  }

  /** Listens and gives the port; port 0 picks a free one. Rejects when the address cannot be had. */
  async listen(host: string, port: number): Promise<number> {
    this.#address = { host, port };
    await this.#open();
    this.#heartbeats = setInterval(() => {
      for (const session of this.#sessions) session.beat();
    }, heartbeatIntervalMs);
    return this.#address.port;
  }

  /** Sets a fault, or lets it happen; the number of sessions it met. Rejects when it cannot be done. */
  apply(fault: FrontFault): number {
    if (!happensOnce(fault.fault)) this.#faults.set(fault);
    switch (fault.fault) {
      case 'disconnect':
        for (const session of [...this.#sessions]) session.disconnect(fault.reason);
        break;
      case 'garbage':
        for (const session of this.#sessions) session.sendGarbage(fault.bytes);
        break;
      case 'return_code':
        for (const session of this.#sessions) session.order(orders.returnCode, fault.code, fault.calls);
        break;
      case 'throw_at_create':
        for (const session of this.#sessions) session.order(orders.throwAtCreate, fault.times, 0);
        break;
      case 'refuse':
        if (fault.how === 'refuse') this.#shut();
        break;
      case 'stall':
        for (const session of this.#sessions) session.stall(true);
        break;
      case 'flood':
        this.#startFlood(fault.ticks_per_s);
        break;
      default:
    }
    return this.#sessions.size;
  }

  /** Ends a fault; one that is not set may be ended as well. Rejects when the port cannot be had again. */
  async clear(name: FaultName): Promise<void> {
    this.#faults.clear(name);
    if (name === 'refuse' && this.#server === undefined) await this.#open();
    if (name === 'stall') for (const session of this.#sessions) session.stall(false);
    if (name === 'flood') clearInterval(this.#flood);
  }

  /** Stops listening and cuts every client. */
  close(): void {
    clearInterval(this.#heartbeats);
    clearInterval(this.#flood);
    this.#shut();
    for (const session of this.#sessions) session.close();
  }

  #open(): Promise<void> {
    const server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#address, () => {
        server.off('error', reject);
        this.#server = server;
        this.#address.port = (server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  #shut(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  #accept(socket: Socket): void {
    // A broken connection closes as well, and that is all there is to do about it.
    socket.on('error', () => socket.destroy());
    this.#accepted++;
    if (this.#faults.has('refuse')) {
      socket.destroy();
      return;
    }
    const ids = { front: this.#id, session: this.#accepted };
    const session = new FrontSession(socket, this.#exchange, this.#faults, this.#sending, ids);
    this.#sessions.add(session);
    socket.once('close', () => this.#sessions.delete(session));
  }

  #startFlood(ticksPerSecond: number): void {
    clearInterval(this.#flood);
    let last = performance.now();
    let owed = 0;
    this.#flood = setInterval(() => {
      const now = performance.now();
      owed += ((now - last) * ticksPerSecond) / 1000;
      last = now;
      const count = Math.floor(owed);
      owed -= count;
      for (const session of this.#sessions) this.#exchange.sendExtra(session, count);
    }, floodTurnMs);
  }
}
