import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Client } from './client.js';
import { cu, rb, ta } from './contracts.js';
import { generations, libraryOf } from '../helpers/generations.js';
import { connectionsTo, GatewayProcess } from './processes.js';
import { until } from '../helpers/until.js';
import { freePorts } from './ports.js';

let gateway: GatewayProcess;
const clients: Client[] = [];
const greetings = new WeakMap<Client, object>();

async function connect(query = ''): Promise<Client> {
  const client = await Client.connect(`${await gateway.url()}${query}`);
  clients.push(client);
  if (query === '') greetings.set(client, await client.next('the first frame'));
  return client;
}

async function start(generation: string): Promise<void> {
  const basePort = await freePorts(2);
  gateway = new GatewayProcess({
    ctp_library: libraryOf(generation),
    simulator: { fronts: 2, base_port: basePort, rate: 50 },
    connections: connectionsTo(basePort, 2),
  });
  await gateway.loggedIn();
}

describe.each(generations)('generation %s', (generation) => {
  beforeAll(() => start(generation));

  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
  });

  afterAll(async () => {
    expect(await gateway.stop()).toBe(0);
  });

  describe('aid protocol, from the front to the client', () => {
    it('greets with an empty rtn_data that says mdhis_more_data:false', async () => {
      const client = await connect();
      expect(greetings.get(client)).toEqual({
        aid: 'rtn_data',
        data: [{ quotes: {} }, { account_id: '', ins_list: '', mdhis_more_data: false }],
      });
    });

    it('acknowledges a subscribe, echoes ins_list, and sends a full snapshot, then changes alone', async () => {
      const client = await connect();
      const list = ` SHFE.${rb}, ${cu},,`;
      client.send({ aid: 'subscribe_quote', ins_list: list });
      expect(await client.next('the ack', (frame) => frame['aid'] === 'subscribe_quote')).toMatchObject({
        status: 'ok',
      });
      const full: Record<string, Record<string, unknown>> = {};
      await until('both snapshots', async () => {
        const { quotes, meta } = await client.peek();
        expect(meta).toEqual({ account_id: '', ins_list: list, mdhis_more_data: false });
        for (const [key, quote] of Object.entries(quotes)) full[key] ??= quote;
        return Object.keys(full).length === 2;
      });
      expect(Object.keys(full).sort()).toEqual([`SHFE.${rb}`, cu].sort());
      expect(full[`SHFE.${rb}`]).toMatchObject({
        instrument_id: `SHFE.${rb}`,
        volume_multiple: 10,
        price_tick: 1,
      });
      expect(full[cu]).toMatchObject({ instrument_id: `SHFE.${cu}`, volume_multiple: 5 });
      const { quotes } = await client.peek();
      for (const quote of Object.values(quotes)) expect(quote).not.toHaveProperty('volume_multiple');
    });

    it('sends ticks of the present', async () => {
      const client = await connect();
      client.send({ aid: 'subscribe_quote', ins_list: ta });
      const quote = await until('a quote', async () => (await client.peek()).quotes[ta]);
      expect(Math.abs(Date.now() - Number(quote['timestamp']))).toBeLessThan(60_000);
      const shown = new Date(Number(quote['timestamp']) + 8 * 3_600_000)
        .toISOString()
        .replace('T', ' ')
        .slice(0, 23);
      expect(quote['datetime']).toBe(`${shown}000`);
      expect(quote['last_price']).toBeGreaterThan(0);
    });

    it('replaces the set, and an empty list clears it', async () => {
      const client = await connect();
      client.send({ aid: 'subscribe_quote', ins_list: rb });
      await until('the first set', async () => (await client.peek()).quotes[rb]);
      client.send({ aid: 'subscribe_quote', ins_list: cu });
      await client.next('the ack', (frame) => frame['aid'] === 'subscribe_quote');
      await until('the second set', async () => {
        const { quotes, meta } = await client.peek();
        expect(meta['ins_list']).toBe(cu);
        expect(quotes).not.toHaveProperty(rb);
        return quotes[cu];
      });
      client.send({ aid: 'subscribe_quote', ins_list: '' });
      await client.next('the ack', (frame) => frame['aid'] === 'subscribe_quote');
      expect(await client.peek()).toEqual({
        quotes: {},
        meta: { account_id: '', ins_list: '', mdhis_more_data: false },
      });
    });

    it('answers one rtn_data for peeks sent back to back, and coalesces while none is pending', async () => {
      const client = await connect();
      client.send({ aid: 'subscribe_quote', ins_list: rb });
      await until('the snapshot', async () => (await client.peek()).quotes[rb]);
      const witness = await connect('?protocol=action');
      witness.send({ action: 'subscribe', instruments: [rb] });
      for (let i = 0; i < 6; i++) await witness.next('a push', (frame) => frame['action'] === 'market_data');
      expect(client.unread).toBe(0);
      for (let i = 0; i < 5; i++) client.send({ aid: 'peek_message' });
      await client.next('the answer', (frame) => frame['aid'] === 'rtn_data');
      // Further answers need further changes: at most one peek is held.
      client.send({ action: 'ping' });
      await client.next('the pong', (frame) => frame['action'] === 'pong');
      const answers = client.frames.filter((frame) => frame['aid'] === 'rtn_data').length;
      for (let i = 0; i < 6; i++) await witness.next('a push', (frame) => frame['action'] === 'market_data');
      client.send({ action: 'ping' });
      await client.next('the pong', (frame) => frame['action'] === 'pong');
      expect(client.frames.filter((frame) => frame['aid'] === 'rtn_data').length).toBeLessThanOrEqual(
        answers + 1,
      );
    });

    it('echoes an instrument that does not exist and leaves it out of quotes', async () => {
      const client = await connect();
      const list = `${rb},SHFE.nope9999`;
      client.send({ aid: 'subscribe_quote', ins_list: list });
      const { quotes, meta } = await until('a quote', async () => {
        const answer = await client.peek();
        return answer.quotes[rb] === undefined ? undefined : answer;
      });
      expect(meta['ins_list']).toBe(list);
      expect(Object.keys(quotes)).toEqual([rb]);
    });
  });

  describe('action protocol, from the front to the client', () => {
    it('acknowledges, sends a full snapshot and then every tick until it is unsubscribed', async () => {
      const client = await connect('?protocol=action');
      client.send({ action: 'subscribe', instruments: [rb, `SHFE.${cu}`] });
      expect(await client.next('the ack')).toEqual({
        action: 'subscribe',
        status: 'ok',
        instruments: [rb, `SHFE.${cu}`],
      });
      const push = await client.next('a push', (frame) => frame['instrument_id'] === rb);
      expect(push['data']).toMatchObject({ instrument_id: rb, settlement: null });
      await client.next('a push of the other', (frame) => frame['instrument_id'] === `SHFE.${cu}`);
      let volume = 0;
      for (let i = 0; i < 10; i++) {
        const { data } = await client.next('a tick', (frame) => frame['instrument_id'] === rb);
        const now = (data as { volume: number }).volume;
        expect(now).toBeGreaterThanOrEqual(volume);
        volume = now;
      }
      client.send({ action: 'unsubscribe', instruments: [rb] });
      await client.next('the ack', (frame) => frame['action'] === 'unsubscribe');
      for (let i = 0; i < 5; i++) {
        const frame = await client.next('a tick', (each) => each['action'] === 'market_data');
        expect(frame['instrument_id']).toBe(`SHFE.${cu}`);
      }
    });

    it('lists instruments and answers pings', async () => {
      const client = await connect('?protocol=action');
      client.send({ action: 'list_instruments', search: 'rb', exchange: 'SHFE' });
      const { instruments } = await client.next('the list');
      expect(instruments).toContain(rb);
      client.send({ action: 'ping' });
      expect(Number((await client.next('the pong'))['timestamp'])).toBeGreaterThan(1.6e12);
    });

    it('narrows pushes to chosen fields and to what has changed', async () => {
      const client = await connect('?protocol=action');
      client.send({ action: 'subscribe', instruments: [rb], fields: ['last_price', 'volume'], diff: true });
      await client.next('the ack');
      for (let i = 0; i < 5; i++) {
        const { data } = await client.next('a push');
        expect(['last_price', 'volume']).toEqual(expect.arrayContaining(Object.keys(data as object)));
      }
    });

    it('speaks both protocols in one session', async () => {
      const client = await connect();
      client.send({ action: 'subscribe', instruments: [rb] });
      client.send({ aid: 'subscribe_quote', ins_list: cu });
      await client.next(
        'a push',
        (frame) => frame['action'] === 'market_data' && frame['instrument_id'] === rb,
      );
      await until('a quote', async () => (await client.peek()).quotes[cu]);
    });
  });

  describe('what clients may send', () => {
    it('answers garbage with an error and continues', async () => {
      const client = await connect('?protocol=action');
      for (const garbage of [
        '',
        '{',
        'null',
        '[]',
        '42',
        '{"aid":7}',
        '{"action":"fly"}',
        '{"aid":"fly"}',
        '{}',
      ]) {
        client.send(garbage);
        const frame = await client.next(`the answer to ${garbage}`);
        expect(JSON.stringify(frame)).toContain('error');
      }
      client.send({ action: 'ping' });
      await client.next('the pong', (frame) => frame['action'] === 'pong');
    });

    it('takes a frame of almost 1 MiB', async () => {
      const client = await connect();
      const others = Array.from({ length: 20_000 }, (_, i) => `nosuch${i}`.padEnd(51, 'x'));
      const list = [rb, ...others].join(',');
      expect(list.length).toBeGreaterThan(1024 * 1024 - 10_000);
      client.send({ aid: 'subscribe_quote', ins_list: list });
      const { meta } = await until('a quote', async () => {
        const answer = await client.peek();
        return answer.quotes[rb] === undefined ? undefined : answer;
      });
      expect(meta['ins_list']).toBe(list);
    });
  });

  describe('HTTP', () => {
    it('reports health under the fixed names', async () => {
      const { code, body } = await gateway.health();
      expect(code).toBe(200);
      expect(body).toMatchObject({
        status: 'healthy',
        connections: [
          { id: 'line_1', status: 'logged_in', quality: 100 },
          { id: 'line_2', status: 'logged_in', quality: 100 },
        ],
        redis: { connected: false },
      });
      expect(body.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(body.websocket.total_messages).toBeGreaterThan(0);
    });

    it('serves the instrument file to any origin', async () => {
      const response = await fetch(`http://127.0.0.1:${await gateway.port()}/symbols/latest.json`);
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
      expect(await response.json()).toHaveProperty([`SHFE.${rb}`, 'price_tick'], 1);
    });
  });
});
