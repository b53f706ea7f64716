import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  deliveryMonth,
  formatInstrumentId,
  notations,
  parseInstrumentId,
  type CombinationParts,
  type SingleParts,
} from '../../src/market/instruments/instrumentId.js';
import { exchanges, loadProducts } from '../../src/market/instruments/products.js';

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
    ['v2612F', 'DCE', 'FUTURE', 'v_f'],
    ['DCE.pp2612F', 'DCE', 'FUTURE', 'pp_f'],
    ['pp2612', 'DCE', 'FUTURE', 'pp'],
    ['bc2701TAS', 'INE', 'FUTURE', 'bc'],
    ['sc2505P512.5', 'INE', 'FUTURE_OPTION', 'sc'],
    ['HO2501-P-2600', 'CFFEX', 'FUTURE_OPTION', 'HO'],
    ['TL2503', 'CFFEX', 'FUTURE', 'TL'],
    ['SR501MSP5800', 'CZCE', 'FUTURE_OPTION', 'SR'],
    ['ZC505', 'CZCE', 'FUTURE', 'ZC'],
    ['SP sc2506&sc2507', 'INE', 'COMBINE', 'sc'],
    ['INE.SP sc2506&sc2507', 'INE', 'COMBINE', 'sc'],
    ['STD m2505-C-3000&m2505-P-3000', 'DCE', 'COMBINE', 'm'],
    ['STG m2505-C-3000&m2505-P-2800', 'DCE', 'COMBINE', 'm'],
    ['PRT m2505&m2505-P-2800', 'DCE', 'COMBINE', 'm'],
    ['BLS m2505-C-2800&m2505-C-3000', 'DCE', 'COMBINE', 'm'],
    ['BES m2505-P-2800&m2505-P-3000', 'DCE', 'COMBINE', 'm'],
    ['CAS m2505-C-3000&m2507-C-3000', 'DCE', 'COMBINE', 'm'],
    ['BFO m2505&m2505-C-3000', 'DCE', 'COMBINE', 'm'],
    ['OPL m2505-MS-C-3000&m2505-MS-P-3000', 'DCE', 'COMBINE', 'm'],
    ['STD SR505C5800&SR505P5800', 'CZCE', 'COMBINE', 'SR'],
    ['STG SR505MSC5800&SR505MSP5600', 'CZCE', 'COMBINE', 'SR'],
    ['BFO pp2505-MS-C-7000&pp2505-MS-P-7000&pp2505-MS-C-71000&pp2505-MS-P-71000.125', 'DCE', 'COMBINE', 'pp'],
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
    expect(parseInstrumentId('DCE.SP xx2601&m2601', products)?.class).toBe('COMBINE');
    // Another case is a misspelling of a product that there is, and no new one.
    expect(parseInstrumentId('SHFE.RB2601', products)).toBeUndefined();
    expect(parseInstrumentId('CZCE.sr601', products)).toBeUndefined();
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
    'SP a2405&m2405&y2405&p2405&c2405',
    'SP a2405&rb2409',
    'SP SR505&SR2509',
    'SP  a2405&a2409',
    'STD m2505-C-3000&m2505C3000',
    `BFO ${Array.from({ length: 4 }, () => 'pp2505-MS-C-70000.125').join('&')}`,
    'cu2505-C-70000',
    'm2505C3000',
    'm2505-C-03000',
    'm2505-C-',
    'm2505-C-3000.',
    'cu2505MSC70000',
    'IO2501-MS-C-4000',
    'SR501-C-5800',
    'IO2501',
    'rb2512F',
    'm2512F',
    'l2512TAS',
    'SR501TAS',
    'l2612F-C-8000',
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

  it.each([
    ['rb2701', 2026, 2027, 1],
    ['rb2701', 2035, 2027, 1],
    ['SR701', 2026, 2027, 1],
    ['SR512', 2026, 2025, 12],
    ['SR412', 2026, 2034, 12],
    ['SR901', 2030, 2029, 1],
    ['SR001', 2029, 2030, 1],
    ['SR001', 2031, 2030, 1],
    ['SR001C5800', 2029, 2030, 1],
    ['SP a2705&a2701', 2026, 2027, 1],
    ['SPD SR709&SR701', 2026, 2027, 1],
  ])('%s is delivered, seen from %d, in %d-%d', (id, from, year, month) => {
    expect(deliveryMonth(parseInstrumentId(id, products)!.parts, from)).toEqual({ year, month });
  });

  const month = fc.integer({ min: 1, max: 12 }).map((each) => String(each).padStart(2, '0'));
  const strike = fc.oneof(
    fc.integer({ min: 1, max: 200_000 }).map(String),
    fc.integer({ min: 1, max: 99_999 }).map((each) => `${Math.trunc(each / 10)}.${(each % 10) + 1}`),
  );
  const codes = [...products.values()].filter(({ product }) => !product.endsWith('_f'));
  const single: fc.Arbitrary<SingleParts> = fc
    .record({
      product: fc.constantFrom(...codes),
      year: fc.integer({ min: 10, max: 99 }),
      month,
      strike,
      right: fc.constantFrom('C' as const, 'P' as const),
      isMarked: fc.boolean(),
      isOption: fc.boolean(),
    })
    .map(
      ({
        product: { product: code, exchange, underlying },
        year,
        month,
        strike,
        right,
        isMarked,
        isOption,
      }) => {
        const { yearDigits, hasSeries, variant } = notations[exchange];
        const delivery = `${String(year).slice(-yearDigits)}${month}`;
        if (isOption || underlying !== undefined)
          return {
            exchange,
            code,
            delivery,
            variant: '',
            option: { series: isMarked && hasSeries, right, strike },
          };
        const hasVariant = isMarked && (variant !== 'F' || products.has(`${code}_f`));
        return { exchange, code, delivery, variant: hasVariant ? variant : '', option: undefined };
      },
    );
  const combination: fc.Arbitrary<CombinationParts> = fc
    .record({
      strategy: fc.constantFrom(
        'SP',
        'SPC',
        'SPD',
        'IPS',
        'STD',
        'STG',
        'PRT',
        'BLS',
        'BES',
        'CAS',
        'BFO',
        'OPL',
      ),
      legs: fc.array(single, { minLength: 2, maxLength: 4 }),
    })
    .map(({ strategy, legs }) => {
      const { exchange } = legs[0]!;
      const others = legs.map((leg) => (leg.exchange === exchange ? leg : legs[0]!));
      return { exchange, strategy, legs: others.slice(0, 3) };
    });

  it('reads what it writes, bare and prefixed, and writes what it has read', () => {
    fc.assert(
      fc.property(fc.oneof(single, combination), (parts) => {
        const id = formatInstrumentId(parts);
        const parsed = parseInstrumentId(id, products);
        expect(parsed, id).toMatchObject({ id, exchange: parts.exchange, parts });
        expect(formatInstrumentId(parsed!.parts)).toBe(id);
        for (const exchange of exchanges)
          expect(parseInstrumentId(`${exchange}.${id}`, products)).toEqual(
            exchange === parts.exchange ? parsed : undefined,
          );
      }),
    );
  });

  it('takes nothing that it would write otherwise', () => {
    const part = fc.constantFrom(
      'SP ',
      'rb',
      'm',
      'SR',
      'l',
      'IO',
      '2705',
      '705',
      '-',
      'C',
      'P',
      'MS',
      'F',
      'TAS',
      '3000',
      '&',
      '.',
      '0',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 10 }), (texts) => {
        const parsed = parseInstrumentId(texts.join(''), products);
        if (parsed !== undefined) expect(formatInstrumentId(parsed.parts)).toBe(texts.join(''));
      }),
    );
  });

  it('finds every product code unique over all exchanges, also ignoring case', () => {
    const codes = [...products.keys()];
    expect(new Set(codes.map((code) => code.toLowerCase())).size).toBe(codes.length);
    expect(codes).toHaveLength(94);
  });
});
