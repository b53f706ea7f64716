import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Heap } from '../../src/base/heap.js';

it('has the item at hand that comes before all others, whatever comes, goes and changes', () => {
  const steps = fc.array(
    fc.record({ kind: fc.constantFrom('push', 'push', 'shift', 'move'), value: fc.integer({ max: 50 }) }),
    { maxLength: 200 },
  );
  fc.assert(
    fc.property(steps, (list) => {
      const heap = new Heap<{ value: number }>((one, other) => one.value < other.value);
      const model: { value: number }[] = [];
      for (const { kind, value } of list) {
        const { first } = heap;
        if (kind === 'push') {
          const item = { value };
          heap.push(item);
          model.push(item);
        } else if (first !== undefined && kind === 'move') {
          first.value += Math.abs(value);
          heap.firstMoved();
        } else {
          heap.shift();
          if (first !== undefined) model.splice(model.indexOf(first), 1);
        }
        expect(heap.first?.value ?? Infinity).toBe(Math.min(...model.map((each) => each.value)));
      }
    }),
  );
});
