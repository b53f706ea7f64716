import { createServer, type Server } from 'node:net';

/** Below the ports that the system gives to outgoing connections. */
const lowest = 20_000;
const highest = 32_000;
/** Test files that run side by side take their ports from parts of their own: a port is free until its user listens. */
const parts = 4;
const partSize = (highest - lowest) / parts;
const partBegin = lowest + (Number(process.env['VITEST_POOL_ID'] ?? 0) % parts) * partSize;

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

/**
 * First of `count` neighbouring ports of loopback that nobody listens on. They stay free for who listens later, or again:
 * none is one that an outgoing connection may get, not even one to that very port, which would then be connected to itself.
 */
export async function freePorts(count: number): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const base = partBegin + Math.floor(Math.random() * (partSize - count));
    const servers: Server[] = [];
    try {
      for (let i = 0; i < count; i++) servers.push(await listen(base + i));
      return base;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    } finally {
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    }
  }
  throw new Error(`no ${count} free neighbouring ports found`);
}

/** A port of loopback that nobody listens on; see freePorts. */
export function freePort(): Promise<number> {
  return freePorts(1);
}
