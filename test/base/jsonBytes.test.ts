import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asciiBytes, putBytes, putNumber, putText } from '../../src/base/jsonBytes.js';

const memory = Buffer.alloc(100);
const written = (value: number): string => memory.toString('latin1', 5, putNumber(memory, 5, value));
/** As JSON has it: there is no -0. */
const expected = (value: number): string => JSON.stringify(value);

describe('numbers', () => {
  it('have the digits of String, whatever double it is', () => {
    const any = fc.double({ noNaN: true, noDefaultInfinity: true });
    const price = fc
      .tuple(fc.integer({ min: -1e9, max: 1e9 }), fc.constantFrom(1, 2, 5, 10, 100, 200, 1e3, 1e4, 1e5, 3))
      .map(([number, divisor]) => number / divisor);
    const amount = fc.tuple(fc.maxSafeInteger(), fc.constantFrom(1, 10, 1e4, 1e6)).map(([a, b]) => a / b);
    fc.assert(
      fc.property(fc.oneof(any, price, amount), (value) => {
        expect(written(value)).toBe(expected(value));
      }),
      { numRuns: 20_000 },
    );
  });

  it('have them where the ways of writing them meet', () => {
    const edges = [0, -0, 0.1 + 0.2, 0.00005, 0.0001, 1e-7, 9.99995, 99_999.9999, 1e9 - 1, 1e9, 1e9 + 1];
    edges.push(1e11 - 0.0001, 1e11 + 0.5, 1e15 - 1, 1e15, 2 ** 53, 1e21, 5e-324, Number.MAX_VALUE, 2 ** 31);
    for (const value of edges) {
      expect(written(value)).toBe(expected(value));
      expect(written(-value)).toBe(expected(-value));
    }
  });
});

it('texts and bytes are put behind each other', () => {
  const end = putText(memory, putBytes(memory, 0, asciiBytes('{"a":')), '"b"}');
  expect(memory.toString('latin1', 0, end)).toBe('{"a":"b"}');
});
