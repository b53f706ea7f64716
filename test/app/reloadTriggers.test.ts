import { execFileSync, spawn } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { GatewayConfig } from '../../src/config/gatewayConfig.js';
import { loadConfig } from '../../src/config/load.js';
import { planReload, runningAfter, summarize } from '../../src/config/reload.js';
import { Reloads } from '../../src/app/reloadTriggers.js';
import { connection, temporaryFolder } from '../config/sources.js';

const pace = { lookMs: 20, settleMs: 20 };
const two = { ...connection, connection_id: 'two' };

interface Run {
  readonly cwd: string;
  readonly lines: string[];
  readonly reloads: Reloads;
  /** What the gateway would run with. */
  readonly running: () => GatewayConfig;
  readonly begin: () => void;
  readonly write: (content: object | string) => void;
}

/** Reloads of a file, with all of a gateway's part in them but the connections themselves. */
function run(file: object, cwd = temporaryFolder()): Run {
  const write = (content: object | string): void => {
    const path = join(cwd, 'gateway.json');
    writeFileSync(`${path}.new`, typeof content === 'string' ? content : JSON.stringify(content));
    renameSync(`${path}.new`, path);
  };
  write(file);
  const sources = { file: 'gateway.json', args: {}, env: {}, cwd };
  let running = loadConfig(sources);
  const lines: string[] = [];
  const log = pino(
    { base: null, timestamp: false, formatters: { level: (level) => ({ level }) } },
    {
      write: (line: string) => {
        const { level, msg } = JSON.parse(line) as { level: string; msg: string };
        lines.push(`${level} ${msg}`);
      },
    },
  );
  const reloads = new Reloads(sources, running, log, pace);
  onTestFinished(() => reloads.close());
  const begin = (): void => {
    reloads.begin(() => {
      const next = reloads.load();
      const plan = planReload(running, next);
      running = runningAfter(running, next);
      return summarize(plan, next);
    });
  };
  return { cwd, lines, reloads, running: () => running, begin, write };
}

function logged(lines: readonly string[], expected: readonly string[]): Promise<void> {
  return vi.waitFor(() => expect(lines).toEqual(expected), { timeout: 20_000, interval: 10 });
}

