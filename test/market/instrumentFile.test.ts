import { describe, expect, it } from 'vitest';
import type { Contract } from '../../src/market/instruments/contracts.js';
import { staticFields, SymbolsFile } from '../../src/market/instruments/instrumentFile.js';
import { parseInstrumentId } from '../../src/market/instruments/instrumentId.js';
import { loadProducts } from '../../src/market/instruments/products.js';

const products = loadProducts();
const today = 20261120;
const contract = (id: string, product: string, more: Partial<Contract> = {}): Contract => ({
  id,
  product,
  exchange: 'SHFE',
  deliveryYear: 2027,
  deliveryMonth: 1,
  expireDate: 20270115,
  ...more,
});

type Entry = Record<string, unknown>;

function fileOf(contracts: readonly Contract[]): { file: Record<string, Entry>; parts: number } {
  const parts = [...new SymbolsFile(contracts, products, today).parts()];
  const file = JSON.parse(Buffer.concat(parts).toString('utf8')) as Record<string, Entry>;
  return { file, parts: parts.length };
}

/** What tqsdk-python reads without asking whether it is there, and tqsdk-js's search. */
const demanded = ['class', 'instrument_id', 'py', 'price_tick', 'price_decs', 'volume_multiple', 'expired'];

describe('SymbolsFile', () => {
  const { file } = fileOf([
    contract('rb2701', 'rb'),
    contract('rb2610', 'rb', { deliveryYear: 2026, deliveryMonth: 10, expireDate: 20261015 }),
    contract('l2701F', 'l_f', { exchange: 'DCE' }),
    contract('cu2701C86000', 'cu', {
      class: 'FUTURE_OPTION',
      priceTick: 2,
      option: { right: 'C', strike: 86_000, underlying: 'cu2701' },
    }),
    contract('IO2701-P-4000', 'IO', {
      class: 'FUTURE_OPTION',
      exchange: 'CFFEX',
      option: { right: 'P', strike: 4000 },
    }),
    contract('SP a2701&a2705', 'a', { class: 'COMBINE', exchange: 'DCE' }),
    contract('xy2701', 'xy', { name: '新品2701', multiplier: 7 }),
  ]);

  it('has an entry for everything, with what clients demand', () => {
    expect(Object.keys(file)).toEqual([
      'CSI.000300',
      'SHFE.rb2701',
      'SHFE.rb2610',
      'DCE.l2701F',
      'SHFE.cu2701C86000',
      'CFFEX.IO2701-P-4000',
      'DCE.SP a2701&a2705',
      'SHFE.xy2701',
    ]);
    for (const [key, entry] of Object.entries(file)) {
      expect(Object.keys(entry)).toEqual(expect.arrayContaining(demanded));
      expect(entry['instrument_id']).toBe(key);
      expect(typeof entry['py']).toBe('string');
    }
  });

  it('says of a future what its product says, and whether it has expired', () => {
    expect(file['SHFE.rb2701']).toEqual({
      class: 'FUTURE',
      instrument_id: 'SHFE.rb2701',
      ins_id: 'rb2701',
      ins_name: '螺纹钢2701',
      instrument_name: '螺纹钢2701',
      exchange_id: 'SHFE',
      product_id: 'rb',
      py: 'lwg,luowengang',
      price_tick: 1,
      price_decs: 0,
      volume_multiple: 10,
      expired: false,
      expire_datetime: Date.parse('2027-01-15T15:00:00+08:00') / 1000,
      delivery_year: 2027,
      delivery_month: 1,
      trading_time: {
        day: [
          ['09:00:00', '10:15:00'],
          ['10:30:00', '11:30:00'],
          ['13:30:00', '15:00:00'],
        ],
        night: [['21:00:00', '23:00:00']],
      },
      // A tenth and a ten-thousandth of a lot's value at the product's reference price, 3080.
      margin: 3080,
      commission: 3.08,
      max_limit_order_volume: 500,
      max_market_order_volume: 0,
      min_limit_order_volume: 1,
      min_market_order_volume: 0,
    });
    expect(file['SHFE.rb2610']).toMatchObject({ expired: true });
    expect(file['DCE.l2701F']).toMatchObject({ ins_name: '聚乙烯月均价2701F', product_id: 'l_f' });
  });

  it('says of options and combinations what is known, and null of the rest', () => {
    expect(file['SHFE.cu2701C86000']).toMatchObject({
      class: 'FUTURE_OPTION',
      ins_name: '铜2701C86000',
      price_tick: 2,
      price_decs: 0,
      volume_multiple: 5,
      option_class: 'CALL',
      strike_price: 86_000,
      underlying_symbol: 'SHFE.cu2701',
    });
    expect(file['CFFEX.IO2701-P-4000']).toMatchObject({
      price_tick: 0.2,
      price_decs: 1,
      margin: null,
      commission: null,
      option_class: 'PUT',
    });
    expect(file['CFFEX.IO2701-P-4000']).not.toHaveProperty('underlying_symbol');
    expect(file['DCE.SP a2701&a2705']).toMatchObject({
      class: 'COMBINE',
      ins_name: 'SP a2701&a2705',
      price_tick: null,
      price_decs: null,
    });
    expect(file['SHFE.xy2701']).toMatchObject({
      ins_name: '新品2701',
      price_tick: null,
      volume_multiple: 7,
      trading_time: null,
    });
  });

  it('is made in pieces', () => {
    const many = Array.from({ length: 1000 }, (_, n) =>
      contract(`cu2701C${n + 1}`, 'cu', { class: 'FUTURE_OPTION' }),
    );
    const { file: whole, parts } = fileOf(many);
    expect(Object.keys(whole)).toHaveLength(1001);
    expect(parts).toBe(11);
    expect(fileOf([]).file).toHaveProperty(['CSI.000300']);
  });
});

describe('staticFields', () => {
  const fields = (id: string, known?: Contract): Entry =>
    JSON.parse(`{${staticFields(parseInstrumentId(id, products)!, known, today)}}`) as Entry;

  it('takes an option that nobody has listed from its id', () => {
    const found = fields('m2701-C-3000');
    expect(found).toMatchObject({
      ins_class: 'OPTION',
      ins_name: '豆粕2701-C-3000',
      volume_multiple: 10,
      option_class: 'CALL',
      strike_price: 3000,
      underlying_symbol: 'DCE.m2701',
      price_tick: 0.5,
      price_decs: 1,
    });
    expect(found).not.toHaveProperty('expired');
  });

  it('has the price step of options from their product, and none where that states none', () => {
    expect(fields('SR701MSC5800')).toMatchObject({ price_tick: 0.5, underlying_symbol: 'CZCE.SR701' });
    expect(fields('IO2701-C-4000')).toMatchObject({ price_tick: 0.2 });
    expect(fields('IO2701-C-4000')).not.toHaveProperty('underlying_symbol');
    expect(products.get('sp')!.optionPriceTick).toBeUndefined();
    expect(fields('sp2701C5000')).not.toHaveProperty('price_tick');
    expect(fields('SP m2701&m2705')).not.toHaveProperty('price_tick');
  });

  it('prefers what a contract says, and says nothing of what is not known at all', () => {
    expect(fields('rb2701', contract('rb2701', 'rb', { name: '螺纹2701', priceTick: 2 }))).toMatchObject({
      ins_name: '螺纹2701',
      price_tick: 2,
      expired: false,
    });
    expect(fields('SHFE.xy2701')).toEqual({});
    expect(fields('SHFE.xy2701', contract('xy2701', 'xy', { multiplier: 7 }))).toMatchObject({
      volume_multiple: 7,
    });
  });
});
