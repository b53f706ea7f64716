import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadCalendar } from '../../src/market/calendar/holidayCalendar.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import { SessionBoard, type SessionsReport } from '../../src/market/sessions/sessionBoard.js';
import { World } from './world.js';

const at = Date.parse('2026-11-23T21:30:00+08:00');
const products = loadProducts();

let world: World;
beforeEach(async () => {
  const board = new SessionBoard('exchange', loadCalendar(), {
    products,
    bySlot: (slot) => world.directory.bySlot(slot),
    subscribed: () => [],
    book: { version: () => 0, value: () => NaN },
  });
  world = await World.start({ sessions: { products, report: (filter) => board.report(filter, at) } });
});
afterEach(() => world.stop());

const ask = (query = ''): Promise<Response> => fetch(`http://127.0.0.1:${world.port}/api/sessions${query}`);

describe('GET /api/sessions', () => {
  it('is there for everybody, web pages too', async () => {
    const response = await fetch(`http://127.0.0.1:${world.port}/api/sessions`, {
      headers: { origin: 'https://charts.example' },
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('content-type')).toContain('application/json');
    const { time, products: rows } = (await response.json()) as SessionsReport;
    expect(time).toBe('2026-11-23T21:30:00+08:00');
    expect(rows).toHaveLength(products.size);
    expect(rows.find(({ product }) => product === 'rb')?.state).toBe('night');
  });

  it.each([
    ['?product=au', ['au']],
    ['?exchange=INE', ['sc', 'lu', 'nr', 'bc', 'ec']],
    ['?exchange=SHFE&product=rb', ['rb']],
    ['?product=l_f', ['l_f']],
  ])('%s gives %j', async (query, expected) => {
    const { products: rows } = (await (await ask(query)).json()) as SessionsReport;
    expect(rows.map(({ product }) => product)).toEqual(expected);
  });

  it.each([
    ['?product=xx', 'there is no product "xx"; codes are those that ids begin with, such as rb or SR'],
    ['?product=RB', 'there is no product "RB"; use rb'],
    ['?product=', 'there is no product ""; codes are those that ids begin with, such as rb or SR'],
    ['?exchange=shfe', 'exchange is one of SHFE, INE, DCE, CZCE, CFFEX, GFEX; not "shfe"'],
    ['?exchange=DCE&product=rb', 'product rb is of SHFE, not of DCE'],
    ['?product=rb&product=hc', 'product is given more than once'],
    ['?instrument=rb2701', 'there is no parameter "instrument"; there are product, exchange'],
  ])('%s is refused: %s', async (query, message) => {
    const response = await ask(query);
    expect(response.status).toBe(400);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(await response.json()).toEqual({ error: { code: 'invalid_query', message } });
  });

  it('answers HEAD and OPTIONS, and no other method', async () => {
    const url = `http://127.0.0.1:${world.port}/api/sessions`;
    const [head, preflight, post] = [
      await fetch(url, { method: 'HEAD' }),
      await fetch(url, { method: 'OPTIONS' }),
      await fetch(url, { method: 'POST' }),
    ];
    expect([head.status, preflight.status, post.status]).toEqual([200, 204, 405]);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
  });
});
