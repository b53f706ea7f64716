import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonTextError, parseJsonText } from '../../src/base/jsonText.js';

function parses(parse: (text: string) => unknown, text: string): boolean {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('parseJsonText', () => {
  it('gives back what JSON.stringify wrote', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(parseJsonText(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('agrees with JSON.parse about damaged text', () => {
    const damaged = fc
      .tuple(fc.json(), fc.nat(), fc.nat(3), fc.string({ maxLength: 3 }))
      .map(
        ([text, at, cut, put]) =>
          text.slice(0, at % (text.length + 1)) + put + text.slice((at % (text.length + 1)) + cut),
      );
    fc.assert(
      fc.property(damaged, (text) => {
        // A repeated key is ours alone to refuse.
        fc.pre(!(parses(JSON.parse, text) && /"[^"]*":[^]*"[^"]*":/.test(text)));
        expect(parses(parseJsonText, text)).toBe(parses(JSON.parse, text));
      }),
      { numRuns: 500 },
    );
  });

  it('reads texts of many megabytes', () => {
    const long = 'x\\"\\u4e2d'.repeat(2_000_000);
    expect(parseJsonText(`{"a":"${long}"}`)).toEqual({ a: JSON.parse(`"${long}"`) as unknown });
    expect(() => parseJsonText(`{"a":"${long}`)).toThrow(/^line 1, column 6: this text is not closed/);
    const key = 'k'.repeat(1_000_000);
    expect(() => parseJsonText(`{"${key}":1,"${key}":2}`)).toThrow(
      /^line 1, column 1000007: the key "k{79}… comes twice$/,
    );
  });

  it.each([
    ['{"a": 1,}', 1, 9],
    ['{\n "a": 1\n "b": 2}', 3, 2],
    ['{"a": tru}', 1, 7],
    ["{'a': 1}", 1, 2],
    ['[1, 2', 1, 6],
    ['{"a": 1} x', 1, 10],
    ['{"a": "x\ny"}', 1, 7],
    ['{"a": 01}', 1, 8],
    ['', 1, 1],
    ['{"a": 1,\n "a": 2}', 2, 2],
  ])('finds the fault of %j at %i:%i', (text, line, column) => {
    expect(() => parseJsonText(text)).toThrow(JsonTextError);
    try {
      parseJsonText(text);
    } catch (error) {
      expect(error).toMatchObject({ line, column });
    }
  });

  it('skips a byte order mark and refuses text nested beyond all reason', () => {
    expect(parseJsonText('\ufeff{"a":1}')).toEqual({ a: 1 });
    expect(() => parseJsonText('['.repeat(100_000))).toThrow('nested more than');
  });

  it.each([
    ['{"a": 1,}', 'line 1, column 9: expected a key in double quotes, no comma stands before "}"'],
    ['[1, 2,\n]', 'line 2, column 1: expected a value, no comma stands before "]"'],
    [
      '{\n  // the port\n  "a": 1}',
      'line 2, column 3: expected a key in double quotes; JSON has no comments',
    ],
    ['{"a": 1 /* one */}', 'line 1, column 9: expected "," or "}"; JSON has no comments'],
    ['# a\n{}', 'list or object); JSON has no comments'],
  ])('says of %j what is wrong there', (text, message) => {
    expect(() => parseJsonText(text)).toThrow(message);
  });
});
