import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { encodeFileHeader, fileExtension } from './recordingFormat.js';

const digits = 4;
const fileMode = 0o640;

/**
 * Appends blocks to one file of a folder, whose name is the trading day and the next free number:
 * 20261124-0001.ticks. A file is never taken up again: each writer begins files of its own, so several processes may
 * write into one folder and none appends behind another's torn tail.
 *
 * Every method throws the system's error where the disk refuses, and may be called again: what was written in part is
 * written over.
 */
export class RecordingWriter {
  readonly tradingDay: number;
  readonly path: string;
  readonly fileId: number;
  readonly #descriptor: number;
  #length: number;
  #synced: number;

  /** Makes the folder where it is missing, and the file. */
  constructor(folder: string, tradingDay: number) {
    mkdirSync(folder, { recursive: true });
    this.tradingDay = tradingDay;
    const { path, descriptor } = createNext(folder, tradingDay);
    this.path = path;
    this.#descriptor = descriptor;
    this.fileId = randomBytes(4).readUInt32LE();
    try {
      this.#length = writeWhole(descriptor, encodeFileHeader({ fileId: this.fileId, tradingDay }), 0);
      this.#synced = 0;
      syncFolder(folder);
    } catch (error) {
      closeSync(descriptor);
      // Or each attempt on a full disk would leave an empty file.
      unlinkSync(path);
      throw error;
    }
  }

  /** Bytes of the file. */
  get length(): number {
    return this.#length;
  }

  /** True when sync() has something to do. */
  get isSynced(): boolean {
    return this.#synced === this.#length;
  }

  /** Appends a block's bytes: after a kill of the process they are there, after a power failure only once synced. */
  append(block: Buffer): void {
    this.#length += writeWhole(this.#descriptor, block, this.#length);
  }

  /** Brings what was appended to the disk itself. */
  sync(): void {
    if (this.isSynced) return;
    fdatasyncSync(this.#descriptor);
    this.#synced = this.#length;
  }

  /** True while the file has its name: one that somebody removed takes bytes, too, but nobody will read them. */
  get isThere(): boolean {
    return fstatSync(this.#descriptor).nlink > 0;
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

function createNext(folder: string, tradingDay: number): { path: string; descriptor: number } {
  const prefix = `${tradingDay}-`;
  const numbers = readdirSync(folder)
    .filter((name) => name.startsWith(prefix) && name.endsWith(fileExtension))
    .map((name) => Number(name.slice(prefix.length, -fileExtension.length)))
    .filter(Number.isInteger);
  for (let number = Math.max(0, ...numbers) + 1; ; number++) {
    const path = join(folder, `${prefix}${String(number).padStart(digits, '0')}${fileExtension}`);
    try {
      return { path, descriptor: openSync(path, 'wx', fileMode) };
    } catch (error) {
      // Another process was faster.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

function writeWhole(descriptor: number, bytes: Buffer, position: number): number {
  let written = 0;
  while (written < bytes.length)
    written += writeSync(descriptor, bytes, written, bytes.length - written, position + written);
  return bytes.length;
}

/** So that the file's name outlives a power failure. */
function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
