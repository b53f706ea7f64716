import { describe, expect, it } from 'vitest';
import { readGraphql } from '../../src/server/symbols/graphql.js';

describe('readGraphql', () => {
  it('reads fields with arguments, inline fragments and spreads', () => {
    const text = `query rootQuery($ids: [String], $n: Int = 3) { # all of them
      multi_symbol_info(instrument_id: $ids, class: [FUTURE OPTION], expired: false, at: -7, note: "a\\"b") {
        __typename ...basic ... on option { strike_price } derivatives(class: []) { count }
      }
    }
    fragment basic on basic { instrument_id trading_time { day night } }`;
    const plain = (name: string): object => ({ name, args: new Map(), fields: [], hasSpread: false });
    expect(readGraphql(text)).toEqual({
      hasSpread: false,
      fields: [
        {
          name: 'multi_symbol_info',
          args: new Map<string, unknown>([
            ['instrument_id', { variable: 'ids' }],
            ['class', ['FUTURE', 'OPTION']],
            ['expired', false],
            ['at', -7],
            ['note', 'a"b'],
          ]),
          hasSpread: true,
          fields: [
            plain('__typename'),
            plain('strike_price'),
            {
              name: 'derivatives',
              args: new Map([['class', []]]),
              fields: [plain('count')],
              hasSpread: false,
            },
          ],
        },
      ],
    });
  });

  it.each([
    ['', 'it ends where { is expected'],
    ['query(', 'it ends where ) is expected'],
    ['{a', 'it ends where a name is expected'],
    ['{a} {b}', 'character 5 is of something else where nothing more is expected'],
    ['{a: b}', 'character 3 is of something else where a name is expected'],
    ['{a(b: {c: 1})}', 'character 7 is of something else where a value is expected'],
    ['{a(b: "\\q")}', 'the string at character 7 has an escape that there is not'],
    ['{a @skip}', 'character 4 begins nothing of GraphQL'],
    ['{a(b: "', 'character 7 begins nothing of GraphQL'],
    ['{a'.repeat(20), 'it is nested more than 16 deep'],
    [`{a(b: ${'['.repeat(100_000)}`, 'it is nested more than 16 deep'],
  ])('says what is wrong with %.20s', (text, problem) => {
    expect(readGraphql(text)).toEqual({ problem });
  });

  it('reads a megabyte of comment marks in no time', () => {
    expect(readGraphql('#'.repeat(1_000_000))).toEqual({ problem: 'it ends where { is expected' });
    expect(readGraphql(`{a}${'#\n,'.repeat(100_000)}`)).toMatchObject({ fields: [{ name: 'a' }] });
  });
});
