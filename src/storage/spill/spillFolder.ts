import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { FolderLock } from './folderLock.js';
import { headerOf, lineOf, linesWithin, parseLine, runOf, type SpillLine } from './spillFormat.js';
import { countLines, firstReceivedMs, lastNumber, receivedMsOf, runIn } from './spillPeek.js';

const segmentBytes = 16 * 1024 * 1024;
const bufferBytes = 256 * 1024;
/** Bytes that a line in memory takes in addition to its characters. */
const lineBytes = 40;
const readBytes = 1024 * 1024;
const probeName = 'probe';
const fileForm = /^ticks-(\d{9})\.spill$/;
/** Time after which a disk that has refused something is tried again. */
const retryMs = 5000;
/** Time after which a file that could not be read is tried again. */
const readAgainMs = 1000;
/** The first segment's number; what is put before it gets a lower one. */
const firstNumber = 500_000_000;

interface Segment {
  readonly number: number;
  readonly path: string;
  bytes: number;
  /** Ticks that have not been read. */
  left: number;
  /** How far it has been read. */
  readAt: number;
  /** As its first line says; empty before that is read. */
  run: string;
}

/**
 * Ticks on disk, first in, first out. The folder holds segments (spillFormat.ts) that are appended to and never changed,
 * each with ticks of one run.
 *
 * What the disk does not take waits in memory, behind all that lies on disk, as long as there is room for it.
 *
 * Only the owner of the folder (folderLock.ts) writes there. What a killed one has left is read first; a line that was cut
 * or damaged is skipped and counted. Everything here is synchronous: it runs in a thread of its own.
 */
export class SpillFolder {
  /** Lines that could not be read. */
  damaged = 0;
  /** Older ticks of this run are only in memory: what is appended waits until they are here or stored. */
  isHeld = false;
  /** The last fault, until it is taken. */
  #error: Error | undefined;
  readonly #folder: string;
  readonly #lock: FolderLock;
  readonly #maxBytes: number;
  readonly #run: string;
  /** The oldest first. */
  readonly #segments: Segment[] = [];
  #fd: number | undefined;
  /** Lines of this run that are not on disk. */
  #buffer: string[] = [];
  #buffered = 0;
  /** Why the disk took nothing when it was last asked; empty when it did. */
  #unwritable = '';
  /** There was no room within `maxBytes`, and nothing has been taken away since. */
  #isFull = false;
  #unread = '';
  /** Bytes of all segments. */
  #total = 0;
  /** Result of `oldestReceivedMs`, and its place. */
  #peeked:
    { readonly number: number; readonly at: number; readonly receivedMs: number | undefined } | undefined;
  /** Nothing is written before, after the disk has refused something; performance.now(). */
  #retryAt = 0;
  /** Why the oldest file could not be read when that was tried last; empty when it could. */
  #unreadable = '';
  /** Nothing is read before, after that; performance.now(). */
  #readAgainAt = 0;

  private constructor(folder: string, lock: FolderLock, maxBytes: number, run: string) {
    this.#folder = folder;
    this.#lock = lock;
    this.#maxBytes = maxBytes;
    this.#run = run;
  }

  /**
   * Takes the folder over; creates it when missing.
   *
   * @param run names this process's ticks
   * @throws when somebody else owns it, or it cannot be written to
   */
  static open(folder: string, maxBytes: number, run: string): SpillFolder {
    mkdirSync(folder, { recursive: true });
    const lock = FolderLock.take(folder);
    const spill = new SpillFolder(folder, lock, maxBytes, run);
    try {
      const numbers = readdirSync(folder).flatMap((name) => fileForm.exec(name)?.[1] ?? []);
      for (const number of numbers.map(Number).sort((a, b) => a - b))
        spill.#add(number, countLines(spill.#path(number)) - 1);
    } catch (error) {
      lock.release();
      throw error;
    }
    return spill;
  }

  /** Ticks that have not been read. */
  get length(): number {
    return this.#segments.reduce((sum, { left }) => sum + Math.max(0, left), this.#buffer.length);
  }

