import type { Logger } from 'pino';
import { TapeThread, type TapeThreadData } from '../tape/tapeThread.js';
import { allocateWindow, WindowReader } from './tickWindow.js';
import { marked } from '../base/logEvents.js';

/** Start data of the window's thread. */
export interface WindowWorkerData extends TapeThreadData {
  readonly window: SharedArrayBuffer;
}

/** The thread makes no garbage to speak of; V8's own limit would let it keep 16 MB and more. */
const resourceLimits = { maxYoungGenerationSizeMb: 2 };

/** The window of ticks in memory, and the thread that keeps it filled from the tape. */
export class WindowThread {
  /** It packs several hundred thousand ticks a second. */
  readonly tapeRecords = 8192;
  /** For WindowSource, in any thread. */
  readonly memory: SharedArrayBuffer;
  readonly #thread: TapeThread<never, never>;

  /** @param bytes most that the window takes; memory is used as it fills */
  constructor(bytes: number, log: Logger) {
    this.memory = allocateWindow(bytes, Date.now());
    this.#thread = new TapeThread({
      name: 'history window',
      module: 'historyWindow',
      options: { resourceLimits },
      dataFor: () => ({ window: this.memory }),
      position: () => new WindowReader(this.memory).position,
      onEvent: () => undefined,
      onCrash: (cause) => {
        log.error(marked('thread_crashed'), `history window: its thread crashed: ${cause}`);
      },
    });
  }

  /** How often its thread crashed and was replaced. */
  get restarts(): number {
    return this.#thread.restarts;
  }

  /** Begins to read the tape, from its first record on. */
  start(tape: SharedArrayBuffer): void {
    this.#thread.start(tape);
  }

  /** Nothing in memory outlives the process, so nothing has to be finished. */
  async stop(): Promise<void> {
    await this.#thread.terminate();
  }
}
