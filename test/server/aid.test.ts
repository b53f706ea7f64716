import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { World, type Frame } from './world.js';

let world: World;
beforeEach(async () => {
  world = await World.start();
});
afterEach(() => world.stop());

const meta = (insList: string): Frame => ({ account_id: '', ins_list: insList, mdhis_more_data: false });

describe('on connect', () => {
  it('sends an empty rtn_data unasked', async () => {
    const client = await world.connect();
    expect(await client.nextText()).toBe(
      '{"aid":"rtn_data","data":[{"quotes":{}},{"account_id":"","ins_list":"","mdhis_more_data":false}]}',
    );
    expect(await client.settled()).toEqual([]);
  });

  it('sends nothing with ?protocol=action, and still speaks aid when asked', async () => {
    const client = await world.connect('/?protocol=action');
    expect(await client.settled()).toEqual([]);
    await client.subscribeQuote('rb2410');
    client.peek();
    expect((await client.rtnData()).meta).toEqual(meta('rb2410'));
  });
});

describe('subscribe_quote', () => {
  it('acknowledges, then answers the next peek at once with the echo even when no quote is known', async () => {
    const client = await world.connectAid();
    client.send({ aid: 'subscribe_quote', ins_list: 'SHFE.rb2410' });
    expect(await client.nextText()).toBe('{"aid":"subscribe_quote","status":"ok"}');
    client.peek();
    expect(await client.rtnData()).toEqual({ quotes: {}, meta: meta('SHFE.rb2410') });
  });

  it('answers a peek that was already waiting', async () => {
    const client = await world.connectAid();
    client.peek();
    await client.subscribeQuote('SHFE.rb2410');
    expect((await client.rtnData()).meta.ins_list).toBe('SHFE.rb2410');
  });

  it('brings full snapshots of what is known first, and changed fields later', async () => {
    world.tick('rb2410', { lastPrice: 3500 });
    const client = await world.connectAid();
    await client.subscribeQuote('SHFE.rb2410,SHFE.cu2406');
    client.peek();
    const first = await client.rtnData();
    expect(Object.keys(first.quotes)).toEqual(['SHFE.rb2410']);
    expect(first.quotes['SHFE.rb2410']).toMatchObject({
      instrument_id: 'SHFE.rb2410',
      instrument_name: '螺纹钢2410',
      datetime: '2024-04-11 10:00:00.000000',
      max_limit_order_volume: 500,
      max_market_order_volume: 0,
      last_price: 3500,
      volume: 101,
      volume_multiple: 10,
      price_tick: 1,
    });
    client.peek();
    await client.settled();
    world.tickAlone('rb2410', { lastPrice: 3502 });
    expect(await client.rtnData()).toEqual({
      quotes: { 'SHFE.rb2410': { last_price: 3502, volume: 102 } },
      meta: meta('SHFE.rb2410,SHFE.cu2406'),
    });
  });

  it('states margin and commission of a lot by the last settlement price', async () => {
    world.tick('rb2410', { doubles: { preSettlementPrice: 3500 } });
    world.tick('m2409-C-3000', { doubles: { preSettlementPrice: 100 } });
    const client = await world.connectAid();
    await client.subscribeQuote('SHFE.rb2410,DCE.m2409-C-3000');
    client.peek();
    const { quotes } = await client.rtnData();
    expect(quotes['SHFE.rb2410']).toMatchObject({ margin: 3500, commission: 3.5 });
    expect(quotes['DCE.m2409-C-3000']).toMatchObject({ price_tick: 0.5, underlying_symbol: 'DCE.m2409' });
    expect(quotes['DCE.m2409-C-3000']).not.toHaveProperty('margin');
  });

  it('gives a full snapshot of an instrument that becomes known later', async () => {
    const client = await world.connectAid();
    await client.subscribeQuote('SHFE.cu2406');
    client.peek();
    await client.rtnData();
    client.peek();
    await client.settled();
    world.tickAlone('cu2406', { lastPrice: 70_000 });
    expect((await client.rtnData()).quotes['SHFE.cu2406']).toMatchObject({
      instrument_id: 'SHFE.cu2406',
      last_price: 70_000,
      volume_multiple: 5,
    });
  });

  it('replaces the set: what is skipped vanishes, what stays is sent in full again', async () => {
    world.tick('rb2410');
    world.tick('cu2406');
    const client = await world.connectAid();
    await client.subscribeQuote('SHFE.rb2410,SHFE.cu2406');
    client.peek();
    await client.rtnData();
    world.tick('rb2410');
    await client.subscribeQuote('SHFE.cu2406,SHFE.au2412');
    client.peek();
    const { quotes } = await client.rtnData();
    expect(Object.keys(quotes)).toEqual(['SHFE.cu2406']);
    expect(quotes['SHFE.cu2406']).toHaveProperty('volume_multiple', 5);
    client.peek();
    world.tickAlone('rb2410');
    expect(await client.settled()).toEqual([]);
    expect([...world.wanted]).toEqual([
      ['cu2406', 1],
      ['au2412', 1],
    ]);
  });

  it('is cleared by an empty list', async () => {
    const client = await world.connectAid();
    await client.subscribeQuote('SHFE.rb2410');
    await client.subscribeQuote('');
    client.peek();
    expect(await client.rtnData()).toEqual({ quotes: {}, meta: meta('') });
    client.peek();
    world.tickAlone('rb2410');
    expect(await client.settled()).toEqual([]);
    expect(world.wanted.size).toBe(0);
  });

  it('answers under the very key requested, and under both keys when both are', async () => {
    world.tick('rb2410');
    const client = await world.connectAid();
    await client.subscribeQuote('rb2410,SHFE.rb2410,cu2406');
    client.peek();
    const first = await client.rtnData();
    expect(Object.keys(first.quotes).sort()).toEqual(['SHFE.rb2410', 'rb2410']);
    expect(first.quotes['rb2410']).toHaveProperty('instrument_id', 'SHFE.rb2410');
    client.peek();
    await client.settled();
    world.tickAlone('rb2410', { lastPrice: 3600 });
    const change = { last_price: 3600, volume: 102 };
    expect((await client.rtnData()).quotes).toEqual({ rb2410: change, 'SHFE.rb2410': change });
    expect(world.wanted.get('rb2410')).toBe(1);
  });

  it('takes blanks, empty parts and repetitions, and echoes them as they came', async () => {
    world.tick('rb2410');
    const client = await world.connectAid();
    const insList = ' SHFE.rb2410 ,,rb2410, SHFE.rb2410,\t';
    await client.subscribeQuote(insList);
    client.peek();
    const { quotes, meta: echoed } = await client.rtnData();
    expect(Object.keys(quotes).sort()).toEqual(['SHFE.rb2410', 'rb2410']);
    expect(echoed.ins_list).toBe(insList);
  });

  it.each([
    ['"SHFE.rb2410,\\u94dc\\"\\\\\\n"', 'SHFE.rb2410,铜"\\\n'],
    ['"螺纹钢,😀,é"', '螺纹钢,😀,é'],
    ['"\\ud800,rb2410"', '\ud800,rb2410'],
    ['"\\u2028\\u0000/\\/"', '\u2028\u0000//'],
  ])('echoes the ins_list %s so that it parses to the same string', async (json, insList) => {
    const client = await world.connectAid();
    client.send(`{"aid":"subscribe_quote","ins_list":${json}}`);
    await client.settled();
    client.peek();
    expect((await client.rtnData()).meta.ins_list).toBe(insList);
  });

  it('is case-sensitive, and skips of quotes what does not exist while it echoes the key', async () => {
    world.tick('rb2410');
    const client = await world.connectAid();
    const insList = 'RB2410,shfe.rb2410,DCE.rb2410,nonsense,SHFE.rb2410';
    await client.subscribeQuote(insList);
    await client.settled();
    client.peek();
    const { quotes, meta: echoed } = await client.rtnData();
    expect(Object.keys(quotes)).toEqual(['SHFE.rb2410']);
    expect(echoed.ins_list).toBe(insList);
  });

  it('echoes the list in every later frame', async () => {
    const client = await world.connectAid();
    await client.subscribeQuote('rb2410');
    for (let i = 0; i < 3; i++) {
      client.peek();
      if (i > 0) {
        await client.settled();
        world.tickAlone('rb2410');
      }
      expect((await client.rtnData()).meta).toEqual(meta('rb2410'));
    }
  });

  it('takes a list of 100,000 characters and one of 15,000 instruments', async () => {
    const ids = Array.from({ length: 15_000 }, (_, i) => `DCE.m2409-C-${i + 1}`);
    for (const id of ids) world.tick(id.slice(4));
    const client = await world.connectAid();
    const insList = ids.join(',');
    expect(insList.length).toBeGreaterThan(100_000);
    await client.subscribeQuote(insList);
    const quotes = new Set<string>();
    while (quotes.size < 15_000) {
      client.peek();
      const answer = await client.rtnData();
      for (const id of Object.keys(answer.quotes)) quotes.add(id);
      expect(answer.meta.ins_list).toBe(insList);
    }
    client.peek();
    await client.settled();
    world.tickAlone('m2409-C-9999');
    expect((await client.rtnData()).quotes).toEqual({ 'DCE.m2409-C-9999': { volume: 102 } });
    expect(world.wanted.size).toBe(15_000);
  });
});

