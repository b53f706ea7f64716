import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type VendorLibrary, openVendorLibrary } from '../../src/ctp/bridge.js';
import { packagePath } from '../../src/base/paths.js';
import { builtNative } from '../native/nativeBuild.js';
import { generations, libraryOf, newestVerified } from '../helpers/generations.js';

let folder: string;
let good: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'qactpmd-library-'));
  good = builtNative('fake_newest');
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

function open(library: string, libraryVersion = '', production = true): VendorLibrary {
  return openVendorLibrary({ library, libraryVersion, production });
}

/** Names of the files in memory that this process holds open. */
function memoryFiles(): string[] {
  const targets = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ''; // the folder itself, read a moment ago
    }
  });
  return targets.filter((target) => target.startsWith('/memfd:'));
}

describe('opening a library', () => {
  it('tells its version, and takes the same file under another name for the same library', () => {
    const first = open(good);
    expect(first).toMatchObject({ version: 'fake v6.7.13_20260225 14:16:30.12079', warning: '' });
    expect(open(join(good, '..', '..', 'test', 'fake_newest.so')).handle).toBe(first.handle);
    expect(open(good, '', false).handle).not.toBe(first.handle);
  });

  it.each(generations)('takes generation %s beside the others', (generation) => {
    const path = libraryOf(generation);
    const { version, warning } = open(path);
    if (generation === '2013') {
      expect(version).toBe('');
      expect(warning).toContain('it tells no version: taken to be of the 2013 generation');
    } else {
      expect(version).toContain(generation);
      expect(warning).toBe('');
    }
  });

  it.each(['drop_in_qq', 'drop_in_tts'])('takes the version text of %s', (name) => {
    expect(open(builtNative(`odd_${name}`)).warning).toBe('');
  });

  it.each([
    ['newer', `is newer than ${newestVerified}`],
    ['unverified', 'callback order B by its build of 20190801 alone: what it exports does not tell'],
    ['drop_in_tts_old', 'callback order A by its version number alone'],
    ['silent', '2013 generation'],
  ])('warns about one that is %s', (name, warning) => {
    expect(open(builtNative(`odd_${name}`)).warning).toContain(warning);
  });

  it.each([
    ['nameless', '6.7.11', 'it says "unversioned"; taken to be 6.7.11, as ctp_version says'],
    ['drop_in_own', '6.3.15', 'it says "md-gate 1.2.3"; taken to be 6.3.15'],
    ['old', '6.3.13', 'taken to be 6.3.13'],
    [
      'undated',
      '6.3.19',
      'taken to be 6.3.19, as ctp_version says; callback order B by its version number alone',
    ],
    [
      'unheard_of',
      newestVerified,
      `taken to be ${newestVerified}, as ctp_version says; callback order B by every version from 6.5.0`,
    ],
    ['contradicting', '6.7.2', 'callback order A by its request class of 0x80 bytes, although every version'],
    ['silent_bb', '6.5.0', 'it tells no version; taken to be 6.5.0'],
    [
      'wrong_factory',
      newestVerified,
      'but it exports CreateFtdcMdApi(path, udp, multicast), which is called',
    ],
    ['wrong_factory_too', '6.7.11', 'taken to be 6.7.11'],
    ['silent', '2013', 'taken to be 2013'],
  ])('believes the user about one that is %s', (name, version, warning) => {
    expect(open(builtNative(`odd_${name}`), version).warning).toContain(warning);
  });

  it.each([
    ['6.3.15 with order B', 'b_of_6_3_15', ''],
    ['6.3.16 with order A', 'a_of_6_3_16', ''],
    ['6.3.6', 'a_of_6_3_6', ''],
    [
      '6.3.15 of late March 2019, by its date',
      'b_by_date',
      'callback order B by its build of 20190328 alone',
    ],
    [
      '6.3.16 of early March 2019, by its date',
      'a_by_date',
      'callback order A by its build of 20190305 alone',
    ],
    [
      'one that exports the multicast query',
      'multicast_alone',
      'order B by the multicast query that it exports, although',
    ],
    [
      'one whose exports belie its version',
      'contradicting',
      'order A by its request class of 0x80 bytes, although every',
    ],
    ['one of 2013 that exports its request class', 'year_2013', '2013 generation'],
  ])('takes %s', (_what, name, warning) => {
    const opened = open(builtNative(`odd_${name}`)).warning;
    if (warning === '') expect(opened).toBe('');
    else expect(opened).toContain(warning);
  });

  it('loads a library that needs another one beside it from its own place, with a warning and no copy kept', () => {
    const { warning } = open(builtNative('odd_beside'));
    expect(warning).toMatch(
      /no copy of it could be loaded \(odd_nameless.so: cannot open.*do not overwrite the file/,
    );
    expect(memoryFiles().filter((name) => name.includes('odd_beside'))).toEqual([]);
  });

  it('keeps the copy that it has loaded', () => {
    open(file('copied.so', readFileSync(good)));
    expect(memoryFiles().filter((name) => name.includes('copied'))).toHaveLength(1);
  });

  it('loads a changed file again where the one before was refused', () => {
    const path = file('mended.so', readFileSync(builtNative('odd_nameless')));
    expect(() => open(path)).toThrow('names no version');
    writeFileSync(path, readFileSync(good));
    expect(open(path).version).toContain(newestVerified);
  });

  it('keeps the library that is open, whatever becomes of its file', () => {
    const path = file('overwritten.so', readFileSync(good));
    const { handle } = open(path);
    writeFileSync(path, 'no library');
    expect(open(path).handle).toBe(handle);
    expect(open(path, '', false).version).toContain(newestVerified);
  });

  it('finds its own functions before those that Node exports under the same names', () => {
    expect(open(builtNative('odd_own_openssl')).version).toBe('v6.7.13_20260225');
  });

  it('says where there is no choice between production and evaluation', () => {
    expect(open(builtNative('odd_drop_in_qq'), '', false).warning).toContain('production_mode false changes');
    expect(open(good, '', false).warning).toBe('');
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
    ['CTP Mini', () => builtNative('odd_mini'), 'CTP Mini, another product'],
    ['a library for stock options', () => builtNative('odd_options'), 'stock options, another product'],
    ['one of its own namespace', () => builtNative('odd_options_too'), 'stock options, another product'],
    ['CTP Mini with a short version', () => builtNative('odd_mini_short'), 'CTP Mini, another product; CTP'],
    [
      'a library for ETF options',
      () => builtNative('odd_etf_options'),
      'CTP for ETF options, another product',
    ],
    ['a version that is too old', () => builtNative('odd_old'), `6.3.0 to ${newestVerified} are`],
    [
      'one of before 2013',
      () => builtNative('odd_before_2013'),
      'older than 2013 (its request class has 0x60',
    ],
    ['one of early 2014', () => builtNative('odd_early_2014'), 'of early 2014, or another product'],
    [
      'a version without date between the orders',
      () => builtNative('odd_undated'),
      'tell its callback order; if',
    ],
    ['the version of another maker', () => builtNative('odd_drop_in_own'), 'ctp_version'],
    ['a text without a version', () => builtNative('odd_nameless'), '"unversioned" names no version'],
    [
      'a library that tells no version',
      () => builtNative('odd_silent_bb'),
      'it tells no version; if you know',
    ],
    ['a version with the factory of another', () => builtNative('odd_wrong_factory'), 'should export'],
    ['a version with a later factory', () => builtNative('odd_wrong_factory_too'), 'should export'],
    ['a library that throws', () => builtNative('odd_throwing_version'), 'when it was asked for its version'],
    [
      'one that crashes',
      () => builtNative('odd_crashes'),
      'crashed (Segmentation fault) while it was loaded',
    ],
    [
      'one that throws while loaded',
      () => builtNative('odd_throws'),
      'crashed (Aborted) while it was loaded',
    ],
    ['one that ends the process', () => builtNative('odd_exits'), 'ended the process while it was loaded'],
    [
      'one that crashes over a session',
      () => builtNative('odd_crashes_at_create'),
      'crashed (Segmentation fault) when it was asked for a session',
    ],
    [
      'one that exits over a session',
      () => builtNative('odd_exits_at_create'),
      'ended the process when it was',
    ],
    [
      'one that lacks a function',
      () => builtNative('odd_undefined_symbol'),
      'undefined symbol: absent_function',
    ],
  ];
  it.each(damaged)('refuses %s by name', (_what, path, reason) => {
    const name = path();
    expect(() => open(name)).toThrow(reason);
    expect(() => open(name)).toThrow(name);
  });

  it('refuses another product whatever the user says, and a version that never was', () => {
    for (const name of ['odd_mini', 'odd_mini_short', 'odd_options', 'odd_options_too', 'odd_etf_options'])
      expect(() => open(builtNative(name), '6.7.2')).toThrow('another product');
    for (const name of ['odd_before_2013', 'odd_early_2014'])
      expect(() => open(builtNative(name), '6.7.2')).toThrow('is not supported');
    expect(() => open(builtNative('odd_nameless'), '5.0.0')).toThrow('ctp_version "5.0.0" is not supported');
  });
});
