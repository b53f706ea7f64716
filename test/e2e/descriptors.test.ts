import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { packagePath } from '../../src/base/paths.js';
import { until } from '../helpers/until.js';

const descriptors = 256;
let cleanup: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const each of cleanup.reverse()) await each();
  cleanup = [];
});

interface Started {
  readonly pid: number;
  readonly port: number;
  readonly lines: readonly string[];
}

/** The program, allowed so many files and sockets. */
async function start(): Promise<Started> {
  const folder = mkdtempSync(join(tmpdir(), 'qactpmd-descriptors-'));
  const file = join(folder, 'config.json');
  const connections = [{ connection_id: 'one', front_addr: 'sim://', broker_id: '9999' }];
  writeFileSync(
    file,
    JSON.stringify({ websocket_host: '127.0.0.1', websocket_port: 0, flow_path: folder, connections }),
  );
  const main = packagePath('dist', 'src', 'main.js');
  const command = `ulimit -n ${descriptors} && exec "${process.execPath}" "${main}" --config "${file}"`;
  const child = spawn('/bin/sh', ['-c', command], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  cleanup.push(async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  const listening = await until('the port', () => lines.find((line) => line.includes('"msg":"listening"')));
  return { pid: child.pid!, port: (JSON.parse(listening) as { port: number }).port, lines };
}

/** ms of CPU that a process has used. */
function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return (user! + system!) * 10;
}

const healthOf = async (port: number): Promise<{ limits: { accept_pauses: number } }> =>
  (await (await fetch(`http://127.0.0.1:${port}/health`)).json()) as { limits: { accept_pauses: number } };

describe(`a process that may have ${descriptors} descriptors`, () => {
  it('lowers the number of its clients with a warning', async () => {
    const { lines } = await start();
    expect(lines.join('\n')).toMatch(
      /limits\.max_clients is lowered from 10000 to \d+: the process may have 256 files and sockets open/,
    );
  });

  it('stops accepting connections before the last is taken, says so once, rests, and accepts again', async () => {
    const { pid, port, lines } = await start();
    const sockets: Socket[] = [];
    cleanup.push(() => {
      for (const socket of sockets) socket.destroy();
      return Promise.resolve();
    });
    const refill = setInterval(() => {
      // Those without a request are closed by the server after a while.
      const open = sockets.filter((socket) => !socket.destroyed);
      sockets.length = 0;
      sockets.push(...open);
      while (sockets.length < 300) {
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => undefined);
        sockets.push(socket);
      }
    }, 50);
    const warnings = (): string[] =>
      lines.filter((line) => line.includes('no connections are accepted for now'));
    await until('the warning', () => warnings().length > 0);
    const [cpuBefore, before] = [cpuMs(pid), performance.now()];
    await until('a second to pass', () => performance.now() - before > 1000);
    // A loop that spins on a connection that it cannot accept takes a whole core.
    expect(cpuMs(pid) - cpuBefore).toBeLessThan(0.8 * (performance.now() - before));
    clearInterval(refill);
    for (const socket of sockets) socket.destroy();
    await until('connections to be accepted again', () =>
      lines.some((line) => line.includes('connections are accepted again')),
    );
    const { limits } = await until('an answer', () => healthOf(port).catch(() => undefined));
    expect(limits.accept_pauses).toBeGreaterThan(0);
    expect(warnings().length).toBe(limits.accept_pauses);
  });
});
