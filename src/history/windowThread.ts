import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import { packagePath } from '../base/paths.js';
import { PoisonTicks, type PoisonTicksSpec } from '../tape/poisonTicks.js';
import { allocateWindow, WindowReader } from './tickWindow.js';

/** What the thread is made with. */
export interface WindowWorkerData {
  readonly tape: SharedArrayBuffer;
  readonly window: SharedArrayBuffer;
  readonly poison: PoisonTicksSpec;
}

/** The thread makes no garbage to speak of; V8's own limit would let it keep 16 MB and more. */
const resourceLimits = { maxYoungGenerationSizeMb: 2 };
/** ms from an unexpected end of the thread to its successor. */
const restartMs = 1000;

/** The window of ticks in memory, and the thread that keeps it filled from the tape. */
export class WindowThread {
  readonly name = 'history window';
  /** It packs several hundred thousand ticks a second. */
  readonly tapeRecords = 8192;
  /** For WindowSource, in any thread. */
  readonly memory: SharedArrayBuffer;
  readonly #log: Logger;
  #worker: Worker | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  readonly #poison = new PoisonTicks();

  /** @param bytes most that the window takes; memory is used as it fills */
  constructor(bytes: number, log: Logger) {
    this.memory = allocateWindow(bytes, Date.now());
    this.#log = log;
  }

  /** Begins to read the tape, from its first record on. A thread that ends has a successor, which goes on where it was. */
  start(tape: SharedArrayBuffer): void {
    this.#run(tape);
  }

  /** Nothing in memory outlives the process, so nothing has to be finished. */
  async stop(): Promise<boolean> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#worker?.terminate();
    return true;
  }

  #run(tape: SharedArrayBuffer): void {
    const workerData: WindowWorkerData = { tape, window: this.memory, poison: this.#poison.spec };
    const worker = new Worker(packagePath('dist', 'workers', 'historyWindow.js'), {
      workerData,
      resourceLimits,
    });
    this.#worker = worker;
    let reason: unknown;
    worker.on('error', (error) => (reason = error));
    worker.on('exit', () => {
      if (this.#stopped) return;
      this.#log.error(
        { err: reason },
        'the thread that keeps ticks in memory has ended; another one goes on',
      );
      this.#poison.threadEnded(new WindowReader(this.memory).position);
      this.#timer = setTimeout(() => this.#run(tape), restartMs);
    });
  }
}
