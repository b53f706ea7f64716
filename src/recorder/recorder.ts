import type { Logger } from 'pino';
import type { Sink, SinkHealth } from '../tape/sink.js';
import { TapeThread, type TapeThreadData } from '../tape/tapeThread.js';
import type { RecorderCommand, RecorderEvent, RecorderSpec, RecorderTarget } from './messages.js';
import { RecorderProgress } from './recorderProgress.js';
import { marked, membersOf } from '../base/logEvents.js';

/** Young and old generation of the thread, in MB: one block and what waits for the disk. */
const heapMb = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 256 };

export type RecorderSettings = Omit<RecorderSpec, keyof TapeThreadData | 'progress'>;

/** The recorder's member of /health. */
export interface RecorderStatus extends RecorderTarget {
  readonly folder: string;
  /** Ticks in files. */
  readonly ticks: number;
  readonly files: number;
  readonly bytes: number;
  /** Ticks that wait on the tape, in a block, or for the disk. */
  readonly behind: number;
  /** Ticks that were overwritten before the recorder came to them, or that crashed its thread. */
  readonly missed: number;
  /** Ticks that found no place on the disk. */
  readonly lost: number;
  /** How often its thread crashed and was replaced. */
  readonly restarts: number;
}

const noTarget: RecorderTarget = { file: '', failure: '' };

/**
 * Records ticks in a thread of its own. A thread that crashes is replaced: the next one resumes at the first tick that is
 * neither in a file nor counted as lost, and a tick that crashes it twice is skipped and counts as missed.
 */
export class Recorder implements Sink<RecorderStatus> {
  readonly name = 'recorder';
  readonly wholeTicks = true;
  #settings: RecorderSettings;
  readonly #progress = new RecorderProgress();
  readonly #thread: TapeThread<RecorderCommand, RecorderEvent>;
  #target = noTarget;

  constructor(settings: RecorderSettings, log: Logger) {
    this.#settings = settings;
    this.#thread = new TapeThread({
      name: this.name,
      module: 'recorder',
      options: { resourceLimits: heapMb },
      dataFor: () => ({ ...this.#settings, progress: this.#progress.memory }),
      position: () => this.#progress.get('position'),
      onEvent: (event) => {
        if (event.type === 'target') this.#target = event.target;
        else log[event.level](membersOf(event), event.text);
      },
      onCrash: (cause) => {
        const failure = `its thread crashed: ${cause}`;
        log.error(marked('thread_crashed'), `${this.name}: ${failure}`);
        this.#target = { file: '', failure };
      },
    });
  }

  start(tape: SharedArrayBuffer): void {
    this.#thread.start(tape);
  }

  /** From now on these are the weekdays without trading, yyyymmdd: the trading day of each tick is found again. */
  useHolidays(holidays: readonly number[]): void {
    this.#settings = { ...this.#settings, holidays };
    this.#thread.send({ type: 'holidays', holidays });
  }

  health(): SinkHealth<RecorderStatus> {
    const progress = this.#progress;
    const report = {
      folder: this.#settings.folder,
      ticks: progress.get('ticks'),
      files: progress.get('files'),
      bytes: progress.get('bytes'),
      behind: progress.get('behind'),
      missed: Math.max(progress.get('missed'), progress.get('overrun')),
      lost: progress.get('lost'),
      ...this.#target,
      restarts: this.#thread.restarts,
    };
    return { failure: report.failure, report };
  }

  stop(deadlineMs: number): Promise<boolean> {
    return this.#thread.stop(() => ({ type: 'stop' }), deadlineMs);
  }
}
