import { spawn } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { packagePath } from '../../src/base/paths.js';
import { FrontProcess } from './frontProcess.js';
import { buildNative } from './nativeClient.js';

/** For what a loaded machine takes its time over. */
const deadline = { timeout: 25_000, interval: 20 };
const running: FrontProcess[] = [];

function run(args: readonly string[], ipc = false): FrontProcess {
  const fronts = new FrontProcess(args, ipc);
  running.push(fronts);
  return fronts;
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

beforeAll(buildNative);
afterEach(async () => {
  for (const fronts of running.splice(0)) await fronts.stop('SIGKILL');
});

it('says in one line where its fronts listen', async () => {
  const fronts = run(['--fronts', '3', '--base-port', '0']);
  expect(new Set(await fronts.ports()).size).toBe(3);
  expect(fronts.output).toMatch(/^ready: \d{3} instruments, 2 ticks\/s each, at tcp:[^\n]*\n$/);
});

it.each(['SIGTERM', 'SIGINT'] as const)('ends with exit code 0 on %s', async (signal) => {
  const fronts = run(['--base-port', '0']);
  await fronts.ports();
  expect(await fronts.stop(signal)).toEqual({ code: 0, signal: null });
  expect(fronts.complaints).toBe('');
});

describe('as a child process', () => {
  it('tells its parent the ports, leaves SIGINT to it, and ends on SIGTERM', async () => {
    const fronts = run(['--fronts', '2', '--base-port', '0'], true);
    const ports = await fronts.ports();
    await vi.waitFor(() => expect(fronts.messages).toEqual([{ type: 'ready', ports }]), deadline);
    fronts.child.kill('SIGINT');
    expect(await fronts.stop()).toEqual({ code: 0, signal: null });
  });

  it('tells its parent the port of the control API', async () => {
    const fronts = run(['--base-port', '0', '--control-port', '0'], true);
    const { base } = await fronts.control();
    await vi.waitFor(
      () => expect(fronts.messages[0]).toMatchObject({ controlPort: Number(base.split(':')[2]) }),
      deadline,
    );
  });

  it('ends when its parent lets go of it', async () => {
    const fronts = run(['--base-port', '0'], true);
    await fronts.ports();
    fronts.child.disconnect();
    expect(await fronts.ended).toEqual({ code: 0, signal: null });
  });

  it('ends when its parent is killed', async () => {
    const main = packagePath('dist', 'src', 'simulator', 'main.js');
    const parent = spawn(
      process.execPath,
      [
        '--eval',
        `const child = require('node:child_process').fork(${JSON.stringify(main)}, ['--base-port', '0'], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
         child.on('message', () => process.stdout.write(child.pid + '\\n'));`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    expect(alive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await vi.waitFor(() => expect(alive(pid)).toBe(false), deadline);
  });
});

it('names a busy port in one line and exits with 1', async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const fronts = run(['--base-port', String(port)]);
  expect((await fronts.ended).code).toBe(1);
  expect(fronts.complaints).toBe(`simulator: cannot listen on 127.0.0.1:${port}: the port is in use\n`);
  server.close();
});

it.each([
  [['--fronts', '0'], '--fronts 0: must be a whole number from 1 to 1000'],
  [['--fronts', 'many'], '--fronts many: must be a whole number from 1 to 1000'],
  [['--fronts', '10', '--base-port', '65530'], '--base-port 65530: must be a whole number from 0 to 65526'],
  [['--rate', '-1'], '--rate -1: must be a number above 0 up to 1000'],
  [['--rate'], '--rate: must have a value, see --help'],
  [['--rate', '--bench'], '--rate: must have a value, see --help'],
  [['--bench=1'], '--bench: takes no value'],
  [['--Base-Port', '1'], '--Base-Port: there is no such option, did you mean --base-port?'],
  [['-x'], '-x: there is no such option, see --help'],
  [['--replay', '/no/such'], '--replay /no/such: there is no such file'],
  [['--rate', '0'], '--rate 0: must be a number above 0 up to 1000'],
  [['--seed', '1.5'], '--seed 1.5: must be a whole number from 0 to 2^53 - 1'],
  [['--instruments', '0'], '--instruments 0: must be a whole number from 1 to 100000'],
  [['--hours', 'day'], '--hours day: must be one of always, exchange'],
  [['--dates', 'x'], '--dates x: must be one of production, simnow'],
  [['--arrivals', 'x'], '--arrivals x: must be one of uniform, poisson, burst'],
  [['--levels', '6'], '--levels 6: must be a whole number from 1 to 5'],
  [['--limit-days', '2'], '--limit-days 2: must be a number from 0 to 1'],
  [
    ['--clock-start', '2026-11-23T09:00'],
    '--clock-start 2026-11-23T09:00: must be an ISO time with its zone',
  ],
  [['--clock-speed', '0'], '--clock-speed 0: must be a number above 0 up to 1000000'],
  [['--bench', '--hours', 'exchange'], '--bench: only with --hours always and without a scripted clock'],
  [['--control-port', 'x'], '--control-port x: must be a whole number from 0 to 65535'],
  [['--reject-login', '0'], '--reject-login 0: must be an error id from 1 to 2147483647'],
  [['--late-limit', '0'], '--late-limit 0: must be a whole number of ms from 1 to 3600000'],
  [['--products', 'none.json'], '--products none.json: there is no such file'],
  [['--hours', 'exchange', '--calendar', 'none.json'], '--calendar none.json: there is no such file'],
  [['--calendar', 'x.json'], '--calendar: only with --hours exchange'],
  [['--replay', 'x.rec', '--products', 'x.json'], '--products: not with recordings'],
  [['--colour', 'red'], '--colour: there is no such option, see --help'],
  [['extra'], "Unexpected argument 'extra'"],
])('refuses %j in one line with exit code 2', async (args, line) => {
  const fronts = run(args);
  expect((await fronts.ended).code).toBe(2);
  expect(fronts.complaints.split('\n')).toHaveLength(2);
  expect(fronts.complaints).toContain(`simulator: ${line}`);
});

it('explains itself with --help', async () => {
  const fronts = run(['--help']);
  expect((await fronts.ended).code).toBe(0);
  for (const option of ['--fronts', '--instruments', '--hours', '--arrivals', '--bench', '--control-port']) {
    expect(fronts.output).toContain(option);
  }
});
