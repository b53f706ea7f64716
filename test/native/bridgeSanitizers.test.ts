import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { packagePath } from '../../src/base/paths.js';

const rounds = 30;
const fakes = ['fake_newest', 'fake_6_3_15', 'fake_2013'];
const buildDeadlineMs = 120_000;

it.each(['address,undefined', 'thread'])(
  'bridge, rings and doorbells are clean under the sanitizer: %s',
  async (sanitizer) => {
    const make = ['-s', '-j2', '-f', 'sanitized.mk', `SANITIZER=${sanitizer}`];
    execFileSync('make', make, {
      cwd: packagePath('test', 'native'),
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const built = packagePath('libs', 'bridge', 'build', 'test', sanitizer.replace(',', '-'));
    const folder = mkdtempSync(join(tmpdir(), 'qactpmd-stress-'));
    try {
      const libraries = fakes.map((name) => join(built, `${name}.so`));
      const args = [folder, String(rounds), ...libraries];
      const { stdout, stderr } = await promisify(execFile)(join(built, 'bridge_stress'), args);
      expect(stderr).toBe('');
      expect(stdout).toBe(`${rounds * fakes.length} sessions of ${fakes.length} libraries\n`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
  buildDeadlineMs,
);
