import { statSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readTextFile } from '../../base/jsonFile.js';
import type { KnownInstruments } from './knownInstruments.js';
import { errorText } from '../../base/errorText.js';
import { marked, type LogEvent } from '../../base/logEvents.js';

/** Far more than all instruments that a gateway can have. */
const largestFileBytes = 16 * 2 ** 20;
/** ms for which discoveries are gathered before they are written. */
const gatherMs = 5_000;

export interface KnownFileLog {
  warn(members: { readonly event: LogEvent }, text: string): void;
}

/**
 * Keeps what is known on disk. The file is always whole: it is written beside and renamed. A file that cannot be used is
 * named in a warning and made again, and so is one that cannot be written, which changes nothing else.
 */
export class KnownInstrumentsFile {
  readonly #path: string;
  readonly #known: KnownInstruments;
  readonly #log: KnownFileLog;
  #timer: NodeJS.Timeout | undefined;
  #isDirty = false;
  /** The path holds no file, and is left as it is. */
  #isForeign = false;
  /** Ends with the last write; one goes after the other. */
  #written: Promise<void> = Promise.resolve();

  constructor(path: string, known: KnownInstruments, log: KnownFileLog) {
    this.#path = path;
    this.#known = known;
    this.#log = log;
  }

  /** @param today trading day, yyyymmdd */
  read(today: number): void {
    try {
      const found = statSync(this.#path, { throwIfNoEntry: false });
      if (found === undefined) return;
      this.#isForeign = !found.isFile();
      if (this.#isForeign) throw new Error('is not a file');
      this.#known.read(readTextFile(this.#path, largestFileBytes), today);
    } catch (error) {
      const next = this.#isForeign ? 'what is found is not kept' : 'is made anew';
      this.#log.warn(
        marked('instruments_file_failed'),
        `${this.#path} cannot be used and ${next}: ${errorText(error)}`,
      );
    }
  }

  /** The known instruments have changed; they are written soon. */
  changed(): void {
    this.#isDirty = true;
    this.#timer ??= setTimeout(() => this.#writeNext(), gatherMs);
  }

  /** Writes what is not written yet. */
  close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#writeNext();
    return this.#written;
  }

  #writeNext(): void {
    this.#timer = undefined;
    if (!this.#isDirty || this.#isForeign) return;
    this.#isDirty = false;
    const content = this.#known.write();
    this.#written = this.#written.then(() => this.#write(content));
  }

  async #write(content: string): Promise<void> {
    const beside = `${this.#path}.new`;
    try {
      await mkdir(dirname(this.#path), { recursive: true });
      await writeFile(beside, content);
      await rename(beside, this.#path);
    } catch (error) {
      this.#log.warn(
        marked('instruments_file_failed'),
        `${this.#path} cannot be written: ${errorText(error)}`,
      );
    }
  }
}
