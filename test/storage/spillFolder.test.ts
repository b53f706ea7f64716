import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packagePath } from '../../src/base/paths.js';
import { SpillFolder } from '../../src/storage/spill/spillFolder.js';
import { until } from '../helpers/until.js';
import { temporarySpill } from './running.js';

const megabyte = 1024 * 1024;
const text = 'y'.repeat(200);

function numbersIn(folder: SpillFolder): number[] {
  const numbers: number[] = [];
  for (let lines = folder.read(); lines.length > 0; lines = folder.read())
    numbers.push(...lines.map(({ n }) => n));
  return numbers;
}

const script = (name: string): string => packagePath('test', 'storage', `${name}.js`);

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

describe('a spill folder', () => {
  it('gives back in order what it was given, however appending and reading take turns', () => {
    const steps = fc.array(fc.record({ append: fc.nat(9000), reads: fc.nat(3) }), { maxLength: 8 });
    fc.assert(
      fc.property(steps, (list) => {
        const folder = SpillFolder.open(temporarySpill(), 1000 * megabyte, 'run');
        let appended = 0;
        const read: number[] = [];
        for (const { append, reads } of list) {
          for (let i = 0; i < append; i++) if (folder.append(appended, 'SHFE.rb2605', text)) appended++;
          for (let i = 0; i < reads; i++) read.push(...folder.read().map(({ n }) => n));
          expect(folder.length).toBe(appended - read.length);
        }
        read.push(...numbersIn(folder));
        expect(read).toEqual(range(0, appended));
        expect([folder.isEmpty, folder.length, folder.damaged]).toEqual([true, 0, 0]);
        folder.close();
      }),
      { numRuns: 10 },
    );
  });

  it('takes no more than its size, and more again when some of it has been read', () => {
    const path = temporarySpill();
    const folder = SpillFolder.open(path, 20 * megabyte, 'run');
    let n = 0;
    while (folder.append(n, 'SHFE.rb2605', text)) n++;
    expect(n).toBeGreaterThan(80_000);
    expect(readdirSync(path).filter((name) => name.endsWith('.spill'))).toHaveLength(2);
    for (let read = 0; read < 80_000;) read += folder.read().length;
    expect(folder.append(n, 'SHFE.rb2605', text)).toBe(true);
    numbersIn(folder);
    expect(readdirSync(path)).toEqual(['owner']);
  });

  it('gives to the next owner what the last one has left, but for lines that were cut or damaged', () => {
    const killed = temporarySpill();
    const first = SpillFolder.open(killed, megabyte, 'first');
    for (let n = 0; n < 10; n++) first.append(n, 'CFFEX.IO2612-C-4600', `tick ${n}`);
    first.flush();
    const path = temporarySpill();
    cpSync(killed, path, { recursive: true });
    const file = join(path, 'ticks-500000000.spill');
    const bytes = readFileSync(file);
    // A bit in the fourth tick, and the last one torn.
    bytes[bytes.indexOf('tick 3') + 5]! ^= 1;
    writeFileSync(file, bytes);
    truncateSync(file, bytes.length - 3);
    const next = SpillFolder.open(path, megabyte, 'second');
    expect(next.runs).toEqual(['first']);
    next.append(0, 'SHFE.rb2605', 'tick');
    const lines = [...next.read(), ...next.read()];
    expect(lines.map(({ run, n }) => `${run} ${n}`)).toEqual([
      ...[0, 1, 2, 4, 5, 6, 7, 8].map((n) => `first ${n}`),
      'second 0',
    ]);
    expect(lines[0]).toEqual({ run: 'first', n: 0, key: 'CFFEX.IO2612-C-4600', text: 'tick 0' });
    expect(next.damaged).toBe(2);
  });

  it('puts back in front what was taken out', () => {
    const path = temporarySpill();
    const folder = SpillFolder.open(path, megabyte, 'run');
    for (let n = 20; n < 30; n++) folder.append(n, 'SHFE.rb2605', text);
    const lines = (from: number, to: number): { run: string; n: number; key: string; text: string }[] =>
      range(from, to).map((n) => ({ run: n < 10 ? 'older' : 'run', n, key: 'SHFE.rb2605', text }));
    expect(folder.putBack(lines(0, 20))).toBe(true);
    folder.close();
    const next = SpillFolder.open(path, megabyte, 'next');
    expect(next.runs).toEqual(['older', 'run']);
    expect(next.length).toBe(30);
    expect(numbersIn(next)).toEqual(range(0, 30));
  });

  it('keeps one copy of what is taken out and put back again and again', () => {
    const path = temporarySpill();
    const folder = SpillFolder.open(path, 3 * megabyte, 'run');
    for (let n = 0; n < 4000; n++) folder.append(n, 'SHFE.rb2605', text);
    for (let attempt = 0; attempt < 20; attempt++) expect(folder.putBack(folder.read())).toBe(true);
    expect(readdirSync(path).length).toBeLessThan(5);
    expect(folder.append(4000, 'SHFE.rb2605', text)).toBe(true);
    expect(folder.length).toBe(4001);
    expect(numbersIn(folder)).toEqual(range(0, 4001));
    expect(readdirSync(path)).toEqual(['owner']);
  });

  it('begins a file where an attempt on a full disk has left an empty one', () => {
    const path = temporarySpill();
    const folder = SpillFolder.open(path, megabyte, 'run');
    writeFileSync(join(path, 'ticks-500000000.spill'), 'qactpmd-sp');
    expect(folder.append(7, 'SHFE.rb2605', text)).toBe(true);
    expect(numbersIn(folder)).toEqual([7]);
    expect([folder.takeError(), folder.damaged]).toEqual([undefined, 0]);
  });

  it.each([
    ['lost where there is no memory for it', 0],
    ['kept in memory', 1_000_000],
  ])('keeps each line that a full disk has taken as a whole; what comes then is %s', (_, memoryBytes) => {
    const path = temporarySpill();
    // Where a file may have 100 KB: the write that passes the limit is cut.
    const command = `exec "${process.execPath}" "${script('fullDisk')}" "${path}" 700 ${memoryBytes}`;
    const { refused, kept, damaged, error, trouble } = JSON.parse(
      execFileSync('bash', ['-c', `trap '' XFSZ; ulimit -f 100; ${command}`], { encoding: 'utf8' }),
    ) as { refused: number; kept: number[]; damaged: number; error: string; trouble: string };
    expect(error).toMatch(/^EFBIG/);
    expect(trouble).toBe(`${path}: ${error}`);
    expect(kept.length).toBeGreaterThan(100);
    expect(kept).toEqual(range(0, kept.length));
    expect({ all: kept.length + refused, damaged }).toEqual({ all: 700, damaged: 0 });
    if (memoryBytes > 0) expect(refused).toBe(0);
  });

  it('keeps in memory, in order, what a disk without space refuses, and says so until it has space', async () => {
    const path = temporarySpill();
    const folder = SpillFolder.open(path, megabyte, 'run');
    const file = join(path, 'ticks-500000000.spill');
    symlinkSync('/dev/full', file);
    const append = (n: number): boolean => folder.append(n, 'SHFE.rb2605', text, 10_000);
    let taken = 0;
    while (append(taken)) taken++;
    expect(taken).toBeGreaterThan(20);
    expect(folder.trouble).toBe(`${path}: ENOSPC: no space left on device, write`);
    expect([folder.length, folder.oldestUnwritten]).toEqual([taken, 0]);
    rmSync(file);
    await until('the disk to be asked again', () => {
      folder.probe();
      return folder.trouble === '';
    });
    expect(folder.oldestUnwritten).toBeUndefined();
    expect(append(taken)).toBe(true);
    expect(numbersIn(folder)).toEqual(range(0, taken + 1));
    expect(folder.close()).toBe(0);
  });

  it('gives what the disk has not taken, and counts at the end what it takes even then not', () => {
    const path = temporarySpill();
    const folder = SpillFolder.open(path, megabyte, 'run');
    symlinkSync('/dev/full', join(path, 'ticks-500000000.spill'));
    for (let n = 0; n < 10; n++) folder.append(n, 'SHFE.rb2605', `0,${1000 + n},${text}`, 1e6);
    expect(folder.oldestReceivedMs).toBe(1000);
    expect(folder.read().map(({ n, isUnwritten }) => [n, isUnwritten])).toEqual(
      range(0, 10).map((n) => [n, true]),
    );
    expect(folder.isEmpty).toBe(true);
    folder.append(10, 'SHFE.rb2605', text, 1e6);
    expect(folder.close()).toBe(1);
  });

  it('learns that there is space again where nothing is to be written any more', async () => {
    const path = temporarySpill();
    const folder = SpillFolder.open(path, megabyte, 'run');
    const file = join(path, 'ticks-500000000.spill');
    symlinkSync('/dev/full', file);
    expect(folder.append(0, 'SHFE.rb2605', text)).toBe(false);
    const probe = join(path, 'probe');
    symlinkSync('/dev/full', probe);
    await until('a probe', () => {
      folder.probe();
      return !existsSync(probe);
    });
    expect(folder.trouble).toMatch(/ENOSPC/);
    await until('space', () => {
      folder.probe();
      return folder.trouble === '';
    });
    expect(readdirSync(path).sort()).toEqual(['owner', 'ticks-500000000.spill']);
    folder.close();
  });

  it('says that spill_file is used up until something has been read', () => {
    const path = temporarySpill();
    const folder = SpillFolder.open(path, megabyte, 'run');
    let n = 0;
    while (folder.append(n, 'SHFE.rb2605', text)) n++;
    expect(folder.trouble).toBe(`${path}: spill_file is used up (1 MB)`);
    const inMemory = n;
    while (folder.append(n, 'SHFE.rb2605', text, 100_000)) n++;
    expect(n).toBeGreaterThan(inMemory + 100);
    expect(numbersIn(folder)).toEqual(range(0, n));
    expect(folder.trouble).toBe('');
    folder.close();
  });

  it('knows its oldest tick, and the newest of each run', () => {
    const path = temporarySpill();
    const folder = SpillFolder.open(path, 100 * megabyte, 'run');
    expect([folder.oldestReceivedMs, folder.newestOf('run')]).toEqual([undefined, undefined]);
    const line = (n: number): string => `0,${1_700_000_000_000 + n},${text}`;
    for (let n = 10; n < 10_000; n++) folder.append(n, 'SHFE.rb2605', line(n));
    folder.flush();
    expect(folder.oldestReceivedMs).toBe(1_700_000_000_010);
    const read = folder.read();
    expect(folder.oldestReceivedMs).toBe(1_700_000_000_000 + read.at(-1)!.n + 1);
    folder.putBack([
      { run: 'older', n: 7, key: 'SHFE.rb2605', text: line(7) },
      { run: 'older', n: 8, key: 'SHFE.rb2605', text: line(8) },
    ]);
    expect(folder.oldestReceivedMs).toBe(1_700_000_000_007);
    expect([folder.newestOf('older'), folder.newestOf('run'), folder.newestOf('next')]).toEqual([
      ...[8, 9999],
      undefined,
    ]);
    numbersIn(folder);
    expect(folder.oldestReceivedMs).toBeUndefined();
    folder.close();
  });

  it('counts as damaged what somebody has removed, says so once, and continues', () => {
    const path = temporarySpill();
    const folder = SpillFolder.open(path, megabyte, 'run');
    for (let n = 0; n < 10; n++) folder.append(n, 'SHFE.rb2605', text);
    folder.flush();
    rmSync(path, { recursive: true });
    expect(folder.read()).toEqual([]);
    expect([folder.damaged, folder.length, folder.isEmpty]).toEqual([10, 0, true]);
    expect(folder.takeError()?.message).toMatch(/^ENOENT/);
    expect(folder.takeError()).toBeUndefined();
    folder.close();
  });

  it('keeps what it cannot read for now, says so, and reads it when that is possible', async () => {
    const path = temporarySpill();
    const folder = SpillFolder.open(path, megabyte, 'run');
    for (let n = 0; n < 10; n++) folder.append(n, 'SHFE.rb2605', text);
    folder.flush();
    const file = join(path, 'ticks-500000000.spill');
    renameSync(file, join(path, 'aside'));
    mkdirSync(file);
    expect([folder.read(), folder.read()]).toEqual([[], []]);
    expect([folder.damaged, folder.length, folder.isEmpty, folder.isRefusing]).toEqual([0, 10, false, false]);
    expect(folder.unreadable).toMatch(/^EISDIR/);
    expect(folder.takeError()?.message).toBe(folder.unreadable);
    for (let n = 10; n < 20; n++) expect(folder.append(n, 'SHFE.rb2605', text)).toBe(true);
    rmdirSync(file);
    renameSync(join(path, 'aside'), file);
    const numbers: number[] = [];
    await until('what waits', () => {
      numbers.push(...numbersIn(folder));
      return numbers.length >= 20;
    });
    expect(numbers).toEqual(range(0, 20));
    expect([folder.unreadable, folder.damaged, folder.isEmpty]).toEqual(['', 0, true]);
    folder.close();
  });

  it('reads any bytes that lie there without an exception', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 }), (parts) => {
        const path = temporarySpill();
        for (const [index, part] of parts.entries())
          appendFileSync(join(path, `ticks-00000000${index % 3}.spill`), part);
        const folder = SpillFolder.open(path, megabyte, 'run');
        folder.append(1, 'SHFE.rb2605', text);
        expect(numbersIn(folder)).toEqual([1]);
      }),
      { numRuns: 50 },
    );
  });
});
