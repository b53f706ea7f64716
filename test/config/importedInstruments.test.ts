import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readImportedInstruments, type ImportedInstruments } from '../../src/config/importedInstruments.js';
import { InstrumentDirectory } from '../../src/market/instruments/instrumentDirectory.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import { load, problemsOf, temporaryFolder } from './sources.js';

const products = loadProducts();
const today = 20261123;

function read(files: Record<string, string | Buffer>): ImportedInstruments {
  const cwd = temporaryFolder();
  for (const [name, content] of Object.entries(files)) writeFileSync(join(cwd, name), content);
  return readImportedInstruments(Object.keys(files), { cwd, products, today });
}

const option = {
  id: 'm2705-C-3000',
  class: 'FUTURE_OPTION',
  product: 'm',
  exchange: 'DCE',
  deliveryYear: 2027,
  deliveryMonth: 5,
  expireDate: 20270408,
  priceTick: 0.5,
  multiplier: 10,
  name: '豆粕2705购3000',
  option: { right: 'C', strike: 3000, underlying: 'm2705' },
};
const csv = [
  'instrument_id,exchange_id,name,price_tick,volume_multiple,expire_date,strike,underlying',
  'm2705-C-3000,DCE,豆粕2705购3000,0.5,10,20270408,3000,m2705',
].join('\n');

