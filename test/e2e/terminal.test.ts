import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { packagePath } from '../../src/base/paths.js';
import type { StatusReport } from '../../src/server/http/status.js';
import { until, untilIs } from '../helpers/until.js';
import { askManagement, isAlive } from './processes.js';

let folder: string;
let terminal: ChildProcess;
let gatewayPid: number | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'qactpmd-terminal-'));
});

afterEach(() => {
  terminal.kill('SIGKILL');
  if (gatewayPid !== undefined && isAlive(gatewayPid)) process.kill(gatewayPid, 'SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

it('a gateway whose terminal is closed runs on, and ends in order', async () => {
  const file = join(folder, 'config.json');
  const end = join(folder, 'end');
  const connections = [{ connection_id: 'sim', front_addr: 'sim://' }];
  writeFileSync(
    file,
    JSON.stringify({ websocket_host: '127.0.0.1', websocket_port: 0, flow_path: folder, connections }),
  );
  // The shell outlives the terminal and keeps the exit code; what it ignores, the program does not.
  const gateway = `'${process.execPath}' '${packagePath('dist', 'src', 'main.js')}' --config '${file}'`;
  const command = `trap '' HUP; ${gateway}; echo $? > '${end}'`;
  const shell = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['ignore', 'pipe', 'inherit'] });
  terminal = shell;
  let shown = '';
  shell.stdout.on('data', (piece: Buffer) => (shown += piece.toString()));
  const found = await until('the port', () => /"port":(\d+)/.exec(stripVTControlCharacters(shown)));
  const ask = (method: 'GET' | 'POST', path: string): ReturnType<typeof askManagement> =>
    askManagement(folder, Number(found[1]), method, path);
  const report = async (): Promise<StatusReport> => (await ask('GET', '/api/status')).body as StatusReport;
  gatewayPid = (await report()).pid;
  await untilIs('the login', async () => (await report()).status, 'healthy');

  shell.kill('SIGKILL');
  await once(shell, 'close');
  // It logs to nowhere.
  expect((await ask('POST', '/api/reload')).code).toBe(200);
  expect((await report()).status).toBe('healthy');
  process.kill(gatewayPid, 'SIGTERM');
  expect(await until('its end', () => existsSync(end) && readFileSync(end, 'utf8'))).toBe('0\n');
});
