import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UnprovenQueue, type UnprovenClient } from '../../src/coordinator/assignment/unprovenQueue.js';
import { keyOf, range } from './world.js';

const limits = { perClient: 3, perAddress: 4, total: 6 };
const near: UnprovenClient[] = [{ address: 'x' }, { address: 'x' }, { address: 'x' }];
const far: UnprovenClient = { address: 'y' };

function queueOf(asks: [asker: UnprovenClient, slots: number[]][], some = limits): UnprovenQueue {
  const queue = new UnprovenQueue(some);
  for (const [asker, slots] of asks) for (const slot of slots) queue.ask(slot, keyOf(slot), asker);
  return queue;
}

const admit = (queue: UnprovenQueue): number[] => queue.admit().map(({ slot }) => slot);

describe('UnprovenQueue', () => {
  it('admits so many of a client, of an address, and in all', () => {
    const queue = queueOf([
      [near[0]!, range(10)],
      [near[1]!, range(10, 10)],
      [far, range(10, 20)],
    ]);
    const admitted = admit(queue);
    expect(admitted.filter((slot) => slot < 10)).toHaveLength(2);
    expect(admitted.filter((slot) => slot >= 10 && slot < 20)).toHaveLength(1);
    expect(admitted.filter((slot) => slot >= 20)).toHaveLength(3);
    expect(queue.waiting).toBe(24);
    expect(admit(queueOf([[near[0]!, range(10)]])), 'the first asked first').toEqual([0, 1, 2]);
  });

  it('counts an instrument that several clients want against one of them', () => {
    const queue = queueOf([[near[0]!, range(3)]]);
    admit(queue);
    for (const slot of range(6)) queue.ask(slot, keyOf(slot), far);
    expect(admit(queue)).toEqual([3, 4, 5]);
  });

  it('lets another client pay for what the one that paid has left, and waits where none can', () => {
    const queue = queueOf([
      [near[0]!, [0]],
      [far, [0]],
    ]);
    admit(queue);
    queue.leave(0, near[0]!);
    expect(queue.state(0)).toBe('admitted');
    const full = queueOf([[near[0]!, [0]]]);
    admit(full);
    for (const slot of [1, 2, 3, 0]) full.ask(slot, keyOf(slot), far);
    admit(full);
    full.leave(0, near[0]!);
    expect(full.state(0), 'the other has its share already').toBe('waiting');
    full.leave(1, far);
    expect(admit(full)).toEqual([0]);
  });

  it('gives a turn that was given back to the client that has least', () => {
    const queue = queueOf([[near[0]!, range(10)]], { perClient: 4, perAddress: 4, total: 4 });
    expect(admit(queue)).toEqual([0, 1, 2, 3]);
    queue.ask(20, keyOf(20), near[1]!);
    queue.ask(30, keyOf(30), far);
    expect(admit(queue)).toEqual([]);
    expect(queue.isWaitedFor(0)).toBe(true);
    queue.requeue(0);
    expect(admit(queue), 'of the address that has none').toEqual([30]);
    queue.requeue(1);
    expect(admit(queue), 'of the client that has none').toEqual([20]);
    queue.requeue(2);
    expect(admit(queue)).toEqual([4]);
    expect(queue.waiting).toBe(8);
  });

  it('needs no turn for what is refused, until it is asked for again', () => {
    const queue = queueOf([[near[0]!, range(4)]]);
    admit(queue);
    queue.refuse(0);
    expect(admit(queue)).toEqual([3]);
    queue.ask(0, keyOf(0), far);
    expect(queue.state(0)).toBe('waiting');
    expect(admit(queue)).toEqual([0]);
  });

  it('refuses to be left by a client that has not asked', () => {
    expect(() => queueOf([[near[0]!, [0]]]).leave(0, far)).toThrow('had not asked');
  });

  it('keeps to its bounds and knows all and nothing more, whatever happens', () => {
    const clients = [...near, far];
    const step = fc.record({
      do: fc.constantFrom('ask', 'ask', 'leave', 'remove', 'requeue', 'refuse', 'admit'),
      slot: fc.nat(11),
      client: fc.nat(clients.length - 1),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
        const queue = new UnprovenQueue(limits);
        const asked = new Map<number, Set<UnprovenClient>>();
        for (const { do: what, slot, client } of steps) {
          const asker = clients[client]!;
          const askers = asked.get(slot) ?? new Set();
          asked.set(slot, askers);
          if (what === 'ask' && !askers.has(asker)) {
            askers.add(asker);
            queue.ask(slot, keyOf(slot), asker);
          } else if (what === 'leave' && askers.delete(asker)) queue.leave(slot, asker);
          else if (what === 'remove') {
            expect(queue.remove(slot)?.askers ?? 0).toBe(askers.size);
            askers.clear();
          } else if (what === 'requeue') queue.requeue(slot);
          else if (what === 'refuse') queue.refuse(slot);
          else if (what === 'admit') queue.admit();
          const all = [...asked].filter(([, some]) => some.size > 0).map(([each]) => each);
          const states = all.map((each) => queue.state(each)!);
          expect(queue.size).toBe(all.length);
          expect(queue.waiting).toBe(states.filter((state) => state === 'waiting').length);
          expect([...queue.admitted()].length).toBe(states.filter((state) => state === 'admitted').length);
          expect([...queue.admitted()].length).toBeLessThanOrEqual(limits.total);
          for (const one of clients)
            expect(queue.asksOf(one)).toBe(all.filter((each) => asked.get(each)!.has(one)).length);
        }
      }),
    );
  });
});