describe('a reload that is asked for', () => {
  const quiet = { config_watch: false };

  it('logs a line for each kind of change', () => {
    const three = { ...connection, connection_id: 'three' };
    const four = { ...connection, connection_id: 'four' };
    const { lines, reloads, begin, write } = run({ ...quiet, connections: [connection, two, three] });
    begin();
    write({
      ...quiet,
      redundancy: 2,
      log_level: 'debug',
      websocket_port: 1,
      connections: [{ ...connection, priority: 2 }, { ...two, broker_id: '1' }, four],
    });
    reloads.request('SIGHUP');
    expect(lines).toEqual([
      'info SIGHUP: connections added: four',
      'info SIGHUP: connections removed: three',
      'info SIGHUP: connections that log in anew: two',
      'info SIGHUP: connections changed without a new login: one',
      'info SIGHUP: settings changed: redundancy, log_level',
      'warn SIGHUP: these need a restart and stay as they were: websocket_port',
    ]);
  });

  it('says so when nothing has changed, and shortens long lists', () => {
    const { lines, reloads, begin, write } = run({ ...quiet, connections: [connection] });
    begin();
    reloads.request('SIGHUP');
    expect(lines.splice(0)).toEqual(['info SIGHUP: nothing has changed']);
    const many = Array.from({ length: 96 }, (_, index) => ({ ...connection, connection_id: `c${index}` }));
    write({ ...quiet, connections: [connection, ...many] });
    reloads.request('SIGHUP');
    expect(lines[0]).toMatch(/^info SIGHUP: connections added: c0, c1, .*, c19 and 76 more$/);
  });

  it('names everything that is wrong, and changes nothing', () => {
    const { lines, reloads, running, begin, write } = run({ ...quiet, connections: [connection] });
    begin();
    const before = running();
    write({ ...quiet, redundancy: 9, connections: [two, two] });
    reloads.request('SIGHUP');
    expect(lines.splice(0)).toEqual([
      'error SIGHUP: refused, nothing was changed: gateway.json: redundancy: must be an integer from 1 to 8, not 9',
      'error SIGHUP: refused, nothing was changed: gateway.json: connections[1].connection_id: "two" is taken by connections[0]',
    ]);
    write('{');
    reloads.request('SIGHUP');
    expect(lines.splice(0)).toHaveLength(1);
    expect(running()).toBe(before);
    write({ ...quiet, connections: [two] });
    reloads.request('SIGHUP');
    expect(lines[0]).toBe('info SIGHUP: connections added: two');
  });

  it('waits for nobody to write into a pipe, and keeps what one has given at the start', () => {
    const cwd = temporaryFolder();
    execFileSync(
      'mkfifo',
      ['known', 'new'].map((name) => join(cwd, name)),
    );
    const writer = spawn('sh', ['-c', 'echo secret > known'], { cwd });
    onTestFinished(() => void writer.kill('SIGKILL'));
    const withPassword = (password_file: string): object => ({
      ...quiet,
      connections: [{ ...connection, password_file }],
    });
    const { lines, reloads, running, begin, write } = run(withPassword('known'), cwd);
    begin();
    write(withPassword('new'));
    reloads.request('SIGHUP');
    expect(lines.splice(0)).toEqual([
      `error SIGHUP: refused, nothing was changed: gateway.json: connections[0].password_file: ${join(cwd, 'new')}: is a pipe, and pipes are read at the start alone: name a file, or start anew`,
    ]);
    write(withPassword('known'));
    reloads.request('SIGHUP');
    expect(lines).toEqual(['info SIGHUP: nothing has changed']);
    expect(running().connections[0]!.password).toBe('secret');
  });

  it('is done once the gateway can when it comes too early, and not any more after the end', () => {
    const { lines, reloads, begin, write } = run({ ...quiet, connections: [connection] });
    write({ ...quiet, connections: [connection, two] });
    reloads.request('SIGHUP');
    reloads.request('SIGHUP');
    expect(lines).toEqual([]);
    begin();
    expect(lines).toEqual(['info SIGHUP: connections added: two']);
    reloads.close();
    reloads.close();
    reloads.request('SIGHUP');
    expect(lines).toHaveLength(1);
  });

  it('logs a failure of another kind in one line', () => {
    const { lines, reloads } = run({ ...quiet, connections: [connection] });
    reloads.begin(() => {
      throw new Error('the gateway is stopping');
    });
    reloads.request('SIGHUP');
    expect(lines).toEqual(['error SIGHUP: no reload: the gateway is stopping']);
  });

  it('logs warnings that are new', () => {
    const simulator = { fronts: 1, base_port: 22_001 };
    const { lines, reloads, begin, write } = run({ ...quiet, simulator });
    begin();
    write({ ...quiet, simulator, connections: [connection] });
    reloads.request('SIGHUP');
    expect(lines.splice(0)[0]).toMatch(/^warn connection one: no simulated front has the port/);
    reloads.request('SIGHUP');
    expect(lines).toEqual(['info SIGHUP: nothing has changed']);
  });
});

describe('a file that changes', () => {
  it('is taken over, again and again', async () => {
    const { lines, begin, write } = run({ connections: [connection] });
    begin();
    write({ connections: [connection, two] });
    await logged(lines, ['info gateway.json has changed: connections added: two']);
    lines.length = 0;
    write({ connections: [two] });
    await logged(lines, ['info gateway.json has changed: connections removed: one']);
  });

  it('is not looked at any more once config_watch is off, and is again when it is on', async () => {
    const { lines, reloads, begin, write } = run({ connections: [connection] });
    begin();
    write({ connections: [connection], config_watch: false });
    await logged(lines, ['info gateway.json has changed: settings changed: config_watch']);
    write({ connections: [connection, two], config_watch: false });
    const witness = run({ connections: [connection] });
    witness.begin();
    witness.write({ connections: [connection, two] });
    await logged(witness.lines, ['info gateway.json has changed: connections added: two']);
    expect(lines.splice(0)).toHaveLength(1);
    write({ connections: [connection] });
    reloads.request('SIGHUP');
    expect(lines.splice(0)).toEqual(['info SIGHUP: settings changed: config_watch']);
    write({ connections: [two] });
    await logged(lines, [
      'info gateway.json has changed: connections added: two',
      'info gateway.json has changed: connections removed: one',
    ]);
  });
});

