import { expect, it } from 'vitest';
import { grown } from '../../src/base/growable.js';

it('an array that is long enough stays itself', () => {
  const array = Int32Array.of(1, 2);
  expect(grown(array, 2)).toBe(array);
});

it('an array that is too short is copied into one whose length has doubled until it is enough', () => {
  expect(grown(Float64Array.of(1, 2, 3), 4)).toEqual(Float64Array.of(1, 2, 3, 0, 0, 0));
  expect(grown(Uint8Array.of(7), 5, 9)).toEqual(Uint8Array.of(7, 9, 9, 9, 9, 9, 9, 9));
  expect(grown(new Float64Array(0), 3, NaN)).toEqual(Float64Array.of(NaN, NaN, NaN, NaN));
});
