import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { oddKind, readBounded, UnreadableFile } from './boundedRead.js';
import { parseJsonText } from './jsonText.js';

const megabyte = 2 ** 20;
/** Larger files of the user's are not read, whatever they are. */
export const largestFileBytes = 64 * megabyte;
/** Larger texts that somebody wrote (settings, certificates, tables of products) are not read. */
const largestTextBytes = 4 * megabyte;
const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'may not be read by this user',
  ELOOP: 'is a symbolic link that leads nowhere',
};

/** Contents of named pipes, by path: a pipe delivers them once, and a reader at a reload would wait forever. */
const fromPipes = new Map<string, Buffer>();
/** Of what each file held when it was read last, by path. Neither secrets nor large files are kept themselves. */
const digests = new Map<string, string>();
/** A pipe that has not been read is waited for, until somebody has written into it, or for a while. */
let waitsForPipes = true;

/** Has `load` read files without waiting for anybody: a pipe that was not read before is refused. */
export function withoutWaiting<Loaded>(load: () => Loaded): Loaded {
  const before = waitsForPipes;
  waitsForPipes = false;
  try {
    return load();
  } finally {
    waitsForPipes = before;
  }
}

/** Why a file cannot be read, as the end of the sentence "<path>: …", from what the system said. */
export function unreadableReason(error: unknown): string {
  if (error instanceof UnreadableFile) return error.message;
  const { code = 'unreadable' } = error as NodeJS.ErrnoException;
  return reasons[code] ?? `cannot be read (${code})`;
}

/**
 * A regular file's bytes; a pipe's at every time what it gave the first time. Throws an Error whose message ends the sentence
 * "<path>: …", also for a device, and for more than `mostBytes`.
 */
export function readBytes(path: string, mostBytes = largestFileBytes): Buffer {
  try {
    const found = statSync(path);
    // Before it is opened: opening a device may do something.
    const kind = oddKind(found);
    if (kind !== undefined) throw new UnreadableFile(`is ${kind}, not a file`);
    return found.isFIFO() ? readPipe(path, mostBytes) : readFile(path, mostBytes);
  } catch (error) {
    throw new Error(unreadableReason(error), { cause: error });
  }
}

function readFile(path: string, mostBytes: number): Buffer {
  const bytes = readBounded(path, mostBytes);
  digests.set(path, digestOf(bytes));
  return bytes;
}

export function digestOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Digest of what a file, no pipe, held when it was read last; undefined where it was not. */
export function digestRead(path: string): string | undefined {
  return digests.get(path);
}

function readPipe(path: string, mostBytes: number): Buffer {
  if (!waitsForPipes && !fromPipes.has(path))
    throw new UnreadableFile('is a pipe, and pipes are read at the start alone: name a file, or start anew');
  const bytes = fromPipes.get(path) ?? readBounded(path, mostBytes);
  fromPipes.set(path, bytes);
  return bytes;
}

/** A file's text. Throws as readBytes, and where it is none. */
export function readTextFile(path: string, mostBytes = largestTextBytes): string {
  const bytes = readBytes(path, mostBytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new Error('is not UTF-8 text', { cause: error });
  }
}

/**
 * What a JSON file of the user's holds. Throws an Error whose message ends the sentence "<path>: …": why it cannot be read,
 * or the line and column at which it is no JSON.
 */
export function readJsonFile(path: string): unknown {
  return parseJsonText(readTextFile(path));
}