describe('peek_message', () => {
  it('waits while there is nothing new and is answered by the next change', async () => {
    const client = await world.connectAid();
    await client.subscribeQuote('rb2410');
    client.peek();
    await client.rtnData();
    client.peek();
    expect(await client.settled()).toEqual([]);
    world.tickAlone('rb2410');
    expect((await client.rtnData()).quotes).toHaveProperty('rb2410');
  });

  it('waits for the end of the batch, which brings all changes in one frame', async () => {
    const client = await world.connectAid();
    await client.subscribeQuote('rb2410,cu2406');
    client.peek();
    await client.rtnData();
    client.peek();
    await client.settled();
    world.tick('rb2410');
    world.tick('cu2406');
    world.tick('rb2410', { lastPrice: 3600 });
    world.server.onBatchEnd();
    const { quotes } = await client.rtnData();
    expect(Object.keys(quotes).sort()).toEqual(['cu2406', 'rb2410']);
    expect(quotes['rb2410']).toHaveProperty('last_price', 3600);
    expect(await client.settled()).toEqual([]);
  });

  it('is answered of more clients than one turn writes to', async () => {
    const clients = await Promise.all(Array.from({ length: 150 }, () => world.connectAid()));
    for (const client of clients) {
      await client.subscribeQuote('rb2410');
      client.peek();
      await client.rtnData();
      client.peek();
      await client.settled();
    }
    world.tickAlone('rb2410', { lastPrice: 3210 });
    for (const client of clients)
      expect((await client.rtnData()).quotes['rb2410']).toMatchObject({ last_price: 3210 });
  });

  it('counts once however often it is sent', async () => {
    const client = await world.connectAid();
    await client.subscribeQuote('rb2410');
    client.peek();
    await client.rtnData();
    for (let i = 0; i < 5; i++) client.peek();
    await client.settled();
    world.tickAlone('rb2410');
    world.tickAlone('rb2410');
    const { quotes } = await client.rtnData();
    expect(quotes['rb2410']).toHaveProperty('volume', 101);
    expect(await client.settled()).toEqual([]);
    client.peek();
    expect((await client.rtnData()).quotes).toEqual({ rb2410: { volume: 102 } });
  });

  it('is never answered without having been sent, and changes coalesce meanwhile', async () => {
    const client = await world.connectAid();
    await client.subscribeQuote('rb2410');
    client.peek();
    await client.rtnData();
    for (let i = 0; i < 100; i++) world.tickAlone('rb2410', { lastPrice: 3500 + i });
    expect(await client.settled()).toEqual([]);
    client.peek();
    expect((await client.rtnData()).quotes['rb2410']).toMatchObject({ last_price: 3599, volume: 200 });
  });

  it('marks a price that becomes absent with "-"', async () => {
    world.tick('rb2410');
    const client = await world.connectAid();
    await client.subscribeQuote('rb2410');
    client.peek();
    await client.rtnData();
    client.peek();
    await client.settled();
    world.tickAlone('rb2410', { integers: { askVolume1: 0 } });
    expect((await client.rtnData()).quotes['rb2410']).toMatchObject({ ask_price1: '-', ask_volume1: 0 });
  });

  it('keeps clients that peek at different times each on their own state', async () => {
    const clients = await Promise.all(Array.from({ length: 5 }, () => world.connectAid()));
    const held = clients.map(() => ({}));
    for (const client of clients) await client.subscribeQuote('rb2410,SHFE.cu2406');
    for (let round = 0; round < 40; round++) {
      world.tick('rb2410', { lastPrice: 3500 + (round % 7) });
      if (round % 3 === 0) world.tick('cu2406', { lastPrice: 70_000 + round });
      world.server.onBatchEnd();
      const client = clients[(round * 3) % 5]!;
      client.peek();
      merge(held[(round * 3) % 5]!, (await client.rtnData()).quotes);
    }
    world.tick('cu2406');
    world.tick('rb2410', { lastPrice: 1 });
    for (const [i, client] of clients.entries()) {
      client.peek();
      merge(held[i]!, (await client.rtnData()).quotes);
      expect(held[i]).toMatchObject({
        rb2410: { last_price: 1, volume: 141 },
        'SHFE.cu2406': { last_price: 3500, volume: 115 },
      });
    }
  });
});

