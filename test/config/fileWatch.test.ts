import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { FileWatch, type WatchListener } from '../../src/config/fileWatch.js';
import { readBytes } from '../../src/base/jsonFile.js';
import { temporaryFolder } from './sources.js';

const pace = { lookMs: 20, settleMs: 20 };

/** Whom nothing but changes concerns. */
function onChange(changed: (paths: readonly string[]) => void): WatchListener {
  return { changed, restless: () => undefined };
}

/** A watch on files, how often it has called back, and what it named the last time. */
function watching(...paths: string[]): {
  readonly calls: () => number;
  readonly named: () => readonly string[];
  readonly watch: FileWatch;
} {
  const told: (readonly string[])[] = [];
  const watch = new FileWatch(
    onChange((changed) => told.push(changed)),
    pace,
  );
  watch.follow(paths);
  onTestFinished(() => watch.close());
  return { calls: () => told.length, named: () => told.at(-1) ?? [], watch };
}

function reached(calls: () => number, count: number): Promise<void> {
  return vi.waitFor(() => expect(calls()).toBe(count), { timeout: 20_000, interval: 10 });
}

/** Ends when a later change of another file has been seen by a watch of the same pace: the first one had its chance. */
async function chance(folder: string): Promise<void> {
  const path = join(folder, 'witness');
  for (let round = 0; round < 3; round++) {
    writeFileSync(path, `before ${round}`);
    const { calls, watch } = watching(path);
    writeFileSync(path, `after ${round}`);
    await reached(calls, 1);
    watch.close();
  }
}

