import type { Logger } from 'pino';
import { marked } from '../base/logEvents.js';

/** Logs what vendor libraries say they are, each library and each of its texts once. */
export class LibraryLog {
  readonly #log: Logger;
  readonly #said = new Set<string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /**
   * A library has been loaded: at the start, or by a connection that a reload has brought.
   *
   * @param library path of its file
   * @param version its own version text
   * @param warning what to know of it; empty when there is nothing
   */
  loaded(library: string, version: string, warning: string): void {
    const text = JSON.stringify([library, version, warning]);
    if (this.#said.has(text)) return;
    this.#said.add(text);
    this.#log.info({ library, version }, 'vendor library loaded');
    if (warning !== '') this.#log.warn(marked('library_warning', { library }), `${library}: ${warning}`);
  }
}
