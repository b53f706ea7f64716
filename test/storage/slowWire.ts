import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface SlowWire {
  /** To be connected to in place of the server. */
  readonly port: number;
  /** Bytes that went to the server. */
  readonly bytes: number;
  /** ms that every byte takes, each way. May be changed at any time. */
  delayMs: number;
  /** That can pass in a second, each way. May be changed at any time. */
  bytesPerSecond: number;
}

/** A long, thin line to a server on loopback: TCP is passed on late and slowly. Ends with the test. */
export async function startSlowWire(
  port: number,
  limits: { readonly delayMs: number; readonly bytesPerSecond: number },
): Promise<SlowWire> {
  const sockets = new Set<Socket>();
  const wire = { port: 0, bytes: 0, ...limits };
  const join = (from: Socket, to: Socket, onBytes: (count: number) => void): void => {
    sockets.add(from);
    from.on('error', () => to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
    let freeAt = performance.now();
    from.on('data', (data) => {
      // Nothing more is taken in before this has passed, so the sender's own buffers fill.
      from.pause();
      freeAt = Math.max(freeAt, performance.now()) + (data.length / wire.bytesPerSecond) * 1000;
      setTimeout(() => from.resume(), freeAt - performance.now());
      setTimeout(
        () => {
          onBytes(data.length);
          if (!to.destroyed) to.write(data);
        },
        freeAt - performance.now() + wire.delayMs,
      );
    });
  };
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    join(client, upstream, (count) => (wire.bytes += count));
    join(upstream, client, () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  wire.port = (server.address() as AddressInfo).port;
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return wire;
}
