import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SocketTurns } from '../../src/redis/socketTurns.js';

interface Work {
  readonly isAlone: boolean;
  readonly fails: boolean;
  /** Turns of the microtask queue that it takes. */
  readonly length: number;
}

const anyWork: fc.Arbitrary<Work> = fc.record({
  isAlone: fc.boolean(),
  fails: fc.boolean(),
  length: fc.nat({ max: 6 }),
});

it('anyone who is alone has nobody beside it, all begin in the order in which they ask, and each learns of its own end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(anyWork, { maxLength: 5 }), { maxLength: 8 }), async (waves) => {
      const turns = new SocketTurns();
      const running = new Set<Work>();
      const begun: number[] = [];
      const ends: Promise<void>[] = [];
      let asked = 0;
      for (const wave of waves) {
        for (const work of wave) {
          const number = asked++;
          const run = async (): Promise<number> => {
            begun.push(number);
            running.add(work);
            if ([...running].some(({ isAlone }) => isAlone)) expect(running.size).toBe(1);
            for (let left = work.length; left > 0; left--) await Promise.resolve();
            running.delete(work);
            if (work.fails) throw new Error(String(number));
            return number;
          };
          const end = work.isAlone ? turns.alone(run) : turns.together(run);
          ends.push(
            work.fails
              ? expect(end).rejects.toThrow(String(number))
              : expect(end).resolves.toBe(number).then(),
          );
        }
        await Promise.resolve();
      }
      await Promise.all(ends);
      expect(begun).toEqual(Array.from({ length: asked }, (_, index) => index));
      expect(turns.isIdle).toBe(true);
    }),
  );
});

it('begins at once where nobody is in the way, and beside others', () => {
  const turns = new SocketTurns();
  let begun = 0;
  for (let i = 0; i < 3; i++) void turns.together(() => new Promise(() => begun++));
  expect(begun).toBe(3);
  void turns.alone(() => new Promise(() => begun++));
  void turns.together(() => new Promise(() => begun++));
  expect(begun).toBe(3);
});
