import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { packagePath } from '../../src/base/paths.js';
import { until } from '../helpers/until.js';
import { freePort } from './ports.js';

const fewDescriptors = 256;
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
async function start(descriptors = fewDescriptors): Promise<Started> {
  const folder = mkdtempSync(join(tmpdir(), 'qactpmd-descriptors-'));
  const file = join(folder, 'config.json');
  // Not one that the kernel may give to a client while the gateway has closed it.
  const port = await freePort();
  const connections = [{ connection_id: 'one', front_addr: 'sim://', broker_id: '9999' }];
  writeFileSync(
    file,
    JSON.stringify({ websocket_host: '127.0.0.1', websocket_port: port, flow_path: folder, connections }),
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
  await until('the port', () => lines.some((line) => line.includes('"msg":"listening"')));
  return { pid: child.pid!, port, lines };
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

/** New connections in 50 ms of an address that holds many. */
const connectsPerRefill = 50;

interface Health {
  readonly limits: { readonly accept_pauses: number; readonly cut_connections: number };
}

const healthOf = async (port: number): Promise<Health> =>
  (await (await fetch(`http://127.0.0.1:${port}/health`)).json()) as Health;

/** Holds so many connections from an address, new ones for those that are closed, until the end of the test. */
function hold(
  port: number,
  localAddress: string,
  count: number,
  atOnce = connectsPerRefill,
): { stop(): void } {
  let sockets: Socket[] = [];
  const refill = setInterval(() => {
    sockets = sockets.filter((socket) => !socket.destroyed);
    for (let more = Math.min(atOnce, count - sockets.length); more > 0; more--) {
      const socket = connect({ port, host: '127.0.0.1', localAddress });
      socket.on('error', () => undefined);
      sockets.push(socket);
    }
  }, 50);
  const stop = (): void => {
    clearInterval(refill);
    for (const socket of sockets) socket.destroy();
  };
  cleanup.push(() => {
    stop();
    return Promise.resolve();
  });
  return { stop };
}

describe(`a process that may have ${fewDescriptors} descriptors`, () => {
  it('lowers the number of its clients with a warning', async () => {
    const { lines } = await start();
    expect(lines.join('\n')).toMatch(
      /limits\.max_clients is lowered from 10000 to \d+: the process may have 256 files and sockets open/,
    );
  });

  it('stops accepting connections before the last is taken, says so, rests, and accepts again', async () => {
    const { pid, port, lines } = await start();
    const others = hold(port, '127.0.0.1', 300, 300);
    const warnings = (): string[] =>
      lines.filter((line) => line.includes('no connections are accepted for now'));
    await until('the warning', () => warnings().length > 0);
    const [cpuBefore, before] = [cpuMs(pid), performance.now()];
    await until('a second to pass', () => performance.now() - before > 1000);
    // A loop that spins on a connection that it cannot accept takes a whole core.
    expect(cpuMs(pid) - cpuBefore).toBeLessThan(0.8 * (performance.now() - before));
    others.stop();
    await until('connections to be accepted again', () =>
      lines.some((line) => line.includes('connections are accepted again')),
    );
    const { limits } = await until('an answer', () => healthOf(port).catch(() => undefined));
    expect(limits.accept_pauses).toBeGreaterThan(0);
    expect(warnings().length).toBeGreaterThan(0);
  });
});

describe('a process that may have 1024 descriptors', () => {
  it('lets an address in while another one takes all descriptors that it can get', async () => {
    const { port, lines } = await start(1024);
    const early = new WebSocket(`ws://127.0.0.1:${port}/`);
    await once(early, 'open');
    hold(port, '127.0.0.2', 2000);
    await until('connections to be cut', () =>
      lines.some((line) => line.includes(' connections of 127.0.0.2 are cut off: it has the most')),
    );
    for (let request = 0; request < 5; request++) {
      const { limits } = await until('an answer', () => healthOf(port).catch(() => undefined));
      expect(limits.cut_connections).toBeGreaterThan(0);
    }
    expect(early.readyState).toBe(WebSocket.OPEN);
    early.close();
    expect(lines.filter((line) => line.includes('connections of 127.0.0.1 '))).toEqual([]);
  });
});
