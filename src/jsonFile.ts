import { createHash } from 'node:crypto';
import { readFileSync, statSync, type Stats } from 'node:fs';
import { parseJsonText } from './jsonText.js';

const largestFileMb = 64;
/** Larger files of the user's are not read. */
export const largestFileBytes = largestFileMb * 2 ** 20;
const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'may not be read by this user',
  EISDIR: 'is a folder, not a file',
  ELOOP: 'is a symbolic link that leads nowhere',
};

/** What named pipes have given, by path: they give it once, and whoever read again at a reload would wait for ever. */
const fromPipes = new Map<string, Buffer>();
/** Of what each file held when it was read last, by path. Neither secrets nor large files are kept themselves. */
const digests = new Map<string, string>();
/** A pipe that has not been read is waited for, until somebody has written into it. */
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
function unreadableReason(error: unknown): string {
  const { code = 'unreadable' } = error as NodeJS.ErrnoException;
  return reasons[code] ?? `cannot be read (${code})`;
}

/** A file's bytes; a pipe's at every time what it gave the first time. Throws an Error whose message ends the sentence "<path>: …". */
export function readBytes(path: string): Buffer {
  let found: Stats;
  try {
    found = statSync(path);
    if (found.size <= largestFileBytes && !found.isFIFO()) return readFile(path);
    if (found.isFIFO() && (waitsForPipes || fromPipes.has(path))) return readPipe(path);
  } catch (error) {
    throw new Error(unreadableReason(error), { cause: error });
  }
  throw new Error(
    found.isFIFO()
      ? 'is a pipe, and pipes are read at the start alone: name a file, or start anew'
      : `has ${Math.round(found.size / 2 ** 20)} MB, at most ${largestFileMb} are read`,
  );
}

function readFile(path: string): Buffer {
  const bytes = readFileSync(path);
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

function readPipe(path: string): Buffer {
  const bytes = fromPipes.get(path) ?? readFileSync(path);
  fromPipes.set(path, bytes);
  return bytes;
}

/** A file's text. Throws as readBytes, and where it is none. */
export function readTextFile(path: string): string {
  const bytes = readBytes(path);
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
