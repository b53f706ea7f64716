import { statSync, type BigIntStats, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { readBounded } from '../base/boundedRead.js';
import { digestOf, digestRead, largestFileBytes } from '../base/jsonFile.js';

/** ms between two looks at the files. */
const lookMs = 1_000;
/** ms for which a changed file must be left alone before it counts, for files are written in pieces. */
const settleMs = 200;
/** ms after which a file that is never left alone does not hold back the others any more. */
const patienceMs = 10_000;

export interface WatchPace {
  readonly lookMs: number;
  readonly settleMs: number;
  readonly patienceMs: number;
}

/** Whom the watch tells, with paths as `follow` was given them. */
export interface WatchListener {
  changed(paths: readonly string[]): void;
  /** The file has been written over and over for `patienceMs`. Once until it is left alone. */
  restless(path: string): void;
}

/** State of one watched file. */
interface Watched {
  /** Digest of what it held when the callback was last called, or at the start; undefined where it could not be read. */
  told: string | undefined;
  /** Which file there was at the last look, and its times; '' while there is none. */
  mark: string;
  /** True until the file has been read since its mark changed. */
  unread: boolean;
  /** Since when each look has found another mark, performance.now(); undefined where the last one has not. */
  movesSince: number | undefined;
  isRestless: boolean;
}

/**
 * Calls back when the content of files has changed and is settled, once for all of them: as long as one still changes, the
 * others wait for it, for they may belong together, as a certificate and its key; but not forever.
 *
 * The names are looked at once a second, through every symbolic link: that sees a file written in place, one that an
 * editor has put in its place, a link of a mounted volume that was turned elsewhere, and files on network folders,
 * which tell nobody of changes. A file that is missing for a moment is not a change, nor is one that was written again
 * as it was. A pipe is not looked into: it gives what it holds only once. Nor
 * is a file that is too large to be read as anything.
 */
export class FileWatch {
  readonly #listener: WatchListener;
  readonly #pace: WatchPace;
  #files = new Map<string, Watched>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** The watch does not keep a process alive. */
  constructor(listener: WatchListener, pace: Partial<WatchPace> = {}) {
    this.#listener = listener;
    this.#pace = { lookMs, settleMs, patienceMs, ...pace };
    this.#schedule();
  }

  /** Watches these files, absolute paths, in place of those so far. What a new one held when it was read, or now, is not a change. */
  follow(paths: readonly string[]): void {
    const files = new Map<string, Watched>();
    for (const path of paths) files.set(path, this.#files.get(path) ?? newlyWatched(path));
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
    await Promise.all(looked.map(([path, file]) => look(path, file)));
    for (const [path, file] of looked) this.#noteRestless(path, file);
    if (looked.every(([, { movesSince, isRestless }]) => movesSince === undefined || isRestless)) {
      const settled = looked.filter(([, { movesSince }]) => movesSince === undefined);
      const changed = settled.map(([path, file]) => hasChanged(path, file));
      // What is not watched any more meanwhile is nobody's concern.
      const paths = settled.flatMap(([path], i) =>
        changed[i] === true && this.#files.has(path) ? [path] : [],
      );
      if (paths.length > 0 && !this.#closed) this.#listener.changed(paths);
    }
    this.#schedule();
  }

  #noteRestless(path: string, file: Watched): void {
    const wasRestless = file.isRestless;
    const { movesSince } = file;
    file.isRestless = movesSince !== undefined && performance.now() - movesSince >= this.#pace.patienceMs;
    if (file.isRestless && !wasRestless && this.#files.has(path) && !this.#closed)
      this.#listener.restless(path);
  }
}

function newlyWatched(path: string): Watched {
  // It may have changed since it was read.
  const told = digestRead(path) ?? digestNow(path);
  return { told, mark: '', unread: false, movesSince: undefined, isRestless: false };
}

/** Notes whether the file was written, or is another one, since the last look. */
async function look(path: string, file: Watched): Promise<void> {
  const mark = await markOf(path);
  if (mark === file.mark) {
    file.movesSince = undefined;
    return;
  }
  file.mark = mark;
  file.unread = true;
  file.movesSince ??= performance.now();
}

/** Whether a file that has not moved since the last look holds something else than was told. */
function hasChanged(path: string, file: Watched): boolean {
  if (!file.unread) return false;
  file.unread = false;
  const digest = file.mark === '' ? undefined : digestNow(path);
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

/** Of what the file holds now; undefined where it cannot be read: what is wrong with it, loading it would say. */
function digestNow(path: string): string | undefined {
  try {
    return isRead(statSync(path)) ? digestOf(readBounded(path, largestFileBytes)) : undefined;
  } catch {
    return undefined;
  }
}
