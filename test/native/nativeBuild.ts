import { execFileSync } from 'node:child_process';
import { packagePath } from '../../src/base/paths.js';

/** Builds the native parts of the tests that are out of date and names one of them. */
export function builtNative(name: string): string {
  const folder = packagePath('test', 'native');
  // One at a time: test files run side by side.
  execFileSync('flock', [folder, 'make', '--no-print-directory', '-s', '-j2', '-C', folder], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return packagePath('libs', 'bridge', 'build', 'test', `${name}.so`);
}
