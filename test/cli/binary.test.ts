import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { packagePath } from '../../src/base/paths.js';

/** Runs the compiled program, as an installed `qactpmdgateway` would be. */
async function program(...argv: string[]): Promise<{ code: unknown; out: string; err: string }> {
  const child = spawn(process.execPath, [packagePath('dist', 'src', 'main.js'), ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  });
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<unknown[]>,
  ]);
  return { code, out, err };
}

describe('the program', () => {
  it('prints its answers in full and ends with 0', async () => {
    expect(await program('--version')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string,
    });
    const { code, out } = await program('--help');
    expect(code).toBe(0);
    expect(out.endsWith('\n')).toBe(true);
    expect(out).toContain('--import-brokers');
  });

  it('ends with 2 for a bad command line and 1 for a bad configuration, before it starts anything', async () => {
    expect(await program('--prt', '1')).toEqual({
      code: 2,
      out: '',
      err: 'qactpmdgateway: unknown option --prt, did you mean --port?\n',
    });
    expect(await program('--config', '/no/such.json')).toEqual({
      code: 1,
      out: '',
      err: 'qactpmdgateway: /no/such.json: there is no such file\n',
    });
  });

  it('ends with 2 when --status finds no gateway', async () => {
    const { code, out } = await program('--status', '--port', '1');
    expect(code).toBe(2);
    expect(out).toBe('');
  });
});
