import { connect } from 'node:net';
import { frameHead, RawClient, textFrame } from './rawClient.js';

/** Where an attack goes, and where it comes from. */
export interface Target {
  readonly port: number;
  readonly from: string;
}

/** Keeps a number of clients connected; one that is closed comes back after a while. */
function keepClients(
  { port, from }: Target,
  count: number,
  reads: boolean,
  onOpen: (client: RawClient, index: number) => void,
): void {
  for (let index = 0; index < count; index++) {
    const open = (): void => {
      new RawClient({
        port,
        from,
        reads,
        onOpen: (client) => onOpen(client, index),
        onClosed: () => setTimeout(open, comeBackMs),
      });
    };
    open();
  }
}

const comeBackMs = 500;
const mib = 1_048_576;

function subscribe(ids: readonly string[]): Buffer {
  return textFrame(JSON.stringify({ action: 'subscribe', instruments: ids }));
}

function unsubscribe(ids: readonly string[]): Buffer {
  return textFrame(JSON.stringify({ action: 'unsubscribe', instruments: ids }));
}

/** Ids that are conceivable and do not exist, by product: zaaa, zaab, and so on. */
function madeUpFutures(count: number): string[] {
  const letters = 'abcdefghijklmnopqrstuvwxyz';
  return Array.from({ length: count }, (_, i) => {
    const product = `z${letters[Math.floor(i / 312) % 26]!}${letters[Math.floor(i / 12) % 26]!}`;
    return `SHFE.${product}27${String(1 + (i % 12)).padStart(2, '0')}`;
  });
}

/** Options of a product that exists, at strikes that do not. */
function madeUpStrikes(count: number, first: number): string[] {
  return Array.from({ length: count }, (_, i) => `m2705-C-${first + i}`);
}

/** What hostile or broken clients do, by name. Each continues until the process ends. */
export const attacks: Readonly<Record<string, (target: Target) => void>> = {
  patterns: (target) => {
    const pairs = Buffer.concat([subscribe(['*']), unsubscribe(['*'])]);
    keepClients(target, 1, true, (client) => client.repeat(Buffer.concat(Array<Buffer>(500).fill(pairs)), 0));
  },
  lists: (target) => {
    const frame = textFrame('{"action":"list_instruments"}');
    keepClients(target, 1, true, (client) => client.repeat(Buffer.concat(Array<Buffer>(500).fill(frame)), 0));
  },
  'unknown ids': (target) => {
    const frame = subscribe(['n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7', 'n8']);
    keepClients(target, 1, true, (client) => client.repeat(Buffer.concat(Array<Buffer>(500).fill(frame)), 0));
  },
  'two with 3,000 futures that do not exist': (target) => {
    const frame = subscribe(madeUpFutures(3000));
    keepClients(target, 2, true, (client) => client.socket.write(frame));
  },
  'one with 30,000 options that do not exist': (target) => {
    const frame = subscribe(madeUpStrikes(30_000, 1));
    keepClients(target, 1, true, (client) => client.socket.write(frame));
  },
  'strikes by clients that come and go': (target) => {
    let first = 1;
    keepClients(target, 2, true, (client) => {
      client.socket.write(subscribe(madeUpStrikes(25_000, (first += 25_000))));
      setTimeout(() => client.socket.destroy(), 1000);
    });
  },
  '500 that subscribe and unsubscribe': (target) => {
    const ids = ['rb2705', 'cu2705', 'm2705', 'IF2703'];
    const pair = Buffer.concat([subscribe(ids), unsubscribe(ids)]);
    keepClients(target, 500, true, (client) => client.repeat(pair, 0));
  },
  '500 that send heartbeats': (target) => {
    const frames = Buffer.concat(Array<Buffer>(10).fill(textFrame('{"action":"heartbeat","interval":1}')));
    keepClients(target, 500, true, (client) => client.repeat(frames, 0));
  },
  '2,000 that never read': (target) => {
    const frame = subscribe(['*']);
    keepClients(target, 2000, false, (client) => client.socket.write(frame));
  },
  '200 slow readers of history': ({ port, from }) => {
    for (let index = 0; index < 200; index++) {
      const ask = (): void => {
        const socket = connect({ host: '127.0.0.1', port, localAddress: from });
        socket.on('error', () => undefined);
        socket.on('close', () => setTimeout(ask, comeBackMs));
        socket.on('data', () => {
          socket.pause();
          setTimeout(() => socket.resume(), 200);
        });
        socket.write(
          'GET /api/history/ticks?instrument=rb2705&limit=1000000 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n',
        );
      };
      ask();
    }
  },
  '1,000 connects a second': ({ port, from }) => {
    setInterval(() => {
      for (let index = 0; index < 10; index++) {
        const client = new RawClient({
          port,
          from,
          reads: true,
          onOpen: () => setTimeout(() => client.socket.destroy(), comeBackMs),
          onClosed: () => undefined,
        });
      }
    }, 10);
  },
  '384 messages of 2 MiB that never end': (target) => {
    const bytes = Buffer.concat([frameHead(2 * mib), Buffer.alloc(2 * mib - 1, 0x20)]);
    keepClients(target, 384, true, (client) => client.socket.write(bytes));
  },
  '200 that keep lists of 1 MiB': (target) => {
    const keys = Array.from({ length: 25_000 }, (_, i) => `nosuch${i}`.padEnd(40, 'x')).join(',');
    const frame = textFrame(JSON.stringify({ aid: 'subscribe_quote', ins_list: keys }));
    keepClients(target, 200, true, (client) => client.socket.write(frame));
  },
};