describe('imported instruments', () => {
  it.each([
    ['CSV', { 'o.csv': csv }],
    [
      'CSV with a byte order mark, blanks and other line ends',
      { 'o.CSV': `\ufeff${csv.replace('\n', '\r\n\r\n')}\r\n` },
    ],
    [
      'columns as the vendor calls them, and others',
      {
        'o.csv':
          'ProductID,InstrumentID,ExchangeID,InstrumentName,PriceTick,VolumeMultiple,ExpireDate,StrikePrice,UnderlyingInstrID\nm_o,m2705-C-3000,DCE,豆粕2705购3000,0.5,10,2027-04-08,3000,m2705\n',
      },
    ],
    [
      'JSON',
      {
        'o.json': JSON.stringify([
          {
            instrument_id: 'm2705-C-3000',
            name: '豆粕2705购3000',
            price_tick: 0.5,
            volume_multiple: '10',
            expire_date: 20270408,
            strike: 3000,
            underlying: 'm2705',
            more: { of: 'it' },
          },
        ]),
      },
    ],
  ])('are read from %s', (_, files) => {
    expect(read(files)).toEqual({ contracts: [option], faults: [], warnings: [] });
  });

  it('are read from what a terminal writes in GBK', () => {
    const name = Buffer.from([0xb6, 0xb9, 0xc6, 0xc9]);
    const bytes = Buffer.concat([Buffer.from('instrument_id,name\nm2705-C-3000,'), name, Buffer.from('\n')]);
    expect(read({ 'o.csv': bytes }).contracts[0]?.name).toBe('豆粕');
  });

  it.each([
    ...[
      '20270408',
      '2027-04-08',
      '2027/4/8',
      '2027/04/08',
      '2027.4.8',
      '2027年4月8日',
      '20270408.0',
      '2.0270408e7',
    ],
    ...['2027-04-08 00:00:00', '2027/4/8 0:00', '2027-04-08T00:00:00.000Z', '46485', '46485.0', '46485.625'],
    ...['1807142400000', '1807142400000.0', '２０２７/４/８'],
  ])('have the expiry that %s stands for', (text) => {
    const { contracts, warnings } = read({
      'o.csv': `instrument_id,expire_date\nm2705-C-3000,${text}\n`,
      'o.json': JSON.stringify([{ instrument_id: 'm2705-C-3100', expire_date: text }]),
    });
    expect(warnings).toEqual([]);
    expect(contracts.map(({ expireDate }) => expireDate)).toEqual([20270408, 20270408]);
  });

  it.each([
    ...['4/8/2027', '8-Apr-27', '27/4/8', '2027/13/1', '2027-2-30', '2027-4/8', '20270408.5', '99999', '0'],
    ...['########', '46485 days', '-46485', '1e20'],
  ])('are left out for an expiry of %s, and that says what is read', (text) => {
    const { contracts, warnings } = read({
      'o.csv': `instrument_id,expire_date\nm2705-C-3000,${text}\n`,
    });
    expect(contracts).toEqual([]);
    expect(warnings).toEqual([
      `o.csv: line 2: expire_date: must be a day such as 20270115, 2027-01-15, 2027/1/15, or the day number of a spreadsheet such as 46402, not "${text}"`,
    ]);
  });

  it('have numbers as spreadsheets and scripts write them', () => {
    const { contracts, warnings } = read({
      'o.csv':
        'instrument_id,strike,price_tick,volume_multiple,name,expire_date\nm2705-C-3000,"3,000.00",5E-1,10.0,nan,NaT\nm2705-C-3100,50%,,,,\nm2705-C-3200,0x10,,,,\n',
    });
    expect(contracts).toEqual([
      expect.objectContaining({
        id: 'm2705-C-3000',
        priceTick: 0.5,
        multiplier: 10,
        option: { right: 'C', strike: 3000, underlying: 'm2705' },
      }) as unknown,
    ]);
    expect(contracts[0]).not.toHaveProperty('name', 'nan');
    expect(warnings).toEqual([
      'o.csv: line 3: strike: must be a number above 0 and up to 1e9, not "50%"',
      'o.csv: line 4: strike: must be a number above 0 and up to 1e9, not "0x10"',
    ]);
  });

  it.each([
    ['UTF-16, little end first', 'o.csv', Buffer.from(`\ufeff${csv}`, 'utf16le')],
    ['UTF-16, big end first', 'o.csv', Buffer.from(`\ufeff${csv}`, 'utf16le').swap16()],
    ['UTF-16 with tabs', 'o.txt', Buffer.from(`\ufeff${csv.replaceAll(',', '\t')}\r\n`, 'utf16le')],
    ['UTF-8 with semicolons', 'o.CSV', Buffer.from(csv.replaceAll(',', ';'))],
    ['UTF-8 with tabs', 'o.tsv', Buffer.from(csv.replaceAll(',', '\t'))],
  ])('are read from a table in %s', (_, name, content) => {
    expect(read({ [name]: content })).toEqual({ contracts: [option], faults: [], warnings: [] });
  });

  it.each(['o.txt', 'o.tsv', 'o.TXT'])('are read from a JSON list named %s', (name) => {
    const { id, ...rest } = { id: 'm2705-C-3000', expire_date: 20270408 };
    const content = `\n${JSON.stringify([{ instrument_id: id, ...rest }])}`;
    const { contracts, faults } = read({ [name]: content });
    expect(faults).toEqual([]);
    expect(contracts.map((contract) => contract.id)).toEqual([id]);
    expect(read({ [name]: '{"a": 1}' }).faults[0]).toContain('must be a list of objects');
  });

  it.each([
    [
      'a workbook',
      Buffer.from('PK\x03\x04…'),
      /^o\.csv: is an Excel workbook \(\.xlsx\), not a text: save it as/,
    ],
    [
      'UTF-16 without a mark',
      Buffer.from(csv, 'utf16le'),
      /^o\.csv: is no text in UTF-8 or GB18030, .* zero bytes/,
    ],
    ['half a character', Buffer.from([0xff, 0xfe, 0x41]), /^o\.csv: is not utf-16le text, although/],
  ])('say what is wrong with %s', (_, content, fault) => {
    expect(read({ 'o.csv': content }).faults).toEqual([expect.stringMatching(fault) as unknown]);
  });

  it('need nothing but an id; futures and combinations may be imported too', () => {
    const { contracts } = read({
      'o.csv': 'instrument_id\nSR705C5800\nrb2812\nSP a2701&a2705\nSHFE.xx2705\n',
    });
    expect(contracts).toMatchObject([
      {
        id: 'SR705C5800',
        class: 'FUTURE_OPTION',
        expireDate: 20270531,
        option: { right: 'C', strike: 5800 },
      },
      { id: 'rb2812', product: 'rb', expireDate: 20281215 },
      { id: 'SP a2701&a2705', class: 'COMBINE', expireDate: 20270131 },
      { id: 'xx2705', product: 'xx', exchange: 'SHFE' },
    ]);
  });

  it('are taken without what is wrong or has expired, and that is named by file and line', () => {
    const { contracts, faults, warnings } = read({
      'o.csv': `${csv}\n,DCE\nM2705-C-3000,DCE\nm2705-C-3100,LME\n\nm2705-C-3200,DCE,x,-1\nm2705-C-3300,DCE,x,1,1,20270230\nm2605-C-3000,DCE\nxx2705-C-1\n`,
    });
    expect(contracts.map(({ id }) => id)).toEqual(['m2705-C-3000']);
    expect(faults).toEqual([]);
    expect(warnings).toEqual([
      'o.csv: line 3: instrument_id: is missing',
      'o.csv: line 4: instrument_id: must have a form of DCE, not "M2705-C-3000"',
      'o.csv: line 5: exchange_id: must be one of SHFE, INE, DCE, CZCE, CFFEX, GFEX, not "LME"',
      'o.csv: line 7: price_tick: must be a number above 0 and up to 1e9, not "-1"',
      'o.csv: line 8: expire_date: must be a day such as 20270115, 2027-01-15, 2027/1/15, or the day number of a spreadsheet such as 46402, not "20270230"',
      'o.csv: line 10: instrument_id: must have a form and of a product that is known, or with exchange_id, not "xx2705-C-1"',
    ]);
  });

  it('name ten wrong rows of a file and count the others', () => {
    const { warnings } = read({
      'o.json': JSON.stringify(Array.from({ length: 30 }, (_, i) => ({ instrument_id: `x${i}` }))),
    });
    expect(warnings).toHaveLength(11);
    expect(warnings[10]).toBe('o.json: 20 more of its 30 rows are left out');
  });

  it.each([
    [
      { 'o.csv': 'id,strike\nm2705-C-3000,1\n' },
      /^o\.csv: its first line must name columns, instrument_id among them/,
    ],
    [{ 'o.csv': 'instrument_id\n' }, /^o\.csv: it has no rows$/],
    [{ 'o.csv': 'instrument_id\n"m2705' }, /^o\.csv: .*[Qq]uote/],
    [{ 'o.json': '{}' }, /^o\.json: must be a list of objects, not an object$/],
    [{ 'o.json': '[' }, /^o\.json: line 1, column 2/],
  ])('refuse %j', (files, fault) => {
    const { faults } = read(files);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(fault);
  });

  it('are named by import_instruments', () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'o.csv'), 'instrument_id\nSHFE.xx9912\nbad\n');
    const config = load({ cwd, file: { import_instruments: ['o.csv'] } });
    expect(config.importedInstruments.map(({ id }) => id)).toEqual(['xx9912']);
    expect(config.warnings).toEqual([expect.stringContaining('o.csv: line 3: instrument_id') as unknown]);
    truncateSync(join(cwd, 'o.csv'), 70 * 2 ** 20);
    expect(problemsOf({ cwd, file: { import_instruments: ['o.csv'] } })).toEqual([
      'gateway.json: import_instruments: o.csv: has 70 MB, at most 64 MB are read',
    ]);
    expect(problemsOf({ file: { import_instruments: ['gone.csv'] } })).toEqual([
      'gateway.json: import_instruments: gone.csv: there is no such file',
    ]);
    expect(problemsOf({ file: { import_instruments: 'o.csv' } })).toEqual([
      'gateway.json: import_instruments: must be a list of at most 100 paths of files, not "o.csv"',
    ]);
  });

  it('are listed, with their own price steps', () => {
    const directory = new InstrumentDirectory({
      products,
      maxInstruments: 10,
      now: () => Date.UTC(2026, 10, 23, 3),
    });
    const before = directory.resolve('m2705-C-3000')!;
    expect(before.staticJson).not.toContain('"expired"');
    directory.setImported(read({ 'o.csv': csv }).contracts);
    expect(directory.list({ kind: 'option' })).toEqual(['m2705-C-3000']);
    expect(JSON.parse(`{${before.staticJson}}`)).toMatchObject({
      price_tick: 0.5,
      price_decs: 1,
      ins_class: 'OPTION',
      ins_name: '豆粕2705购3000',
    });
    const symbols = JSON.parse(Buffer.concat([...directory.symbolsFile().parts()]).toString()) as Record<
      string,
      object
    >;
    expect(symbols['DCE.m2705-C-3000']).toMatchObject({
      class: 'FUTURE_OPTION',
      price_tick: 0.5,
      price_decs: 1,
      option_class: 'CALL',
      strike_price: 3000,
      underlying_symbol: 'DCE.m2705',
      ins_name: '豆粕2705购3000',
    });
    expect(symbols['DCE.m2705']).toMatchObject({ class: 'FUTURE', price_tick: 1 });
  });
});
