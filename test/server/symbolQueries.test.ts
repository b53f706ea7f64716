import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { contractNamed } from '../../src/market/instruments/contracts.js';
import { parseInstrumentId } from '../../src/market/instruments/instrumentId.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import { World, type Frame, type TestClient } from './world.js';

let world: World;
let client: TestClient;
beforeEach(async () => {
  world = await World.start();
  client = await world.connectAid();
});
afterEach(() => world.stop());

const products = loadProducts();
/** What the client sends of an instrument that it is to know everything of. */
const everything = (args: string): string => `query {
  multi_symbol_info${args} {
    __typename
    ...basic
    ...future
  }
}
fragment basic on basic {
  instrument_id
}
fragment future on future {
  categories {
    id
  }
}`;
const idsOf = (args: string): string =>
  `query {\n  multi_symbol_info${args} {\n    __typename\n    ... on basic {\n      instrument_id\n    }\n  }\n}`;

/** Lists instruments as an import does. */
function list(...ids: string[]): void {
  world.directory.setImported(ids.map((id) => contractNamed(parseInstrumentId(id, products)!, 20240411)));
}

async function answerTo(query: string, more: Frame = {}, id = 'PYSDK_api_1'): Promise<Frame> {
  client.send({ aid: 'ins_query', query_id: id, query, ...more });
  client.peek();
  const frame = await client.next();
  expect(frame['aid']).toBe('rtn_data');
  const [, , patch] = frame['data'] as [Frame, Frame, { symbols: Record<string, Frame> }];
  expect(Object.keys(patch)).toEqual(['symbols']);
  expect(Object.keys(patch.symbols)).toEqual([id]);
  return patch.symbols[id]!;
}

async function nodesOf(query: string, more: Frame = {}): Promise<Frame[]> {
  const answer = await answerTo(query, more);
  expect(answer['error']).toBeUndefined();
  return (answer['result'] as { multi_symbol_info: Frame[] }).multi_symbol_info;
}

async function found(query: string): Promise<unknown[]> {
  return (await nodesOf(query)).map((node) => node['instrument_id']);
}

