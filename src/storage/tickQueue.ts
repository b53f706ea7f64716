import type { SpillFolder, SpillLine } from './spillFolder.js';
import type { TickEntry } from './storedInstrument.js';

/** What an entry takes in memory beside its text. */
const entryBytes = 140;

export interface QueueLimits {
  readonly memoryBytes: number;
  /** Undefined: nothing goes to disk. */
  readonly folder: SpillFolder | undefined;
  /** Makes an entry of what was on disk. */
  readonly fromLine: (line: SpillLine) => TickEntry;
}

/**
 * Ticks that wait to be written, first in, first out: in memory first; from when that is full, and until the folder has
 * been emptied, newer ones go to the folder. Where that is full too, they are lost.
 *
 *   take ◄── memory ◄── folder ◄── push        while the folder holds something
 *   take ◄── memory ◄───────────── push        otherwise
 */
export class TickQueue {
  /** Ticks that found no room, and those that the disk has refused or damaged. */
  get lost(): number {
    return this.#unplaced + (this.#folder?.refused ?? 0) + (this.#folder?.damaged ?? 0);
  }

  readonly #limits: QueueLimits;
  readonly #folder: SpillFolder | undefined;
  #unplaced = 0;
  #memory: TickEntry[] = [];
  #first = 0;
  #bytes = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
    this.#folder = limits.folder;
  }

  /** Ticks in the folder. */
  get spilled(): number {
    return this.#folder?.length ?? 0;
  }

  /** Ticks in memory. */
  get inMemory(): number {
    return this.#memory.length - this.#first;
  }

  get isEmpty(): boolean {
    return this.inMemory === 0 && (this.#folder?.isEmpty ?? true);
  }

  /** The next one, if it is in memory. */
  get oldest(): TickEntry | undefined {
    return this.#memory[this.#first];
  }

  push(entry: TickEntry): void {
    const isSpilling = this.#folder?.isEmpty === false;
    const bytes = entry.text.length + entryBytes;
    if (!isSpilling && this.#bytes + bytes <= this.#limits.memoryBytes) {
      this.#memory.push(entry);
      this.#bytes += bytes;
    } else if (this.#folder?.append(entry.n, entry.instrument.key, entry.text) !== true) {
      this.#unplaced++;
    }
  }

  /** Hands to the system what goes to the folder. */
  flush(): void {
    this.#folder?.flush();
  }

  /**
   * Takes the oldest ticks out, at most so many. Where they come from the folder, whoever calls is done with all that
   * were taken before.
   */
  take(count: number): TickEntry[] {
    if (this.inMemory === 0) this.#refill();
    const taken = this.#memory.slice(this.#first, this.#first + count);
    this.#first += taken.length;
    for (const { text } of taken) this.#bytes -= text.length + entryBytes;
    if (this.#first > 4096 && this.#first * 2 > this.#memory.length) {
      this.#memory.splice(0, this.#first);
      this.#first = 0;
    }
    return taken;
  }

  /** At the end: puts `entries`, which were taken, and what is in memory on disk. Returns how many are lost. */
  keep(entries: readonly TickEntry[]): number {
    const left = [...entries, ...this.#memory.slice(this.#first)];
    if (this.#folder === undefined) return left.length;
    const isKept =
      left.length === 0 ||
      this.#folder.putBack(
        left.map(({ run, n, instrument, text }) => ({ run, n, key: instrument.key, text })),
      );
    this.#folder.close();
    return isKept ? 0 : left.length;
  }

  #refill(): void {
    this.#memory = [];
    this.#first = 0;
    this.#bytes = 0;
    const lines = this.#folder?.read() ?? [];
    for (const line of lines) {
      const entry = this.#limits.fromLine(line);
      this.#memory.push(entry);
      this.#bytes += entry.text.length + entryBytes;
    }
  }
}
