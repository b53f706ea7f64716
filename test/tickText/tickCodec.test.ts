import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Field, fieldCount, quoteFields } from '../../src/market/quotes/quoteFields.js';
import { decodeTick, encodeTick } from '../../src/tickText/tickCodec.js';

const anyDouble = fc.oneof(
  fc.double(),
  fc.constantFrom(0, -0, NaN, Infinity, -Infinity, 5e-324, Number.MAX_VALUE, Number.MAX_SAFE_INTEGER, 1e21),
  fc.integer().map((cents) => cents / 100),
);
const rows = fc
  .array(anyDouble, { minLength: fieldCount, maxLength: fieldCount })
  .map((values) => Float64Array.from(values));

describe('the tick codec', () => {
  it('gives every double back as it was, and absent values as absent', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 31 - 1 }),
        fc.double({ min: 0, max: 4e12, noNaN: true }),
        rows,
        (flags, receivedMs, row) => {
          const read = new Float64Array(fieldCount).fill(1);
          const head = decodeTick(encodeTick(flags, receivedMs, row), read);
          expect(head).toEqual({ flags, receivedMs });
          // Not toEqual on arrays: it takes 0 for -0 in places.
          for (let i = 0; i < fieldCount; i++) expect(Object.is(read[i], row[i])).toBe(true);
        },
      ),
    );
  });

  it('writes flags, receive time and the fields in their order, absent ones empty', () => {
    const row = new Float64Array(fieldCount).fill(NaN);
    row[Field.lastPrice] = 3421.5;
    row[Field.volume] = 0;
    row[Field.timestamp] = 1712800800500;
    row[Field.tradingDay] = 20240411;
    const text = encodeTick(3, 1712800800512.25, row);
    const parts = text.split(',');
    expect(parts).toHaveLength(2 + quoteFields.length);
    expect(parts.slice(0, 4)).toEqual(['3', '1712800800512.25', '3421.5', '']);
    expect(parts[2 + Field.volume]).toBe('0');
    expect(text.endsWith(',1712800800500,20240411')).toBe(true);
  });

  it('reads a line with fewer fields, of an older version, and takes the others for absent', () => {
    const row = new Float64Array(fieldCount);
    expect(decodeTick('0,1.5,7', row)).toEqual({ flags: 0, receivedMs: 1.5 });
    expect([row[0], row[1], row[fieldCount - 1]]).toEqual([7, NaN, NaN]);
  });

  it.each([
    '',
    '1,2',
    'x,2,3',
    '1.5,2,3',
    '1,,3',
    '1,2,three',
    '1,2, 3',
    '1,2,0x10',
    '1,2,NaN',
    `1,2${',3'.repeat(fieldCount + 1)}`,
  ])('refuses %j', (text) => {
    expect(decodeTick(text, new Float64Array(fieldCount))).toBeUndefined();
  });

  it('refuses or reads any text without an exception', () => {
    fc.assert(fc.property(fc.string(), (text) => void decodeTick(text, new Float64Array(fieldCount))));
  });

  it('reads and refuses what its grammar says, and makes the numbers that Number() makes', () => {
    const digits = fc.stringMatching(/^\d{1,25}$/);
    const number = fc
      .tuple(
        fc.constantFrom('', '-', '--', '+', ' '),
        fc.oneof(digits, fc.constantFrom('Infinity', 'Infinit', 'NaN', '')),
        fc.oneof(
          { weight: 3, arbitrary: fc.constant('') },
          digits.map((each) => `.${each}`),
          fc.constant('.'),
        ),
        fc.oneof(
          { weight: 3, arbitrary: fc.constant('') },
          fc
            .tuple(fc.constantFrom('e', 'E'), fc.constantFrom('+', '-', ''), fc.nat(400))
            .map((each) => each.join('')),
        ),
      )
      .map((each) => each.join(''));
    const value = fc.oneof(fc.double().map(String), fc.constant(''), number, fc.string({ maxLength: 3 }));
    const line = fc.array(value, { maxLength: fieldCount + 4 }).map((values) => values.join(','));
    const headed = fc.tuple(fc.nat(), fc.double({ min: 0, noNaN: true }), line).map((each) => each.join(','));
    fc.assert(
      fc.property(fc.oneof(headed, line, fc.string()), (text) => {
        const row = new Float64Array(fieldCount).fill(7);
        const expected = byGrammar(text);
        const head = decodeTick(text, row);
        expect(head).toEqual(expected?.head);
        for (let i = 0; i < fieldCount; i++)
          expect(Object.is(row[i], expected === undefined ? 7 : expected.values[i])).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

/** What a line says by the words of docs/storage.md. */
function byGrammar(
  text: string,
): { head: { flags: number; receivedMs: number }; values: number[] } | undefined {
  const numbers = text
    .split(',')
    .map((part) => (/^-?(?:\d+(?:\.\d+)?(?:e[+-]\d+)?|Infinity)$/.test(part) ? Number(part) : part));
  if (numbers.length < 3 || numbers.length > fieldCount + 2) return undefined;
  const [flags, receivedMs, ...given] = numbers.map((each) => (each === '' ? NaN : each));
  if (!Number.isInteger(flags) || typeof receivedMs !== 'number' || Number.isNaN(receivedMs))
    return undefined;
  const values = Array.from({ length: fieldCount }, (_, index) => given[index] ?? NaN);
  if (!values.every((each) => typeof each === 'number')) return undefined;
  return { head: { flags: flags as number, receivedMs }, values };
}
