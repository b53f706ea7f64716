import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contractNamed, liveContracts, tradingDayAt } from '../../src/market/instruments/contracts.js';
import { loadCalendar } from '../../src/market/calendar/holidayCalendar.js';
import { parseInstrumentId } from '../../src/market/instruments/instrumentId.js';
import { loadProducts, type Product } from '../../src/market/instruments/products.js';
import { dayToUtcMs } from '../../src/market/calendar/tradingCalendar.js';

const products = loadProducts();
const shanghai = (text: string): Date => new Date(`${text}+08:00`);

function months(code: string, at: string): string[] {
  return liveContracts(products, shanghai(at))
    .filter((contract) => contract.product === code)
    .map((contract) => contract.id);
}

function expiry(id: string, at: string): number | undefined {
  return liveContracts(products, shanghai(at)).find((contract) => contract.id === id)?.expireDate;
}

describe('listed months', () => {
  it('of a metal are the next twelve, and the following one is listed when the nearest has expired', () => {
    expect(months('cu', '2026-11-16T10:00')).toHaveLength(12);
    expect(months('cu', '2026-11-16T10:00')[0]).toBe('cu2611');
    expect(months('cu', '2026-11-16T19:59')[0]).toBe('cu2611');
    expect(months('cu', '2026-11-16T20:00')[0]).toBe('cu2612');
    expect(months('cu', '2026-11-16T20:00').at(-1)).toBe('cu2711');
  });

  it('of a product with few delivery months are those among the next twelve', () => {
    expect(months('a', '2026-11-23T10:00')).toEqual(['a2701', 'a2703', 'a2705', 'a2707', 'a2709', 'a2711']);
    expect(months('AP', '2026-11-23T10:00')).toEqual([
      'AP612',
      'AP701',
      'AP703',
      'AP704',
      'AP705',
      'AP710',
      'AP711',
    ]);
  });

  it('of an index are this month, the next and two quarters; after the third Friday the window moves on', () => {
    expect(months('IF', '2026-11-20T10:00')).toEqual(['IF2611', 'IF2612', 'IF2703', 'IF2706']);
    expect(months('IF', '2026-11-20T20:00')).toEqual(['IF2612', 'IF2701', 'IF2703', 'IF2706']);
  });

  it('of a bond are three quarters', () => {
    expect(months('T', '2026-11-23T10:00')).toEqual(['T2612', 'T2703', 'T2706']);
    expect(months('T', '2026-12-14T10:00')).toEqual(['T2703', 'T2706', 'T2709']);
  });

  it('of gold are three months and the even ones, of bitumen six and the quarters, of crude twelve and eight quarters', () => {
    expect(months('au', '2026-11-23T10:00')).toEqual(
      ['12', '01', '02', '04', '06', '08', '10', '12'].map((month, i) => `au${i === 0 ? 26 : 27}${month}`),
    );
    expect(months('bu', '2026-11-23T10:00')).toEqual([
      'bu2612',
      'bu2701',
      'bu2702',
      'bu2703',
      'bu2704',
      'bu2705',
      'bu2706',
      'bu2709',
      'bu2712',
      'bu2803',
      'bu2806',
      'bu2809',
    ]);
    expect(months('sc', '2026-11-23T10:00')).toHaveLength(20);
    expect(months('sc', '2026-11-23T10:00').at(-1)).toBe('sc2909');
  });

  it('of options are none', () => {
    expect(months('IO', '2026-11-23T10:00')).toEqual([]);
  });
});

it.each([
  ['cu2611', 20261116],
  ['rb2701', 20270115],
  ['m2701', 20270114],
  ['sc2701', 20261231],
  ['l2701F', 20261231],
  ['jd2612', 20261228],
  ['lg2701', 20270126],
  ['ZC701', 20270107],
  ['SR701', 20270114],
  ['IF2612', 20261218],
  ['T2612', 20261211],
  ['ec2612', 20261228],
  ['si2701', 20270114],
])('%s expires on %d', (id, day) => {
  expect(expiry(id, '2026-11-13T10:00')).toBe(day);
});

