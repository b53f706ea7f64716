import { describe, expect, it } from 'vitest';
import { dueTicks } from '../../bench/dueTicks.js';
import { sequencesAt } from '../../bench/expectedTicks.js';
import { interruptionOf, type Arrival } from '../../bench/figures/interruption.js';
import { instruments } from '../../bench/instruments.js';

// Ticks 5, 6, 7 … are due at 1000, 1100, 1200 …
const due = { first: 5, atMs: Array.from({ length: 20 }, (_, i) => 1000 + 100 * i) };

/** Each tick so many ms after it was due. */
function arrivals(...ticks: readonly (readonly [sequence: number, lateMs: number])[]): Arrival[] {
  return ticks.map(([sequence, lateMs]) => ({ sequence, receivedMs: 500 + 100 * sequence + lateMs }));
}

describe('an interruption', () => {
  it('without a fault is as long as the latest tick was late', () => {
    expect(interruptionOf(due, arrivals([5, 1], [6, 4], [7, 2]), 900, 1250)).toEqual({ gapMs: 4, lost: 0 });
  });

  it('begins when the first tick that is missing was due, however long after the last one', () => {
    expect(interruptionOf(due, arrivals([5, 1], [9, 30], [10, 1]), 900, 1550)).toEqual({
      gapMs: 330,
      lost: 3,
    });
  });

  it('of a tick that comes late, but comes, loses nothing', () => {
    expect(interruptionOf(due, arrivals([5, 1], [6, 80]), 900, 1190)).toEqual({ gapMs: 80, lost: 0 });
  });

  it('that does not end lasts until the end', () => {
    expect(interruptionOf(due, arrivals([5, 1], [6, 1]), 900, 2000)).toEqual({ gapMs: 800, lost: 0 });
  });

  it('counts where it ends', () => {
    const stream = arrivals([5, 1], [9, 30], [10, 1], [12, 1]);
    expect(interruptionOf(due, stream, 1500, 1600)).toEqual({ gapMs: 1, lost: 0 });
    expect(interruptionOf(due, stream, 1500, 1750)).toEqual({ gapMs: 101, lost: 1 });
  });

  it('does not wait for what came before the client, and is not ended by what is old', () => {
    const stream = [
      ...arrivals([8, 5]),
      { sequence: 6, receivedMs: 1350 },
      { sequence: 8, receivedMs: 1420 },
    ];
    expect(interruptionOf(due, stream, 900, 1450)).toEqual({ gapMs: 50, lost: 0 });
    expect(interruptionOf(due, [], 900, 2000)).toEqual({ gapMs: 0, lost: 0 });
  });
});

describe('ticks that were due', () => {
  it.each(['poisson', 'burst', 'uniform'] as const)('are numbered and timed as fronts do (%s)', (kind) => {
    const startUs = 1_795_000_000_000_000;
    const options = { arrivals: kind, rate: 20, seed: 3, startUs, instruments: 5 };
    const ids = instruments(5);
    const [fromMs, toMs] = [startUs / 1000 + 2_000, startUs / 1000 + 27_000];
    const before = sequencesAt(ids, options, fromMs);
    const after = sequencesAt(ids, options, toMs);
    const ticks = dueTicks(ids, options, fromMs, toMs);
    for (const id of ids) {
      const { first, atMs } = ticks.get(id)!;
      expect(first).toBe(before.get(id)! + 1);
      expect(first + atMs.length - 1).toBe(after.get(id));
      expect(atMs[0]).toBeGreaterThan(fromMs);
      expect(atMs.at(-1)).toBeLessThan(toMs + 1);
      expect([...atMs].sort((a, b) => a - b)).toEqual(atMs);
    }
  });
});
