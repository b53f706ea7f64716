import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readProductTable } from '../../src/config/productsFile.js';
import { loadProducts, shippedProductRows } from '../../src/market/instruments/products.js';
import { tradingTime } from '../../src/market/instruments/productHours.js';
import { load, problemsOf, temporaryFolder } from './sources.js';

function read(content: unknown): ReturnType<typeof readProductTable> {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'p.json'), typeof content === 'string' ? content : JSON.stringify(content));
  return readProductTable('p.json', cwd);
}

const added = { product: 'xy', exchange: 'DCE', volume_multiple: 5, price_tick: 0.5 };

describe('the product table', () => {
  it('is the built-in one where there is no file', () => {
    expect(readProductTable('', '/')).toEqual({ products: loadProducts(), faults: [] });
  });

  it('takes its own rows', () => {
    expect(read(shippedProductRows())).toEqual({ products: loadProducts(), faults: [] });
  });

  it('takes what is different of a known product, hours among it', () => {
    const { products, faults } = read([
      {
        product: 'rb',
        night_close: null,
        day_hours: [
          ['09:00', '11:00'],
          ['13:00', '15:15'],
        ],
        volume_multiple: 20,
      },
    ]);
    expect(faults).toEqual([]);
    const rb = loadProducts().get('rb')!;
    expect(products.get('rb')).toMatchObject({ ...rb, multiplier: 20, nightClose: null });
    expect(tradingTime(products.get('rb')!)).toEqual({
      day: [
        ['09:00:00', '11:00:00'],
        ['13:00:00', '15:15:00'],
      ],
      night: [],
    });
    expect(products.size).toBe(loadProducts().size);
  });

  it('adds products, with what is usual at their exchange, and removes some', () => {
    const { products, faults } = read([added, { product: 'ZC', remove: true }]);
    expect(faults).toEqual([]);
    expect(products.get('xy')).toMatchObject({
      exchange: 'DCE',
      name: 'xy',
      multiplier: 5,
      priceTick: 0.5,
      nightClose: null,
      listing: 'months:12',
      expiry: 'trading-day:10',
    });
    expect(products.has('ZC')).toBe(false);
  });

  it('takes what orders of a product are like, and gives an added one what is usual at its exchange', () => {
    const { products, faults } = read([
      {
        product: 'rb',
        option_price_tick: 0.25,
        margin_rate: 0.13,
        commission_rate: 0,
        max_limit_order_volume: 300,
        max_market_order_volume: 0,
      },
      added,
    ]);
    expect(faults).toEqual([]);
    expect(products.get('rb')).toMatchObject({
      optionPriceTick: 0.25,
      marginRate: 0.13,
      commissionRate: 0,
      maxLimitOrderVolume: 300,
      maxMarketOrderVolume: 0,
    });
    expect(products.get('xy')).toMatchObject({
      marginRate: 0.1,
      commissionRate: 0.0001,
      maxLimitOrderVolume: 1000,
      maxMarketOrderVolume: 1000,
    });
    expect(products.get('xy')!.optionPriceTick).toBeUndefined();
  });

  it.each([
    [{}, /^p\.json: must be a list of rows, not an object$/],
    ['[{', /^p\.json: line 1, column 3: /],
    [[1], /^p\.json: row 1: must be an object, not 1$/],
    [[{ exchange: 'DCE' }], /^p\.json: row 1: product: is missing, must be 1 to 4 letters/],
    [[{ product: 'r2' }], /^p\.json: row 1 \(r2\): product: must be 1 to 4 letters.*, not "r2"$/],
    [
      [{ product: 'xy', exchange: 'DCE', price_tick: 1 }],
      /row 1 \(xy\): volume_multiple: is missing, and a new/,
    ],
    [
      [added, { product: 'rb', pricetick: 1 }],
      /row 2 \(rb\): pricetick: unknown key, did you mean price_tick\?$/,
    ],
    [[{ product: 'rb', price_tick: 0 }], /row 1 \(rb\): price_tick: must be a number from 0.0001 .*, not 0$/],
    [[{ product: 'rb', price_tick: 100_001 }], /price_tick: must be a number .* to 100000, .*, not 100001$/],
    [[{ product: 'rb', price_tick: 0.00025 }], /price_tick: .* with at most four decimals, not 0.00025$/],
    [
      [{ product: 'rb', volume_multiple: 0.5 }],
      /volume_multiple: must be a whole number from 1 to 1000000000, not 0.5$/,
    ],
    [[{ product: 'rb', night_close: '25:00' }], /row 1 \(rb\): night_close: must be HH:MM .*, not "25:00"$/],
    [[{ product: 'rb', exchange: 'LME' }], /row 1 \(rb\): exchange: must be one of "SHFE".*, not "LME"$/],
    [
      [{ product: 'rb', exchange: 'CZCE' }],
      /row 1 \(rb\): product: ids of CZCE begin with capitals, not "rb"$/,
    ],
    [[{ product: 'rb', day_hours: [['10:00', '09:00']] }], /day_hours: must be a list such as/],
    [[{ product: 'rb', day_hours: [['06:59', '09:00']] }], /day_hours: .* from "07:00" to "18:00"/],
    [[{ product: 'rb', day_hours: [['09:00', '18:01']] }], /day_hours: .* from "07:00" to "18:00"/],
    [[{ product: 'rb', night_close: '05:31' }], /night_close: must be HH:MM .*"05:30".*, not "05:31"$/],
    [[{ product: 'rb', underlying: 'rb' }], /rb: underlying: "rb" has no futures/],
    [[{ product: 'rb', underlying: 'IO' }], /rb: underlying: "IO" has no futures/],
    [
      [{ product: 'rb', months: [5, 1] }],
      /months: must be a list of months from 1 to 12, in order, not a list of 2$/,
    ],
    [[{ product: 'rb', margin_rate: 0 }], /row 1 \(rb\): margin_rate: must be .*, not 0$/],
    [[{ product: 'rb', commission_rate: -1 }], /commission_rate: must be a number from 0 to 1, not -1$/],
    [[{ product: 'rb', max_limit_order_volume: 0 }], /must be a whole number from 1 to 1000000, not 0$/],
    [[{ product: 'rb', option_price_tick: 0 }], /option_price_tick: must be a number from 0.0001 .*, not 0$/],
    [[{ product: 'rb', listing: 'months:99' }], /listing: must be "none", or a sum/],
    [[{ product: 'rb', expiry: 'ides' }], /expiry: must be one of "day15"/],
    [[{ product: 'rb' }, { product: 'rb' }], /row 2 \(rb\): product: "rb" has a row already$/],
    [[{ product: 'zz', remove: true }], /row 1 \(zz\): remove: there is no product "zz"$/],
    [[{ product: 'rb', remove: false }], /remove: must be true, not false$/],
    [[{ product: 'rb', remove: true, name: 'x' }], /remove: a row that removes a product has no other key$/],
    [[{ ...added, product: 'rB' }], /row 1 \(rB\): product: there is rb, and codes differ/],
    [[{ product: 'IF', remove: true }], /IO: underlying: must be the code of a product, not "IF"$/],
  ])('refuses %j', (content, fault) => {
    const { faults } = read(content);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(fault);
  });

  it('refuses a file of another encoding, where names would be lost', () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'p.json'), Buffer.from([0x5b, 0xc2, 0xdd, 0x5d]));
    expect(readProductTable('p.json', cwd).faults).toEqual(['p.json: is not UTF-8 text']);
  });

  it('is named by products_file', () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'p.json'), JSON.stringify([added]));
    expect(load({ cwd, file: { products_file: 'p.json' } }).products.has('xy')).toBe(true);
    expect(problemsOf({ file: { products_file: 'nothing.json' } })).toEqual([
      'gateway.json: products_file: nothing.json: there is no such file',
    ]);
  });
});