describe('a file that the configuration names', () => {
  it('is watched as its own file is: a password that is rotated logs in again', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'secret'), 'old\n');
    const { lines, running, begin } = run(
      { connections: [{ ...connection, password_file: 'secret' }, two] },
      cwd,
    );
    begin();
    writeFileSync(join(cwd, 'secret.new'), 'new\n');
    renameSync(join(cwd, 'secret.new'), join(cwd, 'secret'));
    await logged(lines, ['info secret has changed: connections that log in anew: one']);
    expect(running().connections[0]).toMatchObject({ password: 'new' });
  });

  it('says what needs a restart', async () => {
    const cwd = temporaryFolder();
    const pem = (text: string): string => `-----BEGIN CERTIFICATE-----\n${text}\n`;
    const tls = { ca: 'ca.pem', cert: 'cert.pem', key: 'key.pem' };
    for (const name of Object.values(tls)) writeFileSync(join(cwd, name), pem('old'));
    writeFileSync(join(cwd, 'products.json'), '[]');
    const { lines, begin } = run(
      {
        connections: [connection],
        products_file: 'products.json',
        redis_tls: true,
        ...Object.fromEntries(Object.entries(tls).map(([key, name]) => [`redis_tls_${key}_file`, name])),
      },
      cwd,
    );
    begin();
    writeFileSync(join(cwd, 'products.json'), '[{"product": "ZC", "remove": true}]');
    const restart = 'these need a restart and stay as they were';
    await logged(lines, [`warn products.json has changed: ${restart}: products_file`]);
    lines.length = 0;
    for (const name of Object.values(tls)) writeFileSync(join(cwd, name), pem('new'));
    // Files that are written one after the other may be seen so.
    await vi.waitFor(() => expect(lines.join()).toContain('redis_tls'), { timeout: 20_000, interval: 10 });
    expect(lines[0]).toMatch(
      /^warn .*\.pem.* ha(?:s|ve) changed: these need a restart .*: products_file, redis_tls$/,
    );
  });

  it('is watched after a refusal too, for it may be what mends it', async () => {
    const cwd = temporaryFolder();
    const { lines, begin, write } = run({ connections: [connection] }, cwd);
    begin();
    write({ connections: [{ ...connection, password_file: 'later' }], calendar_file: 'holidays.json' });
    await vi.waitFor(() => expect(lines).toHaveLength(2), { timeout: 20_000, interval: 10 });
    expect(lines[0]).toMatch(/^error gateway.json has changed: refused, nothing was changed: .*later/);
    writeFileSync(join(cwd, 'later'), 'here');
    await vi.waitFor(() => expect(lines).toHaveLength(3), { timeout: 20_000, interval: 10 });
    expect(lines[2]).toMatch(
      /^error later has changed: refused, nothing was changed: gateway.json: calendar_file: /,
    );
    writeFileSync(join(cwd, 'holidays.json'), '{"years": {"2030": [20300101]}}');
    await vi.waitFor(() => expect(lines).toHaveLength(5), { timeout: 20_000, interval: 10 });
    expect(lines.slice(3)).toEqual([
      'info holidays.json has changed: connections that log in anew: one',
      'info holidays.json has changed: settings changed: calendar_file',
    ]);
  });

  it('is no longer watched once nothing names it', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'list.csv'), 'instrument_id\nm2805-C-3000\n');
    const { lines, begin, write } = run({ connections: [connection], import_instruments: ['list.csv'] }, cwd);
    begin();
    writeFileSync(join(cwd, 'list.csv'), 'instrument_id\nm2805-C-3100\n');
    await logged(lines, ['info list.csv has changed: settings changed: import_instruments']);
    lines.length = 0;
    write({ connections: [connection] });
    await logged(lines, ['info gateway.json has changed: settings changed: import_instruments']);
    writeFileSync(join(cwd, 'list.csv'), 'instrument_id\nm2805-C-3200\n');
    write({ connections: [connection, two] });
    await logged(lines, [
      'info gateway.json has changed: settings changed: import_instruments',
      'info gateway.json has changed: connections added: two',
    ]);
  });
});
