import { sealBlock, type PackedBlock } from './blockCodec.js';
import type { RecorderProgress } from './recorderProgress.js';
import { RecordingWriter } from './recordingWriter.js';
import type { ThreadLine } from '../base/logEvents.js';

const retryMs = 1000;
/** The disk is asked to keep what it was given no more often than this. */
const syncMs = 1000;
/** Blocks that wait for a disk that refuses them; older ones are lost past it. */
const mostWaitingBytes = 64 * 1024 * 1024;

export interface SinkSettings {
  readonly folder: string;
  /** A file that has reached it gets no further block. */
  readonly fileBytes: number;
}

/** How far somebody has read the tape. */
export interface TapePlace {
  /** Number of the next tick. */
  readonly position: number;
  /** Ticks that were overwritten before they could be read, from the gateway's start on. */
  readonly missed: number;
}

interface Waiting extends TapePlace {
  readonly tradingDay: number;
  readonly block: PackedBlock;
}

/**
 * Writes blocks into day files. What the disk refuses waits, within a bound, and is tried again each second; nothing
 * throws. Times are ms of any clock that goes forward.
 */
export class BlockSink {
  readonly #settings: SinkSettings;
  readonly #log: (line: ThreadLine) => void;
  readonly #progress: RecorderProgress;
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #writer: RecordingWriter | undefined;
  #waitingTicks = 0;
  #lostInOutage = 0;
  /** Why the disk refuses; empty while it does not. */
  #failure = '';
  #retryAtMs = -Infinity;
  #syncedAtMs = -Infinity;

  /**
   * @param log takes a line: when the disk begins to refuse, and when it is over
   * @param progress is kept up to date: what it says is settled is in a file, or counted
   */
  constructor(settings: SinkSettings, log: (line: ThreadLine) => void, progress: RecorderProgress) {
    this.#settings = settings;
    this.#log = log;
    this.#progress = progress;
  }

  /** Why the disk refuses; empty while it does not. */
  get failure(): string {
    return this.#failure;
  }

  /** The file that is written now; empty before the first block. */
  get path(): string {
    return this.#writer?.path ?? '';
  }

  /** Ticks that wait for the disk. */
  get waitingTicks(): number {
    return this.#waitingTicks;
  }

  /** When maintain() has something to do; Infinity for never. */
  get dueMs(): number {
    if (this.#failure !== '') return this.#retryAtMs;
    return this.#writer?.isSynced === false ? this.#syncedAtMs + syncMs : Infinity;
  }

  /**
   * Takes a block.
   *
   * @param place where the tape was read to with its last tick
   */
  put(block: PackedBlock, tradingDay: number, nowMs: number, { position, missed }: TapePlace): void {
    this.#waiting.push({ block, tradingDay, position, missed });
    this.#waitingBytes += block.payload.length;
    this.#waitingTicks += block.header.records;
    while (this.#waitingBytes > mostWaitingBytes && this.#waiting.length > 1) {
      const oldest = this.#shift();
      this.#lose(oldest.block.header.records);
      this.#settle(oldest);
    }
    this.maintain(nowMs);
  }

  /** Nothing before this place is left to be recorded, once nothing waits here. */
  passed(place: TapePlace): void {
    if (this.#waiting.length === 0) this.#settle(place);
  }

  /** Writes what waits, if it is time to try. */
  maintain(nowMs: number): void {
    if (this.#failure !== '' && nowMs < this.#retryAtMs) return;
    try {
      while (this.#waiting.length > 0) this.#write(this.#waiting[0]!);
      if (nowMs - this.#syncedAtMs >= syncMs) {
        this.#writer?.sync();
        this.#syncedAtMs = nowMs;
      }
      this.#goesOn();
    } catch (error) {
      this.#fail(error, nowMs);
    }
  }

  /** Writes what waits, once, and closes the file. What the disk refuses now is lost. */
  close(nowMs: number): void {
    this.#retryAtMs = -Infinity;
    this.#syncedAtMs = -Infinity;
    this.maintain(nowMs);
    const { waitingTicks } = this;
    const last = this.#waiting.at(-1);
    this.#waiting.length = 0;
    this.#waitingTicks = 0;
    if (last !== undefined) {
      this.#lose(waitingTicks);
      this.#settle(last);
      this.#log({
        type: 'log',
        level: 'error',
        event: 'recording_lost',
        text: `${waitingTicks} ticks were not recorded: ${this.#failure}`,
      });
    }
    const writer = this.#writer;
    this.#writer = undefined;
    try {
      writer?.close();
    } catch (error) {
      this.#fail(error, nowMs);
    }
  }

  #write(next: Waiting): void {
    const writer = this.#writerFor(next.tradingDay);
    const progress = this.#progress;
    const { block } = next;
    const lostBefore = progress.get('untold') + next.missed - progress.get('missed');
    const bytes = sealBlock(block, writer.fileId, lostBefore);
    writer.append(bytes);
    this.#shift();
    progress.add('ticks', block.header.records);
    progress.add('bytes', bytes.length);
    this.#settle(next);
    progress.set('untold', 0);
  }

  #shift(): Waiting {
    const oldest = this.#waiting.shift()!;
    this.#waitingBytes -= oldest.block.payload.length;
    this.#waitingTicks -= oldest.block.header.records;
    return oldest;
  }

  #lose(ticks: number): void {
    this.#progress.add('lost', ticks);
    this.#progress.add('untold', ticks);
    this.#lostInOutage += ticks;
  }

  #settle({ position, missed }: TapePlace): void {
    const progress = this.#progress;
    progress.add('untold', missed - progress.get('missed'));
    progress.set('missed', missed);
    progress.set('position', position);
  }

  #writerFor(tradingDay: number): RecordingWriter {
    const present = this.#writer;
    if (present?.tradingDay === tradingDay && present.length < this.#settings.fileBytes && present.isThere)
      return present;
    const next = new RecordingWriter(this.#settings.folder, tradingDay);
    this.#writer = next;
    this.#progress.add('files', 1);
    this.#log({ type: 'log', level: 'info', text: `recording into ${next.path}` });
    if (present !== undefined) {
      try {
        if (present.isThere) present.sync();
      } finally {
        present.close();
      }
    }
    return next;
  }

  #fail(error: unknown, nowMs: number): void {
    const { code, message } = error as NodeJS.ErrnoException;
    const first = this.#failure === '';
    this.#failure = code === undefined ? message : `${reasons[code] ?? message} (${code})`;
    this.#retryAtMs = nowMs + retryMs;
    if (first) {
      const place = this.#writer?.path ?? this.#settings.folder;
      const bound = mostWaitingBytes / 1024 / 1024;
      this.#log({
        type: 'log',
        level: 'error',
        event: 'recording_failed',
        text: `cannot record into ${place}: ${this.#failure}; trying again, up to ${bound} MB of ticks wait in memory`,
      });
    }
  }

  #goesOn(): void {
    if (this.#failure === '') return;
    this.#failure = '';
    this.#log({
      type: 'log',
      level: 'info',
      text: `recording continues into ${this.path}; ${this.#lostInOutage} ticks were lost meanwhile`,
    });
    this.#lostInOutage = 0;
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
  EFBIG: 'the file may not be larger',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a part of the path is a file',
  EIO: 'the disk fails',
};
