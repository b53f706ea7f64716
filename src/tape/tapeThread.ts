import { Worker, type WorkerOptions } from 'node:worker_threads';
import { packagePath } from '../base/paths.js';
import { PoisonTicks, type PoisonTicksSpec } from './poisonTicks.js';
import { errorText } from '../base/errorText.js';

/** ms from the crash of a thread to the start of its replacement. */
const restartMs = 500;

/** Part of what a thread is started with (its workerData). */
export interface TapeThreadData {
  readonly tape: SharedArrayBuffer;
  readonly poison: PoisonTicksSpec;
}

export interface TapeThreadParts<Event> {
  /** Name of the thread. */
  readonly name: string;
  /** File in workers/, without its ending. */
  readonly module: string;
  readonly options: Pick<WorkerOptions, 'resourceLimits' | 'execArgv'>;
  /** The rest of what a thread is started with; asked for each thread. */
  readonly dataFor: () => object;
  /** Number of the tick at which the next thread begins to read the tape, as TapeReader takes it. */
  readonly position: () => number;
  readonly onEvent: (event: Event) => void;
  /** The thread has crashed, for a cause in one line; a replacement follows. */
  readonly onCrash: (cause: string) => void;
}

/** A stop that is under way. */
interface Stop {
  readonly command: (withinMs: number) => unknown;
  readonly deadline: number;
  readonly done: () => void;
}

/**
 * Runs a thread that reads the tape, and replaces it when it crashes. The replacement resumes where the thread's shared
 * memory says; a tick that two threads had in hand as they crashed is skipped.
 *
 * A thread stops by exiting with code 0 after it was sent a stop command. One that crashes meanwhile is replaced at once,
 * since there may be ticks left on the tape.
 */
export class TapeThread<Command, Event> {
  /** How often a thread crashed and was replaced. */
  restarts = 0;
  readonly #parts: TapeThreadParts<Event>;
  readonly #poison = new PoisonTicks();
  #tape: SharedArrayBuffer | undefined;
  #worker: Worker | undefined;
  #restart: NodeJS.Timeout | undefined;
  #stop: Stop | undefined;
  /** Nothing is replaced any more. */
  #isOver = false;

  constructor(parts: TapeThreadParts<Event>) {
    this.#parts = parts;
  }

  start(tape: SharedArrayBuffer): void {
    this.#tape = tape;
    this.#launch(tape);
  }

  /** Sends a message to the thread; dropped while there is none: the next one starts with `dataFor`. */
  send(command: Command): void {
    this.#worker?.postMessage(command);
  }

  /**
   * Has the thread read the tape to its end and exit. A thread that does not within the deadline is terminated.
   *
   * @param command makes the stop command, from the ms that are left
   * @returns whether it exited by itself
   */
  async stop(command: (withinMs: number) => Command, deadlineMs: number): Promise<boolean> {
    clearTimeout(this.#restart);
    const tape = this.#tape;
    if (tape === undefined) return true;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        void this.terminate();
        resolve(false);
      }, deadlineMs);
      const done = (): void => {
        clearTimeout(timer);
        resolve(true);
      };
      this.#stop = { command, deadline: performance.now() + deadlineMs, done };
      // What arrived since the last thread crashed is still on the tape.
      this.#end(this.#worker ?? this.#launch(tape));
    });
  }

  /** Ends the thread in whatever it is doing; there is no other. */
  async terminate(): Promise<void> {
    this.#isOver = true;
    clearTimeout(this.#restart);
    await this.#worker?.terminate();
  }

  #launch(tape: SharedArrayBuffer): Worker {
    const { name, module, options, dataFor, onEvent } = this.#parts;
    const data: TapeThreadData = { ...dataFor(), tape, poison: this.#poison.spec };
    const worker = new Worker(packagePath('dist', 'workers', `${module}.js`), {
      name,
      workerData: data,
      ...options,
    });
    this.#worker = worker;
    let cause = '';
    worker.on('message', onEvent);
    worker.on('error', (error: unknown) => {
      cause = errorText(error);
    });
    // Not before: until then the thread may still write.
    worker.on('exit', (code) => {
      this.#worker = undefined;
      if (this.#isOver) return;
      if (code === 0 && this.#stop !== undefined) {
        this.#isOver = true;
        this.#stop.done();
      } else this.#crashed(tape, cause === '' ? `exit code ${code}` : cause);
    });
    return worker;
  }

  #crashed(tape: SharedArrayBuffer, cause: string): void {
    this.#poison.threadEnded(this.#parts.position());
    this.restarts++;
    this.#parts.onCrash(cause);
    if (this.#stop !== undefined) this.#end(this.#launch(tape));
    else this.#restart = setTimeout(() => this.#launch(tape), restartMs);
  }

  #end(worker: Worker): void {
    const { command, deadline } = this.#stop!;
    worker.postMessage(command(Math.max(0, deadline - performance.now())));
  }
}
