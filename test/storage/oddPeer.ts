import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Answers a command, its words in upper case, with the bytes of a reply. */
export type Answer = (words: readonly string[]) => string;

/** Something that listens like a Redis and answers what it is told to. */
export interface OddPeer {
  readonly port: number;
  /** How often each command came, by its first word. */
  readonly asked: Map<string, number>;
  /** May be changed at any time. */
  answer: Answer;
  close(): Promise<void>;
}

/** What a server says while a client connects. */
export function greeting(words: readonly string[]): string | undefined {
  if (words[0] === 'PING') return '+PONG\r\n';
  if (words[0] === 'INFO') return bulk('redis_version:7.0.15\r\nloading:0\r\n');
  return undefined;
}

/** A reply in the protocol of Redis (RESP2): numbers, texts, null, lists. */
export function reply(value: unknown): string {
  if (Array.isArray(value)) return `*${value.length}\r\n${value.map(reply).join('')}`;
  if (typeof value === 'number') return `:${value}\r\n`;
  return typeof value === 'string' ? bulk(value) : '$-1\r\n';
}

function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}

/** Listens on loopback; ends with the test. */
export async function startOddPeer(answer: Answer, port = 0): Promise<OddPeer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    let unread = '';
    socket.on('data', (data) => {
      unread += data.toString('latin1');
      for (let command = takeCommand(unread); command !== undefined; command = takeCommand(unread)) {
        unread = unread.slice(command.length);
        const words = command.words.map((word) => word.toUpperCase());
        peer.asked.set(words[0]!, (peer.asked.get(words[0]!) ?? 0) + 1);
        socket.write(peer.answer(words));
      }
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(close);
  const peer: OddPeer = { port: (server.address() as AddressInfo).port, asked: new Map(), answer, close };
  return peer;
}

/** The first command in what has come, if all of it has: a list of bulk strings. */
function takeCommand(text: string): { words: string[]; length: number } | undefined {
  const head = /^\*(\d+)\r\n/.exec(text);
  if (head === null) return undefined;
  let at = head[0].length;
  const words: string[] = [];
  while (words.length < Number(head[1])) {
    const size = /^\$(\d+)\r\n/.exec(text.slice(at, at + 20));
    if (size === null) return undefined;
    at += size[0].length;
    const end = at + Number(size[1]);
    if (text.length < end + 2) return undefined;
    words.push(text.slice(at, end));
    at = end + 2;
  }
  return { words, length: at };
}
