import type { SpillFolder } from './spillFolder.js';
import type { SpillLine } from './spillFormat.js';
import type { TickEntry } from './storedInstrument.js';

/** What an entry takes in memory beside its text. */
const entryBytes = 140;

export interface QueueLimits {
  readonly memoryBytes: number;
  /** Undefined: nothing goes to disk. */
  readonly folder: SpillFolder | undefined;
  /** Entries that were taken and are not settled. */
  readonly inHand: () => readonly TickEntry[];
  /** Makes an entry of what was on disk. */
  readonly fromLine: (line: SpillLine) => TickEntry;
}

/**
 * Ticks that wait to be written, first in, first out: in memory, as long as they are few and can be written; otherwise in
 * the folder, all of them, until it has been emptied. Where that is full, they are lost.
 *
 *   take ◄── memory ◄── folder ◄── push        while the folder holds something; memory has what was read of it
 *   take ◄── memory ◄───────────── push        otherwise
 *
 * So a kill of the process loses what is in memory in the second case alone, and that is the newest.
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
    const bytes = entry.text.length + entryBytes;
    const isSpilling = this.#folder?.isEmpty === false;
    const hasRoom = this.#bytes + bytes <= this.#limits.memoryBytes;
    // From now on all of it is in the folder, also what is being written: it will be found stored when its turn comes.
    if (!isSpilling && !hasRoom) this.putBack(this.#limits.inHand());
    if (!isSpilling && hasRoom) {
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

  /**
   * Puts `entries`, which were taken, and all that is in memory into the folder, where a kill of this process does not
   * reach them. False when that is not possible, and all is as before.
   */
  putBack(entries: readonly TickEntry[]): boolean {
    // Writing all of it for each tick that comes would keep the thread from everything else.
    return this.#folder?.isRefusing === false && this.#putBack(this.#folder, entries);
  }

  #putBack(folder: SpillFolder, entries: readonly TickEntry[]): boolean {
    const left = [...entries, ...this.#memory.slice(this.#first)];
    if (left.length === 0) return true;
    const lines = left.map(({ run, n, instrument, text }) => ({ run, n, key: instrument.key, text }));
    if (!folder.putBack(lines)) return false;
    this.#clear();
    return true;
  }

  /** At the end: leaves the folder to the next run, with `entries`, which were taken. Returns how many ticks are lost. */
  close(entries: readonly TickEntry[]): number {
    const isKept = this.#folder !== undefined && this.#putBack(this.#folder, entries);
    this.#folder?.close();
    return isKept ? 0 : entries.length + this.inMemory;
  }

  #clear(): void {
    this.#memory = [];
    this.#first = 0;
    this.#bytes = 0;
  }

  #refill(): void {
    this.#clear();
    const lines = this.#folder?.read() ?? [];
    for (const line of lines) {
      const entry = this.#limits.fromLine(line);
      this.#memory.push(entry);
      this.#bytes += entry.text.length + entryBytes;
    }
  }
}
