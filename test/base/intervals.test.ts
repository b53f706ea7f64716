import { expect, it, vi } from 'vitest';
import { Intervals } from '../../src/base/intervals.js';

const deadline = { timeout: 20_000, interval: 1 };

it('does each round at its interval, until others take their place', async () => {
  const rounds = new Intervals();
  const done = { first: 0, second: 0, third: 0 };
  rounds.start([
    { everyMs: 1, run: () => done.first++ },
    { everyMs: 2, run: () => done.second++ },
  ]);
  await vi.waitFor(() => expect(Math.min(done.first, done.second)).toBeGreaterThan(2), deadline);
  rounds.start([{ everyMs: 1, run: () => done.third++ }]);
  const { first, second } = done;
  await vi.waitFor(() => expect(done.third).toBeGreaterThan(4), deadline);
  expect([done.first, done.second]).toEqual([first, second]);
  rounds.stop();
  const { third } = done;
  rounds.start([{ everyMs: 1, run: () => done.first++ }]);
  await vi.waitFor(() => expect(done.first).toBeGreaterThan(first + 4), deadline);
  rounds.stop();
  expect(done.third).toBe(third);
});
