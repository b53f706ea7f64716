import { execFileSync } from 'node:child_process';
import { release } from 'node:os';
import { expect, it } from 'vitest';
import { packagePath } from '../../src/base/paths.js';

const [major = 0, minor = 0] = release().split('.').map(Number);
/** Kernels before 6.12 take the call and ignore the slice. */
const hasSlices = major > 6 || (major === 6 && minor >= 12);

/** Nice value and slice in ns of a process' main thread after some statements. */
function after(statements: string, ...under: string[]): { policy: number; nice: number; slice: number } {
  const program = `
    import koffi from 'koffi';
    import { getPriority } from 'node:os';
    import { useShortSlices, runInBackground } from ${JSON.stringify(packagePath('dist', 'src', 'base', 'threadPriority.js'))};
    ${statements}
    const attributes = Buffer.alloc(48);
    const getattr = koffi.load('libc.so.6').func('long syscall(long, long, void *, unsigned long, unsigned long)');
    getattr(315, 0, attributes, 48, 0);
    console.log(JSON.stringify({ policy: attributes.readUInt32LE(4), nice: getPriority(), slice: Number(attributes.readBigUInt64LE(24)) }));`;
  const options = { cwd: packagePath(), encoding: 'utf8' } as const;
  const command = [...under, process.execPath, '--input-type=module', '-e', program] as const;
  return JSON.parse(execFileSync(command[0], command.slice(1), options)) as ReturnType<typeof after>;
}

it('threads that ticks go through have the shortest slice, at the priority that they had', () => {
  const { nice, slice } = after('useShortSlices();');
  expect(nice).toBe(after('').nice);
  if (hasSlices) expect(slice).toBe(100_000);
});

it('threads in the background have a lower priority and a long slice, whatever they have inherited', () => {
  const { nice, slice } = after('useShortSlices(); runInBackground();');
  expect(nice).toBeGreaterThanOrEqual(10);
  if (hasSlices) expect(slice).toBe(10_000_000);
});

it('a priority that is lower already stays', () => {
  expect(after("(await import('node:os')).setPriority(15); runInBackground();").nice).toBe(15);
});

it('the policy stays that anyone who started the process has chosen', () => {
  const batch = ['chrt', '--batch', '0'];
  const { policy } = after('', ...batch);
  expect(policy).not.toBe(after('').policy);
  expect(after('useShortSlices();', ...batch).policy).toBe(policy);
  expect(after('runInBackground();', ...batch).policy).toBe(policy);
});
