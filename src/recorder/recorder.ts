import { Worker } from 'node:worker_threads';
import type { Logger } from '../log/logging.js';
import { packagePath } from '../base/paths.js';
import { PoisonTicks } from '../tape/poisonTicks.js';
import type { TapeConsumer } from '../tape/tapeConsumer.js';
import type { RecorderCommand, RecorderEvent, RecorderSpec, RecorderTarget } from './messages.js';
import { RecorderProgress } from './recorderProgress.js';

const restartMs = 500;
/** Young and old generation of the thread, in MB: one block and what waits for the disk. */
const heapMb = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 256 };

export type RecorderSettings = Omit<RecorderSpec, 'tape' | 'progress' | 'poison'>;

/** What /health shows. */
export interface RecorderStatus extends RecorderTarget {
  readonly folder: string;
  /** Ticks in files. */
  readonly ticks: number;
  readonly files: number;
  readonly bytes: number;
  /** Ticks that wait on the tape, in a block, or for the disk. */
  readonly behind: number;
  /** Ticks that were overwritten before the recorder came to them, or that ended its thread. */
  readonly missed: number;
  /** Ticks that found no place on the disk. */
  readonly lost: number;
  /** How often its thread was lost and started anew. */
  readonly restarts: number;
}

const noTarget: RecorderTarget = { file: '', failure: '' };

/**
 * Records ticks in a thread of its own. A thread that is lost is started anew, and goes on with the first tick that is
 * neither in a file nor counted as lost; a tick that ends it twice is left out and counts as missed.
 */
export class Recorder implements TapeConsumer {
  readonly name = 'recorder';
  readonly wholeTicks = true;
  #settings: RecorderSettings;
  readonly #log: Logger;
  readonly #progress = new RecorderProgress();
  readonly #poison = new PoisonTicks();
  #tape: SharedArrayBuffer | undefined;
  #worker: Worker | undefined;
  #target = noTarget;
  #restarts = 0;
  #restart: NodeJS.Timeout | undefined;
  /** Hears that all is written, while somebody waits for it. */
  #onStopped: (() => void) | undefined;
  /** The end took too long. */
  #isGivenUp = false;

  constructor(settings: RecorderSettings, log: Logger) {
    this.#settings = settings;
    this.#log = log;
  }

  start(tape: SharedArrayBuffer): void {
    this.#tape = tape;
    this.#launch(tape);
  }

  /** From now on these are the weekdays without trading, yyyymmdd: the trading day of what comes is found anew. */
  useHolidays(holidays: readonly number[]): void {
    this.#settings = { ...this.#settings, holidays };
    this.#worker?.postMessage({ type: 'holidays', holidays } satisfies RecorderCommand);
  }

  status(): RecorderStatus {
    const progress = this.#progress;
    return {
      folder: this.#settings.folder,
      ticks: progress.get('ticks'),
      files: progress.get('files'),
      bytes: progress.get('bytes'),
      behind: progress.get('behind'),
      missed: Math.max(progress.get('missed'), progress.get('overrun')),
      lost: progress.get('lost'),
      ...this.#target,
      restarts: this.#restarts,
    };
  }

  async stop(deadlineMs: number): Promise<boolean> {
    clearTimeout(this.#restart);
    const tape = this.#tape;
    if (tape === undefined) return true;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#onStopped = undefined;
        this.#isGivenUp = true;
        resolve(false);
      }, deadlineMs);
      this.#onStopped = () => {
        clearTimeout(timer);
        resolve(true);
      };
      // What came since the last thread was lost is still on the tape.
      end(this.#worker ?? this.#launch(tape));
    });
  }

  #launch(tape: SharedArrayBuffer): Worker {
    const spec: RecorderSpec = {
      ...this.#settings,
      tape,
      progress: this.#progress.memory,
      poison: this.#poison.spec,
    };
    const worker = new Worker(packagePath('dist', 'workers', 'recorder.js'), {
      name: this.name,
      workerData: spec,
      resourceLimits: heapMb,
    });
    this.#worker = worker;
    let cause = '';
    worker.on('message', (event: RecorderEvent) => {
      if (event.type === 'target') this.#target = event.target;
      else this.#log[event.level](event.text);
    });
    worker.on('error', (error: Error) => {
      cause = error.message;
    });
    worker.on('exit', (code) => {
      this.#worker = undefined;
      if (code === 0 && this.#onStopped !== undefined) this.#onStopped();
      else this.#lost(tape, cause === '' ? `exit code ${code}` : cause);
    });
    return worker;
  }

  #lost(tape: SharedArrayBuffer, cause: string): void {
    const failure = `its thread ended: ${cause}`;
    this.#log.error(`recorder: ${failure}`);
    this.#target = { file: '', failure };
    this.#poison.threadEnded(this.#progress.get('position'));
    this.#restarts++;
    if (this.#onStopped !== undefined) end(this.#launch(tape));
    else if (!this.#isGivenUp) this.#restart = setTimeout(() => this.#launch(tape), restartMs);
  }
}

/** Has a thread take what is left, write it and end. */
function end(worker: Worker): void {
  worker.postMessage({ type: 'stop' } satisfies RecorderCommand);
}
