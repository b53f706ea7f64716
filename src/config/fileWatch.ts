import { createHash } from 'node:crypto';
import { readFileSync, statSync, type BigIntStats, type Stats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { largestFileBytes } from '../jsonFile.js';

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
 * Calls back when the content of files has changed and is settled, once for all of them: as long as one still changes, the
 * others wait for it, for they may belong together, as a certificate and its key.
 *
 * The names are looked at once a second, through every symbolic link: that sees a file written in place, one that an
 * editor has put in its place, a link of a mounted volume that was turned elsewhere, and files on network folders,
 * which tell nobody of changes. A file that is missing for a moment is not a change, nor is one that was written again
 * as it was. A pipe is not looked into: it gives what it holds only once. Nor
 * is a file that is too large to be read as anything.
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
      files.set(path, this.#files.get(path) ?? { told: digestNow(path), mark: '', unread: false });
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
    const looked = [...this.#files];
    const moved = await Promise.all(looked.map(([path, file]) => hasMoved(path, file)));
    if (!moved.includes(true)) {
      const changed = await Promise.all(looked.map(([path, file]) => hasChanged(path, file)));
      // What is not watched any more meanwhile is nobody's concern.
      const paths = looked.flatMap(([path], i) =>
        changed[i] === true && this.#files.has(path) ? [path] : [],
      );
      if (paths.length > 0 && !this.#closed) this.#changed(paths);
    }
    this.#schedule();
  }
}

/** Whether the file was written, or is another one, since the last look. */
async function hasMoved(path: string, file: Watched): Promise<boolean> {
  const mark = await markOf(path);
  if (mark === file.mark) return false;
  file.mark = mark;
  file.unread = true;
  return true;
}

/** Whether a file that has not moved since the last look holds something else than was told. */
async function hasChanged(path: string, file: Watched): Promise<boolean> {
  if (!file.unread) return false;
  file.unread = false;
  const content = file.mark === '' ? undefined : await contentOf(path);
  const digest = content === undefined ? undefined : digestOf(content);
  if (digest === undefined || digest === file.told) return false;
  file.told = digest;
  return true;
}

/** Whether it is a file, and one that is not too large for any use. */
function isRead(found: Stats | BigIntStats): boolean {
  return found.isFile() && found.size <= largestFileBytes;
}

/** Differs whenever the file was written or is another one; '' while there is none that would be read. */
async function markOf(path: string): Promise<string> {
  try {
    const found = await stat(path, { bigint: true });
    return isRead(found) ? [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join() : '';
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

/** Of what the file holds now; undefined where nothing can be read. */
function digestNow(path: string): string | undefined {
  try {
    return isRead(statSync(path)) ? digestOf(readFileSync(path)) : undefined;
  } catch {
    return undefined;
  }
}

/** Secrets are not kept, nor are large files. */
function digestOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
