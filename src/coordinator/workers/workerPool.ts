import { packagePath } from '../../base/paths.js';
import { ringNatives } from '../../ring/native.js';
import { ConnectionWorker } from './connectionWorker.js';
import type { ConnectionSpec, WorkerCommand, WorkerEvent } from './workerMessages.js';
import { workerDeadlines, type WorkerDeadlines } from './workerDeadlines.js';
import { errorText } from '../../base/errorText.js';

/** One worker per connection up to here; a bare worker costs about 8 MB. */
const maxAutoWorkers = 16;
/** More connections than that share so many; each costs 12 MB once it works, and only control goes through it. */
const packedWorkers = 4;
/** Fronts limit connections per second and address, and so do brokers that many fronts belong to. */
const openSpacingMs = 50;
/** A worker is asked so often within the time that it has for an answer. */
const asksPerAnswer = 10;
const mostHanging = 8;
/** Workers without a connection that stay for the next one: the memory of an ended thread is only partly returned. */
const mostIdle = 8;

export interface WorkerPoolParts {
  /** 'auto': one worker per connection up to 16 connections, past that packed into 4 workers. */
  readonly connectionsPerWorker: 'auto' | number;
  readonly onEvent: (event: WorkerEvent) => void;
  /**
   * A worker ended by itself, hangs, or could not be started. Its sessions are silent and being released; nothing of
   * them writes to the tick rings any more. The same connections may be opened again at once: they wait for those
   * releases, for deadlines.releaseMs at most.
   */
  readonly onWorkerLost: (connections: number[], error: string) => void;
  /**
   * Ticks of these connections flow, but their worker hangs over another one and controls nothing any more: they are to be
   * opened elsewhere, under other indexes and on other rings, and then closed.
   */
  readonly onStranded: (connections: number[], error: string) => void;
  /** Default: workerDeadlines */
  readonly deadlines?: WorkerDeadlines;
  /** Workers that hang keep their threads, 12 MB each: with so many of them no other is started. Default: 8 */
  readonly mostHanging?: number;
}

/** Commands to one open connection. */
export type ConnectionCommand = Extract<WorkerCommand, { readonly connection: number }>;

/**
 * Ends the process, by now. Libraries that leave threads behind, and those that crash over their own end, have no say in it;
 * nothing that was to happen at the end happens any more.
 */
export function endProcess(code: number): never {
  ringNatives().endProcess(code);
  throw new Error('the process did not end');
}

/** The connection workers, from the main thread's side. */
export class WorkerPool {
  readonly #options: WorkerPoolParts;
  readonly #workers = new Set<ConnectionWorker>();
  readonly #workerOf = new Map<number, ConnectionWorker>();
  /** Connections whose turn has not come, with the commands that wait for them. */
  readonly #waiting = new Map<
    number,
    { readonly spec: ConnectionSpec; readonly commands: ConnectionCommand[] }
  >();
  /** Connections whose earlier sessions, of a lost worker, the library has not let go of yet. */
  readonly #releasing = new Set<number>();
  readonly #closing = new Set<number>();
  /** Connections over which a worker hung: the next worker has no others. */
  readonly #suspects = new Set<number>();
  readonly #deadlines: WorkerDeadlines;
  /** Workers that were given up and whose threads are still there. */
  #hanging = 0;
  #timer: NodeJS.Timeout | undefined;
  /** While there are workers. */
  #askTimer: NodeJS.Timeout | undefined;
  #stopping = false;

