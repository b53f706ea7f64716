import { expect, it } from 'vitest';
import { liveContracts } from '../../src/market/instruments/contracts.js';
import { loadCalendar } from '../../src/market/calendar/holidayCalendar.js';
import { parseInstrumentId } from '../../src/market/instruments/instrumentId.js';
import { listInstruments } from '../../src/market/instruments/optionContracts.js';
import { loadProducts } from '../../src/market/instruments/products.js';

const products = loadProducts();
const calendar = loadCalendar();
const now = new Date('2026-11-23T10:00:00+08:00');
const futures = liveContracts(products, now, calendar);
const all = listInstruments(products, now, calendar, 25_000);

it('lists futures first, then options, up to the number asked for', () => {
  expect(listInstruments(products, now, calendar, 5)).toEqual(futures.slice(0, 5));
  expect(all.slice(0, futures.length)).toEqual(futures);
  expect(new Set(all.map((contract) => contract.id)).size).toBe(25_000);
});

it('gives every option an id in its exchange’s form, with a month of its underlying', () => {
  const forms = { SHFE: /^cu\d{4}[CP]\d+$/, INE: /^sc\d{4}[CP]\d+$/, DCE: /^m\d{4}-[CP]-\d+$/ };
  const others = { CZCE: /^SR\d{3}[CP]\d+$/, CFFEX: /^IO\d{4}-[CP]-\d+$/, GFEX: /^si\d{4}-[CP]-\d+$/ };
  const options = all.slice(futures.length);
  for (const [exchange, form] of Object.entries({ ...forms, ...others })) {
    expect(options.some((option) => option.exchange === exchange && form.test(option.id))).toBe(true);
  }
  for (const { id, exchange } of options) {
    expect(parseInstrumentId(id, products)).toMatchObject({ exchange, class: 'FUTURE_OPTION' });
  }
});

it('starts at the money and lists calls and puts in pairs', () => {
  const options = all.slice(futures.length);
  expect(options.slice(0, 2).map((option) => option.id)).toEqual(
    ['cu2612C86000', 'cu2612P86000'].slice(0, 2),
  );
  const strikes = all.filter(({ id }) => id.startsWith('rb2705C')).map(({ id }) => Number(id.slice(7)));
  const distances = strikes.map((strike) => Math.abs(strike - strikes[0]!));
  expect(distances).toEqual([...distances].sort((a, b) => a - b));
});

it('lists no option past its last trading day', () => {
  const late = new Date('2026-11-30T10:00:00+08:00');
  const ids = listInstruments(products, late, calendar, 25_000).map((contract) => contract.id);
  expect(ids).toContain('cu2612');
  expect(ids.some((id) => id.startsWith('cu2612C'))).toBe(false);
  expect(ids.some((id) => id.startsWith('cu2701C'))).toBe(true);
});
