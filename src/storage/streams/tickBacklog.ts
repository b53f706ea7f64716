import { ownRun, type GatewayRuns } from '../shared/gatewayRuns.js';
import type { SpillFolder } from '../spill/spillFolder.js';
import type { SpillLine } from '../spill/spillFormat.js';
import { TickArena, TickState, tickBytes, type PendingTick } from './tickArena.js';

/** How long ticks that Redis has acknowledged are kept, to be written again where it lost them: appendfsync everysec. */
const keptMs = 3000;

export interface BacklogParts {
  readonly memoryBytes: number;
  /** Undefined: nothing goes to disk. */
  readonly folder: SpillFolder | undefined;
  readonly runs: GatewayRuns;
  /** `EXCHANGE.id` of an instrument. */
  readonly keyOf: (instrument: number) => string;
  /** Instrument and times of a line on disk; the backlog itself knows run, number and line. */
  readonly headOf: (line: SpillLine) => Pick<PendingTick, 'instrument' | 'timeMs' | 'receivedMs'>;
}

/**
 * Ticks that wait to be written, first in, first out: in memory, as long as they are few and can be written; otherwise in
 * the folder, all of them, until it has been emptied. What the disk does not take waits in the memory that is left, behind
 * all others; where that is full, ticks are lost.
 *
 *   written ◄── memory ◄── folder ◄── push     while the folder holds something; memory has what was read of it
 *   written ◄── memory ◄───────────── push     otherwise
 *
 * So a kill of the process loses what is in memory in the second case alone, and that is the newest. Memory also keeps
 * what was stored recently:
 *
 *   arena  [ stored stored stored | waiting … (in flight) | waiting … ]
 *           first                 | next                  | flightEnd
 */
export class TickBacklog {
  readonly arena = new TickArena();
  readonly #parts: BacklogParts;
  #folder: SpillFolder | undefined;
  #unplaced = 0;
  /** Place of the oldest tick that waits. */
  #next = 0;
  /** Ticks in memory that wait, and what they take. */
  #waiting = 0;
  #bytes = 0;
  /** Ticks before this place are on their way to Redis; none are when it is 0. */
  #flightEnd = 0;
  /** They were copied to the folder meanwhile. */
  #wentToDisk = false;

  constructor(parts: BacklogParts) {
    this.#parts = parts;
    this.#folder = parts.folder;
  }

  /** Ticks that found no room, and those that were damaged on disk. */
  get lost(): number {
    return this.#unplaced + (this.#folder?.damaged ?? 0);
  }

  /** Ticks in the folder. */
  get spilled(): number {
    return this.#folder?.length ?? 0;
  }

  /** Ticks in memory that wait. */
  get waiting(): number {
    return this.#waiting;
  }

  get isEmpty(): boolean {
    return this.#waiting === 0 && (this.#folder?.isEmpty ?? true);
  }

