import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseInstrumentId } from '../../src/market/instrumentId.js';
import { loadProducts } from '../../src/market/products.js';

const products = loadProducts();

describe('parseInstrumentId', () => {
  it.each([
    ['rb2512', 'SHFE', 'FUTURE', 'rb'],
    ['SHFE.rb2512', 'SHFE', 'FUTURE', 'rb'],
    ['cu2505C70000', 'SHFE', 'FUTURE_OPTION', 'cu'],
    ['sc2505TAS', 'INE', 'FUTURE', 'sc'],
    ['DCE.m2505-C-3000', 'DCE', 'FUTURE_OPTION', 'm'],
    ['m2505-MS-C-3000', 'DCE', 'FUTURE_OPTION', 'm'],
    ['l2610F', 'DCE', 'FUTURE', 'l_f'],
    ['l2610', 'DCE', 'FUTURE', 'l'],
    ['SR505', 'CZCE', 'FUTURE', 'SR'],
    ['SR501C5800', 'CZCE', 'FUTURE_OPTION', 'SR'],
    ['SR501MSC5800', 'CZCE', 'FUTURE_OPTION', 'SR'],
    ['IF2501', 'CFFEX', 'FUTURE', 'IF'],
    ['T2503', 'CFFEX', 'FUTURE', 'T'],
    ['IO2501-C-4000', 'CFFEX', 'FUTURE_OPTION', 'IO'],
    ['si2505-C-12000', 'GFEX', 'FUTURE_OPTION', 'si'],
    ['sp2505', 'SHFE', 'FUTURE', 'sp'],
    ['SP a2505&a2509', 'DCE', 'COMBINE', 'a'],
    ['SPC c2505&cs2505', 'DCE', 'COMBINE', 'c'],
    ['SPD SR505&SR509', 'CZCE', 'COMBINE', 'SR'],
    ['IPS SF505&SM505', 'CZCE', 'COMBINE', 'SF'],
    ['CZCE.SPD SR505&SR509', 'CZCE', 'COMBINE', 'SR'],
  ])('%s is of %s, %s', (requested, exchange, instrumentClass, product) => {
    const parsed = parseInstrumentId(requested, products);
    expect(parsed).toMatchObject({ exchange, class: instrumentClass });
    expect(parsed?.product?.product).toBe(product);
    expect(parsed?.id).toBe(requested.replace(/^[A-Z]+\./, ''));
  });

  it('accepts a product that the table lacks when the exchange is named', () => {
    expect(parseInstrumentId('SHFE.xx2601', products)).toMatchObject({
      exchange: 'SHFE',
      product: undefined,
    });
    expect(parseInstrumentId('xx2601', products)).toBeUndefined();
  });

  it.each([
    '',
    'rb',
    '2512',
    'rb2513',
    'rb2500',
    'RB2512',
    'DCE.rb2512',
    'KQ.m@SHFE.rb',
    'CSI.000300',
    'SHFE.',
    '.rb2512',
    'SHFE.SHFE.rb2512',
    'rb251',
    'SR2505',
    'rb2512 ',
    ' rb2512',
    'rb2512\n',
    'rb2512"',
    'rb25\u00002',
    '螺纹2512',
    'rb*',
    'SP a2405"&b',
    'SP a2405&b\n',
    'SP a2405&',
    'SP a2405',
    'SP a2405\u0000&a2409',
    'x'.repeat(200),
  ])('%j cannot exist', (requested) => {
    expect(parseInstrumentId(requested, products)).toBeUndefined();
  });

  it('accepts no character that would have to be escaped in JSON', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        for (const id of [a, `rb25${a}`, `SP ${a}&${b}`, `SP a2505${a}&b${b}`, `SHFE.xx2601${a}`]) {
          const parsed = parseInstrumentId(id, products);
          if (parsed !== undefined) expect(JSON.stringify(parsed.id)).toBe(`"${parsed.id}"`);
        }
      }),
    );
  });

  it('finds every product code unique over all exchanges, also ignoring case', () => {
    const codes = [...products.keys()];
    expect(new Set(codes.map((code) => code.toLowerCase())).size).toBe(codes.length);
    expect(codes).toHaveLength(94);
  });
});
