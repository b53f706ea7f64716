import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SubscriptionQueue } from '../../src/ctp/subscriptionQueue.js';

const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `id${i}`);

/** Takes what is due until nothing is left; gives the ids per call and when it was. */
function drain(queue: SubscriptionQueue, from: number): { at: number; ids: number }[] {
  const calls: { at: number; ids: number }[] = [];
  for (let now = from; queue.sendAt !== Infinity;) {
    now = Math.max(now, queue.sendAt);
    const ids = queue.take(now).reduce((sum, command) => sum + command.ids.length, 0);
    calls.push({ at: now, ids });
  }
  return calls;
}

describe('a subscription queue', () => {
  it('asks for 500 ids at once and 500 in 500 ms', () => {
    const queue = new SubscriptionQueue();
    queue.want(
      many(1700),
      many(1700).map((_, i) => i),
    );
    queue.sendAll(0);
    expect(drain(queue, 0)).toEqual([
      { at: 0, ids: 500 },
      { at: 500, ids: 500 },
      { at: 1000, ids: 500 },
      { at: 1500, ids: 200 },
    ]);
  });

  it('asks for what comes later at once, as long as it is not too much', () => {
    const queue = new SubscriptionQueue();
    const numbers = many(700).map((_, i) => i);
    queue.want(many(250), numbers);
    queue.sendAll(0);
    expect(drain(queue, 0)).toEqual([{ at: 0, ids: 250 }]);
    queue.want(many(700), numbers);
    expect(drain(queue, 0)).toEqual([{ at: 500, ids: 450 }]);
    const other = new SubscriptionQueue();
    other.want(many(250), numbers);
    other.sendAll(0);
    other.take(0);
    other.want(many(500), numbers);
    expect(drain(other, 0)).toEqual([{ at: 50, ids: 250 }]);
  });

  it('never asks for more than 500 ids at once or in 500 ms, nor twice within 50 ms', () => {
    const step = fc.record({
      count: fc.integer({ min: 1, max: 700 }),
      wait: fc.integer({ min: 0, max: 300 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const queue = new SubscriptionQueue();
        let now = 0;
        let next = 0;
        const calls: { at: number; ids: number }[] = [];
        for (const { count, wait } of steps) {
          const ids = Array.from({ length: count }, () => `id${next++}`);
          queue.want(
            ids,
            ids.map(() => 1),
          );
          if (queue.sendAt <= now)
            calls.push({ at: now, ids: queue.take(now).reduce((sum, { ids }) => sum + ids.length, 0) });
          now += wait;
        }
        calls.push(...drain(queue, now));
        expect(calls.reduce((sum, { ids }) => sum + ids, 0)).toBe(next);
        for (const [i, { at, ids }] of calls.entries()) {
          expect(ids).toBeLessThanOrEqual(500);
          const before = calls[i - 1];
          if (before !== undefined) expect(at - before.at).toBeGreaterThanOrEqual(50);
          const recent = calls.filter((each) => each.at <= at && at - each.at < 500);
          expect(recent.reduce((sum, each) => sum + each.ids, 0)).toBeLessThanOrEqual(500);
        }
      }),
    );
  });

  it('brings the front to what is wanted, with the least requests, through any history', () => {
    const id = fc.constantFrom('a', 'b', 'c');
    const kinds = [
      ['want', 4],
      ['drop', 4],
      ['move', 2],
      ['forget', 1],
      ['take', 6],
      ['fail', 1],
      ['login', 1],
      ['again', 1],
    ] as const;
    const step = fc.oneof(
      ...kinds.map(([kind, weight]) => ({
        arbitrary: fc.tuple(fc.constant(kind), id, fc.nat(kind === 'take' || kind === 'fail' ? 200 : 0)),
        weight,
      })),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const queue = new SubscriptionQueue();
        const wanted = new Map<string, number>();
        const front = new Map<string, number>();
        const again = new Set<string>();
        const slots = new Map<string, number>();
        const askedAt = new Map<string, number>();
        let now = 0;
        const take = (fails: boolean): void => {
          const wasFront = new Set(front.keys());
          for (const command of queue.take(now)) {
            if (fails) {
              if (command.type === 'subscribe') queue.subscribeFailed(command.ids, now);
              else queue.unsubscribeFailed(command.ids, now);
            } else if (command.type === 'subscribe') {
              command.ids.forEach((one, i) => {
                expect(front.get(one) === command.slots[i] && !again.delete(one)).toBe(false);
                front.set(one, command.slots[i]!);
                expect(queue.awaits(one)).toBe(true);
                // Answers to an earlier request have come, unless it stands.
                if (!wasFront.has(one))
                  expect(now - (askedAt.get(one) ?? -Infinity)).toBeGreaterThanOrEqual(2000);
                askedAt.set(one, now);
              });
            } else {
              for (const one of command.ids) expect(front.delete(one)).toBe(true);
            }
          }
        };
        for (const [kind, one, n] of steps) {
          if (kind === 'want') {
            const slot = slots.get(one) ?? 0;
            wanted.set(one, slot);
            queue.want([one], [slot]);
          } else if (kind === 'drop') {
            wanted.delete(one);
            queue.drop([one]);
          } else if (kind === 'move') {
            // It loses its slot, and has another one when it is wanted again.
            wanted.delete(one);
            queue.drop([one]);
            slots.set(one, (slots.get(one) ?? 0) + 1);
          } else if (kind === 'forget') {
            wanted.delete(one);
            front.delete(one);
            askedAt.delete(one);
            queue.forget([one]);
          } else if (kind === 'login') {
            front.clear();
            askedAt.clear();
            queue.sendAll(now);
          } else if (kind === 'again') {
            for (const one of wanted.keys()) again.add(one);
            queue.askAgain();
          } else {
            now += n;
            take(kind === 'fail');
          }
        }
        while (queue.sendAt !== Infinity) {
          now = Math.max(now, queue.sendAt);
          take(false);
        }
        expect([...front].sort()).toEqual([...wanted].sort());
      }),
      { numRuns: 1000 },
    );
  });
});
