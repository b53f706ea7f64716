import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rawMembers } from '../../src/server/shared/rawMembers.js';

describe('rawMembers', () => {
  it('gives each member as it is written', () => {
    const text =
      ' { "a" : 1796078443353936896 ,"b":"x\\"}\\u87ba", "c":[1,{"d":"]"}],"\\u0064":1e3\n,"e":null}';
    expect(Object.fromEntries(rawMembers(text))).toEqual({
      a: '1796078443353936896',
      b: '"x\\"}\\u87ba"',
      c: '[1,{"d":"]"}]',
      d: '1e3',
      e: 'null',
    });
    expect(rawMembers('{}').size).toBe(0);
  });

  it('finds the members of any object, with any blanks', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.constantFrom(undefined, 1, '\t'),
        (object, gap) => {
          const text = JSON.stringify(object, null, gap);
          const read = JSON.parse(text) as Record<string, unknown>;
          const members = [...rawMembers(text)].map(
            ([name, raw]) => [name, JSON.parse(raw) as unknown] as const,
          );
          expect(new Map(members)).toEqual(new Map(Object.entries(read)));
        },
      ),
    );
  });
});
