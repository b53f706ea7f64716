import { execFileSync } from 'node:child_process';
import { afterEach, expect, it } from 'vitest';
import { GatewayProcess } from './e2e/processes.js';
import { builtNative } from './native/nativeBuild.js';

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

it('carries answers that are no log', () => {
  const answer = execFileSync(process.execPath, ['dist/src/main.js', '--version'], { encoding: 'utf8' });
  expect(answer).toMatch(/^\d+\.\d+\.\d+\n$/);
});
