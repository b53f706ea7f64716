import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { Worker } from 'node:worker_threads';
import { expect, it, onTestFinished } from 'vitest';
import { packagePath } from '../../src/base/paths.js';
import { FolderLock } from '../../src/storage/spill/folderLock.js';
import { temporarySpill } from './running.js';

const script = packagePath('test', 'storage', 'holdFolder.js');

/** Another process that has the folder, or has failed to take it. */
async function takeElsewhere(
  folder: string,
): Promise<{ child: ChildProcess; output: string; error: string }> {
  const child = fork(script, [folder], { silent: true });
  onTestFinished(() => void child.kill('SIGKILL'));
  let error = '';
  child.stderr!.on('data', (data: Buffer) => (error += data.toString()));
  const [output] = (await Promise.race([once(child.stdout!, 'data'), once(child, 'close')])) as [unknown];
  return { child, output: String(output), error };
}

it('one process has a folder, until it is killed', async () => {
  const folder = temporarySpill();
  const first = await takeElsewhere(folder);
  expect(first.output).toBe('taken\n');
  const second = await takeElsewhere(folder);
  const told = `${folder} is in use by process ${first.child.pid!} on ${hostname()}; give each gateway a spill_path of its own`;
  expect(second.error).toContain(told);
  expect(() => FolderLock.take(folder)).toThrow(told);
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  const third = await takeElsewhere(folder);
  expect(third.output).toBe('taken\n');
});

it('one thread of a process has it, until it ends', async () => {
  const folder = temporarySpill();
  const thread = new Worker(script, { argv: [folder], stdout: true });
  await once(thread.stdout, 'data');
  expect(() => FolderLock.take(folder)).toThrow(`is in use by process ${process.pid}`);
  await thread.terminate();
  const lock = FolderLock.take(folder);
  expect(() => FolderLock.take(folder)).toThrow('is in use');
  lock.release();
  lock.release();
  FolderLock.take(folder).release();
});
