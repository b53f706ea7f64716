import type { PersisterEvent } from '../shared/persisterMessages.js';
import { SpillFolder } from './spillFolder.js';

const retryMs = 2000;

export interface ClaimParts {
  readonly path: string;
  readonly maxBytes: number;
  /** Names this process's ticks. */
  readonly run: string;
  readonly post: (event: PersisterEvent) => void;
}

/** The claim to a spill folder: where it cannot be had at the start, that is tried again until it can. */
export class FolderClaim {
  readonly #parts: ClaimParts;
  #folder: SpillFolder | undefined;
  #trouble = '';
  #timer: NodeJS.Timeout | undefined;

  /** Tries once. */
  constructor(parts: ClaimParts) {
    this.#parts = parts;
    this.#try();
  }

  /** Undefined while it cannot be had. */
  get folder(): SpillFolder | undefined {
    return this.#folder;
  }

  /** Why it cannot be had, in a line; empty when it is. */
  get trouble(): string {
    return this.#trouble;
  }

  /** @param onTaken called once, when the folder has become free later */
  start(onTaken: (folder: SpillFolder) => void): void {
    if (this.#folder === undefined) this.#timer = setInterval(() => this.#tryAgain(onTaken), retryMs);
  }

  /** At the end: tries a last time. The folder is whoever's it was given to, to be closed. */
  close(onTaken: (folder: SpillFolder) => void): void {
    if (this.#folder === undefined) this.#tryAgain(onTaken);
    clearInterval(this.#timer);
  }

  #tryAgain(onTaken: (folder: SpillFolder) => void): void {
    this.#try();
    if (this.#folder === undefined) return;
    clearInterval(this.#timer);
    this.#parts.post({
      type: 'log',
      level: 'info',
      text: `ticks that wait for Redis can go to ${this.#parts.path} now`,
    });
    onTaken(this.#folder);
  }

  #try(): void {
    const { path, maxBytes, run, post } = this.#parts;
    try {
      this.#folder = SpillFolder.open(path, maxBytes, run);
      this.#trouble = '';
    } catch (error) {
      const { message } = error as Error;
      const text = `ticks that wait for Redis are kept in memory alone: ${message}; trying again`;
      if (message !== this.#trouble) post({ type: 'log', level: 'error', event: 'spill_failed', text });
      this.#trouble = message;
    }
  }
}