  constructor(options: WorkerPoolParts) {
    this.#options = options;
    this.#deadlines = options.deadlines ?? workerDeadlines;
    ringNatives().holdReleases(0);
    ringNatives().limitRelease(this.#deadlines.nextReleaseMs);
  }

  /**
   * Opens connections one after another, 50 ms apart. Their rings must not be used by a connection that is not
   * closed yet.
   */
  open(specs: readonly ConnectionSpec[]): void {
    if (this.#stopping) throw new Error('the worker pool is stopping');
    for (const spec of specs) {
      if (this.#waiting.has(spec.connection) || this.#workerOf.has(spec.connection))
        throw new Error(`connection ${spec.id} (${spec.connection}) is already open`);
      this.#waiting.set(spec.connection, { spec, commands: [] });
    }
    if (this.#timer === undefined) this.#openNext();
  }

  /**
   * Sends a command to its connection; one for a connection that is not open is dropped, for it may just have ended.
   * But `close` is always followed by a `closed` event, within 20 s, whatever the library does. Then the connection may
   * be opened again, on the same ring or another.
   */
  send(command: ConnectionCommand): void {
    const waiting = this.#waiting.get(command.connection);
    const worker = this.#workerOf.get(command.connection);
    if (worker?.isGivenUp === true) {
      if (command.type === 'close') this.#closeStranded(worker, command.connection);
    } else if (worker !== undefined) {
      worker.send(command);
      if (command.type === 'close') this.#closing.add(command.connection);
    } else if (command.type === 'close') {
      this.#waiting.delete(command.connection);
      setImmediate(() => this.#options.onEvent({ type: 'closed', connection: command.connection }));
    } else {
      waiting?.commands.push(command);
    }
  }

  /**
   * For the end of the process, which is to be ended by endProcess: from now on no session calls back, and no library is
   * asked for anything. Nothing is released, for libraries crash and hang over that.
   */
  stop(): void {
    this.#stopping = true;
    clearTimeout(this.#timer);
    clearInterval(this.#askTimer);
    this.#waiting.clear();
    ringNatives().holdReleases(1);
    ringNatives().silenceAll();
    for (const worker of this.#workers) {
      if (worker.connections.size === 0) worker.send({ type: 'stop' });
      else worker.leave();
    }
  }

  #openNext(): void {
    this.#timer = undefined;
    const next = [...this.#waiting.values()].find(({ spec }) => !this.#releasing.has(spec.connection));
    if (next === undefined || this.#stopping) return;
    const { spec, commands } = next;
    const connection = spec.connection;
    this.#waiting.delete(connection);
    this.#timer = setTimeout(() => this.#openNext(), openSpacingMs);
    let worker: ConnectionWorker;
    try {
      worker = this.#suspects.has(connection) ? this.#start(true) : this.#place();
    } catch (error) {
      // No descriptor or no thread is left.
      this.#options.onWorkerLost([connection], errorText(error));
      return;
    }
    worker.add(spec);
    this.#workerOf.set(connection, worker);
    worker.send({ type: 'open', spec });
    for (const command of commands) worker.send(command);
  }

  /** The worker for one more connection. */
  #place(): ConnectionWorker {
    const { connectionsPerWorker } = this.#options;
    let least: ConnectionWorker | undefined;
    for (const worker of this.#workers) {
      if (worker.retiring || worker.isIsolated) continue;
      if (least === undefined || worker.connections.size < least.connections.size) least = worker;
    }
    if (least === undefined) return this.#start();
    if (least.connections.size === 0) return least;
    const full =
      connectionsPerWorker === 'auto'
        ? this.#workers.size < this.#autoWorkers()
        : least.connections.size >= connectionsPerWorker;
    return full ? this.#start() : least;
  }

  /** @throws when too many workers hang, or there is no descriptor or thread for another one */
  #start(isIsolated = false): ConnectionWorker {
    if (this.#hanging >= (this.#options.mostHanging ?? mostHanging))
      throw new Error(`${this.#hanging} workers hang in vendor libraries, and no other is started`);
    const path = packagePath('dist', 'workers', 'connection.js');
    const worker: ConnectionWorker = new ConnectionWorker(path, this.#deadlines.releaseMs, isIsolated, {
      onEvent: (event) => {
        if (event.type === 'closed') this.#connectionClosed(worker, event.connection);
        this.#options.onEvent(event);
      },
      onExit: (error) => this.#workerEnded(worker, error),
    });
    this.#workers.add(worker);
    this.#askTimer ??= setInterval(() => this.#askAll(), this.#deadlines.answerMs / asksPerAnswer);
    return worker;
  }

  /**
   * Gives up the workers that hang in the vendor's library: the sessions over which they hang fall silent, and can be opened
   * elsewhere; the others flow on until they have been.
   */
  #askAll(): void {
    for (const worker of [...this.#workers]) {
      if (worker.ask() <= asksPerAnswer) continue;
      this.#hanging++;
      void worker.exited.then(() => this.#hanging--);
      worker.giveUp();
      const healthy = worker.healthy();
      for (const connection of worker.connections.keys())
        if (!healthy.includes(connection)) this.#suspects.add(connection);
      const closing = healthy.filter((connection) => this.#closing.has(connection));
      const stranded = healthy.filter((connection) => !closing.includes(connection));
      const error = 'the worker hangs in the vendor library';
      if (stranded.length === 0) {
        worker.abandon();
        this.#workerEnded(worker, error);
        continue;
      }
      for (const connection of closing) this.#closeStranded(worker, connection);
      this.#options.onStranded(stranded, error);
      const stuck = [...worker.connections.keys()].filter((connection) => !stranded.includes(connection));
      for (const connection of stuck) worker.closeConnection(connection);
      this.#connectionsLost(worker, stuck, error);
    }
  }

  /** Closes a connection whose worker cannot do it any more. */
  #closeStranded(worker: ConnectionWorker, connection: number): void {
    worker.closeConnection(connection);
    this.#closing.delete(connection);
    this.#workerOf.delete(connection);
    setImmediate(() => this.#options.onEvent({ type: 'closed', connection }));
    if (worker.connections.size > 0) return;
    worker.abandon();
    this.#workerEnded(worker, '');
  }

  /** By how many connections there are, with the one that is being placed. */
  #autoWorkers(): number {
    const connections = this.#workerOf.size + this.#waiting.size + 1;
    return connections <= maxAutoWorkers ? maxAutoWorkers : packedWorkers;
  }

  #connectionClosed(worker: ConnectionWorker, connection: number): void {
    this.#closing.delete(connection);
    this.#workerOf.delete(connection);
    const idle = [...this.#workers].filter(
      ({ connections, retiring }) => connections.size === 0 && !retiring,
    );
    if ((idle.length > mostIdle || worker.isIsolated) && idle.includes(worker)) worker.send({ type: 'stop' });
  }

  #workerEnded(worker: ConnectionWorker, error: string): void {
    // One that hung has been taken out before, and may end at any time.
    if (!this.#workers.delete(worker)) return;
    if (this.#workers.size === 0) {
      clearInterval(this.#askTimer);
      this.#askTimer = undefined;
    }
    const connections = [...worker.connections.keys()];
    worker.connections.clear();
    if (error === '' || this.#stopping)
      for (const connection of connections) this.#workerOf.delete(connection);
    else this.#connectionsLost(worker, connections, error);
  }

  /** They may be opened again once the library has let go of their sessions. */
  #connectionsLost(worker: ConnectionWorker, connections: readonly number[], error: string): void {
    for (const connection of connections) {
      this.#workerOf.delete(connection);
      this.#releasing.add(connection);
      void worker.released(connection).then(() => {
        this.#releasing.delete(connection);
        if (this.#timer === undefined) this.#openNext();
      });
    }
    const closing = connections.filter((connection) => this.#closing.has(connection));
    for (const connection of closing) {
      this.#closing.delete(connection);
      this.#options.onEvent({ type: 'closed', connection });
    }
    const lost = connections.filter((connection) => !closing.includes(connection));
    if (lost.length > 0) this.#options.onWorkerLost(lost, error);
  }
}
