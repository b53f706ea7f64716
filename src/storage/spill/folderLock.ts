import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import koffi, { type KoffiFunc } from 'koffi';

const lockFile = 'owner';
/** Of flock(2), as Linux numbers them. */
const exclusive = 2;
const atOnce = 4;

type Flock = KoffiFunc<(fd: number, operation: number) => number>;

let flock: Flock | undefined;

/**
 * Keeps a folder to one owner, by flock(2) on the file `owner` in it, which tells people who that is.
 *
 * The lock belongs to the open file, on the machine that has the folder: it holds between containers that share a volume,
 * whatever their process ids and host names are, and on NFS between machines. The system gives it up when the owner is
 * gone in whatever way, so there is no time after which it counts as stale. The file stays: anyone who deleted it might
 * take it from somebody who has just locked it.
 */
export class FolderLock {
  #fd: number | undefined;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** @throws when somebody else has it, also in this process, or the folder's file system knows no such locks */
  static take(folder: string): FolderLock {
    const path = join(folder, lockFile);
    const fd = openSync(path, 'a+');
    try {
      flock ??= koffi.load('libc.so.6').func('int flock(int fd, int operation)') as Flock;
      if (flock(fd, exclusive | atOnce) !== 0) throw refusal(folder, path, koffi.errno());
      ftruncateSync(fd);
      writeSync(fd, `process ${process.pid} on ${hostname()}`);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    return new FolderLock(fd);
  }

  release(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

function refusal(folder: string, path: string, errno: number): Error {
  const { EAGAIN } = koffi.os.errno;
  if (errno !== EAGAIN) return new Error(`${path} cannot be locked: flock fails with errno ${errno}`);
  const owner = readFileSync(path, 'latin1').slice(0, 200).split('\n')[0]!;
  return new Error(
    `${folder} is in use${owner === '' ? '' : ` by ${owner}`}; give each gateway a spill_path of its own`,
  );
}
