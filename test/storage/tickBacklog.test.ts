import { mkdirSync, readdirSync, rmdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ownRun, GatewayRuns } from '../../src/storage/shared/gatewayRuns.js';
import { SpillFolder } from '../../src/storage/spill/spillFolder.js';
import { TickBacklog } from '../../src/storage/streams/tickBacklog.js';
import { until } from '../helpers/until.js';
import { temporarySpill } from './running.js';

const megabyte = 1024 * 1024;
const line = Buffer.alloc(200, 'y');

function backlogOf(folder: SpillFolder, memoryBytes: number): TickBacklog {
  return new TickBacklog({
    memoryBytes,
    folder,
    runs: new GatewayRuns('run', folder.runs),
    keyOf: () => 'SHFE.rb2605',
    headOf: () => ({ instrument: 0, timeMs: 0, receivedMs: 0 }),
  });
}

function push(backlog: TickBacklog, n: number): void {
  const head = { instrument: 0, run: ownRun, n, timeMs: 0, receivedMs: 0, isOnDisk: false };
  backlog.push(head, line, line.length);
}

/** Numbers of the ticks that wait in memory. */
function waitingIn({ arena, next }: TickBacklog): number[] {
  const numbers: number[] = [];
  for (let place = next; place < arena.end; place++)
    if (arena.state(place) === 0) numbers.push(arena.n(place));
  return numbers;
}

it('a disk that refuses is left alone for a while, but asked at the end', () => {
  const path = temporarySpill();
  const folder = SpillFolder.open(path, megabyte, 'run');
  const backlog = backlogOf(folder, 2700);
  rmSync(path, { recursive: true });
  for (let n = 0; n < 11; n++) push(backlog, n);
  expect({ kept: backlog.waiting, lost: backlog.lost }).toEqual({ kept: 10, lost: 1 });
  mkdirSync(path);
  push(backlog, 11);
  expect(readdirSync(path)).toEqual([]);
  expect(backlog.close()).toBe(0);
  const next = SpillFolder.open(path, megabyte, 'next');
  expect(next.read().map(({ n }) => n)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  next.close();
});

it('what goes to disk while it is being sent waits there alone, and what was stored of it does not', () => {
  const path = temporarySpill();
  const folder = SpillFolder.open(path, megabyte, 'run');
  const backlog = backlogOf(folder, 2700);
  for (let n = 0; n < 10; n++) push(backlog, n);
  expect(backlog.safeUpTo(10)).toBe(0);
  backlog.depart(5);
  push(backlog, 10);
  backlog.flush();
  // All of it is safe from here on.
  expect({ safe: backlog.safeUpTo(11), spilled: backlog.spilled }).toEqual({ safe: 11, spilled: 11 });
  expect(waitingIn(backlog)).toEqual([0, 1, 2, 3, 4]);
  backlog.stored(0, 0);
  backlog.stored(1, 0);
  backlog.land();
  expect({ waiting: backlog.waiting, end: backlog.arena.end }).toEqual({ waiting: 0, end: 2 });
  backlog.refill();
  expect(waitingIn(backlog)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  backlog.close();
});

it('what was stored is kept for 3 s, and can be asked for again', () => {
  const folder = SpillFolder.open(temporarySpill(), megabyte, 'run');
  const backlog = backlogOf(folder, megabyte);
  for (let n = 0; n < 1500; n++) push(backlog, n);
  for (let place = 0; place < 1500; place++) backlog.stored(place, place < 1000 ? 100 : 2000);
  expect(backlog.safeUpTo(1500)).toBe(1500);
  backlog.prune(3100);
  expect(backlog.arena.first).toBe(0);
  backlog.prune(3101);
  expect(backlog.arena.first).toBe(1000);
  backlog.again(1200);
  expect([backlog.next, backlog.waiting, backlog.safeUpTo(1500)]).toEqual([1200, 1, 1200]);
  backlog.prune(9000);
  expect([backlog.arena.first, backlog.arena.n(1200), backlog.arena.text(1200)]).toEqual([
    1200,
    1200,
    line.toString(),
  ]);
  backlog.close();
});

it('an end on a disk that takes nothing loses what lies in memory alone', () => {
  const path = temporarySpill();
  const folder = SpillFolder.open(path, megabyte, 'run');
  const backlog = backlogOf(folder, megabyte);
  for (let n = 0; n < 10; n++) folder.append(n, 'SHFE.rb2605', line.toString());
  backlog.refill();
  expect(backlog.waiting).toBe(10);
  backlog.stored(backlog.next, performance.now());
  backlog.again(backlog.next - 1);
  // Where what is put back would go.
  const inTheWay = join(path, 'ticks-499999999.spill');
  mkdirSync(inTheWay);
  expect(backlog.close()).toBe(1);
  rmdirSync(inTheWay);
  const next = SpillFolder.open(path, megabyte, 'next');
  expect(next.read()).toHaveLength(10);
  next.close();
});

it('ticks wait in memory behind those on a disk that has no space, and none is passed over by who takes over', async () => {
  const path = temporarySpill();
  const folder = SpillFolder.open(path, megabyte, 'run');
  const backlog = backlogOf(folder, 27_000);
  const files = ['ticks-499999999.spill', 'ticks-500000000.spill'].map((name) => join(path, name));
  for (const file of files) symlinkSync('/dev/full', file);
  for (let n = 0; n < 90; n++) push(backlog, n);
  // All that there is memory for.
  for (let n = 90; n < 150; n++) push(backlog, n);
  backlog.flush();
  const kept = 150 - backlog.lost;
  expect(kept).toBeGreaterThanOrEqual(90);
  expect(folder.trouble).toMatch(/ENOSPC/);
  expect(backlog.safeUpTo(150)).toBe(0);
  for (const file of files) rmSync(file, { force: true });
  await until('the disk to have all of it', () => {
    backlog.probe();
    return backlog.safeUpTo(150) === 150;
  });
  expect([backlog.waiting, folder.trouble]).toEqual([0, '']);
  expect(backlog.close()).toBe(0);
  const next = SpillFolder.open(path, megabyte, 'next');
  expect(next.read().map(({ n }) => n)).toEqual(Array.from({ length: kept }, (_, n) => n));
  next.close();
});

it('what comes back from memory, for the disk never had it, is lost at an end that the disk does not take', () => {
  const path = temporarySpill();
  const folder = SpillFolder.open(path, megabyte, 'run');
  const backlog = backlogOf(folder, megabyte);
  for (const name of ['ticks-499999999.spill', 'ticks-500000000.spill'])
    symlinkSync('/dev/full', join(path, name));
  for (let n = 0; n < 10; n++) folder.append(n, 'SHFE.rb2605', line.toString(), megabyte);
  expect(backlog.refill()).toBeUndefined();
  for (let n = 10; n < 20; n++) push(backlog, n);
  expect(waitingIn(backlog)).toEqual(Array.from({ length: 20 }, (_, n) => n));
  for (let place = 0; place < 5; place++) backlog.stored(place, 0);
  expect(backlog.safeUpTo(20)).toBe(5);
  expect(backlog.close()).toBe(15);
});
