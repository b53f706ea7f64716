import { expect, it } from 'vitest';
import { shareOf } from '../../src/history/cpuThrottle.js';

it('queries take a tenth of a core where there are two, more where there are more, and never more than one', () => {
  expect([1, 2, 4, 16, 20, 128].map(shareOf)).toEqual([0.05, 0.1, 0.2, 0.8, 1, 1]);
});
