/**
 * Reads stored ticks over HTTP, one whole answer after another, from its first line of input until that ends.
 *   node historyReader.js PORT QUERY TICKS
 * Prints `ready` when it can begin. Stops at the end of the answer that it is in, and prints one line of JSON. It stands for a client on
 * another machine, so it takes as little of this one as it can: it reads into the same memory over and over, looks at the
 * end of an answer alone, and is of the lowest priority.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { constants, setPriority } from 'node:os';

const [port, query, ticks] = process.argv.slice(2);
/** The last bytes of an answer in chunked coding. */
const expectedEnd = `],"count":${ticks!},"next":null}\n\r\n0\r\n\r\n`;
const chunkedEnd = '0\r\n\r\n';
const readBytes = 262_144;
const tailBytes = 64;
const msPerS = 1000;

interface Answer {
  readonly seconds: number;
  readonly bytes: number;
}

function read(): Promise<Answer> {
  const begin = performance.now();
  return new Promise((resolve, reject) => {
    let bytes = 0;
    let tail = '';
    const socket = connect({
      host: '127.0.0.1',
      port: Number(port),
      onread: {
        buffer: Buffer.alloc(readBytes),
        callback: (count, buffer) => {
          bytes += count;
          const last = Buffer.from(buffer.buffer, buffer.byteOffset, count).subarray(-tailBytes);
          tail = (tail + last.toString('latin1')).slice(-tailBytes);
          if (tail.endsWith(expectedEnd)) {
            socket.destroy();
            resolve({ seconds: (performance.now() - begin) / msPerS, bytes });
          } else if (tail.endsWith(chunkedEnd)) {
            socket.destroy();
            reject(new Error(`answered with an end of ${JSON.stringify(tail)}`));
          }
          return true;
        },
      },
    });
    socket.on('error', reject);
    socket.on('end', () => reject(new Error(`broke off after ${bytes} bytes, with ${JSON.stringify(tail)}`)));
    socket.write(`GET /api/history/ticks?${query!} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  });
}

setPriority(constants.priority.PRIORITY_LOW);
const stop = new AbortController();
process.stdin.on('end', () => stop.abort());
process.stdout.write('ready\n');
await once(process.stdin, 'data');
const answers: Answer[] = [];
do answers.push(await read());
while (!stop.signal.aborted);
process.stdout.write(`${JSON.stringify({ answers })}\n`);
process.exit(0);
