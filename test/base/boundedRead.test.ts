import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readBounded } from '../../src/base/boundedRead.js';
import { temporaryFolder } from '../config/sources.js';

function pipe(): string {
  const path = join(temporaryFolder(), 'pipe');
  execFileSync('mkfifo', [path]);
  return path;
}

function writer(path: string, command: string): void {
  const child = spawn('sh', ['-c', `${command} > "$0"`, path], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
}

describe('a bounded read', () => {
  it('gives a file up to its bound, and refuses one that is larger', () => {
    const path = join(temporaryFolder(), 'file');
    writeFileSync(path, 'x'.repeat(3_000_000));
    expect(readBounded(path, 3_000_000)).toHaveLength(3_000_000);
    expect(() => readBounded(path, 2 * 2 ** 20)).toThrow('has 3 MB, at most 2 MB are read');
    writeFileSync(path, 'x'.repeat(5000));
    expect(() => readBounded(path, 4096)).toThrow('has 5 kB, at most 4 kB are read');
    writeFileSync(path, '');
    expect(readBounded(path, 10)).toHaveLength(0);
  });

  it('gives files whose size the system does not know', () => {
    expect(readBounded('/proc/self/status', 100_000).toString()).toMatch(/^Name:/);
    expect(() => readBounded('/proc/self/status', 100)).toThrow(/^has more than the /);
  });

  it('refuses devices, folders and sockets', async () => {
    const folder = temporaryFolder();
    const server = createServer();
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(join(folder, 'socket'), resolve));
    expect(() => readBounded('/dev/zero', 10)).toThrow('is a device, not a file');
    expect(() => readBounded(folder, 10)).toThrow('is a folder, not a file');
    // The system does not even open it.
    expect(() => readBounded(join(folder, 'socket'), 10)).toThrow(/ENXIO/);
  });

  it('gives what comes out of a pipe up to its end, however slowly', () => {
    const path = pipe();
    writer(path, '(echo one; sleep 0.3; echo two)');
    expect(readBounded(path, 100).toString()).toBe('one\ntwo\n');
  });

  it('gives up a pipe that says nothing, and one that never ends', () => {
    expect(() => readBounded(pipe(), 100, 50)).toThrow(
      'is a pipe, and nothing has come out of it for 0.05 s',
    );
    const endless = pipe();
    writer(endless, 'cat /dev/zero');
    expect(() => readBounded(endless, 2 ** 20)).toThrow('has more than the 1 MB that are read');
  });
});
