import type { QuoteBook } from '../market/quotes/quoteBook.js';
import { SnapshotWait } from '../market/quotes/snapshotWait.js';

export interface SnapshotsParts {
  readonly book: Pick<QuoteBook, 'version' | 'doubt'>;
  /** Those who have waited for the instrument's state are to be sent it. */
  readonly onSettled: (slot: number) => void;
  /** Called after `onSettled` has reported all that is settled for now. */
  readonly onSettledEnd: () => void;
}

/** Has clients wait for the snapshots of instruments that are newly subscribed, with one timer for all of them. */
export class Snapshots {
  readonly #parts: SnapshotsParts;
  readonly #wait = new SnapshotWait();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: SnapshotsParts) {
    this.#parts = parts;
  }

  /** The instrument has so many lines on connections that are logged in. */
  carried(slot: number, lines: number): void {
    this.#wait.carried(slot, lines, performance.now());
  }

  /** The book has taken a tick of the instrument, or one that is the state that it holds. On the tick path. */
  ticked(slot: number): void {
    if (this.#wait.ticked(slot)) this.#parts.onSettled(slot);
  }

  /**
   * Whether what the book holds of the instrument is to be kept back until `onSettled`. What is old and is not kept back
   * is marked as such in the book.
   */
  isAwaited(slot: number): boolean {
    const { book } = this.#parts;
    if (book.version(slot) === 0) return false;
    const answer = this.#wait.ask(slot, performance.now());
    if (answer === 'old') book.doubt(slot);
    if (answer !== 'wait') return false;
    this.#arm();
    return true;
  }

  /** Nobody waits any more. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#wait.dueAt === Infinity) return;
    const delayMs = Math.max(0, Math.ceil(this.#wait.dueAt - performance.now()));
    this.#timer = setTimeout(() => this.#settle(), delayMs);
  }

  #settle(): void {
    this.#timer = undefined;
    const { book, onSettled, onSettledEnd } = this.#parts;
    for (const slot of this.#wait.takeOverdue(performance.now())) {
      book.doubt(slot);
      onSettled(slot);
    }
    onSettledEnd();
    this.#arm();
  }
}
