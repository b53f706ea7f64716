import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  matches,
  parsePattern,
  type InstrumentPattern,
} from '../../src/market/instruments/instrumentPattern.js';
import { exchanges, type Exchange } from '../../src/market/instruments/products.js';

function pattern(text: string): InstrumentPattern {
  const parsed = parsePattern(text);
  if ('problem' in parsed) throw new Error(`${text}: ${parsed.problem}`);
  return parsed;
}

const market: readonly { readonly id: string; readonly exchange: Exchange }[] = [
  { id: 'rb2605', exchange: 'SHFE' },
  { id: 'rb2605C3000', exchange: 'SHFE' },
  { id: 'ru2605', exchange: 'SHFE' },
  { id: 'RB605', exchange: 'CZCE' },
  { id: 'c2605', exchange: 'DCE' },
  { id: 'cu2605', exchange: 'SHFE' },
  { id: 'SP a2605&a2609', exchange: 'DCE' },
];

function matched(text: string): string[] {
  return market.filter((each) => matches(pattern(text), each)).map(({ id }) => id);
}

describe('an instrument pattern', () => {
  it.each([
    ['*', market.map(({ id }) => id)],
    ['SHFE.*', ['rb2605', 'rb2605C3000', 'ru2605', 'cu2605']],
    ['rb*', ['rb2605', 'rb2605C3000']],
    ['SHFE.rb*', ['rb2605', 'rb2605C3000']],
    ['DCE.rb*', []],
    ['c*', ['c2605', 'cu2605']],
    ['DCE.c*', ['c2605']],
    ['rb2605', ['rb2605']],
    ['rb2605*', ['rb2605', 'rb2605C3000']],
    ['SHFE.rb2605', ['rb2605']],
    ['DCE.rb2605', []],
    ['RB*', ['RB605']],
    ['SP *', ['SP a2605&a2609']],
    ['DCE.SP a2605&a2609', ['SP a2605&a2609']],
  ])('%s takes %j', (text, expected) => {
    expect(matched(text)).toEqual(expected);
  });

  it('takes exactly the instrument whose name it is, with and without its exchange', () => {
    const id = fc.stringMatching(/^[A-Za-z]{1,2}\d{3,4}([CP]\d{2,5}(\.5)?)?$/);
    fc.assert(
      fc.property(
        id,
        id,
        fc.constantFrom(...exchanges),
        fc.constantFrom(...exchanges),
        (a, b, home, other) => {
          expect(matches(pattern(a), { id: b, exchange: home })).toBe(a === b);
          expect(matches(pattern(`${home}.${a}`), { id: a, exchange: other })).toBe(home === other);
          for (let length = 0; length <= a.length; length++)
            expect(matches(pattern(`${home}.${a.slice(0, length)}*`), { id: a, exchange: home })).toBe(true);
        },
      ),
    );
  });

  it.each([
    ['', 'it is empty'],
    ['r*b', 'the star may only be its last character'],
    ['**', 'the star may only be its last character'],
    ['*.rb2605', 'the star may only be its last character'],
    ['shfe.rb*', 'exchanges are in capitals: SHFE'],
    ['SHEF.*', '"SHEF" is no exchange, there are SHFE, INE, DCE, CZCE, CFFEX, GFEX'],
    ['.rb*', '"" is no exchange, there are SHFE, INE, DCE, CZCE, CFFEX, GFEX'],
    ['SHFE.', 'no instrument follows the exchange'],
    ['rb', 'an instrument has digits, all of a product are "rb*"'],
    ['SHFE.SHFE.rb*', /begins with a letter/],
    ['2605*', /begins with a letter/],
    [' rb*', /begins with a letter/],
    ['rb?605', /begins with a letter/],
    ['rb2605\n', /begins with a letter/],
    [`${'r'.repeat(90)}*`, 'it is longer than 90 characters'],
  ])('%j is refused, and says why', (text, problem) => {
    const parsed = parsePattern(text);
    expect('problem' in parsed ? parsed.problem : 'none').toEqual(
      typeof problem === 'string' ? problem : expect.stringMatching(problem),
    );
  });
});
