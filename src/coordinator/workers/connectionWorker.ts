import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { EventChannel } from '../../ring/eventChannel.js';
import type { ConnectionSpec, WorkerCommand, WorkerEvent, WorkerStart } from './workerMessages.js';
import { errorText } from '../../base/errorText.js';

const releasePollMs = 20;

/** Control messages leave little garbage; V8's own limit would let each worker keep 16 MB and more of it. */
const maxYoungGenerationSizeMb = 2;

export interface ConnectionWorkerHandlers {
  readonly onEvent: (event: WorkerEvent) => void;
  /** The thread has ended and nothing of it writes any more. `error` is empty when it ended as asked. */
  readonly onExit: (error: string) => void;
}

/** One connection worker as the main thread sees it: its thread, its sessions, and the memory they share. */
export class ConnectionWorker {
  /** By ConnectionSpec.connection. Kept while native code may write to their rings. */
  readonly connections = new Map<number, ConnectionSpec>();
  readonly exited: Promise<void>;
  readonly #channel = new EventChannel();
  readonly #worker: Worker;
  readonly #releaseMs: number;
  #retiring = false;
  #givenUp = false;
  #error = '';
  /** It has begun to work, and answers. */
  #ready = false;
  /** Times that it was asked since its last answer. */
  #unanswered = 0;

  /**
   * @param path the worker's compiled JavaScript
   * @param releaseMs see WorkerDeadlines
   * @param isIsolated it takes one connection only, which may make it hang
   * @throws when the process has no descriptor or thread left
   */
  constructor(
    path: string,
    releaseMs: number,
    readonly isIsolated: boolean,
    handlers: ConnectionWorkerHandlers,
  ) {
    this.#releaseMs = releaseMs;
    const start: WorkerStart = { channel: this.#channel.handle, releaseMs };
    try {
      this.#worker = new Worker(path, {
        workerData: start,
        resourceLimits: { maxYoungGenerationSizeMb },
      });
    } catch (error) {
      this.#channel.release();
      throw error;
    }
    this.#worker.on('message', (event: WorkerEvent) => {
      // One that comes back to itself speaks of connections that are others' by now.
      if (this.#givenUp) return;
      if (event.type === 'answer') {
        this.#unanswered = 0;
        return;
      }
      if (event.type === 'ready') this.#ready = true;
      if (event.type === 'closed') this.connections.delete(event.connection);
      handlers.onEvent(event);
    });
    this.#worker.on('error', (error) => {
      this.#error = errorText(error);
    });
    this.exited = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        this.#channel.release();
        const asked = this.#retiring && code === 0;
        handlers.onExit(asked ? '' : this.#error || `the worker ended with code ${code}`);
        resolve();
      });
    });
  }

  /** Asked to stop: takes no more sessions. */
  get retiring(): boolean {
    return this.#retiring;
  }

  add(spec: ConnectionSpec): void {
    this.connections.set(spec.connection, spec);
  }

  send(command: WorkerCommand): void {
    if (command.type === 'stop') this.#retiring = true;
    this.#worker.postMessage(command);
  }

  /**
   * Asks the worker whether it is there; to be called at a steady pace. Time in which this thread does nothing itself, or
   * the whole machine stands still, does not count.
   *
   * @returns how often it was asked without an answer, this time included
   */
  ask(): number {
    if (!this.#ready || this.#givenUp) return 0;
    if (this.#unanswered === 0) this.#worker.postMessage({ type: 'ask' } satisfies WorkerCommand);
    return ++this.#unanswered;
  }

  /**
   * For a worker that has ended or was abandoned: waits until the vendor's library has let go of a connection's session,
   * for releaseMs at most. One that is left then keeps its flow folder.
   */
  async released(connection: number): Promise<void> {
    const deadline = performance.now() + this.#releaseMs;
    while (this.#channel.unreleasedOf(connection) > 0 && performance.now() < deadline)
      await delay(releasePollMs, undefined, { ref: false });
  }

  /** For a worker that hangs: the connections on which no call hangs, whose ticks still flow. */
  healthy(): number[] {
    return [...this.connections.keys()].filter((connection) => this.#channel.isIdle(connection));
  }

  /** For a worker that hangs: takes no more commands or sessions. What flows continues until closeConnection or abandon. */
  giveUp(): void {
    this.#retiring = true;
    this.#givenUp = true;
  }

  get isGivenUp(): boolean {
    return this.#givenUp;
  }

  /** Closes one connection of a worker that was given up: it is silent at once, and released if possible. */
  closeConnection(connection: number): void {
    this.#channel.closeConnection(connection);
    this.connections.delete(connection);
  }

  /** For a worker that hangs. Its sessions fall silent at once and are released if possible. */
  abandon(): void {
    this.#retiring = true;
    this.#channel.release();
    void this.#worker.terminate();
  }

  /**
   * For the end of the process: its sessions, which are silent, stay as they are, and so does the thread. One that is
   * terminated amid a native call can take the process with it.
   */
  leave(): void {
    this.#retiring = true;
    this.#channel.detach();
    this.#worker.unref();
  }
}
