import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Fifo } from '../../src/base/fifo.js';

it('gives back what it was given, in order, however far it grows', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -150, max: 200 }), { maxLength: 30 }), (runs) => {
      const fifo = new Fifo<number>();
      const model: number[] = [];
      let next = 0;
      for (const run of runs) {
        for (let i = 0; i < run; i++) {
          fifo.push(next);
          model.push(next++);
        }
        for (let i = 0; i < -run; i++) expect(fifo.shift()).toBe(model.shift());
        expect(fifo.length).toBe(model.length);
      }
    }),
  );
});
