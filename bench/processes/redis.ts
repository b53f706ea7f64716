import { createServer } from 'node:net';
import { Redis } from 'ioredis';
import { Child, until } from './child.js';

/**
 * A redis-server of its own on loopback, as docker-compose.yml has it: it writes its log of changes once a second, and others
 * go first where they want the same core.
 */
export class RedisProcess {
  readonly child: Child;
  readonly port: number;

  private constructor(child: Child, port: number) {
    this.child = child;
    this.port = port;
  }

  /** Throws when there is no redis-server on this machine. */
  static async start(folder: string): Promise<RedisProcess> {
    const port = await freePort();
    const child = new Child('redis-server', 'nice', [
      ...['-n', '10', 'redis-server'],
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder],
      ...['--save', '', '--appendonly', 'yes', '--appendfsync', 'everysec'],
    ]);
    const redis = new RedisProcess(child, port);
    const client = redis.client();
    try {
      await until('redis-server to answer', async () => {
        if (!child.running) throw new Error(`redis-server has ended:\n${child.lastWords}`);
        return client.ping().catch(() => undefined);
      });
    } catch (error) {
      await child.stop('SIGKILL');
      throw error;
    } finally {
      client.disconnect();
    }
    return redis;
  }

  client(): Redis {
    const client = new Redis(this.port, '127.0.0.1', { retryStrategy: () => 50 });
    // Anyone who sends a command learns of it.
    client.on('error', () => undefined);
    return client;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
