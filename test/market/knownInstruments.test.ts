import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { conceivableContracts, liveContracts } from '../../src/market/instruments/contracts.js';
import { KnownInstruments } from '../../src/market/instruments/knownInstruments.js';
import { KnownInstrumentsFile } from '../../src/market/instruments/knownInstrumentsFile.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import { WeekdayCalendar } from '../../src/market/calendar/tradingCalendar.js';
import { temporaryFolder } from '../config/sources.js';

const products = loadProducts();
const today = 20261123;
const known = (): KnownInstruments => new KnownInstruments(products, new WeekdayCalendar());

describe('KnownInstruments', () => {
  it('takes in each instrument once, with what its id says', () => {
    const all = known();
    expect(
      ['SHFE.rb2811', 'SHFE.rb2811', 'CZCE.SR811', 'INE.sc2703P512.5'].map((key) => all.add(key, today)),
    ).toEqual([true, false, true, true]);
    expect(all.contracts()).toEqual([
      {
        id: 'rb2811',
        product: 'rb',
        exchange: 'SHFE',
        deliveryYear: 2028,
        deliveryMonth: 11,
        expireDate: 20281115,
      },
      {
        id: 'SR811',
        product: 'SR',
        exchange: 'CZCE',
        deliveryYear: 2028,
        deliveryMonth: 11,
        expireDate: 20281114,
      },
      {
        id: 'sc2703P512.5',
        class: 'FUTURE_OPTION',
        product: 'sc',
        exchange: 'INE',
        deliveryYear: 2027,
        deliveryMonth: 3,
        expireDate: 20270331,
        option: { right: 'P', strike: 512.5, underlying: 'sc2703' },
      },
    ]);
  });

  it('takes in nothing that has expired or is no instrument, and lets go of what expires', () => {
    const all = known();
    expect(all.add('SHFE.rb2610', today)).toBe(false);
    expect(all.add('SHFE.RB2710', today)).toBe(false);
    all.add('SHFE.rb2712', today);
    expect(all.prune(20271215)).toBe(false);
    expect(all.prune(20271216)).toBe(true);
    expect(all.contracts()).toEqual([]);
  });

  it('is the same after it was written and read, and CZCE years are those that were meant', () => {
    const all = known();
    for (const key of ['SHFE.rb2811', 'DCE.SP a2701&a2705', 'CZCE.SR811', 'SHFE.xx2901']) all.add(key, today);
    all.swept = today;
    const read = known();
    read.read(all.write(), today);
    expect(read.contracts()).toEqual(all.contracts());
    expect(read.swept).toBe(today);
    expect(read.write()).toBe(all.write());
    // SR811 of 2028 is not of 2038, however late it is read.
    const late = known();
    late.read(all.write(), 20300101);
    expect(late.contracts()).toEqual([]);
  });
});

describe('the file of what is known', () => {
  const open = (path: string): { all: KnownInstruments; file: KnownInstrumentsFile; warnings: string[] } => {
    const all = known();
    const warnings: string[] = [];
    const file = new KnownInstrumentsFile(path, all, { warn: (_members, text) => warnings.push(text) });
    file.read(today);
    return { all, file, warnings };
  };

  it('is made with its folder, whole, and read again', async () => {
    const path = join(temporaryFolder(), 'a', 'b', 'instruments.json');
    const first = open(path);
    first.all.add('SHFE.rb2811', today);
    first.file.changed();
    await first.file.close();
    expect(readdirSync(join(path, '..'))).toEqual(['instruments.json']);
    const second = open(path);
    expect(second.all.contracts()).toEqual(first.all.contracts());
    expect([...first.warnings, ...second.warnings]).toEqual([]);
  });

  it.each([
    ['', /Unexpected end of JSON input/],
    ['{"version":1,"swept":20261123,"instrum', /JSON/],
    ['null', /its version is not 1/],
    ['{"version":2}', /its version is not 1/],
    ['{"version":1,"swept":"x"}', /its swept is no trading day/],
    ['{"version":1,"swept":0}', /it has no instruments/],
    ['{"version":1,"swept":0,"instruments":{"SHFE.rb2811":"x"}}', /the day of SHFE\.rb2811 is none/],
  ])('is made anew when it holds %j, with a warning', async (content, reason) => {
    const path = join(temporaryFolder(), 'instruments.json');
    writeFileSync(path, content);
    const { all, file, warnings } = open(path);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(reason);
    expect(warnings[0]).toContain(path);
    all.add('SHFE.rb2811', today);
    file.changed();
    await file.close();
    expect(open(path).all.contracts()).toHaveLength(1);
    expect(readFileSync(path, 'utf8')).toContain('SHFE.rb2811');
  });

  it('says so when it cannot be written', async () => {
    const folder = join(temporaryFolder(), 'folder');
    writeFileSync(folder, '');
    const { file, warnings } = open(join(folder, 'instruments.json'));
    file.changed();
    await file.close();
    expect(warnings.map((each) => each.replace(/.*cannot be (\w+).*/, '$1'))).toEqual(['used', 'written']);
  });

  it.each([
    ['a folder', (path: string) => mkdirSync(path)],
    ['a device', (path: string) => symlinkSync('/dev/zero', path)],
    ['a pipe', (path: string) => execFileSync('mkfifo', [path])],
  ])('neither reads nor replaces %s that is in its place', async (_, place) => {
    const path = join(temporaryFolder(), 'instruments.json');
    place(path);
    const before = lstatSync(path).ino;
    const { all, file, warnings } = open(path);
    all.add('SHFE.rb2811', today);
    file.changed();
    await file.close();
    expect(warnings).toEqual([`${path} cannot be used and what is found is not kept: is not a file`]);
    expect(lstatSync(path).ino).toBe(before);
  });
});

describe('conceivable contracts', () => {
  it('hold all that any rule lists for two years, and more', () => {
    const now = new Date('2026-11-23T10:00:00+08:00');
    const conceivable = new Map(conceivableContracts(products, today).map((each) => [each.id, each]));
    for (const each of liveContracts(products, now))
      if (each.deliveryYear * 12 + each.deliveryMonth <= 2028 * 12 + 11)
        expect(conceivable.get(each.id)).toEqual(each);
    expect(conceivable.has('rb2811')).toBe(true);
    expect(conceivable.has('rb2611')).toBe(false);
    expect([...conceivable.keys()].some((id) => id.startsWith('IO'))).toBe(false);
    expect(conceivable.size).toBeGreaterThan(2000);
  });
});