describe('names that no instrument can have', () => {
  it('are told with what may have been meant, after the acknowledgement, once for each', async () => {
    const client = await world.connectAid();
    await client.subscribeQuote('SHFE.rb2410,RB2410,SHFE.cu2406，SHFE.cu2407');
    expect(await client.next()).toEqual({
      aid: 'error',
      code: 'unknown_instrument',
      message:
        'no such instruments: "RB2410" (did you mean rb2410?), "SHFE.cu2406，SHFE.cu2407" (ids are separated by "," and not by "，")',
      instruments: ['RB2410', 'SHFE.cu2406，SHFE.cu2407'],
      suggestions: { RB2410: ['rb2410'] },
      request: null,
    });
    await client.subscribeQuote('SHFE.rb2410,RB2410,SHFE.cu2406，SHFE.cu2407,DCE.m2409');
    expect(await client.settled()).toEqual([]);
    await client.subscribeQuote('RB2410,AG2406');
    expect(await client.settled()).toMatchObject([{ instruments: ['AG2406'] }]);
  });

  it('are told up to a number, and never close a client', async () => {
    await world.stop();
    world = await World.start({ limits: { maxBadFrames: 3 } });
    const client = await world.connectAid();
    for (let i = 0; i < 80; i++) client.send({ aid: 'subscribe_quote', ins_list: `nothing${i}` });
    const frames = await client.settled();
    expect(frames.filter(({ code }) => code === 'unknown_instrument')).toHaveLength(64);
    await client.subscribeQuote('SHFE.rb2410');
    expect(await client.settled()).toEqual([]);
  });
});

