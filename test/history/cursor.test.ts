import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCursor, encodeCursor, type HistoryCursor } from '../../src/history/cursor.js';

const key = 'SHFE.rb2601';
const cursor: HistoryCursor = {
  source: 'redis',
  fromMs: 1767576600000,
  toMs: 1767580200000,
  position: '1767576600500-3',
};

describe('a cursor', () => {
  it('gives back what it was made from', () => {
    for (const each of [cursor, { ...cursor, toMs: Infinity }, { ...cursor, source: 'memory' as const }])
      expect(decodeCursor(key, encodeCursor(key, each))).toEqual(each);
  });

  it('needs no escaping in an address', () => {
    expect(encodeCursor(key, cursor)).toMatch(/^[A-Za-z0-9_-]+$/);
  });

  it('is of its own instrument alone', () => {
    expect(decodeCursor('SHFE.rb2605', encodeCursor(key, cursor))).toBeUndefined();
  });

  it('is refused when anything in it was changed', () => {
    const text = encodeCursor(key, cursor);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    for (let i = 0; i < text.length; i++)
      for (const char of alphabet)
        if (char !== text[i])
          expect(decodeCursor(key, text.slice(0, i) + char + text.slice(i + 1))).toBeUndefined();
    for (let i = 0; i < text.length; i++) expect(decodeCursor(key, text.slice(0, i))).toBeUndefined();
    for (const more of ['A', '=', ' ', '\0', text]) expect(decodeCursor(key, text + more)).toBeUndefined();
  });

  it('takes no other text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String()), (text) => decodeCursor(key, text) === undefined),
    );
    expect(decodeCursor(key, 'A'.repeat(100_000))).toBeUndefined();
  });
});
