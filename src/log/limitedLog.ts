import type { Level } from 'pino';
import type { Logger } from 'pino';

const windowMs = 60_000;
const linesPerWindow = 10;
/** A line that says something new is written past the limit, up to this many a window. */
const textsPerWindow = 30;

interface Source {
  lines: number;
  left: number;
  /** Texts written in this window. */
  readonly texts: Set<string>;
  /** Writes the newest of the lines that were skipped. */
  last: ((leftOut: number) => void) | undefined;
  readonly timer: NodeJS.Timeout;
}

/**
 * Log lines that something outside can cause at any rate: a front that cuts every session, or refuses every instrument.
 * Of one source 10 a minute are written at once, and after them those that say something new, up to 30 texts; of the
 * others the newest, with their number, at the minute's end.
 */
export class LimitedLog {
  readonly #logger: Logger;
  readonly #sources = new Map<string, Source>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @param meaning the text without what only counts on, by which it is judged whether a line says something new */
  write(source: string, level: Level, members: object, text: string, meaning = text): void {
    if (!this.#logger.isLevelEnabled(level)) return;
    const now = this.#sourceOf(source);
    const isNew = !now.texts.has(meaning) && now.texts.size < textsPerWindow;
    if (isNew) now.texts.add(meaning);
    if (++now.lines <= linesPerWindow || isNew) {
      this.#logger[level](members, text);
      return;
    }
    now.left++;
    now.last = (left) => {
      if (left === 1) this.#logger[level](members, text);
      else this.#logger[level]({ ...members, left_out: left - 1 }, `${text} (after ${left - 1} more lines)`);
    };
  }

  /** Writes what was skipped, and nothing later. */
  close(): void {
    for (const source of this.#sources.keys()) this.#end(source);
  }

  #sourceOf(name: string): Source {
    const known = this.#sources.get(name);
    if (known !== undefined) return known;
    const timer = setTimeout(() => this.#end(name), windowMs);
    timer.unref();
    const made: Source = { lines: 0, left: 0, texts: new Set(), last: undefined, timer };
    this.#sources.set(name, made);
    return made;
  }

  #end(name: string): void {
    const source = this.#sources.get(name);
    if (source === undefined) return;
    clearTimeout(source.timer);
    this.#sources.delete(name);
    source.last?.(source.left);
  }
}
