import { chmodSync, linkSync, mkdirSync, mkdtempSync, rmSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';

/** Linux allows 108 bytes with the final zero. */
const longestPathBytes = 107;
const socketMode = 0o600;

/** A socket that cannot be opened; the message is one line that names it. */
export class SocketPathError extends Error {
  override readonly name = 'SocketPathError';
}

/** True when a process answers on the socket; false when its owner is dead. */
function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(true);
    });
    probe.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false);
      else reject(new SocketPathError(`${path} cannot be replaced (${error.code ?? error.message})`));
    });
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Gives the socket its public name; false when the name is taken. */
function publish(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Listens on a Unix socket of mode 0600. The socket is made inside a fresh folder of mode 0700 and gets its name
 * when its mode is right, so that nobody else can connect in between (a umask would be the whole process'). The
 * socket of a dead process is replaced, a live one refused with a SocketPathError.
 */
export async function listenPrivately(path: string): Promise<Server> {
  if (Buffer.byteLength(path) > longestPathBytes - 'socket-XXXXXX/s'.length)
    throw new SocketPathError(`${path} is too long for a Unix socket`);
  mkdirSync(dirname(path), { recursive: true });
  const folder = mkdtempSync(join(dirname(path), 'socket-'));
  const server = createServer({ allowHalfOpen: true });
  try {
    const unpublished = join(folder, 's');
    await listen(server, unpublished);
    chmodSync(unpublished, socketMode);
    if (!publish(unpublished, path)) {
      if (await isAlive(path)) throw new SocketPathError(`${path} belongs to a process that is running`);
      unlinkSync(path);
      if (!publish(unpublished, path)) throw new SocketPathError(`${path} was taken by another process`);
    }
  } catch (error) {
    server.close();
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return server;
}
