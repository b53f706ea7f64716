import { execFileSync } from 'node:child_process';
import { packagePath } from '../../src/paths.js';

/** Builds the native parts of the tests that are out of date and names one of them. */
export function builtNative(name: string): string {
  execFileSync('make', ['--no-print-directory', '-s', '-C', packagePath('test', 'native')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return packagePath('libs', 'bridge', 'build', 'test', `${name}.so`);
}
