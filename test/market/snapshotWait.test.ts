import { beforeEach, describe, expect, it } from 'vitest';
import { SnapshotWait, snapshotWaitMs } from '../../src/market/quotes/snapshotWait.js';

const slot = 3;
let wait: SnapshotWait;
beforeEach(() => {
  wait = new SnapshotWait();
});

describe('a state that is held', () => {
  it('is taken at once while the line that brought it is there', () => {
    wait.carried(slot, 1, 0);
    wait.ticked(slot);
    expect(wait.ask(slot, 10_000)).toBe('take');
    wait.carried(slot, 2, 20_000);
    wait.carried(slot, 1, 30_000);
    expect(wait.ask(slot, 40_000)).toBe('take');
    expect(wait.dueAt).toBe(Infinity);
  });

  it('waits for the first tick of a line that follows a time without any', () => {
    wait.carried(slot, 1, 0);
    wait.ticked(slot);
    wait.carried(slot, 0, 1000);
    expect(wait.ask(slot, 76_000)).toBe('wait');
    wait.carried(slot, 1, 76_001);
    expect(wait.ask(slot, 76_100)).toBe('wait');
    expect(wait.ticked(slot)).toBe(true);
    expect(wait.ticked(slot)).toBe(false);
    expect(wait.ask(slot, 76_100)).toBe('take');
    expect(wait.takeOverdue(80_000)).toEqual([]);
  });

  it('is old when that tick does not come in time, for all who ask before it comes', () => {
    expect(wait.ask(slot, 100)).toBe('wait');
    wait.carried(slot, 1, 101);
    expect(wait.dueAt).toBe(100 + snapshotWaitMs);
    expect(wait.ask(slot, 400)).toBe('wait');
    expect(wait.takeOverdue(99 + snapshotWaitMs)).toEqual([]);
    expect(wait.takeOverdue(100 + snapshotWaitMs)).toEqual([slot]);
    expect(wait.dueAt).toBe(Infinity);
    expect(wait.ask(slot, 1000)).toBe('old');
    expect(wait.ticked(slot)).toBe(false);
    expect(wait.ask(slot, 1000)).toBe('take');
  });

  it('is old at once when its line has been there for long without a tick', () => {
    wait.carried(slot, 1, 0);
    expect(wait.ask(slot, snapshotWaitMs)).toBe('old');
    expect(wait.dueAt).toBe(Infinity);
  });

  it('is waited for again when another line follows one that brought nothing', () => {
    wait.carried(slot, 1, 0);
    expect(wait.ask(slot, 10_000)).toBe('old');
    wait.carried(slot, 0, 11_000);
    expect(wait.ask(slot, 12_000)).toBe('old');
    wait.carried(slot, 1, 13_000);
    expect(wait.ask(slot, 13_001)).toBe('wait');
  });

  it('is not confirmed by what was still under way when its line went', () => {
    wait.carried(slot, 1, 0);
    wait.ticked(slot);
    wait.carried(slot, 0, 1000);
    wait.ticked(slot);
    expect(wait.ask(slot, 2000)).toBe('wait');
  });

  it('is told from those of other instruments, however many there are', () => {
    const many = 5000;
    for (let each = 0; each < many; each++) wait.carried(each, 1, 0);
    for (let each = 0; each < many; each += 2) wait.ticked(each);
    for (let each = 0; each < many; each++)
      expect(wait.ask(each, 100)).toBe(each % 2 === 0 ? 'take' : 'wait');
    expect(wait.takeOverdue(100 + snapshotWaitMs)).toHaveLength(many / 2);
  });
});
