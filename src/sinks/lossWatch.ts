import type { Logger } from 'pino';
import { marked } from '../base/logEvents.js';

/** Says once per interval how many ticks were lost in it, if any were. */
export class LossWatch {
  readonly #log: Logger;
  readonly #lost: () => number;
  readonly #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;
  #told = 0;

  /** @param lost ticks that were lost since the start */
  constructor(log: Logger, lost: () => number, intervalMs: number) {
    this.#log = log;
    this.#lost = lost;
    this.#intervalMs = intervalMs;
  }

  start(): void {
    this.#timer = setInterval(() => this.#tell(), this.#intervalMs);
    this.#timer.unref();
  }

  /** Says what is still to be said. */
  close(): void {
    clearInterval(this.#timer);
    this.#tell();
  }

  #tell(): void {
    const lost = this.#lost();
    if (lost > this.#told)
      this.#log.error(
        marked('ticks_lost'),
        `${lost - this.#told} ticks will never be stored in Redis, ${lost} since the start`,
      );
    this.#told = lost;
  }
}
