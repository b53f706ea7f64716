import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';

/** ms between two looks at the files. */
const lookMs = 1_000;
/** ms for which a changed file must be left alone before it counts, for files are written in pieces. */
const settleMs = 200;

/** What is known of one file. */
interface Watched {
  /** Digest of what it held when the callback was last called, or at the start; undefined where it could not be read. */
  told: string | undefined;
  /** Which file there was at the last look, and its times; '' while there is none. */
  mark: string;
  /** True until the file has been read since its mark changed. */
  unread: boolean;
}

/**
 * Calls back when the content of files has changed and is settled, once for all that settle together.
 *
 * The names are looked at once a second, through every symbolic link: that sees a file written in place, one that an
 * editor has put in its place, a link of a mounted volume that was turned elsewhere, and files on network folders,
 * which tell nobody of changes. A file that is missing for a moment is not a change, nor is one that was written again
 * as it was.
 */
export class FileWatch {
  readonly #changed: (paths: readonly string[]) => void;
  readonly #pace: { readonly lookMs: number; readonly settleMs: number };
  #files = new Map<string, Watched>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** `changed` gets the paths as `follow` was given them. The watch alone keeps no process alive. */
  constructor(
    changed: (paths: readonly string[]) => void,
    pace: { readonly lookMs: number; readonly settleMs: number } = { lookMs, settleMs },
  ) {
    this.#changed = changed;
    this.#pace = pace;
    this.#schedule();
  }

  /** Watches these files, absolute paths, in place of those so far. What a new one holds now is not a change. */
  follow(paths: readonly string[]): void {
    const files = new Map<string, Watched>();
    for (const path of paths)
      files.set(
        path,
        this.#files.get(path) ?? { told: digestOf(() => readFileSync(path)), mark: '', unread: false },
      );
    this.#files = files;
  }

  /** Safe to call again; the callback is not called any more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#closed) return;
    const isSettling = [...this.#files.values()].some(({ unread }) => unread);
    const { lookMs, settleMs } = this.#pace;
    this.#timer = setTimeout(() => void this.#look(), isSettling ? settleMs : lookMs).unref();
  }

  async #look(): Promise<void> {
    const found = await Promise.all(
      [...this.#files].map(async ([path, file]) => ((await this.#hasChanged(path, file)) ? [path] : [])),
    );
    // What is not watched any more meanwhile is nobody's concern.
    const changed = found.flat().filter((path) => this.#files.has(path));
    if (changed.length > 0 && !this.#closed) this.#changed(changed);
    this.#schedule();
  }

  async #hasChanged(path: string, file: Watched): Promise<boolean> {
    const mark = await markOf(path);
    if (mark !== file.mark) {
      file.mark = mark;
      file.unread = true;
      return false;
    }
    if (!file.unread) return false;
    file.unread = false;
    const content = mark === '' ? undefined : await contentOf(path);
    const digest = content === undefined ? undefined : digestOf(() => content);
    if (digest === undefined || digest === file.told) return false;
    file.told = digest;
    return true;
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

/** Secrets are not kept, nor are large files. */
function digestOf(read: () => Buffer): string | undefined {
  try {
    return createHash('sha256').update(read()).digest('hex');
  } catch {
    return undefined;
  }
}
