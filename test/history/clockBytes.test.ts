import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ClockBytes } from '../../src/history/clockBytes.js';

it('writes any time until 9999 as it is in Shanghai, and nothing for what is no time', () => {
  const into = Buffer.alloc(40);
  const [bare, quoted] = [new ClockBytes(true), new ClockBytes(false)];
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Date.UTC(9999, 11, 30) }), (ms) => {
      const text = new Date(ms + 8 * 3_600_000).toISOString().slice(0, 23).replace('T', ' ');
      expect(into.toString('latin1', 0, bare.putDateTime(into, 0, ms))).toBe(text);
      expect(into.toString('latin1', 0, quoted.putDateTime(into, 0, ms))).toBe(`"${text}"`);
      expect(into.toString('latin1', 0, bare.putTimeOfDay(into, 0, ms))).toBe(text.slice(11, 19));
    }),
  );
  for (const ms of [NaN, -1, Infinity, 1e300]) {
    expect(bare.putDateTime(into, 3, ms)).toBe(3);
    expect(quoted.putTimeOfDay(into, 3, ms)).toBe(3);
  }
});
