import { sealBlock, type PackedBlock } from './blockCodec.js';
import { RecordingWriter } from './recordingWriter.js';

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

export interface SinkCounters {
  /** Ticks in files. */
  ticks: number;
  /** Files that were begun. */
  files: number;
  /** Bytes in files. */
  bytes: number;
  /** Ticks that found no place on the disk. */
  lost: number;
}

interface Waiting {
  readonly tradingDay: number;
  readonly block: PackedBlock;
}

/**
 * Writes blocks into day files. What the disk refuses waits, within a bound, and is tried again each second; nothing
 * throws. Times are ms of any clock that goes forward.
 */
export class BlockSink {
  readonly counters: SinkCounters = { ticks: 0, files: 0, bytes: 0, lost: 0 };
  readonly #settings: SinkSettings;
  readonly #say: (level: 'info' | 'error', text: string) => void;
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #writer: RecordingWriter | undefined;
  /** Lost since the last block that was written; told in the next one. */
  #lostBefore = 0;
  #lostInOutage = 0;
  /** Why the disk refuses; empty while it does not. */
  #failure = '';
  #retryAtMs = -Infinity;
  #syncedAtMs = -Infinity;

  /** @param say takes a line for the log: when the disk begins to refuse, and when it is over */
  constructor(settings: SinkSettings, say: (level: 'info' | 'error', text: string) => void) {
    this.#settings = settings;
    this.#say = say;
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
    return this.#waiting.reduce((sum, { block }) => sum + block.header.records, 0);
  }

  /** When maintain() has something to do; Infinity for never. */
  get dueMs(): number {
    if (this.#failure !== '') return this.#retryAtMs;
    return this.#writer?.isSynced === false ? this.#syncedAtMs + syncMs : Infinity;
  }

  /** Counts ticks that were lost before they came here, for the next block to tell. */
  countLost(ticks: number): void {
    this.#lostBefore += ticks;
  }

  put(block: PackedBlock, tradingDay: number, nowMs: number): void {
    this.#waiting.push({ block, tradingDay });
    this.#waitingBytes += block.payload.length;
    while (this.#waitingBytes > mostWaitingBytes && this.#waiting.length > 1) {
      const { header, payload } = this.#waiting.shift()!.block;
      this.#waitingBytes -= payload.length;
      this.counters.lost += header.records;
      this.#lostBefore += header.records;
      this.#lostInOutage += header.records;
    }
    this.maintain(nowMs);
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
    this.counters.lost += waitingTicks;
    if (waitingTicks > 0) this.#say('error', `${waitingTicks} ticks were not recorded: ${this.#failure}`);
    this.#writer?.close();
    this.#writer = undefined;
  }

  #write({ block, tradingDay }: Waiting): void {
    const writer = this.#writerFor(tradingDay);
    const bytes = sealBlock(block, writer.fileId, this.#lostBefore);
    writer.append(bytes);
    this.#waiting.shift();
    this.#waitingBytes -= block.payload.length;
    this.#lostBefore = 0;
    this.counters.ticks += block.header.records;
    this.counters.bytes += bytes.length;
  }

  #writerFor(tradingDay: number): RecordingWriter {
    const present = this.#writer;
    if (present?.tradingDay === tradingDay && present.length < this.#settings.fileBytes && present.isThere)
      return present;
    const next = new RecordingWriter(this.#settings.folder, tradingDay);
    this.#writer = next;
    this.counters.files++;
    this.#say('info', `recording into ${next.path}`);
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
      this.#say(
        'error',
        `cannot record into ${place}: ${this.#failure}; trying again, up to ${bound} MB of ticks wait in memory`,
      );
    }
  }

  #goesOn(): void {
    if (this.#failure === '') return;
    this.#failure = '';
    this.#say('info', `recording goes on into ${this.path}; ${this.#lostInOutage} ticks were lost meanwhile`);
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
