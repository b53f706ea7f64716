import { describe, expect, it } from 'vitest';
import { InstrumentDirectory } from '../../src/market/instruments/instrumentDirectory.js';
import { loadProducts } from '../../src/market/instruments/products.js';

const directory = new InstrumentDirectory({
  products: loadProducts(),
  maxInstruments: 100,
  now: () => Date.UTC(2026, 10, 23, 3),
});

describe('advice on names that are no instrument', () => {
  it.each([
    ['RB2705', 'rb2705'],
    ['Rb2705', 'rb2705'],
    ['SHFE.RB2705', 'SHFE.rb2705'],
    ['shfe.rb2705', 'SHFE.rb2705'],
    ['DCE.rb2705', 'SHFE.rb2705'],
    ['rb2705.SHFE', 'rb2705'],
    ['SR705.CZC', 'SR705'],
    ['SR2705', 'SR705'],
    ['CZCE.SR2705', 'CZCE.SR705'],
    ['sr2705', 'SR705'],
    ['rb705', 'rb2705'],
    ['rb 2705', 'rb2705'],
    ['rb202705', 'rb2705'],
    ['if2612', 'IF2612'],
    ['rbb2705', 'rb2705'],
    ['cu2705-C-70000', 'cu2705C70000'],
    ['m2705C3000', 'm2705-C-3000'],
    ['M2705-c-3000', 'm2705-C-3000'],
    ['m2705-MSC-3000', 'm2705-MS-C-3000'],
    ['SR2705C5800', 'SR705C5800'],
    ['io2612c4000', 'IO2612-C-4000'],
    ['L2705f', 'l2705F'],
    ['SC2705tas', 'sc2705TAS'],
  ])('%s is %s', (requested, meant) => {
    expect(directory.resolve(requested)).toBeUndefined();
    expect(directory.adviseUnknown(requested, () => 0)).toEqual({
      text: `did you mean ${meant}?`,
      meant: [meant],
    });
    expect(directory.resolve(meant)).toBeDefined();
  });

  it.each([
    ['SHFE.cu26', /no such month is listed, the main ones are cu2612, cu2701, cu2702$/],
    ['rb', /^a month is missing, the main ones are rb2612/],
    ['rb2713', /^no such month is listed, the main ones are rb/],
    ['KQ.m@SHFE.rb', /^continuous contracts are not quoted by fronts, the main ones are rb2612/],
    ['qqq2705', /^no product has the code qqq$/],
    ['螺纹2705', /^this is no form of an instrument id$/],
    ['', /^this is no form of an instrument id$/],
    ['IO', /^a month is missing$/],
  ])('%j: %s', (requested, text) => {
    expect(directory.adviseUnknown(requested, () => 0).text).toMatch(text);
  });

  it('names first what most is held of', () => {
    const slot = directory.resolve('rb2705')!.slot;
    const { meant } = directory.adviseUnknown('rb', (each) => (each === slot ? 1e6 : NaN));
    expect(meant).toEqual(['rb2705', 'rb2612', 'rb2701']);
  });
});

describe('advice on what has expired', () => {
  it.each(['rb2610', 'SHFE.rb2505', 'SR609', 'SR501', 'm2510-C-3000', 'SP a2609&a2705'])(
    '%s',
    (requested) => {
      expect(directory.expiredOf([requested])).toEqual([requested]);
      const { text } = directory.adviseExpired(requested, () => 0);
      expect(text).toMatch(/^it expired by 202[56]-\d\d, the main ones are /);
    },
  );

  it.each(['rb2612', 'rb2611', 'SR701', 'rb3005', 'RB2505'])('says nothing of %s', (requested) => {
    expect(directory.expiredOf([requested])).toEqual([]);
  });
});
