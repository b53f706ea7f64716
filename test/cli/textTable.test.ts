import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cell, clip, displayWidth, tableLines, type Column } from '../../src/cli/textTable.js';

const columns: readonly Column[] = [
  { title: 'id', rank: 0 },
  { title: 'note', least: 6, rank: 1 },
  { title: 'size', isNumber: true, rank: 2 },
];

describe('a table', () => {
  it('is as wide as its widest cells where there is room, numbers to the right', () => {
    expect(
      tableLines(columns, [
        ['a', 'short', '1'],
        ['bcd', 'a longer note', '12345'],
      ]),
    ).toEqual(['id   note            size', 'a    short              1', 'bcd  a longer note  12345']);
  });

  it('cuts what may be cut, then leaves columns out, empty ones first', () => {
    const rows = [['a', 'a longer note', '12345']];
    expect(tableLines(columns, rows, 18)).toEqual(['id  note      size', 'a   a long…  12345']);
    expect(tableLines(columns, rows, 15)).toEqual(['id  note', 'a   a longer n…']);
    expect(tableLines(columns, rows, 9)).toEqual(['id', 'a']);
    expect(tableLines(columns, [['a', '-', '12345']], 10)).toEqual(['id   size', 'a   12345']);
  });

  it('is never wider than asked for, if its fixed columns are not', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '期', '-', '🙂', ' ', 'é') });
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text, text)), fc.integer({ min: 2, max: 60 }), (rows, width) => {
        const fixed = Math.max(2, ...rows.map(([id]) => displayWidth(id)));
        for (const line of tableLines(columns, rows, width))
          expect(displayWidth(line)).toBeLessThanOrEqual(Math.max(width, fixed));
      }),
    );
  });
});

describe('text', () => {
  it('is cut by what a terminal shows of it', () => {
    expect(displayWidth('第二期货')).toBe(8);
    expect(clip('第二期货', 8)).toBe('第二期货');
    expect(clip('第二期货', 6)).toBe('第二…');
    expect(clip('abc', 2)).toBe('a…');
  });

  it('keeps control characters and line breaks from the terminal', () => {
    expect(cell('\u001b[31mred\nline')).toBe(' [31mred line');
    expect(cell({ a: [1] })).toBe('{"a":[1]}');
    expect([undefined, null, ''].map(cell)).toEqual(['-', '-', '-']);
  });
});
