import { describe, expect, it } from 'vitest';
import { checkStored } from '../../bench/figures/storedTicks.js';

describe('ticks in a store', () => {
  it('are sound when each instrument has one number after the other, from any on', () => {
    expect(checkStored([[5, 6, 7], [], [0, 1]])).toEqual({
      stored: 5,
      missing: 0,
      duplicated: 0,
      reordered: 0,
    });
  });

  it.each([
    ['a gap', [1, 2, 5], { missing: 2, duplicated: 0, reordered: 0 }],
    ['one twice', [1, 2, 2, 3], { missing: 0, duplicated: 1, reordered: 0 }],
    ['one behind its successor', [1, 3, 2, 4], { missing: 0, duplicated: 0, reordered: 1 }],
    ['one again, later', [1, 2, 3, 1], { missing: 0, duplicated: 1, reordered: 0 }],
  ])('show %s', (_, numbers, fault) => {
    expect(checkStored([numbers, [7]])).toEqual({ stored: numbers.length + 1, ...fault });
  });
});
