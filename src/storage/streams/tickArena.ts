/** Ticks of a chunk. */
const chunkTicks = 512;
const chunkShift = 9;
const firstLineBytes = 128 * 1024;
/** Chunks that are kept for use again: as many as come and go within a burst. */
const mostSpare = 16;
/** Bytes that a tick takes in addition to its line. */
export const tickBytes = 60;

/** Fate of a tick. */
export const TickState = {
  /** It is to be written. */
  waiting: 0,
  /** Redis has acknowledged it; it is kept for a while. */
  stored: 1,
  /** Nothing more is to be done with it here. */
  done: 2,
} as const;

/** A tick, but for its line. */
export interface PendingTick {
  /** Index into StoredInstruments. */
  readonly instrument: number;
  /** Name of the run that took it in (gatewayRuns.ts), and its number there: no two ticks have the same. */
  readonly run: number;
  readonly n: number;
  /** Exchange time, ms since the epoch. */
  readonly timeMs: number;
  /** ms since the epoch. */
  readonly receivedMs: number;
  /** Whether it lies in the folder too. */
  readonly isOnDisk: boolean;
}

/**
 * Ticks in memory, in the order in which they came, off the heap: hundreds of thousands of them are nothing that a garbage
 * collection has to look at.
 *
 *   chunks  [ first .. . . ][ . . . . ][ . . . end ]      512 ticks each: a column for each value, and their lines
 *
 * A tick's place is its number, counted from the arena's first tick on. Ticks are added at the end and dropped at the
 * front, where a chunk that is empty is used again.
 */
export class TickArena {
  /** Place of the oldest tick. */
  first = 0;
  /** Place of the next tick. */
  end = 0;
  readonly #chunks: Chunk[] = [];
  readonly #spare: Chunk[] = [];
  /** Place of the first chunk's first tick. */
  #base = 0;

  /**
   * Adds a tick.
   *
   * @param line latin1; `length` bytes of it
   */
  add(head: PendingTick, line: Uint8Array, length: number): void {
    const at = this.end - this.#base;
    const chunk = (this.#chunks[at >>> chunkShift] ??= this.#spare.pop() ?? new Chunk());
    chunk.set(at & (chunkTicks - 1), head, line, length);
    this.end++;
  }

  instrument(place: number): number {
    return this.#chunk(place).instruments[place & (chunkTicks - 1)]!;
  }

  run(place: number): number {
    return this.#chunk(place).runs[place & (chunkTicks - 1)]!;
  }

  n(place: number): number {
    return this.#chunk(place).numbers[place & (chunkTicks - 1)]!;
  }

  timeMs(place: number): number {
    return this.#chunk(place).times[place & (chunkTicks - 1)]!;
  }

  receivedMs(place: number): number {
    return this.#chunk(place).received[place & (chunkTicks - 1)]!;
  }

  /** Bytes that it takes. */
  size(place: number): number {
    const chunk = this.#chunk(place);
    const index = place & (chunkTicks - 1);
    return chunk.begins[index + 1]! - chunk.begins[index]! + tickBytes;
  }

  state(place: number): number {
    return this.#chunk(place).states[place & (chunkTicks - 1)]!;
  }

  setState(place: number, state: number): void {
    this.#chunk(place).states[place & (chunkTicks - 1)] = state;
  }

  isOnDisk(place: number): boolean {
    return this.#chunk(place).onDisk[place & (chunkTicks - 1)] === 1;
  }

  setOnDisk(place: number, isOnDisk: boolean): void {
    this.#chunk(place).onDisk[place & (chunkTicks - 1)] = isOnDisk ? 1 : 0;
  }

  /** Id since it was sent for the first time, `ms`-`n`; 0-0 before. It may have been stored under this id, whatever was answered. */
  idMs(place: number): number {
    return this.#chunk(place).idMs[place & (chunkTicks - 1)]!;
  }

  idN(place: number): number {
    return this.#chunk(place).idNumbers[place & (chunkTicks - 1)]!;
  }

  setId(place: number, ms: number, n: number): void {
    const chunk = this.#chunk(place);
    chunk.idMs[place & (chunkTicks - 1)] = ms;
    chunk.idNumbers[place & (chunkTicks - 1)] = n;
  }

  /** When it was acknowledged, performance.now(). */
  storedAt(place: number): number {
    return this.#chunk(place).storedAt[place & (chunkTicks - 1)]!;
  }

  setStored(place: number, atMs: number): void {
    const chunk = this.#chunk(place);
    chunk.states[place & (chunkTicks - 1)] = TickState.stored;
    chunk.storedAt[place & (chunkTicks - 1)] = atMs;
  }

  /** Bytes that have its line in latin1, from lineBegin to lineEnd. */
  lines(place: number): Buffer {
    return this.#chunk(place).lines;
  }

  lineBegin(place: number): number {
    return this.#chunk(place).begins[place & (chunkTicks - 1)]!;
  }

  lineEnd(place: number): number {
    return this.#chunk(place).begins[(place & (chunkTicks - 1)) + 1]!;
  }

  text(place: number): string {
    return this.lines(place).toString('latin1', this.lineBegin(place), this.lineEnd(place));
  }

  /** Drops what is before a place. */
  dropBefore(place: number): void {
    this.first = place;
    while (this.first - this.#base >= chunkTicks) {
      const [chunk] = this.#chunks.splice(0, 1);
      this.#base += chunkTicks;
      if (chunk !== undefined && this.#spare.length < mostSpare) this.#spare.push(chunk);
    }
  }

  /** Drops a place and all that follow. */
  dropFrom(place: number): void {
    this.end = place;
    const dropped = this.#chunks.splice(((place - this.#base) >>> chunkShift) + 1);
    this.#spare.push(...dropped.slice(0, mostSpare - this.#spare.length));
  }

  #chunk(place: number): Chunk {
    return this.#chunks[(place - this.#base) >>> chunkShift]!;
  }
}

class Chunk {
  readonly instruments = new Uint32Array(chunkTicks);
  readonly runs = new Uint16Array(chunkTicks);
  readonly states = new Uint8Array(chunkTicks);
  readonly onDisk = new Uint8Array(chunkTicks);
  readonly numbers = new Float64Array(chunkTicks);
  readonly times = new Float64Array(chunkTicks);
  readonly received = new Float64Array(chunkTicks);
  readonly idMs = new Float64Array(chunkTicks);
  readonly idNumbers = new Float64Array(chunkTicks);
  readonly storedAt = new Float64Array(chunkTicks);
  /** Where each line begins, and so where the one before ends. */
  readonly begins = new Uint32Array(chunkTicks + 1);
  lines = Buffer.allocUnsafeSlow(firstLineBytes);

  set(index: number, head: PendingTick, line: Uint8Array, length: number): void {
    this.instruments[index] = head.instrument;
    this.runs[index] = head.run;
    this.states[index] = TickState.waiting;
    this.onDisk[index] = head.isOnDisk ? 1 : 0;
    this.numbers[index] = head.n;
    this.times[index] = head.timeMs;
    this.received[index] = head.receivedMs;
    this.idMs[index] = 0;
    this.idNumbers[index] = 0;
    const begin = index === 0 ? 0 : this.begins[index]!;
    if (begin + length > this.lines.length) this.#grow(begin + length);
    const { lines } = this;
    for (let i = 0; i < length; i++) lines[begin + i] = line[i]!;
    this.begins[index] = begin;
    this.begins[index + 1] = begin + length;
  }

  #grow(bytes: number): void {
    const larger = Buffer.allocUnsafeSlow(2 * bytes);
    this.lines.copy(larger);
    this.lines = larger;
  }
}
