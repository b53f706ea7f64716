import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, statSync, unlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { socketPathIn } from '../../src/base/privateSocket.js';
import { parseProfileCommand, ProfileServer, profileSocketName } from '../../src/profile/profileServer.js';
import { TickTrace, type TickTraceReport } from '../../src/profile/tickTrace.js';
import { temporaryFolder } from '../config/sources.js';

const logger = pino({ level: 'silent' });
const trace = new TickTrace((slot) => `slot ${slot}`);

async function open(path = join(temporaryFolder(), 'flow', 'profile.sock')): Promise<ProfileServer> {
  const server = await ProfileServer.open(path, logger, trace);
  onTestFinished(() => server.close());
  return server;
}

/** Sends one line and reads the answer to its end. */
async function ask(path: string, line: string): Promise<string> {
  const socket = connect({ path, allowHalfOpen: true });
  socket.end(line);
  return text(socket);
}

describe('the socket', () => {
  it('admits its own user alone and leaves nothing else in the folder', async () => {
    const { path } = await open();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(path).isSocket()).toBe(true);
    expect(readdirSync(join(path, '..'))).toEqual(['profile.sock']);
  });

  it('is gone after close, which may be called again', async () => {
    const server = await open();
    await server.close();
    await server.close();
    expect(existsSync(server.path)).toBe(false);
  });

  it('of a live process is refused and left alone', async () => {
    const { path } = await open();
    await expect(ProfileServer.open(path, logger, trace)).rejects.toThrow(
      `${path} belongs to a process that is running`,
    );
    expect(await ask(path, 'nonsense\n')).toMatch(/^error: /);
  });

  it('of a dead process is replaced', async () => {
    const path = join(temporaryFolder(), 'profile.sock');
    const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    await once(spawn(process.execPath, ['-e', script]), 'exit');
    expect(statSync(path).isSocket()).toBe(true);
    await open(path);
    expect(await ask(path, 'nonsense\n')).toMatch(/^error: /);
  });

  it('does not replace what is no socket, or a path that is too long', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'taken'));
    await expect(ProfileServer.open(join(folder, 'taken'), logger, trace)).rejects.toThrow('taken');
    const long = join(folder, 'x'.repeat(120));
    await expect(ProfileServer.open(long, logger, trace)).rejects.toThrow('is too long for a Unix socket');
    expect(readdirSync(folder)).toEqual(['taken']);
  });

  it('of another process at the same path survives the close of this one', async () => {
    const server = await open();
    const other = createServer();
    onTestFinished(() => void other.close());
    unlinkSync(server.path);
    other.listen(server.path);
    await once(other, 'listening');
    await server.close();
    expect(existsSync(server.path)).toBe(true);
  });
});

describe('its path', () => {
  it('is in the flow folder, or in the runtime folder where that is too deep', () => {
    const env = { XDG_RUNTIME_DIR: '/run/user/1' };
    expect(socketPathIn('/srv/ctpflow', profileSocketName, env)).toBe('/srv/ctpflow/profile.sock');
    expect(socketPathIn(`/${'x'.repeat(100)}`, profileSocketName, env)).toBe(
      '/run/user/1/qactpmdgateway-profile.sock',
    );
  });
});

describe('the commands', () => {
  it('are cpu with seconds and heap', () => {
    expect(parseProfileCommand('cpu')).toEqual({ kind: 'cpu', seconds: 10 });
    expect(parseProfileCommand(' cpu  30\r')).toEqual({ kind: 'cpu', seconds: 30 });
    expect(parseProfileCommand('heap')).toEqual({ kind: 'heap' });
    expect(parseProfileCommand('ticks')).toEqual({ kind: 'ticks', seconds: 10, oneIn: 64 });
    expect(parseProfileCommand('ticks 5 1')).toEqual({ kind: 'ticks', seconds: 5, oneIn: 1 });
    for (const odd of [
      '',
      'ticks 5 0',
      'ticks 1 2 3',
      'cpu 0',
      'cpu 301',
      'cpu 1.5',
      'cpu -1',
      'cpu 1 2',
      'heap 1',
      'HEAP',
      'cpu 1e2',
    ])
      expect(parseProfileCommand(odd)).toBeUndefined();
  });

  it('ticks answers with a report of the time that was asked for', async () => {
    const { path } = await open();
    const report = JSON.parse(await ask(path, 'ticks 1 8\n')) as TickTraceReport;
    expect(report).toMatchObject({ one_in: 8, samples: [] });
    expect(report.loop_delay_ms.max).toBeGreaterThan(0);
  });

  it('cpu answers with a .cpuprofile', async () => {
    const { path } = await open();
    const profile = JSON.parse(await ask(path, 'cpu 1\n')) as Record<string, unknown>;
    expect(Object.keys(profile)).toEqual(
      expect.arrayContaining(['nodes', 'startTime', 'endTime', 'samples']),
    );
    expect(Number(profile['endTime']) - Number(profile['startTime'])).toBeGreaterThan(0);
  });

  it('heap answers with a .heapsnapshot', async () => {
    const { path } = await open();
    const snapshot = JSON.parse(await ask(path, 'heap')) as Record<string, unknown>;
    expect(Object.keys(snapshot)).toEqual(expect.arrayContaining(['snapshot', 'nodes', 'edges', 'strings']));
  });

  it('refuse what they do not know with one line', async () => {
    const { path } = await open();
    const line =
      'error: commands are "cpu [seconds]", "heap" and "ticks [seconds [one in so many]]", seconds from 1 to 300\n';
    expect(await ask(path, 'dance\n')).toBe(line);
    expect(await ask(path, '')).toBe(line);
    expect(await ask(path, 'x'.repeat(100_000))).toBe(line);
  });

  it('are carried out one at a time', async () => {
    const { path } = await open();
    const first = connect({ path, allowHalfOpen: true });
    first.write('cpu 300\n');
    await expect
      .poll(() => ask(path, 'cpu 1\n'), { timeout: 10_000 })
      .toBe('error: another profile is being taken, try again later\n');
    first.destroy();
    // The abandoned profile ends when its client leaves, so that the next one has a turn.
    await expect.poll(() => ask(path, 'cpu 1\n'), { timeout: 10_000 }).toMatch(/^ *\{/);
  });

  it('end with the server in the middle of a profile', async () => {
    const server = await open();
    const client = connect(server.path);
    client.on('error', () => client.destroy());
    client.resume();
    client.write('cpu 300\n');
    await expect.poll(() => ask(server.path, 'cpu 1\n'), { timeout: 10_000 }).toMatch(/^error: another/);
    const closed = once(client, 'close');
    await server.close();
    await closed;
  });
});
