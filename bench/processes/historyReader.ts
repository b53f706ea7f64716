/**
 * Reads stored ticks over HTTP, one whole answer after another, until it is told to stop.
 *   node historyReader.js PORT QUERY TICKS
 * Stops at the end of the answer that it is in when its input ends, and prints one line of JSON.
 */
import { get } from 'node:http';

const [port, query, ticks] = process.argv.slice(2);
const expectedEnd = `],"count":${ticks!},"next":null}\n`;
const tailBytes = 64;
const msPerS = 1000;

interface Answer {
  readonly seconds: number;
  readonly bytes: number;
}

function read(): Promise<Answer> {
  const begin = performance.now();
  return new Promise((resolve, reject) => {
    const address = `http://127.0.0.1:${port!}/api/history/ticks?${query!}`;
    get(address, { agent: false }, (response) => {
      let bytes = 0;
      let tail = Buffer.alloc(0);
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        tail = Buffer.concat([tail, chunk.subarray(-tailBytes)]).subarray(-tailBytes);
      });
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200 && tail.toString().endsWith(expectedEnd))
          resolve({ seconds: (performance.now() - begin) / msPerS, bytes });
        else reject(new Error(`answered ${response.statusCode!}, ending with ${tail.toString()}`));
      });
    }).on('error', reject);
  });
}

const stop = new AbortController();
process.stdin.resume().on('end', () => stop.abort());
const answers: Answer[] = [];
do answers.push(await read());
while (!stop.signal.aborted);
process.stdout.write(`${JSON.stringify({ answers })}\n`);
process.exit(0);
