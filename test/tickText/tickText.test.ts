import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldCount } from '../../src/market/quotes/quoteFields.js';
import { CommandBytes, argumentBytes } from '../../src/redis/commandBytes.js';
import { longestNumber, writeNumber } from '../../src/tickText/numberBytes.js';
import { encodeTick, numberText } from '../../src/tickText/tickCodec.js';
import { longestLine, TickLine } from '../../src/tickText/tickText.js';

const decimals = fc
  .tuple(fc.integer(), fc.integer({ min: 0, max: 7 }))
  .map(([digits, places]) => digits / 10 ** places);
const anyNumber = fc.oneof(
  fc.double(),
  decimals,
  fc.maxSafeInteger(),
  fc.maxSafeInteger().map((value) => value / 1e4),
  fc.constantFrom(
    0,
    -0,
    NaN,
    Infinity,
    -Infinity,
    5e-324,
    Number.MAX_VALUE,
    1e21,
    1e15,
    1e15 - 1,
    999_999_999,
  ),
  fc.constantFrom(0.0001, 0.00001, 1e-7, 123456789.1, 1e9, 1e9 - 0.5, 2 ** 53, 1712345678901.1235),
);

describe('a number in bytes', () => {
  it('is what it is as text', () => {
    fc.assert(
      fc.property(anyNumber, (value) => {
        const bytes = Buffer.alloc(longestNumber + 3);
        const end = writeNumber(value, bytes, 3);
        expect(bytes.toString('latin1', 3, end)).toBe(numberText(value));
      }),
      { numRuns: 5000 },
    );
  });
});

describe('a line in bytes', () => {
  const change = fc.record({
    flags: fc.nat(255),
    receivedMs: fc.double({ min: 0, max: 4e12, noNaN: true }),
    fields: fc.dictionary(fc.nat(fieldCount - 1).map(String), anyNumber, { maxKeys: fieldCount }),
  });

  it('is what the whole tick is as text, whatever has changed since the one before', () => {
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
        const line = new TickLine();
        const row = new Float64Array(fieldCount).fill(NaN);
        for (const { flags, receivedMs, fields } of changes) {
          const before = row.slice();
          for (const [field, value] of Object.entries(fields)) row[Number(field)] = value;
          const changed = new Uint8Array(fieldCount);
          const isChanged = line.update(flags, receivedMs, row, changed);
          const differing = [...row.keys()].filter((field) => !Object.is(row[field], before[field]));
          expect([...changed.keys()].filter((field) => changed[field] === 1)).toEqual(differing);
          expect(isChanged).toBe(differing.length > 0);
          const text = encodeTick(flags, receivedMs, row);
          expect(Buffer.from(line.bytes).toString('latin1', 0, line.length)).toBe(text);
          const parts = [...row.keys()].map((field) => {
            return Buffer.from(line.bytes).toString('latin1', line.begin(field), line.end(field));
          });
          expect(parts).toEqual(text.split(',').slice(2));
        }
      }),
    );
  });

  it('has room for the longest values', () => {
    const line = new TickLine();
    line.update(
      2 ** 31,
      1e-300 / 3,
      new Float64Array(fieldCount).fill(-1 / 3e300),
      new Uint8Array(fieldCount),
    );
    expect(line.length).toBeLessThanOrEqual(longestLine);
    expect(line.length).toBeGreaterThan(800);
  });
});

it('commands in bytes are those of the wire, however large', () => {
  const commands = new CommandBytes();
  const words = fc.array(fc.string({ unit: 'binary-ascii', maxLength: 300 }), {
    minLength: 1,
    maxLength: 300,
  });
  fc.assert(
    fc.property(fc.array(words, { maxLength: 10 }), (list) => {
      commands.clear();
      for (const each of list) {
        commands.command(each.length + 3);
        for (const [index, word] of each.entries()) {
          const bytes = Buffer.from(word);
          if (index % 2 === 0) commands.ready(argumentBytes(word));
          else commands.slice(bytes, 0, bytes.length);
        }
        commands.number(3500.5);
        commands.pair(1712345678901, 45, 7);
        commands.numbered(Buffer.from('run.'), 12);
      }
      const expected = list.map((each) => {
        const all = [...each, '3500.5', '1712345678901-7', 'run.12'];
        return `*${all.length}\r\n${all.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
      });
      expect(commands.bytes.toString('latin1')).toBe(expected.join(''));
      expect(commands.count).toBe(list.length);
    }),
    { numRuns: 50 },
  );
});
