import { once } from 'node:events';
import { chmodSync, linkSync, mkdirSync, mkdtempSync, rmSync, statSync, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname, join } from 'node:path';

/** Linux allows 108 bytes with the final zero. */
const longestPathBytes = 107;
const socketMode = 0o600;

/** Of a path, so that one in the flow folder leaves room for the fresh folder that it is made in. */
const longestPreferredBytes = 90;

/**
 * The place of a socket called `name`: in the flow folder, or in the session's own folder where that path would be too
 * long for a socket.
 */
export function socketPathIn(flowPath: string, name: string, env: NodeJS.ProcessEnv): string {
  const preferred = join(flowPath, name);
  const runtimeFolder = env['XDG_RUNTIME_DIR'];
  if (
    Buffer.byteLength(preferred) <= longestPreferredBytes ||
    runtimeFolder === undefined ||
    runtimeFolder === ''
  )
    return preferred;
  return join(runtimeFolder, `qactpmdgateway-${name}`);
}

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

/** A server on a Unix socket of mode 0600, and the name of that in the file system. */
export class PrivateSocket {
  readonly path: string;
  readonly #server: Server;
  readonly #inode: number;

  private constructor(path: string, server: Server) {
    this.path = path;
    this.#server = server;
    this.#inode = statSync(path).ino;
  }

  /**
   * Has the server listen. The socket is made inside a fresh folder of mode 0700 and gets its name when its mode is
   * right, so that nobody else can connect in between (a umask would be the whole process'). The socket of a dead
   * process is replaced.
   *
   * @throws SocketPathError where the path is too long or a live process has it; or the system's error, which names it
   */
  static async open(path: string, server: Server): Promise<PrivateSocket> {
    if (Buffer.byteLength(path) > longestPathBytes - 'socket-XXXXXX/s'.length)
      throw new SocketPathError(`${path} is too long for a Unix socket`);
    mkdirSync(dirname(path), { recursive: true });
    const folder = mkdtempSync(join(dirname(path), 'socket-'));
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
    return new PrivateSocket(path, server);
  }

  /**
   * Removes the name, unless another process has put its own socket there, and closes the server; resolves when its
   * connections have ended.
   *
   * @throws the system's error when the name cannot be removed; the server is closed nevertheless
   */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    try {
      if (statSync(this.path).ino === this.#inode) unlinkSync(this.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    } finally {
      await closed;
    }
  }
}