  /** Runs whose ticks lie here, the oldest first. */
  get runs(): string[] {
    const runs = this.#segments.map(({ path }) => runIn(path));
    return [...new Set(runs.filter((run) => run !== ''))];
  }

  get isEmpty(): boolean {
    return this.#segments.length === 0 && this.#buffer.length === 0;
  }

  /** Number of the oldest tick that is not on disk; undefined where all are. */
  get oldestUnwritten(): number | undefined {
    const [line] = this.#buffer;
    return line === undefined ? undefined : parseLine(line.slice(0, -1))!.n;
  }

  /** Why ticks cannot wait here, or cannot be read from here, in a line; empty when they can. */
  get trouble(): string {
    if (this.#unwritable !== '') return `${this.#folder}: ${this.#unwritable}`;
    if (this.#unreadable !== '') return `${this.#folder}: ${this.#unreadable}`;
    return this.#isFull ? `${this.#folder}: spill_file is used up (${this.#maxBytes / 2 ** 20} MB)` : '';
  }

  /** The disk has refused something just now, and is better left alone. */
  get isRefusing(): boolean {
    return performance.now() < this.#retryAt;
  }

  /** Why ticks that lie here cannot be read for now; empty when they can. They stay where they are. */
  get unreadable(): string {
    return this.#unreadable;
  }

  /** Why the disk has refused something since this was last asked. */
  takeError(): Error | undefined {
    const error = this.#error;
    this.#error = undefined;
    return error;
  }

  /** When the next tick to be read was received, ms since the epoch; undefined when none lies on disk. */
  get oldestReceivedMs(): number | undefined {
    const segment = this.#segments.find(({ readAt, bytes }) => readAt < bytes);
    if (segment === undefined)
      return this.#buffer[0] === undefined ? undefined : receivedMsOf(this.#buffer[0]);
    const at = segment.readAt - (segment === this.#segments[0] ? this.#unread.length : 0);
    if (this.#peeked?.number !== segment.number || this.#peeked.at !== at)
      this.#peeked = { number: segment.number, at, receivedMs: firstReceivedMs(segment.path, at) };
    return this.#peeked.receivedMs;
  }

  /** The newest tick of a run that lies here; undefined where there is none. */
  newestOf(run: string): number | undefined {
    const segment = this.#segments.findLast(({ path }) => runIn(path) === run);
    return segment === undefined ? undefined : lastNumber(segment.path, segment.bytes);
  }

  /**
   * Adds a tick of this run at the end; false when there is no room for it, neither on disk nor in memory.
   *
   * @param memoryBytes what ticks that the disk does not take may have of memory
   */
  append(n: number, key: string, text: string, memoryBytes = 0): boolean {
    const line = lineOf(n, key, text);
    const isFull = this.#total + this.#buffered + line.length > this.#maxBytes;
    // Whatever comes behind lines that wait for the disk waits too.
    if (isFull || this.#buffered + line.length > bufferBytes) this.flush();
    if (isFull || this.isHeld || this.isRefusing || (this.#fd === undefined && !this.#begin())) {
      const taken = this.#buffered + line.length + (this.#buffer.length + 1) * lineBytes;
      this.#isFull ||= isFull;
      if (taken > memoryBytes) return false;
    }
    this.#buffer.push(line);
    this.#buffered += line.length;
    return true;
  }

  /** Hands everything to the system that it takes, so that a kill of this process does not lose it. */
  flush(): void {
    if (!this.isHeld && !this.isRefusing) this.#flushNow();
  }

  /**
   * Asks a disk that has refused something, and to which nothing has been given since, whether it takes something now; does
   * nothing before it may be asked.
   */
  probe(): void {
    if (this.#unwritable === '' || this.isRefusing) return;
    this.flush();
    if (performance.now() < this.#retryAt || this.trouble === '') return;
    const path = join(this.#folder, probeName);
    try {
      writeFileSync(path, Buffer.alloc(bufferBytes, ' '));
      this.#unwritable = '';
    } catch (error) {
      this.#fail(error);
    }
    this.#delete(path);
  }

  #flushNow(): void {
    while (this.#buffer.length > 0) {
      const room = Math.min(bufferBytes, this.#maxBytes - this.#total);
      const part = linesWithin(this.#buffer, room);
      if (part.count === 0) {
        this.#isFull = true;
        return;
      }
      const isNew = this.#fd === undefined || this.#segments.at(-1)!.bytes + part.bytes > segmentBytes;
      if (isNew && !this.#begin()) return;
      if (!this.#write(this.#buffer.slice(0, part.count))) return;
    }
  }

  /** Writes the oldest lines of the buffer; those that the disk does not take stay there. */
  #write(lines: readonly string[]): boolean {
    const bytes = Buffer.from(lines.join(''), 'latin1');
    const segment = this.#segments.at(-1)!;
    let written = 0;
    let failure: unknown;
    try {
      while (written < bytes.length) written += writeSync(this.#fd!, bytes, written);
    } catch (error) {
      failure = error;
    }
    const whole = linesWithin(lines, written);
    segment.bytes += whole.bytes;
    segment.left += whole.count;
    this.#total += whole.bytes;
    this.#dropBuffered(whole);
    if (failure === undefined) {
      this.#unwritable = '';
      return true;
    }
    this.#cut(segment);
    this.#fail(failure);
    return false;
  }

  #dropBuffered({ count, bytes }: { readonly count: number; readonly bytes: number }): void {
    if (count === this.#buffer.length) this.#buffer = [];
    else this.#buffer.splice(0, count);
    this.#buffered -= bytes;
  }

  /** Takes away what was written of a line; what comes later goes to another segment. */
  #cut({ bytes }: Segment): void {
    try {
      ftruncateSync(this.#fd!, bytes);
    } catch {
      // It is never read: nothing after `bytes` is.
    }
    this.#closeWritten();
  }

  /**
   * The next ticks in order, about a MB of them; none when all have been read, or while they are `unreadable`. The caller has no more use for those
   * that were given before: segments that have been read are deleted, and an empty folder is written to again.
   */
  read(): SpillLine[] {
    this.flush();
    const lines: SpillLine[] = [];
    if (performance.now() < this.#readAgainAt) return lines;
    while (lines.length === 0) {
      const segment = this.#segments[0];
      if (segment === undefined) return this.#takeBuffered();
      if (segment.readAt >= segment.bytes) {
        this.#remove(segment);
        continue;
      }
      const part = this.#readPart(segment);
      if (part === undefined) return [];
      for (const line of part) this.#parse(line, segment, lines);
      segment.left -= lines.length;
    }
    return lines;
  }

  /** Lines that the disk has not taken, about a MB of them; they are only in memory, and no longer here. */
  #takeBuffered(): SpillLine[] {
    const part = linesWithin(this.#buffer, readBytes);
    const lines = this.#buffer.slice(0, part.count);
    this.#dropBuffered(part);
    return lines.map((line) => ({ run: this.#run, isUnwritten: true, ...parseLine(line.slice(0, -1))! }));
  }

  /**
   * Puts ticks in front of all others: those that were taken out and not used. Files that have been read are deleted then.
   * False when the disk refuses.
   */
  putBack(lines: readonly SpillLine[]): boolean {
    this.flush();
    let number = (this.#segments[0]?.number ?? firstNumber) - 1;
    const added: Segment[] = [];
    try {
      for (const run of [...new Set(lines.map((each) => each.run))].reverse()) {
        const ofRun = lines.filter((each) => each.run === run);
        const text = headerOf(run) + ofRun.map(({ n, key, text }) => lineOf(n, key, text)).join('');
        const path = this.#path(number);
        writeFileSync(path, text, 'latin1');
        added.unshift({ number: number--, path, bytes: text.length, left: ofRun.length, readAt: 0, run: '' });
      }
    } catch (error) {
      // What was written of them would take room on a full disk.
      for (let left = (this.#segments[0]?.number ?? firstNumber) - 1; left >= number; left--)
        this.#delete(this.#path(left));
      this.#fail(error);
      return false;
    }
    if (lines.length > 0) this.#unwritable = '';
    // Or each attempt to use them would leave a copy more.
    for (
      let [read] = this.#segments;
      read !== undefined && read.readAt >= read.bytes;
      [read] = this.#segments
    )
      this.#remove(read);
    // The line that was cut is read again as a whole.
    if (this.#segments[0] !== undefined) this.#segments[0].readAt -= this.#unread.length;
    this.#unread = '';
    this.#segments.unshift(...added);
    for (const { bytes } of added) this.#total += bytes;
    return true;
  }

  /** Leaves the folder to the next owner. Returns how many ticks are lost: those that the disk does not take even now. */
  close(): number {
    this.#flushNow();
    this.#closeWritten();
    this.#lock.release();
    return this.#buffer.length;
  }

  #begin(): boolean {
    this.#closeWritten();
    const number = (this.#segments.at(-1)?.number ?? firstNumber - 1) + 1;
    try {
      // What is there under that number is what an attempt on a full disk has left.
      const fd = openSync(this.#path(number), 'w');
      this.#fd = fd;
      writeSync(fd, headerOf(this.#run));
      this.#add(number, 0);
      return true;
    } catch (error) {
      this.#closeWritten();
      this.#fail(error);
      return false;
    }
  }

  #closeWritten(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #fail(error: unknown): void {
    this.#error = error as Error;
    this.#unwritable = (error as Error).message;
    this.#retryAt = performance.now() + retryMs;
  }

  #add(number: number, left: number): void {
    const path = this.#path(number);
    const bytes = statSync(path).size;
    this.#segments.push({ number, path, bytes, left, readAt: 0, run: '' });
    this.#total += bytes;
  }

  #remove(segment: Segment): void {
    if (this.#segments.length === 1) this.#closeWritten();
    if (this.#unread !== '') this.damaged++;
    this.#unread = '';
    this.#segments.shift();
    this.#total -= segment.bytes;
    this.#isFull = false;
    this.#delete(segment.path);
  }

  #delete(path: string): void {
    try {
      rmSync(path, { force: true });
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Whole lines of the next part of a segment; undefined where it cannot be read for now. */
  #readPart(segment: Segment): string[] | undefined {
    const bytes = Buffer.allocUnsafe(Math.min(readBytes, segment.bytes - segment.readAt));
    let count = 0;
    this.#unreadable = '';
    try {
      const fd = openSync(segment.path, 'r');
      try {
        count = readSync(fd, bytes, 0, bytes.length, segment.readAt);
      } finally {
        closeSync(fd);
      }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      this.#error = error as Error;
      // Whatever else it is (no descriptors, no permission, a failing disk), the ticks may still be there.
      if (code !== 'ENOENT') {
        this.#unreadable = message;
        this.#readAgainAt = performance.now() + readAgainMs;
        return undefined;
      }
    }
    if (count === 0) {
      // A file that was cut or removed meanwhile has no more.
      this.damaged += Math.max(0, segment.left);
      segment.left = 0;
      segment.readAt = segment.bytes;
      return [];
    }
    segment.readAt += count;
    const lines = (this.#unread + bytes.toString('latin1', 0, count)).split('\n');
    this.#unread = lines.pop()!;
    return lines;
  }

  #parse(line: string, segment: Segment, into: SpillLine[]): void {
    const begins = runOf(line);
    if (begins !== undefined) {
      segment.run = begins;
      return;
    }
    const tick = segment.run === '' ? undefined : parseLine(line);
    if (tick === undefined) this.damaged++;
    else into.push({ run: segment.run, ...tick });
  }

  #path(number: number): string {
    return join(this.#folder, `ticks-${String(number).padStart(9, '0')}.spill`);
  }
}
