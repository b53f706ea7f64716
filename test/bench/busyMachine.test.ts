import { expect, it } from 'vitest';
import { busyNote } from '../../bench/busyMachine.js';

it('a bench says on a busy machine what its figures are worth, and nothing on a quiet one', () => {
  expect(busyNote(0.4, 2)).toBeUndefined();
  expect(busyNote(3.9, 8)).toBeUndefined();
  expect(busyNote(9.26, 2)).toBe(
    'the machine is busy with other programs (load 9.3 on 2 cores): absolute figures are worse than on a quiet one, and steps may time out; only ratios count',
  );
});