it('a trading day lasts from 20:00 to 20:00, over the weekend to Monday', () => {
  expect(tradingDayAt(shanghai('2026-11-20T19:59'))).toBe(20261120);
  expect(tradingDayAt(shanghai('2026-11-20T20:00'))).toBe(20261123);
  expect(tradingDayAt(shanghai('2026-11-22T12:00'))).toBe(20261123);
  expect(tradingDayAt(shanghai('2026-11-23T20:00'))).toBe(20261124);
});

it('every listed id is in the grammar of its exchange, unique, unexpired and of a plausible number', () => {
  // Every day of two years, so that each product passes through each of its expiries.
  for (
    let at = shanghai('2026-01-01T10:00').getTime();
    at < shanghai('2028-01-01T00:00').getTime();
    at += 86_400_000
  ) {
    const contracts = liveContracts(products, new Date(at));
    const today = tradingDayAt(new Date(at));
    expect(contracts.length).toBeGreaterThan(850);
    expect(contracts.length).toBeLessThan(920);
    expect(new Set(contracts.map((contract) => contract.id)).size).toBe(contracts.length);
    expect(contracts.every((contract) => contract.expireDate >= today)).toBe(true);
    if (new Date(at).getUTCDate() !== 1) continue;
    for (const { id, exchange, product } of contracts) {
      expect(parseInstrumentId(id, products)).toMatchObject({
        exchange,
        class: 'FUTURE',
        product: { product },
      });
    }
  }
});

it.each([
  ['listing', 'weekly'],
  ['listing', 'months:12+weekly:1'],
  ['expiry', 'someday'],
])('an unknown %s rule is refused by name', (field, rule) => {
  const odd: Product = { ...products.get('rb')!, [field]: rule };
  expect(() => liveContracts(new Map([['rb', odd]]), new Date())).toThrow(rule);
});

describe('contracts of any year', () => {
  const anyTime = fc
    .integer({ min: Date.parse('2024-01-01T00:00:00+08:00'), max: Date.parse('2045-12-31T23:59:59+08:00') })
    .map((ms) => new Date(ms));

  it('have ids that are read as what they were written for, at CZCE with one digit of the year too', () => {
    const calendar = loadCalendar();
    const everything = loadProducts();
    fc.assert(
      fc.property(anyTime, (now) => {
        const today = tradingDayAt(now, calendar);
        const contracts = liveContracts(everything, now, calendar);
        expect(new Set(contracts.map(({ id }) => id)).size).toBe(contracts.length);
        for (const contract of contracts) {
          const parsed = parseInstrumentId(contract.id, everything)!;
          const named = contractNamed(parsed, today, calendar);
          if (
            named.deliveryYear !== contract.deliveryYear ||
            named.expireDate !== contract.expireDate ||
            contract.expireDate < today ||
            !calendar.isTradingDay(contract.expireDate)
          )
            throw new Error(`on ${today}: ${JSON.stringify(contract)} is read as ${JSON.stringify(named)}`);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('end on the day from whose evening on they are listed no more', () => {
    const calendar = loadCalendar();
    const rows = new Map(
      [...loadProducts()].filter(([code]) => ['rb', 'sc', 'SR', 'T', 'ec', 'lh'].includes(code)),
    );
    fc.assert(
      fc.property(anyTime, (now) => {
        for (const { id, expireDate } of liveContracts(rows, now, calendar).slice(0, 20)) {
          const at20 = dayToUtcMs(expireDate) + 12 * 3_600_000;
          const isListed = (ms: number): boolean =>
            liveContracts(rows, new Date(ms), calendar).some((each) => each.id === id);
          expect([id, isListed(at20 - 1), isListed(at20)]).toEqual([id, true, false]);
        }
      }),
      { numRuns: 20 },
    );
  });
});
