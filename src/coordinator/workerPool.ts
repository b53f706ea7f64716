import { packagePath } from '../paths.js';
import { ringNatives } from '../ring/native.js';
import { ConnectionWorker } from './connectionWorker.js';
import type { ConnectionSpec, WorkerCommand, WorkerEvent } from './messages.js';
import { workerDeadlines, type WorkerDeadlines } from './workerDeadlines.js';

/** One worker per connection up to here; a bare worker costs about 8 MB. */
const maxAutoWorkers = 16;
/** More connections than that share so many; each costs 12 MB once it works, and only control goes through it. */
const packedWorkers = 4;
/** Fronts limit connections per second and address, and so do brokers that many fronts belong to. */
const openSpacingMs = 50;
/** A worker is asked so often within the time that it has for an answer. */
const asksPerAnswer = 10;
const mostHanging = 8;
/** Workers without a connection that stay for the next one: what a thread leaves behind is given back in part alone. */
const mostIdle = 8;

export interface WorkerPoolOptions {
  /** 'auto': one worker per connection up to 16 connections, past that packed into 4 workers. */
  readonly connectionsPerWorker: 'auto' | number;
  readonly onEvent: (event: WorkerEvent) => void;
  /**
   * A worker ended by itself, hangs, or could not be started. Its sessions are silent and being released; nothing of
   * them writes to the tick rings any more. The same connections may be opened again at once: they wait for those
   * releases, for deadlines.releaseMs at most.
   */
  readonly onWorkerLost: (connections: number[], error: string) => void;
  /** Default: workerDeadlines */
  readonly deadlines?: WorkerDeadlines;
  /** Workers that hang keep their threads, 12 MB each: with so many of them no other is started. Default: 8 */
  readonly mostHanging?: number;
}

/** Commands to one open connection. */
export type ConnectionCommand = Extract<WorkerCommand, { readonly connection: number }>;

/**
 * For the last moment before process.exit, where releases would not fit any more: no session of the process
 * calls back into it after the return. None can be closed properly afterwards.
 */
export function silenceAllSessions(): void {
  ringNatives().silenceAll();
}

/**
 * For the end of a process with workers that hang: process.exit would wait for their threads. Nothing that was to happen at
 * the end happens any more.
 */
export function endProcess(code: number): void {
  ringNatives().endProcess(code);
}

/** The connection workers, from the main thread's side. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
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
  readonly #deadlines: WorkerDeadlines;
  /** Workers that were given up and whose threads are still there. */
  #hanging = 0;
  #timer: NodeJS.Timeout | undefined;
  /** While there are workers. */
  #askTimer: NodeJS.Timeout | undefined;
  #stopping = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#deadlines = options.deadlines ?? workerDeadlines;
    ringNatives().limitRelease(this.#deadlines.nextReleaseMs);
  }

  /**
   * Opens connections one after another, 50 ms apart. Their rings must not be used by a connection that is not
   * closed yet.
   */
  open(specs: readonly ConnectionSpec[]): void {
    if (this.#stopping) throw new Error('the worker pool is stopping');
    for (const spec of specs) {
      if (this.#waiting.has(spec.source) || this.#workerOf.has(spec.source))
        throw new Error(`connection ${spec.id} (${spec.source}) is already open`);
      this.#waiting.set(spec.source, { spec, commands: [] });
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
    if (worker !== undefined) {
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
   * Closes all connections and ends the workers.
   *
   * @returns ids of the connections whose library had not let go of them within deadlineMs; empty when all is well
   */
  async stop(deadlineMs: number): Promise<string[]> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    clearInterval(this.#askTimer);
    this.#waiting.clear();
    for (const worker of this.#workers) worker.send({ type: 'stop' });
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => (timer = setTimeout(resolve, deadlineMs)));
    await Promise.race([Promise.all([...this.#workers].map((worker) => worker.exited)), deadline]);
    clearTimeout(timer);
    const hung: string[] = [];
    for (const worker of this.#workers) {
      for (const spec of worker.connections.values()) hung.push(spec.id);
      worker.abandon();
    }
    return hung;
  }

  #openNext(): void {
    this.#timer = undefined;
    const next = [...this.#waiting.values()].find(({ spec }) => !this.#releasing.has(spec.source));
    if (next === undefined || this.#stopping) return;
    const { spec, commands } = next;
    const connection = spec.source;
    this.#waiting.delete(connection);
    this.#timer = setTimeout(() => this.#openNext(), openSpacingMs);
    let worker: ConnectionWorker;
    try {
      worker = this.#place();
    } catch (error) {
      // No descriptor or no thread is left.
      this.#options.onWorkerLost([connection], error instanceof Error ? error.message : String(error));
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
      if (worker.retiring) continue;
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
  #start(): ConnectionWorker {
    if (this.#hanging >= (this.#options.mostHanging ?? mostHanging))
      throw new Error(`${this.#hanging} workers hang in vendor libraries, and no other is started`);
    const path = packagePath('dist', 'workers', 'connection.js');
    const worker: ConnectionWorker = new ConnectionWorker(path, this.#deadlines.releaseMs, {
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

  /** Gives up the workers that hang in the vendor's library: their sessions fall silent, and can be opened elsewhere. */
  #askAll(): void {
    for (const worker of [...this.#workers]) {
      if (worker.ask() <= asksPerAnswer) continue;
      this.#hanging++;
      void worker.exited.then(() => this.#hanging--);
      worker.abandon();
      this.#workerEnded(worker, 'the worker hangs in the vendor library');
    }
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
    if (idle.length > mostIdle && idle.includes(worker)) worker.send({ type: 'stop' });
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
    for (const connection of connections) this.#workerOf.delete(connection);
    if (error === '' || this.#stopping) return;
    for (const connection of connections) {
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
