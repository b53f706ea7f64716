/** A connection worker: hosts one or several sessions of the vendor's library. Started by WorkerPool. */
import { parentPort, workerData } from 'node:worker_threads';
import type { WorkerCommand, WorkerEvent, WorkerStart } from '../src/coordinator/workers/workerMessages.js';
import { SessionHost } from '../src/ctp/sessionHost.js';
import type { VendorLibrary } from '../src/ctp/bridge.js';
import { Doorbell } from '../src/ring/doorbell.js';
import type { EventChannelHandle } from '../src/ring/eventChannel.js';
import { EventReader } from '../src/ring/eventRing.js';

/** Events taken in one turn: a front that says no end of things must not keep its neighbours from theirs. */
const eventsPerTurn = 1024;

class ConnectionWorker {
  readonly #hosts = new Map<number, SessionHost>();
  /** Handles of the libraries that were reported. */
  readonly #libraries = new Set<number>();
  readonly #events: EventReader;
  readonly #doorbell: Doorbell;
  #ordinaryLost = 0;
  #criticalLost = 0;
  /** Events still to be taken that are older than a loss of connection events; Infinity when none was lost. */
  #beforeLoss = Infinity;
  #stopping = false;
  #stopped = false;

  constructor(
    private readonly channel: EventChannelHandle,
    private readonly releaseMs: number,
    private readonly post: (event: WorkerEvent) => void,
    private readonly onStopped: () => void,
  ) {
    this.#events = new EventReader(channel.ring);
    this.#doorbell = new Doorbell(channel.doorbell);
  }

  start(): void {
    this.#doorbell.listen(() => this.#drain());
    this.#drain();
    this.post({ type: 'ready' });
  }

  onCommand(command: WorkerCommand): void {
    switch (command.type) {
      case 'open':
        this.#open(command.spec.connection, command);
        break;
      case 'subscribe':
      case 'unsubscribe':
      case 'reopen':
      case 'retry_login':
      case 'close':
        // The session may have ended while the command was under way.
        this.#hosts.get(command.connection)?.step(command);
        break;
      case 'ask':
        this.post({ type: 'answer' });
        break;
      case 'stop':
        this.#stopping = true;
        for (const host of [...this.#hosts.values()]) host.step({ type: 'close' });
        this.#stopWhenEmpty();
        break;
    }
  }

  #open(connection: number, { spec }: WorkerCommand & { type: 'open' }): void {
    if (this.#hosts.has(connection)) throw new Error(`connection ${connection} is already open`);
    const host = new SessionHost({
      spec,
      owner: this.channel.owner,
      releaseMs: this.releaseMs,
      post: this.post,
      onLibrary: (library) => this.#reportLibrary(library, connection),
      onClosed: () => {
        this.#hosts.delete(connection);
        this.#stopWhenEmpty();
      },
    });
    this.#hosts.set(connection, host);
    host.step({ type: 'open' });
  }

  #reportLibrary({ handle, version, warning }: VendorLibrary, connection: number): void {
    if (this.#libraries.has(handle)) return;
    this.#libraries.add(handle);
    this.post({ type: 'library', connection, version, warning });
  }

  #drain(): void {
    if (this.#stopped) return;
    for (let i = 0; i < eventsPerTurn; i++) {
      const event = this.#events.next();
      if (event === undefined) break;
      this.#beforeLoss--;
      const host = this.#hosts.get(event.connection);
      // An event of the connection's earlier session bears another handle.
      if (host?.handle === event.session) host.onBridgeEvent(event);
    }
    this.#checkLost();
    if (!this.#events.empty || !this.#doorbell.park(() => this.#events.empty))
      setImmediate(() => this.#drain());
  }

  #checkLost(): void {
    const { ordinaryLost } = this.#events;
    if (ordinaryLost !== this.#ordinaryLost) {
      const count = (ordinaryLost - this.#ordinaryLost) >>> 0;
      this.#ordinaryLost = ordinaryLost;
      this.post({
        type: 'log',
        level: 'warn',
        event: 'events_lost',
        text: `${count} refusals or warnings of fronts were lost`,
      });
      for (const host of [...this.#hosts.values()]) host.checkRefusals();
    }
    for (;;) {
      if (this.#beforeLoss === Infinity) {
        const { criticalLost, pending } = this.#events;
        if (criticalLost === this.#criticalLost) return;
        this.#criticalLost = criticalLost;
        this.#beforeLoss = pending;
      }
      if (this.#beforeLoss > 0) return;
      this.#beforeLoss = Infinity;
      this.post({
        type: 'log',
        level: 'warn',
        event: 'events_lost',
        text: 'connection events were lost: logging in again',
      });
      for (const host of [...this.#hosts.values()]) host.resynchronise();
    }
  }

  #stopWhenEmpty(): void {
    if (!this.#stopping || this.#hosts.size > 0) return;
    this.#stopped = true;
    this.#doorbell.close();
    this.onStopped();
  }
}

const port = parentPort;
if (port === null) throw new Error('a connection worker is started by the gateway, not by hand');
const { channel, releaseMs } = workerData as WorkerStart;
const worker = new ConnectionWorker(
  channel,
  releaseMs,
  (event) => port.postMessage(event),
  () => port.close(),
);
port.on('message', (command: WorkerCommand) => worker.onCommand(command));
worker.start();
