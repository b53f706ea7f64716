import { createServer, type Server } from 'node:net';

const lowest = 20_000;
const highest = 32_000;

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

/** First of `count` neighbouring ports of loopback that nobody listens on. */
export async function freePorts(count: number): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const base = lowest + Math.floor(Math.random() * (highest - lowest - count));
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