describe('FileWatch', () => {
  it('calls back once for each change that is written in place', async () => {
    const path = join(temporaryFolder(), 'gateway.json');
    writeFileSync(path, 'one');
    const { calls } = watching(path);
    writeFileSync(path, 'two');
    await reached(calls, 1);
    writeFileSync(path, 'three');
    await reached(calls, 2);
  });

  it('sees a change of what was read before it was watched', async () => {
    const path = join(temporaryFolder(), 'gateway.json');
    writeFileSync(path, 'one');
    readBytes(path);
    writeFileSync(path, 'two');
    const { calls } = watching(path);
    await reached(calls, 1);
  });

  it('continues after a file that was put in the place of the one before', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'gateway.json');
    writeFileSync(path, 'one');
    const { calls } = watching(path);
    for (const [round, content] of ['two', 'three', 'four'].entries()) {
      renameSync(path, `${path}~`);
      writeFileSync(`${path}.new`, content);
      renameSync(`${path}.new`, path);
      await reached(calls, round + 1);
    }
  });

  it('follows the links of a mounted volume', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'gateway.json');
    for (const version of ['1', '2', '3']) {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, 'gateway.json'), version);
    }
    symlinkSync('1', join(folder, '..data'));
    symlinkSync(join('..data', 'gateway.json'), path);
    const { calls } = watching(path);
    for (const [round, version] of ['2', '3'].entries()) {
      symlinkSync(version, join(folder, '..tmp'));
      renameSync(join(folder, '..tmp'), join(folder, '..data'));
      await reached(calls, round + 1);
    }
  });

  it('calls back once for all files of a volume that is turned elsewhere, and names those that differ', async () => {
    const folder = temporaryFolder();
    const names = ['cert.pem', 'key.pem', 'password'];
    for (const version of ['1', '2', '3']) {
      mkdirSync(join(folder, version));
      for (const name of names)
        writeFileSync(join(folder, version, name), name === 'password' ? 'same' : `${name} ${version}`);
    }
    symlinkSync('1', join(folder, '..data'));
    for (const name of names) symlinkSync(join('..data', name), join(folder, name));
    const { calls, named } = watching(...names.map((name) => join(folder, name)));
    for (const [round, version] of ['2', '3'].entries()) {
      symlinkSync(version, join(folder, '..tmp'));
      renameSync(join(folder, '..tmp'), join(folder, '..data'));
      // The old ones are taken away then.
      rmSync(join(folder, String(round + 1)), { recursive: true });
      await reached(calls, round + 1);
      expect(named()).toEqual([join(folder, 'cert.pem'), join(folder, 'key.pem')]);
    }
  });

  it('names no file while another one still changes', async () => {
    const folder = temporaryFolder();
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')] as const;
    for (const path of [cert, key]) writeFileSync(path, 'old');
    const { calls, named } = watching(cert, key);
    await chance(folder);
    writeFileSync(cert, 'new');
    const writing = setInterval(() => appendFileSync(key, 'more'), 5);
    onTestFinished(() => clearInterval(writing));
    await chance(folder);
    expect(calls()).toBe(0);
    clearInterval(writing);
    await reached(calls, 1);
    expect(named()).toEqual([cert, key]);
  });

  it('waits for a file that never rests for a time, names it once, and continues with the others', async () => {
    const folder = temporaryFolder();
    const [one, other] = [join(folder, 'one'), join(folder, 'other')] as const;
    for (const path of [one, other]) writeFileSync(path, 'old');
    const told: string[] = [];
    const watch = new FileWatch(
      {
        changed: (paths) => told.push(`changed ${paths.join()}`),
        restless: (path) => told.push(`restless ${path}`),
      },
      { ...pace, patienceMs: 200 },
    );
    onTestFinished(() => watch.close());
    watch.follow([one, other]);
    const writing = setInterval(() => appendFileSync(other, 'more'), 2);
    onTestFinished(() => clearInterval(writing));
    writeFileSync(one, 'new');
    await reached(() => told.length, 2);
    writeFileSync(one, 'newer');
    await reached(() => told.length, 3);
    clearInterval(writing);
    await reached(() => told.length, 4);
    expect(told).toEqual([`restless ${other}`, `changed ${one}`, `changed ${one}`, `changed ${other}`]);
  });

  it('leaves a pipe alone, which would never end', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'password');
    execFileSync('mkfifo', [path]);
    const { calls } = watching(path);
    rmSync(path);
    writeFileSync(path, 'a file now');
    await reached(calls, 1);
  });

  it('reads no file that is too large to be of use', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'products.json');
    writeFileSync(path, 'small');
    truncateSync(path, 65 * 2 ** 20);
    const { calls } = watching(path);
    truncateSync(path, 66 * 2 ** 20);
    await chance(folder);
    expect(calls()).toBe(0);
    writeFileSync(path, 'small again');
    await reached(calls, 1);
  });

  it('continues with other files, whose content is news only once it changes', async () => {
    const folder = temporaryFolder();
    const [one, two, three] = ['one', 'two', 'three'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    for (const path of [one, two]) writeFileSync(path, 'content');
    const { calls, named, watch } = watching(one, three);
    watch.follow([two, three]);
    writeFileSync(one, 'other');
    await chance(folder);
    expect(calls()).toBe(0);
    writeFileSync(two, 'other');
    await reached(calls, 1);
    expect(named()).toEqual([two]);
    // One that was not there at first.
    writeFileSync(three, 'new');
    await reached(calls, 2);
    expect(named()).toEqual([three]);
    watch.follow([one]);
    watch.follow([one, two]);
    await chance(folder);
    expect(calls()).toBe(2);
  });

  it('bears a file that is missing, and sees the one that comes', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'gateway.json');
    writeFileSync(path, 'one');
    const { calls } = watching(path);
    rmSync(path);
    await chance(folder);
    expect(calls()).toBe(0);
    writeFileSync(path, 'one');
    await chance(folder);
    expect(calls()).toBe(0);
    rmSync(path);
    await chance(folder);
    writeFileSync(path, 'two');
    await reached(calls, 1);
  });

  it('is silent where the same was written again, or a folder is in the way', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'gateway.json');
    writeFileSync(path, 'one');
    const { calls } = watching(path);
    writeFileSync(path, 'one');
    await chance(folder);
    rmSync(path);
    mkdirSync(path);
    await chance(folder);
    expect(calls()).toBe(0);
  });

  it('waits until the file is left alone', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'gateway.json');
    writeFileSync(path, 'one');
    let calls = 0;
    const watch = new FileWatch(
      onChange(() => calls++),
      { lookMs: 20, settleMs: 600_000 },
    );
    watch.follow([path]);
    onTestFinished(() => watch.close());
    for (let piece = 1; piece <= 3; piece++) {
      writeFileSync(path, 'x'.repeat(piece));
      await chance(folder);
    }
    expect(calls).toBe(0);
  });

  it('can be closed by its own callback', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'gateway.json');
    writeFileSync(path, 'one');
    let calls = 0;
    const watch = new FileWatch(
      onChange(() => {
        calls++;
        watch.close();
      }),
      pace,
    );
    watch.follow([path]);
    writeFileSync(path, 'two');
    await reached(() => calls, 1);
    writeFileSync(path, 'three');
    await chance(folder);
    expect(calls).toBe(1);
  });

  it('does not call back after it was closed, however often', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'gateway.json');
    writeFileSync(path, 'one');
    const { calls, watch } = watching(path);
    writeFileSync(path, 'two');
    watch.close();
    watch.close();
    await chance(folder);
    expect(calls()).toBe(0);
  });
});
