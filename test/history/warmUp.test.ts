import { expect, it } from 'vitest';
import { warmUp } from '../../src/history/warmUp.js';

it.each(['redis', 'memory'] as const)(
  'queries for ticks that are made up are answered whole, from %s',
  async (kind) => {
    expect(await warmUp(kind)).toEqual([20_000, 20_000]);
  },
);