  /** Place of the oldest tick that waits in memory; arena.end when none does. */
  get next(): number {
    const { arena } = this;
    while (this.#next < arena.end && arena.state(this.#next) !== TickState.waiting) this.#next++;
    return this.#next;
  }

  /** Takes a tick of this run in, with its line in latin1. */
  push(head: PendingTick, line: Uint8Array, length: number): void {
    const bytes = length + tickBytes;
    const isSpilling = this.#folder?.isEmpty === false;
    const hasRoom = this.#bytes + bytes <= this.#parts.memoryBytes;
    // From now on all of it is in the folder, also what is being written: it will be found stored when its turn comes.
    if (!isSpilling && !hasRoom && !this.putAway() && this.#folder !== undefined) this.#folder.isHeld = true;
    if (!isSpilling && hasRoom) this.#add(head, line, length);
    else if (!this.#append(head, line, length)) this.#unplaced++;
  }

  /** Hands to the system what goes to the folder. */
  flush(): void {
    // What is older goes first, or a thread that took over here would pass it over.
    if (this.#folder?.isHeld === true) this.putAway();
    this.#folder?.flush();
  }

  /** Finds out whether a disk that has refused something takes it now. */
  probe(): void {
    if (this.#folder?.isHeld === true) this.putAway();
    this.#folder?.probe();
  }

  /**
   * Reads the next ticks from the folder where nothing waits in memory: those read before are done with. Returns why they
   * cannot be read, if so.
   */
  refill(): string | undefined {
    if (this.#waiting > 0 || this.#folder === undefined) return undefined;
    this.#folder.isHeld = false;
    for (const line of this.#folder.read()) {
      const text = Buffer.from(line.text, 'latin1');
      const head = this.#parts.headOf(line);
      const run = this.#parts.runs.numberOf(line.run);
      const isOnDisk = line.isUnwritten !== true;
      this.#add({ ...head, run, n: line.n, isOnDisk }, text, text.length);
      if (!isOnDisk) this.#folder.isHeld = true;
    }
    const { unreadable } = this.#folder;
    return unreadable === '' ? undefined : `what waits on disk cannot be read: ${unreadable}`;
  }

  /** All that wait before a place are being sent, until land() is called. */
  depart(end: number): void {
    this.#flightEnd = end;
  }

  /**
   * The ticks in flight were answered or lost. Those that still wait and went to the folder meanwhile now only wait
   * there.
   */
  land(): void {
    const { arena } = this;
    if (this.#wentToDisk)
      for (let place = this.next; place < this.#flightEnd; place++)
        if (arena.state(place) === TickState.waiting && arena.isOnDisk(place)) this.done(place);
    this.#wentToDisk = false;
    this.#flightEnd = 0;
    this.#dropEnd();
  }

  /** A tick is in Redis. */
  stored(place: number, nowMs: number): void {
    this.#settle(place);
    this.arena.setStored(place, nowMs);
  }

  /** Nothing more is to be done with a tick. */
  done(place: number): void {
    this.#settle(place);
    this.arena.setState(place, TickState.done);
  }

  /** A tick that was stored is to be written again. */
  again(place: number): void {
    this.arena.setState(place, TickState.waiting);
    this.arena.setOnDisk(place, false);
    this.#waiting++;
    this.#bytes += this.arena.size(place);
    this.#next = Math.min(this.#next, place);
  }

  /** Forgets what was stored longer ago than it is to be kept. */
  prune(nowMs: number): void {
    const { arena, next } = this;
    const isOld = (place: number): boolean =>
      arena.state(place) !== TickState.stored || arena.storedAt(place) < nowMs - keptMs;
    let first = arena.first;
    while (first < next && isOld(first)) first++;
    arena.dropBefore(first);
  }

  /**
   * Puts all that wait in memory into the folder, where a kill of this process does not reach them. False when that is not
   * possible, and all is as before.
   */
  putAway(): boolean {
    // Writing all of it for each tick that comes would keep the thread from everything else.
    return this.#folder?.isRefusing === false && this.#putAway(this.#folder);
  }

  /**
   * Uses a folder that was somebody else's until now. What lies there is older than all that wait, which go behind it, as
   * what comes from now on; what finds no room there is lost.
   */
  takeOver(folder: SpillFolder): void {
    this.#folder = folder;
    if (folder.isEmpty) return;
    const { arena } = this;
    const places = this.#places();
    const [kept, left] = [[] as number[], [] as number[]];
    for (const place of places) {
      const text = arena.text(place);
      const key = this.#parts.keyOf(arena.instrument(place));
      const isKept = folder.append(arena.n(place), key, text, this.#parts.memoryBytes);
      (isKept ? kept : left).push(place);
    }
    folder.flush();
    this.#unplaced += left.filter((place) => place >= this.#flightEnd).length;
    for (const place of left) if (place >= this.#flightEnd) this.done(place);
    this.#moved(kept);
  }

  /** At the end: leaves the folder to the next run, with all that wait. Returns how many ticks are lost. */
  close(): number {
    const isKept = this.#folder !== undefined && this.#putAway(this.#folder);
    const unwritten = this.#folder?.close() ?? 0;
    // What was read from the folder lies there still.
    const left = isKept ? 0 : this.#places().filter((place) => !this.arena.isOnDisk(place)).length;
    return left + unwritten;
  }

  /**
   * Number of the oldest tick of this run that a kill of the process would lose, of `taken` ticks: all before it are in
   * Redis or on disk, or are lost for good.
   */
  safeUpTo(taken: number): number {
    const { arena } = this;
    // What came from the folder, or was copied to it, is behind all that did not.
    for (let place = this.next; place < arena.end && !arena.isOnDisk(place); place++)
      if (arena.state(place) === TickState.waiting && arena.run(place) === ownRun) return arena.n(place);
    return this.#folder?.oldestUnwritten ?? taken;
  }

  #add(head: PendingTick, line: Uint8Array, length: number): void {
    this.arena.add(head, line, length);
    this.#waiting++;
    this.#bytes += length + tickBytes;
  }

  #append(head: PendingTick, line: Uint8Array, length: number): boolean {
    if (this.#folder === undefined) return false;
    const text = Buffer.from(line.buffer, line.byteOffset, length).toString('latin1');
    const room = this.#parts.memoryBytes - this.#bytes;
    return this.#folder.append(head.n, this.#parts.keyOf(head.instrument), text, room);
  }

  #settle(place: number): void {
    if (this.arena.state(place) !== TickState.waiting) return;
    this.#waiting--;
    this.#bytes -= this.arena.size(place);
  }

  #putAway(folder: SpillFolder): boolean {
    const { arena } = this;
    const places = this.#places();
    if (places.length === 0) {
      folder.isHeld = false;
      return true;
    }
    const lines = places.map((place) => ({
      run: this.#parts.runs.name(arena.run(place)),
      n: arena.n(place),
      key: this.#parts.keyOf(arena.instrument(place)),
      text: arena.text(place),
    }));
    if (!folder.putBack(lines)) return false;
    folder.isHeld = false;
    this.#moved(places);
    return true;
  }

  /** Places of all that wait. */
  #places(): number[] {
    const { arena } = this;
    const places: number[] = [];
    for (let place = this.next; place < arena.end; place++)
      if (arena.state(place) === TickState.waiting) places.push(place);
    return places;
  }

  /** Ticks have gone to the folder. */
  #moved(places: readonly number[]): void {
    for (const place of places) {
      if (place < this.#flightEnd) this.arena.setOnDisk(place, true);
      else this.done(place);
    }
    this.#wentToDisk = this.#flightEnd > 0;
    this.#dropEnd();
  }

  /** Finished ticks at the arena's end need not wait for those before them. */
  #dropEnd(): void {
    const { arena } = this;
    const least = Math.max(arena.first, this.#flightEnd);
    let end = arena.end;
    while (end > least && arena.state(end - 1) === TickState.done) end--;
    arena.dropFrom(end);
    this.#next = Math.min(this.#next, end);
  }
}
