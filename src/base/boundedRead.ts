import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';

const megabyte = 2 ** 20;
const chunkBytes = megabyte;
/** How long a pipe is waited for while nothing comes out of it. */
const pipePatienceMs = 10_000;
const pipePollMs = 20;

/** A file that is not to be read as text or data; the message ends the sentence "<path>: …". */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile';
}

/** Kind of a path that is neither a file nor a pipe; undefined for these two. */
export function oddKind(found: Stats): string | undefined {
  if (found.isFile() || found.isFIFO()) return undefined;
  if (found.isDirectory()) return 'a folder';
  if (found.isSocket()) return 'a socket';
  return 'a device';
}

/**
 * The bytes of a regular file, or of a pipe up to its end, `mostBytes` at most. A pipe out of which nothing has come for
 * `patienceMs` (default 10 s) is given up, for signals are not heard meanwhile.
 *
 * @throws UnreadableFile for anything else and for more bytes; the system's error where it cannot be opened or read
 */
export function readBounded(path: string, mostBytes: number, patienceMs = pipePatienceMs): Buffer {
  // Without waiting: the opening of a pipe would last until somebody writes into it.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = fstatSync(fd);
    const kind = oddKind(found);
    if (kind !== undefined) throw new UnreadableFile(`is ${kind}, not a file`);
    if (found.size > mostBytes) throw tooLarge(mostBytes, found.size);
    return readUpTo(fd, mostBytes, found.isFIFO() ? patienceMs : undefined);
  } finally {
    closeSync(fd);
  }
}

/** @param patienceMs undefined for what is no pipe */
function readUpTo(fd: number, mostBytes: number, patienceMs: number | undefined): Buffer {
  const chunks: Buffer[] = [];
  let total = 0;
  let lastMs = performance.now();
  for (;;) {
    const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, mostBytes + 1 - total));
    const count = readNow(fd, chunk);
    if (count !== undefined && count > 0) {
      total += count;
      if (total > mostBytes) throw tooLarge(mostBytes);
      chunks.push(chunk.subarray(0, count));
      lastMs = performance.now();
    } else if (count === 0 && (patienceMs === undefined || total > 0)) return Buffer.concat(chunks);
    else if (performance.now() - lastMs > (patienceMs ?? 0))
      throw new UnreadableFile(`is a pipe, and nothing has come out of it for ${(patienceMs ?? 0) / 1000} s`);
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pipePollMs);
  }
}

/** Bytes read; undefined where none are there yet, 0 at the end, and where nobody has the pipe open for writing. */
function readNow(fd: number, into: Buffer): number | undefined {
  try {
    return readSync(fd, into);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined;
    throw error;
  }
}

function tooLarge(mostBytes: number, size?: number): UnreadableFile {
  const most = mostBytes >= megabyte ? `${mostBytes / megabyte} MB` : `${mostBytes / 1024} kB`;
  return new UnreadableFile(
    size === undefined
      ? `has more than the ${most} that are read`
      : `has ${shownSize(size)}, at most ${most} are read`,
  );
}

function shownSize(bytes: number): string {
  return bytes >= megabyte ? `${Math.round(bytes / megabyte)} MB` : `${Math.ceil(bytes / 1024)} kB`;
}