describe('errors', () => {
  it('answers an unknown aid with a frame that has an aid', async () => {
    const client = await world.connectAid();
    client.send({ aid: 'set_wings', n: 1 });
    expect(await client.next()).toEqual({
      aid: 'error',
      code: 'unknown_aid',
      message: 'unknown aid "set_wings": use subscribe_quote, peek_message, set_chart or ins_query',
      request: { aid: 'set_wings', n: 1 },
    });
  });

  it('answers what belongs to the protocol and is not served, however often, and continues', async () => {
    await world.stop();
    world = await World.start({ limits: { maxBadFrames: 3 } });
    const client = await world.connectAid();
    const request = { aid: 'set_chart_data', symbol: 'SHFE.rb2410', dur_nano: 60e9, datas: {} };
    for (let i = 0; i < 10; i++) {
      client.send(request);
      expect(await client.next()).toMatchObject({ aid: 'error', code: 'unsupported_aid', request });
    }
    await client.subscribeQuote('rb2410');
    client.peek();
    expect((await client.rtnData()).meta).toEqual(meta('rb2410'));
  });

  it('leaves the set as it was when a list is too long or not a string', async () => {
    await world.stop();
    world = await World.start({ limits: { maxInstrumentsPerClient: 2 } });
    world.tick('rb2410');
    const client = await world.connectAid();
    await client.subscribeQuote('rb2410');
    client.send({ aid: 'subscribe_quote', ins_list: 'rb2410,cu2406,m2409' });
    expect(await client.next()).toMatchObject({ aid: 'error', code: 'too_many_instruments' });
    client.send({ aid: 'subscribe_quote', ins_list: ['rb2410'] });
    expect(await client.next()).toMatchObject({ aid: 'error', code: 'invalid_ins_list' });
    client.peek();
    expect(await client.rtnData()).toMatchObject({ quotes: { rb2410: {} }, meta: { ins_list: 'rb2410' } });
  });
});

/** RFC 7386, for what the server sends. */
function merge(target: Frame, patch: Frame): void {
  for (const [key, value] of Object.entries(patch)) {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      merge((target[key] ??= {}) as Frame, value as Frame);
    } else {
      target[key] = value;
    }
  }
}
