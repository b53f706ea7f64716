import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openVendorLibrary } from '../../src/ctp/bridge.js';
import { packagePath } from '../../src/paths.js';
import { builtNative } from '../native/nativeBuild.js';

let folder: string;
let good: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'qactpmd-library-'));
  good = builtNative('fake_6_7_13');
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: Buffer | string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** The good library with some bytes of its ELF header changed. */
function patched(name: string, changes: Record<number, number>): string {
  const bytes = readFileSync(good);
  for (const [offset, value] of Object.entries(changes)) bytes[Number(offset)] = value;
  return file(name, bytes);
}

describe('opening a library', () => {
  it('tells its version, and takes the same file under another name for the same library', () => {
    const first = openVendorLibrary(good);
    expect(first).toMatchObject({ version: 'fake v6.7.13_20260225 14:16:30.12079', warning: '' });
    expect(openVendorLibrary(join(good, '..', '..', 'test', 'fake_6_7_13.so')).handle).toBe(first.handle);
  });

  it('warns about a version that is newer than what was verified', () => {
    expect(openVendorLibrary(builtNative('fake_newer')).warning).toContain('newer than 6.7.13');
  });

  it.each(['fake_6_7_2', 'fake_6_3_15'])('takes %s as it is', (name) => {
    expect(openVendorLibrary(builtNative(name)).warning).toBe('');
  });

  const damaged: [string, () => string, string][] = [
    ['a missing file', () => join(folder, 'absent.so'), 'no such file'],
    ['a folder', () => folder, 'not a file'],
    ['an empty file', () => file('empty.so', ''), 'not a Linux shared library'],
    ['a text file', () => file('text.so', 'version https://git-lfs.github.com/spec/v1\n'), 'no ELF header'],
    [
      'a Windows library',
      () => file('windows.so', Buffer.from('MZ\x90\0'.repeat(40), 'latin1')),
      'no ELF header',
    ],
    [
      'a library for ARM64',
      () => patched('arm64.so', { 18: 183 }),
      'built for ARM64 (aarch64), x86-64 is needed',
    ],
    ['a library for 32-bit x86', () => patched('x86.so', { 4: 1, 18: 3 }), 'built for 32-bit x86'],
    ['a library for a machine unheard of', () => patched('odd.so', { 18: 99, 19: 1 }), 'machine type 355'],
    ['a big-endian library', () => patched('big.so', { 5: 2 }), 'big-endian'],
    ['a program', () => patched('program.so', { 16: 2 }), 'not a shared library'],
    ['a header cut short', () => file('short.so', readFileSync(good).subarray(0, 18)), 'cut short'],
    [
      'a library cut short',
      () => file('half.so', readFileSync(good).subarray(0, 4096)),
      'smaller than its headers say',
    ],
    [
      'a library of another kind',
      () => packagePath('libs', 'bridge', 'build', 'libqactpmd_bridge.so'),
      'does not export',
    ],
    ['a library of 2013', () => builtNative('fake_2013'), '2013 generation'],
    ['CTP Mini', () => builtNative('fake_mini'), 'CTP Mini, another product'],
    ['a library for stock options', () => builtNative('fake_options'), 'stock options, another product'],
    ['a version that is too old', () => builtNative('fake_old'), '6.3.13 to 6.7.13 are'],
    ['a library that tells no version', () => builtNative('fake_nameless'), '"unversioned" names no version'],
    ['a version with the factory of another', () => builtNative('fake_wrong_factory'), 'should export'],
  ];
  it.each(damaged)('refuses %s by name', (_what, path, reason) => {
    const name = path();
    expect(() => openVendorLibrary(name)).toThrow(reason);
    expect(() => openVendorLibrary(name)).toThrow(name);
  });
});
