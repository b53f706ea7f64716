import { describe, expect, it } from 'vitest';
import { InstrumentDirectory } from '../../src/market/instruments/instrumentDirectory.js';
import { decimalsOf } from '../../src/market/instruments/instrumentFile.js';
import { loadProducts } from '../../src/market/instruments/products.js';

const products = loadProducts();
const now = Date.UTC(2026, 10, 20, 3);
const directory = (maxInstruments = 1000): InstrumentDirectory =>
  new InstrumentDirectory({ products, maxInstruments, now: () => now });

describe('InstrumentDirectory', () => {
  it('gives an instrument one slot, however it is named', () => {
    const all = directory();
    const bare = all.resolve('rb2701')!;
    expect(all.resolve('SHFE.rb2701')).toBe(bare);
    expect(bare).toMatchObject({ id: 'rb2701', key: 'SHFE.rb2701', exchange: 'SHFE', slot: 0 });
    expect(all.resolve('cu2701')!.slot).toBe(1);
    expect(all.bySlot(0)).toBe(bare);
  });

  it('resolves nothing for a wrong exchange, also when the instrument is known', () => {
    const all = directory();
    all.resolve('rb2701');
    expect(all.resolve('DCE.rb2701')).toBeUndefined();
    expect(all.resolve('zz2701')).toBeUndefined();
    expect(all.size).toBe(1);
  });

  it('lists the contracts of the next trading day from the evening on', () => {
    // In Shanghai, the last trading day of many November contracts: new ones are listed for the day after it.
    let moment = Date.UTC(2026, 10, 16, 11, 59);
    const all = new InstrumentDirectory({ products, maxInstruments: 10, now: () => moment });
    const byDay = all.list();
    moment = Date.UTC(2026, 10, 16, 12, 1);
    const inTheEvening = all.list();
    moment = Date.UTC(2026, 10, 17, 2);
    expect(inTheEvening).toEqual(all.list());
    expect(inTheEvening).not.toEqual(byDay);
  });

  it('gives out no more slots than allowed', () => {
    const all = directory(1);
    expect(all.resolve('rb2701')).toBeDefined();
    expect(all.resolve('cu2701')).toBeUndefined();
    expect(all.resolve('rb2701')).toBeDefined();
  });

  it('does not look anything up for instruments that are only named', () => {
    let looks = 0;
    const directory = new InstrumentDirectory({
      products: loadProducts(),
      maxInstruments: 10,
      now: () => {
        looks++;
        return Date.parse('2026-10-12T10:00:00+08:00');
      },
    });
    const instrument = directory.resolve('au2612')!;
    expect(looks).toBe(0);
    expect(instrument.staticJson).toContain('"expired":false');
    const before = looks;
    expect(instrument.staticJson).toContain('"expired":false');
    expect(looks).toBe(before);
  });

  it('keeps slots for the listed contracts, however many other ids are asked for', () => {
    const all = directory(100);
    for (let strike = 1000; strike < 1200; strike++) all.resolve(`m2705-C-${strike}`);
    expect(all.size).toBe(75);
    expect(all.resolve('rb2701')).toBeDefined();
    expect(all.resolve('m2705-P-3000')).toBeUndefined();
  });

  it('lists contracts by id, exchange, Chinese name and pinyin', () => {
    const all = directory();
    const every = all.list();
    expect(every.length).toBeGreaterThan(500);
    expect(every).toContain('rb2701');
    expect(all.list({ search: 'rb' })).toContain('rb2701');
    expect(all.list({ search: '螺纹' }).every((id) => id.startsWith('rb'))).toBe(true);
    expect(all.list({ search: 'lwg' })).toContain('rb2701');
    expect(all.list({ exchange: 'CFFEX' }).every((id) => /^(I[FHCM]|T[SFL]?)\d{4}$/.test(id))).toBe(true);
    expect(all.list({ search: 'nothing like it' })).toEqual([]);
    for (const id of every) expect(all.resolve(id), id).toBeDefined();
  });

  it('makes the instrument file that TqSdk’s clients need', () => {
    const all = directory();
    const file = JSON.parse(Buffer.concat([...all.symbolsFile().parts()]).toString('utf8')) as Record<
      string,
      Record<string, unknown>
    >;
    expect(file['CSI.000300']).toBeDefined();
    const rb = file['SHFE.rb2701']!;
    expect(rb).toMatchObject({
      class: 'FUTURE',
      instrument_id: 'SHFE.rb2701',
      ins_id: 'rb2701',
      exchange_id: 'SHFE',
      product_id: 'rb',
      py: 'lwg,luowengang',
      price_tick: 1,
      price_decs: 0,
      volume_multiple: 10,
      expired: false,
      delivery_year: 2027,
      delivery_month: 1,
    });
    expect(file['SHFE.au2612']!['trading_time']).toMatchObject({ night: [['21:00:00', '26:30:00']] });
    expect(all.symbolsFile()).toBe(all.symbolsFile());
  });

  it.each([
    [5, 0],
    [1, 0],
    [0.2, 1],
    [0.02, 2],
    [0.005, 3],
    [0.002, 3],
    [0.05, 2],
  ])('counts the decimals of %d: %d', (tick, decimals) => {
    expect(decimalsOf(tick)).toBe(decimals);
  });
});
