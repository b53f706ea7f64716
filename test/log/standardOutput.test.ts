import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { childrenOf, GatewayProcess } from '../e2e/processes.js';
import { until } from '../helpers/until.js';
import { builtNative } from '../native/nativeBuild.js';

// A library that prints while it is loaded, and far more than a pipe holds when it is asked for a session.
const library = builtNative('odd_prints');
const connections = [{ connection_id: 'loud', front_addr: 'tcp://127.0.0.1:1' }];

let gateway: GatewayProcess | undefined;
afterEach(async () => {
  await gateway?.stop('SIGKILL');
});

it('of a vendor library becomes lines of the log, a few at a time', async () => {
  gateway = new GatewayProcess({ ctp_library: library, connections });
  await gateway.healthUntil('the error', (health) => health.connections[0]!.status === 'error');
  expect(await gateway.stop()).toBe(0);
  const messages = gateway.lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
  const printed = messages.filter((text) => text.startsWith('a vendor library prints: '));
  expect(printed.map((text) => text.slice(25)).slice(0, 4)).toEqual([
    'printed while loaded',
    '不合法',
    'without an end 0: so much that nobody could read it in time',
    '1: so much that nobody could read it in time',
  ]);
  expect(printed.length).toBeLessThan(100);
  expect(printed.at(-1)).toMatch(/\(after \d{2,} more lines\)$/);
  expect(messages).toContain('loud: the library made no session');
  expect(messages.at(-1)).toBe('stopped');
  expect(gateway.complaints).toContain('complained while loaded');
});

it('of a vendor library does not stand between the lines on a terminal', async () => {
  gateway = new GatewayProcess({ ctp_library: library, connections });
  await gateway.port();
  const config = `${gateway.folder}/config.json`;
  // `script` gives the program a terminal; the terminal's output is what it copies.
  const shown = execFileSync(
    'script',
    [
      '-qec',
      `timeout --preserve-status -s TERM 2 ${process.execPath} dist/src/main.js --config ${config}`,
      '/dev/null',
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
  for (const line of shown.split(/\r?\n/).filter((text) => text.trim() !== ''))
    expect(line).toMatch(/^(\[\d{4}-\d\d-\d\d |[^\w]*\[3\dm| {4}|complained|\S*\[\d+m)/);
  expect(shown).toContain('a vendor library prints: printed while loaded');
  expect(shown).not.toMatch(/^printed/m);
});

/** Whether O_NONBLOCK is set, by what /proc/PID/fdinfo/FD says. */
function isNonBlocking(fdinfo: string): boolean {
  return (parseInt(/flags:\s+(\d+)/.exec(fdinfo)![1]!, 8) & constants.O_NONBLOCK) !== 0;
}

const shells = [
  ['a pipe, meanwhile and afterwards', '{ PROGRAM; } | cat'],
  // Node gives its children sockets.
  ['a socket, afterwards', 'PROGRAM'],
] as const;
it.each(shells)('is left as it was for the shell that shares it: %s', async (_what, script) => {
  const folder = mkdtempSync(join(tmpdir(), 'qactpmd-shell-'));
  const config = join(folder, 'config.json');
  writeFileSync(
    config,
    JSON.stringify({
      websocket_host: '127.0.0.1',
      websocket_port: 0,
      flow_path: folder,
      connections: [{ connection_id: 'a', front_addr: 'sim://' }],
    }),
  );
  const program = `me=$BASHPID; echo shell $me; '${process.execPath}' dist/src/main.js --config '${config}'; \
    echo end $(grep flags /proc/$me/fdinfo/1)`;
  const shell = spawn('bash', ['-c', script.replace('PROGRAM', program)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(shell, 'close');
  let output = '';
  shell.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  await until('the gateway', () => output.includes('logged_in'));
  const pid = Number(/shell (\d+)/.exec(output)![1]);
  try {
    if (script.includes('|'))
      expect(isNonBlocking(readFileSync(`/proc/${pid}/fdinfo/1`, 'utf8'))).toBe(false);
  } finally {
    for (const child of childrenOf(pid)) process.kill(child);
    await ended;
    rmSync(folder, { recursive: true });
  }
  expect(output).toContain('"msg":"stopped"');
  expect(isNonBlocking(/end .*/.exec(output)![0])).toBe(false);
});

it('carries answers that are no log', () => {
  const answer = execFileSync(process.execPath, ['dist/src/main.js', '--version'], { encoding: 'utf8' });
  expect(answer).toMatch(/^\d+\.\d+\.\d+\n$/);
});
