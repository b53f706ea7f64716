import { expect, it } from 'vitest';
import { HeldTicks } from '../../src/coordinator/heldTicks.js';
import { intWord } from '../../src/ring/tickRecord.js';
import { makeTick } from '../market/ticks.js';

it('gives each line its ticks in their order, as they were', () => {
  const held = new HeldTicks();
  const tick = makeTick({ slot: 5, source: 2, volume: 1 });
  held.hold(tick);
  tick.i32[intWord.volume] = 2;
  held.hold(tick);
  held.hold(makeTick({ slot: 5, source: 3, volume: 7 }));
  const volumes = (slot: number, source: number): number[] =>
    held.release(slot, source).map(({ i32 }) => i32[intWord.volume]!);
  expect(volumes(5, 2)).toEqual([1, 2]);
  expect(volumes(5, 2)).toEqual([]);
  expect(volumes(5, 3)).toEqual([7]);
  expect(volumes(6, 3)).toEqual([]);
});

it('holds so many of a line at most, the newest', () => {
  const held = new HeldTicks();
  for (let volume = 0; volume < 100; volume++) held.hold(makeTick({ volume }));
  const volumes = held.release(0, 0).map(({ i32 }) => i32[intWord.volume]!);
  expect(volumes).toEqual(Array.from({ length: 64 }, (_, i) => 36 + i));
});
