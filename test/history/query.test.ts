import { describe, expect, it } from 'vitest';
import { encodeCursor } from '../../src/history/cursor.js';
import { parseHistoryQuery, type HistoryQuery, type QueryRefusal } from '../../src/history/query.js';
import { parseInstrumentId } from '../../src/market/instruments/instrumentId.js';
import { loadProducts } from '../../src/market/instruments/products.js';

const products = loadProducts();
const nowMs = Date.UTC(2026, 0, 5, 2);
const hourMs = 3_600_000;

function keyOf(requested: string): string | undefined {
  const parsed = parseInstrumentId(requested, products);
  return parsed === undefined ? undefined : `${parsed.exchange}.${parsed.id}`;
}

function parsed(text: string): HistoryQuery {
  const result = parseHistoryQuery(text, keyOf, nowMs);
  if ('refusal' in result) throw new Error(result.refusal.message);
  return result.query;
}

function refused(text: string): QueryRefusal {
  const result = parseHistoryQuery(text, keyOf, nowMs);
  if ('query' in result) throw new Error(`taken: ${text}`);
  return result.refusal;
}

describe('a history query', () => {
  it('needs an instrument alone, and then is for the last hour', () => {
    expect(parsed('instrument=rb2601')).toMatchObject({
      key: 'SHFE.rb2601',
      fromMs: nowMs - hourMs,
      toMs: Infinity,
      limit: 10_000,
      format: 'json',
      after: undefined,
    });
    expect(parsed('instrument=rb2601').columns).toEqual(
      expect.arrayContaining(['datetime', 'last_price', 'bid_price1', 'flags', 'receive_time']),
    );
  });

  it('takes the hour before its end where it has no beginning', () => {
    const query = parsed('instrument=SHFE.rb2601&to=2026-01-05T09:30');
    expect(query.toMs).toBe(nowMs - hourMs / 2);
    expect(query.fromMs).toBe(nowMs - hourMs * 1.5);
  });

  it('takes a beginning ahead of the clock, since there may be ticks from there', () => {
    expect(parsed('instrument=rb2601&from=2026-01-06').toMs).toBe(Infinity);
  });

  it('takes every parameter', () => {
    expect(
      parsed('instrument=CZCE.SR701&from=20260105&to=2026-01-06&limit=5&format=csv&fields=volume,last_price'),
    ).toEqual({
      key: 'CZCE.SR701',
      fromMs: Date.UTC(2026, 0, 4, 16),
      toMs: Date.UTC(2026, 0, 5, 16),
      limit: 5,
      format: 'csv',
      columns: ['last_price', 'volume'],
      after: undefined,
    });
  });

  it('takes a combination, whose blank and ampersand are escaped', () => {
    expect(parsed(`instrument=${encodeURIComponent('DCE.SP a2605&a2609')}`).key).toBe('DCE.SP a2605&a2609');
  });

  it('continues with the interval of a cursor', () => {
    const position = '1767576600500-3';
    const [fromMs, toMs] = [nowMs - 5 * hourMs, nowMs - hourMs];
    const cursor = encodeCursor('SHFE.rb2601', { source: 'redis', fromMs, toMs, position });
    const query = { key: 'SHFE.rb2601', fromMs, toMs, after: { source: 'redis', position } };
    expect(parsed(`instrument=rb2601&cursor=${cursor}`)).toMatchObject(query);
    expect(parsed(`instrument=rb2601&cursor=${cursor}&from=${fromMs}&to=${toMs}`)).toMatchObject(query);
    expect(refused(`instrument=rb2601&cursor=${cursor}&from=${fromMs + 1}`).parameter).toBe('cursor');
    expect(refused(`instrument=rb2605&cursor=${cursor}`).parameter).toBe('cursor');
    expect(refused(`instrument=rb2601&cursor=${cursor}x`).parameter).toBe('cursor');
  });

  it.each([
    ['', 'instrument'],
    ['instrument=', 'instrument'],
    ['instrument=rb', 'instrument'],
    ['instrument=rb2613', 'instrument'],
    ['instrument=..%2F..%2Fetc%2Fpasswd', 'instrument'],
    ['instrument=SHFE.%2E%2E%2Frb2601', 'instrument'],
    ['instrument=rb2601%00', 'instrument'],
    ['instrument=rb2601%0A', 'instrument'],
    ['instrument=%ff%fe', 'instrument'],
    ['instrument=%', 'instrument'],
    [`instrument=${'a'.repeat(100_000)}`, 'instrument'],
    ['instrument=*', 'instrument'],
    ['instrument=SHFE.*', 'instrument'],
    ['instrument=rb2601&instrument=rb2605', 'instrument'],
    ['instrument=rb2601&from=', 'from'],
    ['instrument=rb2601&from=yesterday', 'from'],
    ['instrument=rb2601&to=2026-02-30', 'to'],
    ['instrument=rb2601&from=2026-01-05T09:30&to=2026-01-05T09:30', 'to'],
    ['instrument=rb2601&limit=', 'limit'],
    ['instrument=rb2601&limit=0', 'limit'],
    ['instrument=rb2601&limit=-1', 'limit'],
    ['instrument=rb2601&limit=1.5', 'limit'],
    ['instrument=rb2601&limit=1e3', 'limit'],
    ['instrument=rb2601&limit=10000001', 'limit'],
    ['instrument=rb2601&cursor=', 'cursor'],
    ['instrument=rb2601&cursor=abc', 'cursor'],
    ['instrument=rb2601&format=', 'format'],
    ['instrument=rb2601&format=JSON', 'format'],
    ['instrument=rb2601&format=parquet', 'format'],
    ['instrument=rb2601&fields=', 'fields'],
    ['instrument=rb2601&fields=last_price,', 'fields'],
    ['instrument=rb2601&fields=__proto__', 'fields'],
    ['instrument=rb2601&Limit=5', 'Limit'],
    ['instrument=rb2601&symbol=5', 'symbol'],
    ['instrument=rb2601&__proto__=5', '__proto__'],
  ])('%s is wrong in %s', (text, parameter) => {
    const { message, ...refusal } = refused(text);
    expect(refusal.parameter).toBe(parameter);
    expect(message).toContain(parameter);
    expect(message.length).toBeLessThan(1000);
    expect(refusal.value.length).toBeLessThanOrEqual(100);
    expect(message).toMatch(/^[\x20-\x7eµ…\ufffd]*$/u);
  });

  it('says what was given and what is allowed', () => {
    expect(refused('instrument=rb2601&limit=many').message).toBe(
      'limit must be an integer from 1 to 10000000; not "many"',
    );
    expect(refused('instrument=rb2601&max=3').message).toBe(
      'there is no parameter "max"; there are instrument, from, to, limit, cursor, format, fields',
    );
    expect(refused('from=20260105').message).toContain('instrument must be given');
    expect(refused('instrument=rb2601&limit=many').code).toBe('invalid_query');
    expect(refused('instrument=RB2601')).toEqual({
      code: 'unknown_instrument',
      parameter: 'instrument',
      value: 'RB2601',
      message: 'no such instrument: "RB2601"',
    });
  });
});
