import {
  HistoryError,
  overscanMs,
  type HistoryRange,
  type HistoryReading,
  type HistorySource,
} from './historySource.js';
import { HistoryRow } from './storedRow.js';
import { RowUnpacker } from './rowPacking.js';
import { WindowReader, type WindowBlock } from './tickWindow.js';

/** Blocks that are read before others get their turn. */
const blocksPerTurn = 32;

/** A place in a window: when that was made, a block's number, and how many of its rows come before. */
interface Place {
  readonly number: number;
  readonly row: number;
}

/** Ticks of the window in memory. A position is `<when the window was made>-<block>-<row>`. */
export class WindowSource implements HistorySource {
  readonly name = 'memory';
  readonly #window: WindowReader;

  /** @throws if the memory is no window */
  constructor(memory: SharedArrayBuffer) {
    this.#window = new WindowReader(memory);
  }

  open(range: HistoryRange): Promise<HistoryReading> {
    for (;;) {
      const all = this.#window.blocksOf(range.key);
      const after = range.after === undefined ? undefined : this.#placeOf(range.after, all);
      const blocks = inRange(all, range).filter(
        ({ number }) => after === undefined || ((number - after.number) | 0) >= 0,
      );
      const [first] = blocks;
      const rows = first === undefined ? new Uint8Array(0) : this.#window.rowsOf(first);
      // Dropped since it was found. The answer is to have all ticks from the moment on that it says it is complete from.
      if (rows === undefined) continue;
      const skip = after !== undefined && first?.number === after.number ? after.row : 0;
      return Promise.resolve(new WindowReading(this.#window, blocks, rows, skip, this.#completeFrom(all)));
    }
  }

  #completeFrom([oldest]: readonly WindowBlock[]): number | null {
    return oldest === undefined ? null : Math.max(oldest.firstTimeMs, Math.ceil(this.#window.lossMs));
  }

  #placeOf(position: string, blocks: readonly WindowBlock[]): Place {
    const [madeMs, number, row] = position.split('-').map(Number);
    if (madeMs !== this.#window.madeMs)
      throw new HistoryError(
        'cursor_expired',
        'the cursor is of an earlier run of the gateway, whose ticks are gone',
      );
    if (!blocks.some((each) => each.number === (number! | 0)))
      throw new HistoryError('cursor_expired', 'the ticks at the cursor are no longer in memory');
    return { number: number! | 0, row: row ?? 0 };
  }
}

/** Blocks that may have ticks of the interval; a block ends where the next one begins. */
function inRange(blocks: readonly WindowBlock[], { fromMs, toMs }: HistoryRange): WindowBlock[] {
  return blocks.filter((block, index) => {
    const next = blocks[index + 1];
    return (
      block.firstTimeMs < toMs + overscanMs && (next === undefined || next.firstTimeMs >= fromMs - overscanMs)
    );
  });
}

class WindowReading implements HistoryReading {
  readonly row = new HistoryRow();
  readonly completeFromMs: number | null;
  readonly #window: WindowReader;
  readonly #blocks: readonly WindowBlock[];
  readonly #unpacker = new RowUnpacker();
  #next = 0;
  /** Blocks before this one may be read in this turn. */
  #turnEnd = blocksPerTurn;
  #rowsTaken = 0;
  #skip: number;
  /** Of the first block. */
  #firstRows: Uint8Array | undefined;

  /**
   * @param firstRows those of the first block
   * @param skip so many of them are not given
   */
  constructor(
    window: WindowReader,
    blocks: readonly WindowBlock[],
    firstRows: Uint8Array,
    skip: number,
    completeFromMs: number | null,
  ) {
    this.#window = window;
    this.#blocks = blocks;
    this.#firstRows = firstRows;
    this.#skip = skip;
    this.completeFromMs = completeFromMs;
  }

  get position(): string {
    const { number } = this.#blocks[this.#next - 1]!;
    return `${this.#window.madeMs}-${number >>> 0}-${this.#rowsTaken}`;
  }

  next(): boolean {
    for (;;) {
      while (!this.#unpacker.pending) if (!this.#openNext()) return false;
      this.#unpacker.next(this.row);
      this.#rowsTaken++;
      if (this.#skip > 0) {
        this.#skip--;
        continue;
      }
      return true;
    }
  }

  more(): Promise<boolean> {
    this.#turnEnd = this.#next + blocksPerTurn;
    return Promise.resolve(this.#next < this.#blocks.length);
  }

  close(): void {
    this.#next = this.#blocks.length;
  }

  #openNext(): boolean {
    if (this.#next === this.#blocks.length || this.#next === this.#turnEnd) return false;
    const rows = this.#firstRows ?? this.#window.rowsOf(this.#blocks[this.#next]!);
    if (rows === undefined)
      throw new HistoryError('cursor_expired', 'ticks were dropped from memory before they could be read');
    this.#firstRows = undefined;
    this.#next++;
    this.#unpacker.open(rows);
    this.#rowsTaken = 0;
    return true;
  }
}
