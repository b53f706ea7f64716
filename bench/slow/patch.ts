import { spin } from './spin.js';

type Method = (this: unknown, ...given: unknown[]) => unknown;

/** Makes every call of a class's method take so much longer, to see whether the figures name it. */
export function slowDown(prototype: object, name: string, ms: number): void {
  const fast = Reflect.get(prototype, name) as Method;
  Reflect.set(prototype, name, function slow(this: unknown, ...given: unknown[]): unknown {
    spin(ms);
    return fast.apply(this, given);
  });
}
