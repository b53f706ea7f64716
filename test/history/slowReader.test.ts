import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { chunkBytes, chunksPerQuery } from '../../src/history/chunkSender.js';
import type { HistoryReceiver } from '../../src/history/historyPool.js';
import type { HistoryQuery } from '../../src/history/query.js';
import { allocateWindow } from '../../src/history/tickWindow.js';
import { World } from '../server/world.js';
import { fillWindow } from './storedTicks.js';
import { poolOf } from './tickServer.js';

/**
 * Reads up to 1,500 bytes for each line that it is given, and answers each with a line. Its segments are as small as those of a
 * far network, where the kernel takes little at a time; Node itself cannot set that.
 */
const reader = `
use Socket; $| = 1;
socket(my $s, PF_INET, SOCK_STREAM, 0) or die;
setsockopt($s, 6, 2, pack('i', 536)) or die;
setsockopt($s, SOL_SOCKET, SO_RCVBUF, pack('i', 4096)) or die;
connect($s, sockaddr_in($ARGV[0], inet_aton('127.0.0.1'))) or die;
syswrite($s, "GET $ARGV[1] HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n");
while (<STDIN>) { my $n = sysread($s, my $b, 1500); last unless $n; print "$n\\n"; }
`;
const toBeRead = 500_000;
/** ms between two readings. */
const pace = 10;
/** What the kernel's buffers hold, and the chunks of one query. */
const mostAhead = 500_000 + chunksPerQuery * chunkBytes;

it('no more is made of an answer than what its slow reader has taken and the chunks of a query', async () => {
  const memory = allocateWindow(32 * 1_048_576, 1);
  fillWindow(memory, 0, 'SHFE.rb2601', 0, 60_000);
  const pool = poolOf({ source: { kind: 'memory', window: memory }, queries: 1, waiting: 0 });
  onTestFinished(() => pool.close());
  let made = 0;
  const counting = (receiver: HistoryReceiver): HistoryReceiver => ({
    chunk(bytes, ...rest) {
      made += bytes.length;
      receiver.chunk(bytes, ...rest);
    },
    failed: (code, message) => receiver.failed(code, message),
  });
  const run = (query: HistoryQuery, receiver: HistoryReceiver, address: string) =>
    pool.run(query, counting(receiver), address);
  const world = await World.start({ history: { run } });
  onTestFinished(() => world.stop());

  const path = '/api/history/ticks?instrument=rb2601&from=20260105&to=20260301&limit=1000000';
  const child = spawn('perl', ['-e', reader, String(world.port), path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(async () => {
    if (child.kill('SIGKILL')) await once(child, 'exit');
  });
  child.stdout.setEncoding('latin1');
  let read = 0;
  for (let lines = ''; read < toBeRead;) {
    await setTimeout(pace);
    child.stdin.write('\n');
    lines += ((await once(child.stdout, 'data')) as [string])[0];
    const whole = lines.lastIndexOf('\n') + 1;
    for (const line of lines.slice(0, whole).split('\n')) read += Number(line);
    lines = lines.slice(whole);
  }
  expect(made - read).toBeLessThan(mostAhead);
}, 30_000);
