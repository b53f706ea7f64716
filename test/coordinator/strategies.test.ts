import { describe, expect, it } from 'vitest';
import {
  pickConnection,
  strategies,
  type Candidate,
  type Strategy,
} from '../../src/coordinator/strategies.js';

function candidate(index: number, part: Partial<Candidate> = {}): Candidate {
  return { id: `c${index}`, index, load: 0, maxSubscriptions: 500, priority: 5, quality: 100, ...part };
}

/** Assigns 1,000 instruments and counts them per connection. */
function spread(strategy: Strategy, candidates: Candidate[]): number[] {
  const loads = candidates.map((each) => ({ ...each }));
  for (let i = 0; i < 1000; i++) {
    const chosen = pickConnection(strategy, `SHFE.i${i}`, loads, i);
    if (chosen !== undefined) loads.find((each) => each.index === chosen.index)!.load++;
  }
  return loads.map((each) => each.load);
}

describe('pickConnection', () => {
  it.each(strategies)('%s spreads over equal connections', (strategy) => {
    const loads = spread(
      strategy,
      [0, 1, 2, 3].map((index) => candidate(index)),
    );
    for (const load of loads) expect(load).toBeGreaterThan(150);
    expect(loads.reduce((a, b) => a + b)).toBe(1000);
  });

  it.each(strategies)(
    '%s fills the first priority before it uses the next, and never passes a limit',
    (strategy) => {
      const loads = spread(strategy, [
        candidate(0, { priority: 1, maxSubscriptions: 300 }),
        candidate(1, { priority: 2, maxSubscriptions: 400 }),
        candidate(2, { priority: 10, maxSubscriptions: 200 }),
      ]);
      expect(loads).toEqual([300, 400, 200]);
    },
  );

  it.each(strategies)('%s finds nothing where nothing has room', (strategy) => {
    expect(pickConnection(strategy, 'SHFE.rb2610', [candidate(0, { load: 500 })], 0)).toBeUndefined();
    expect(pickConnection(strategy, 'SHFE.rb2610', [], 0)).toBeUndefined();
  });

  it('connection_quality prefers the better of two connections of equal load', () => {
    const chosen = pickConnection(
      'connection_quality',
      'x',
      [candidate(0, { quality: 40 }), candidate(1, { quality: 90 })],
      0,
    );
    expect(chosen?.index).toBe(1);
  });

  it('hash_based moves only the instruments of a connection that leaves', () => {
    const all = [0, 1, 2, 3, 4].map((index) => candidate(index));
    for (let i = 0; i < 500; i++) {
      const before = pickConnection('hash_based', `SHFE.i${i}`, all, 0)!;
      const after = pickConnection('hash_based', `SHFE.i${i}`, all.slice(0, 4), 0)!;
      if (before.index !== 4) expect(after.index).toBe(before.index);
    }
  });
});
