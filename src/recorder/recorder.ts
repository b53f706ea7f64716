import { Worker } from 'node:worker_threads';
import type { Logger } from '../logging.js';
import { packagePath } from '../paths.js';
import type { TapeConsumer } from '../storage/storage.js';
import type { RecorderCommand, RecorderEvent, RecorderFigures, RecorderSpec } from './messages.js';

const restartMs = 1000;
/** Young and old generation of the thread, in MB: one block and what waits for the disk. */
const heapMb = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 256 };

export type RecorderSettings = Omit<RecorderSpec, 'tape' | 'fromStart'>;

/** What /health shows. */
export interface RecorderStatus extends RecorderFigures {
  readonly folder: string;
  /** How often its thread was lost and started anew. */
  readonly restarts: number;
}

const nothingYet: RecorderFigures = {
  ticks: 0,
  files: 0,
  bytes: 0,
  behind: 0,
  missed: 0,
  lost: 0,
  file: '',
  failure: '',
};

/** Records ticks in a thread of its own; a thread that is lost is started anew, from the next tick on. */
export class Recorder implements TapeConsumer {
  readonly name = 'recorder';
  readonly #settings: RecorderSettings;
  readonly #log: Logger;
  #tape: SharedArrayBuffer | undefined;
  #worker: Worker | undefined;
  /** Of the threads before the present one. */
  #before = nothingYet;
  #figures = nothingYet;
  #restarts = 0;
  #restart: NodeJS.Timeout | undefined;
  #stopping = false;
  #ended: (() => void) | undefined;

  constructor(settings: RecorderSettings, log: Logger) {
    this.#settings = settings;
    this.#log = log;
  }

  start(tape: SharedArrayBuffer): void {
    this.#tape = tape;
    this.#launch(true);
  }

  status(): RecorderStatus {
    const before = this.#before;
    const now = this.#figures;
    return {
      folder: this.#settings.folder,
      ...now,
      ticks: before.ticks + now.ticks,
      files: before.files + now.files,
      bytes: before.bytes + now.bytes,
      missed: before.missed + now.missed,
      lost: before.lost + now.lost,
      restarts: this.#restarts,
    };
  }

  async stop(deadlineMs: number): Promise<boolean> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    const worker = this.#worker;
    if (worker === undefined) return true;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), deadlineMs);
      this.#ended = () => {
        clearTimeout(timer);
        resolve(true);
      };
      worker.postMessage({ type: 'stop' } satisfies RecorderCommand);
    });
  }

  #launch(fromStart: boolean): void {
    const spec: RecorderSpec = { ...this.#settings, tape: this.#tape!, fromStart };
    const worker = new Worker(packagePath('dist', 'workers', 'recorder.js'), {
      name: this.name,
      workerData: spec,
      resourceLimits: heapMb,
    });
    this.#worker = worker;
    let cause = '';
    worker.on('message', (event: RecorderEvent) => {
      if (event.type === 'figures') this.#figures = event.figures;
      else this.#log[event.level](event.text);
    });
    worker.on('error', (error: Error) => {
      cause = error.message;
    });
    worker.on('exit', (code) => {
      this.#worker = undefined;
      this.#ended?.();
      if (code !== 0 || !this.#stopping) this.#lost(cause === '' ? `exit code ${code}` : cause);
    });
  }

  #lost(cause: string): void {
    this.#log.error(`the recorder's thread ended: ${cause}`);
    // Its last figures may be half a second old; what it had not written is not known.
    this.#before = { ...this.status(), behind: 0 };
    this.#figures = nothingYet;
    if (this.#stopping) return;
    this.#restarts++;
    this.#restart = setTimeout(() => this.#launch(false), restartMs);
  }
}
