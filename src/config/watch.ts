import { readFileSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';

/** ms between two looks at the file. */
const lookMs = 1_000;
/** ms for which a changed file must be left alone before it counts, for files are written in pieces. */
const settleMs = 200;

/**
 * Calls back when a file's content has changed and is settled.
 *
 * The name is looked at once a second, through every symbolic link: that sees a file written in place, one that an
 * editor has put in its place, a link of a mounted volume that was turned elsewhere, and files on network folders,
 * which tell nobody of changes. A file that is missing for a moment is not a change, nor is one that was written again
 * as it was.
 */
export class ConfigWatch {
  readonly #path: string;
  readonly #changed: () => void;
  readonly #pace: { readonly lookMs: number; readonly settleMs: number };
  /** What the file held when the callback was last called, or at the start. */
  #told: Buffer | undefined;
  /** Which file there was at the last look, and its times. */
  #mark = '';
  /** True until the file has been read since its mark changed. */
  #unread = false;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** `path` is absolute. What is there now is not a change. The watch alone keeps no process alive. */
  constructor(
    path: string,
    changed: () => void,
    pace: { readonly lookMs: number; readonly settleMs: number } = { lookMs, settleMs },
  ) {
    this.#path = path;
    this.#changed = changed;
    this.#pace = pace;
    try {
      this.#told = readFileSync(path);
    } catch {
      this.#told = undefined;
    }
    this.#schedule();
  }

  /** Safe to call again; the callback is not called any more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#closed) return;
    const { lookMs, settleMs } = this.#pace;
    this.#timer = setTimeout(() => void this.#look(), this.#unread ? settleMs : lookMs).unref();
  }

  async #look(): Promise<void> {
    const mark = await markOf(this.#path);
    if (mark !== this.#mark) {
      this.#mark = mark;
      this.#unread = true;
    } else if (this.#unread) {
      this.#unread = false;
      if (mark !== '') this.#compare(await contentOf(this.#path));
    }
    this.#schedule();
  }

  #compare(content: Buffer | undefined): void {
    if (content === undefined || this.#told?.equals(content) === true || this.#closed) return;
    this.#told = content;
    this.#changed();
  }
}

/** Differs whenever the file was written or is another one; '' while there is none. */
async function markOf(path: string): Promise<string> {
  try {
    const found = await stat(path, { bigint: true });
    return found.isFile() ? [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join() : '';
  } catch {
    return '';
  }
}

/** Undefined when the file cannot be read; what is wrong with it, loading it would say. */
async function contentOf(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch {
    return undefined;
  }
}