describe('ins_query', () => {
  it('tells all that is known of a future, and gives the query back as it came', async () => {
    const query = everything('(instrument_id: ["SHFE.rb2410"])');
    const answer = await answerTo(query);
    expect(answer).toEqual({
      query,
      result: {
        multi_symbol_info: [
          {
            class: 'FUTURE',
            instrument_id: 'SHFE.rb2410',
            ins_id: 'rb2410',
            exchange_id: 'SHFE',
            instrument_name: '螺纹钢2410',
            price_tick: 1,
            price_decs: 0,
            trading_day: '20240411',
            volume_multiple: 10,
            quote_multiple: 10,
            expired: false,
            expire_datetime: Date.parse('2024-10-15T15:00:00+08:00') * 1e6,
            product_id: 'rb',
            delivery_year: 2024,
            delivery_month: 10,
            max_limit_order_volume: 500,
            max_market_order_volume: 0,
            min_limit_order_volume: 1,
            min_market_order_volume: 0,
            margin: 3080,
            commission: 3.08,
            product_short_name: '螺纹钢',
            english_name: 'lwg,luowengang',
            trading_time: {
              day: [
                ['09:00:00', '10:15:00'],
                ['10:30:00', '11:30:00'],
                ['13:30:00', '15:00:00'],
              ],
              night: [['21:00:00', '23:00:00']],
            },
          },
        ],
      },
    });
  });

  it('gives query and variables back to the letter, and takes what variables stand for', async () => {
    client.send(
      '{"aid": "ins_query", "query_id": "\\u94c1", "query": "query($ids:[String]){multi_symbol_info(instrument_id:$ids){ins_id}}", "variables": {"ids": ["SHFE.rb2410"], "at": 1796078443353936896}}',
    );
    client.peek();
    expect(await client.nextText()).toContain(
      '{"symbols":{"\\u94c1":{"query":"query($ids:[String]){multi_symbol_info(instrument_id:$ids){ins_id}}","variables":{"ids": ["SHFE.rb2410"], "at": 1796078443353936896},"result":{"multi_symbol_info":[{"ins_id":"rb2410"}]}}}}',
    );
  });

  it('writes the digits of times that a JavaScript number has not', async () => {
    client.send({ aid: 'ins_query', query_id: 'q', query: everything('(instrument_id: ["SHFE.rb2410"])') });
    client.peek();
    expect(await client.nextText()).toContain('"expire_datetime":1728975600000000000,');
  });

  it('reports an option what it is on, and its product has its price step', async () => {
    list('SHFE.rb2410C3500');
    const [node] = await nodesOf(everything('(instrument_id: ["SHFE.rb2410C3500"])'));
    expect(node).toMatchObject({
      class: 'OPTION',
      instrument_id: 'SHFE.rb2410C3500',
      price_tick: 0.5,
      strike_price: 3500,
      call_or_put: 'CALL',
      last_exercise_datetime: node!['expire_datetime'],
      underlying: {
        count: 1,
        edges: [
          {
            underlying_multiple: 1,
            node: { instrument_id: 'SHFE.rb2410', delivery_year: 2024, delivery_month: 10 },
          },
        ],
      },
    });
    expect(node).not.toHaveProperty('margin');
  });

  it('knows options and combinations that nobody has listed of listed futures, and what has expired', async () => {
    const ids = ['DCE.m2409-C-3000', 'CFFEX.IO2406-P-3400', 'SHFE.rb2301'];
    const nodes = await nodesOf(everything(`(instrument_id: ${JSON.stringify(ids)})`));
    expect(nodes).toMatchObject([
      { class: 'OPTION', price_tick: 0.5 },
      { class: 'OPTION', price_tick: 0.2, strike_price: 3400, call_or_put: 'PUT' },
      { class: 'FUTURE', expired: true },
    ]);
    const [pair] = await nodesOf(
      '{multi_symbol_info(instrument_id:["DCE.SP m2409&m2501"]){class leg1 leg2}}',
    );
    expect(pair).toEqual({
      class: 'COMBINE',
      leg1: { instrument_id: 'DCE.m2409' },
      leg2: { instrument_id: 'DCE.m2501' },
    });
  });

  it.each([
    ['SHFE.rb9913', 'no month'],
    ['SHFE.rb2912', 'a month that is not listed'],
    ['rb2410', 'no exchange'],
    ['DCE.rb2410', 'another exchange'],
    ['SHFE.rb2912C3000', 'an option on it'],
    ['KQ.m@SHFE.rb', 'a main contract'],
    ['SSE.000300', 'an index'],
  ])('fails as the vendor does where there is no %s: %s', async (id) => {
    const query = everything(`(instrument_id: ["SHFE.rb2410", "${id}"])`);
    expect(await answerTo(query, { variables: {} })).toEqual({
      query,
      variables: {},
      error: `failed to execute graphql operation, errors: [instrumentId: ${id} dose not exist]`,
      errors: [{ message: `instrumentId: ${id} dose not exist` }],
    });
  });

  it('fails where a client would wait for a price step in vain', async () => {
    const answer = await answerTo(everything('(instrument_id: ["DCE.SP m2409&m2501"])'));
    expect(answer['error']).toContain('the price step of DCE.SP m2409&m2501 is not known: import it');
    const none = await answerTo(everything('(instrument_id: ["SHFE.sp2409C5000"])'));
    expect(none['error']).toContain('the price step of SHFE.sp2409C5000 is not known');
  });

  it('finds instruments by class, exchange, product, expiry and night', async () => {
    list('SHFE.rb2410C3500', 'SHFE.rb2410P3500', 'DCE.SP m2409&m2501');
    const all = world.directory.list();
    expect(await found(idsOf(''))).toHaveLength(all.length);
    const rb = await found(
      idsOf(
        '(\n      class: [FUTURE]\n      exchange_id: ["SHFE"]\n      product_id: ["rb"]\n      expired: false\n    )',
      ),
    );
    expect(rb).toEqual(world.directory.list({ product: 'rb', kind: 'future' }).map((id) => `SHFE.${id}`));
    expect(await found(idsOf('(class: [OPTION])'))).toEqual(['SHFE.rb2410C3500', 'SHFE.rb2410P3500']);
    expect(await found(idsOf('(class: [COMBINE])'))).toEqual(['DCE.SP m2409&m2501']);
    expect(await found(idsOf('(class: [CONT])'))).toEqual([]);
    expect(await found(idsOf('(expired: true)'))).toEqual([]);
    expect(await found(idsOf('(product_id: ["IF", "rb"], class: [FUTURE], has_night: false)'))).toEqual(
      world.directory.list({ product: 'IF' }).map((id) => `CFFEX.${id}`),
    );
    expect(
      await found(idsOf('(product_id: ["IF"], has_night: true, timestamp: 1712800000000000000)')),
    ).toEqual([]);
    expect(await found(idsOf('(instrument_id: ["SHFE.rb2410"], class: [OPTION])'))).toEqual([]);
  });

  it('finds new instruments after the list has changed', async () => {
    expect(await found(idsOf('(class: [OPTION])'))).toEqual([]);
    list('SHFE.rb2410C3500');
    expect(await found(idsOf('(class: [OPTION])'))).toEqual(['SHFE.rb2410C3500']);
  });

  it('finds the options on a future', async () => {
    list('SHFE.rb2410C3500', 'SHFE.rb2410P3500', 'SHFE.cu2406C70000');
    const query = `query {
      multi_symbol_info(instrument_id: ["SHFE.rb2410"]) {
        ... on basic { instrument_id derivatives(class: [OPTION]) { edges { node { ... on basic { class } } } } }
      }
    }`;
    const [node] = await nodesOf(query);
    expect(node).toMatchObject({
      instrument_id: 'SHFE.rb2410',
      derivatives: {
        count: 2,
        edges: [
          {
            node: {
              class: 'OPTION',
              instrument_id: 'SHFE.rb2410C3500',
              strike_price: 3500,
              call_or_put: 'CALL',
            },
          },
          { node: { class: 'OPTION', instrument_id: 'SHFE.rb2410P3500', call_or_put: 'PUT' } },
        ],
      },
    });
    const none = await nodesOf(query.replace('[OPTION]', '[FUTURE]'));
    expect(none[0]).toMatchObject({ derivatives: { count: 0, edges: [] } });
  });

  it.each([
    ['{ all_symbols { id } }', 'only queries of multi_symbol_info alone are served here'],
    [
      '{ multi_symbol_info { a } symbol_info { a } }',
      'only queries of multi_symbol_info alone are served here',
    ],
    ['{ multi_symbol_info(', 'the query cannot be read: it ends where a name is expected'],
    [
      '{ multi_symbol_info(categories: [OIL]) { a } }',
      'multi_symbol_info has no argument categories here, it has',
    ],
    [
      '{ multi_symbol_info(instrument_id: [7]) { a } }',
      'instrument_id of multi_symbol_info must be a list of strings',
    ],
    ['{ multi_symbol_info(expired: "no") { a } }', 'expired of multi_symbol_info must be true or false'],
  ])('fails at once on %s', async (query, problem) => {
    const answer = await answerTo(query);
    expect(answer['query']).toBe(query);
    expect(answer['error']).toContain(problem);
    expect(answer).not.toHaveProperty('result');
  });

  it('lets go of an answer for an empty query', async () => {
    client.send({ aid: 'ins_query', query_id: 'q1', query: '' });
    client.peek();
    expect((await client.next())['data']).toMatchObject([{}, {}, { symbols: { q1: null } }]);
  });

  it('refuses answers that are too long, in the same form', async () => {
    list(...Array.from({ length: 6000 }, (_, i) => `SHFE.rb2410C${1000 + i}`));
    const answer = await answerTo(everything('(class: [OPTION])'));
    expect(answer['error']).toContain('the answer would have more than 4194304 characters: name classes');
    expect(await found(idsOf('(class: [OPTION])'))).toHaveLength(6000);
  });

  it.each([
    [{ query_id: 7, query: '' }, 'query_id must be a string of 1 to 512 characters, not 7'],
    [{ query_id: 'q' }, 'query must be a string, not absent'],
    [{ query_id: 'q', query: '', variables: [] }, 'variables must be an object, not an empty list'],
  ])('cannot answer %j', async (frame, message) => {
    client.send({ aid: 'ins_query', ...frame });
    expect(await client.settled()).toMatchObject([{ aid: 'error', code: 'invalid_ins_query', message }]);
  });

  it('answers several long queries of a client, in their order', async () => {
    list(...Array.from({ length: 2000 }, (_, i) => `SHFE.rb2410C${1000 + i}`));
    for (let i = 0; i < 5; i++)
      client.send({
        aid: 'ins_query',
        query_id: `q${i}`,
        query: `{multi_symbol_info(class:[OPTION],exchange_id:["SHFE","x${i}"]){class}}`,
      });
    const answered: string[] = [];
    while (answered.length < 5) {
      client.peek();
      const [, , ...patches] = (await client.next())['data'] as { symbols: Record<string, Frame> }[];
      for (const { symbols } of patches)
        for (const [id, { result }] of Object.entries(symbols)) {
          answered.push(id);
          expect((result as { multi_symbol_info: [] }).multi_symbol_info).toHaveLength(2000);
        }
    }
    expect(answered).toEqual(['q0', 'q1', 'q2', 'q3', 'q4']);
  });
});
