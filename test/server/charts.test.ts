import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { World, type Frame, type TestClient } from './world.js';

let world: World;
let client: TestClient;
beforeEach(async () => {
  world = await World.start();
  client = await world.connectAid();
});
afterEach(() => world.stop());

const empty = { left_id: 0, right_id: 0, more_data: false, ready: true };
const request: Frame = {
  aid: 'set_chart',
  chart_id: 'c1',
  ins_list: 'SHFE.rb2410',
  duration: 60_000_000_000,
  view_width: 200,
};

/** What the answer to the next peek has beside quotes and the meta object. */
async function patchesAfter(...frames: (Frame | string)[]): Promise<unknown[]> {
  for (const frame of frames) client.send(frame);
  client.peek();
  return patches(await client.next());
}

function patches(frame: Frame): unknown[] {
  expect(frame['aid']).toBe('rtn_data');
  const [quotes, meta, ...others] = frame['data'] as [Frame, Frame, ...Frame[]];
  expect(Object.keys(quotes)).toEqual(['quotes']);
  expect(meta).toMatchObject({ account_id: '', mdhis_more_data: false });
  return others;
}

describe('set_chart', () => {
  it('is answered by a chart without bars that a client can continue with', async () => {
    expect(await patchesAfter(request)).toEqual([
      {
        klines: { 'SHFE.rb2410': { 60000000000: { last_id: 0, data: {} } } },
        charts: { c1: { state: request, ...empty } },
      },
    ]);
  });

  it('answers a peek that was already waiting, in one frame with the quotes', async () => {
    await client.subscribeQuote('SHFE.rb2410');
    client.peek();
    await client.rtnData();
    client.peek();
    client.send(request);
    expect(patches(await client.next())).toMatchObject([{ charts: { c1: empty } }]);
  });

  it('answers charts of ticks under ticks', async () => {
    expect(await patchesAfter({ ...request, duration: 0 })).toMatchObject([
      { ticks: { 'SHFE.rb2410': { last_id: 0, data: {} } }, charts: { c1: empty } },
    ]);
  });

  it('gives each of several instruments its own serial, bound to the first', async () => {
    const ins_list = 'SHFE.rb2410,DCE.m2409,SHFE.cu2406';
    expect(await patchesAfter({ ...request, ins_list })).toMatchObject([
      {
        klines: {
          'SHFE.rb2410': {
            60000000000: { last_id: 0, binding: { 'DCE.m2409': { 0: 0 }, 'SHFE.cu2406': { 0: 0 } } },
          },
          'DCE.m2409': { 60000000000: { last_id: 0, data: { 0: {} } } },
          'SHFE.cu2406': { 60000000000: { last_id: 0, data: { 0: {} } } },
        },
        charts: { c1: { state: { ins_list }, ...empty } },
      },
    ]);
  });

  it('echoes the state to the letter, digits that a JavaScript number has not too', async () => {
    const text =
      '{"aid": "set_chart", "chart_id": "d", "ins_list": "SHFE.rb2410", "duration": 60000000000, "view_width": 2000, "focus_datetime": 1796078443353936896, "focus_position": 0}';
    client.send(text);
    client.peek();
    expect(await client.nextText()).toContain(`"state":${text},`);
  });

  it('drops what the last state of a chart had and the new one has not', async () => {
    const focus = { ...request, focus_datetime: 1, focus_position: 0 };
    const left = { ...request, left_kline_id: 7 };
    await patchesAfter(focus);
    expect(await patchesAfter(left)).toMatchObject([
      { charts: { c1: { state: { ...left, focus_datetime: null, focus_position: null } } } },
    ]);
  });

  it('says nothing to the same request again, and answers another one', async () => {
    await patchesAfter(request);
    client.peek();
    client.send(request);
    client.send(request);
    expect(await client.settled()).toEqual([]);
    client.send({ ...request, view_width: 30 });
    expect(patches(await client.next())).toMatchObject([{ charts: { c1: { state: { view_width: 30 } } } }]);
  });

  it('answers once what was asked several times before the peek, the newest of each chart', async () => {
    const answers = await patchesAfter(
      request,
      { ...request, chart_id: 'c2' },
      { ...request, view_width: 8964 },
    );
    expect(answers).toMatchObject([
      { charts: { c2: { state: { view_width: 200 } } } },
      { charts: { c1: { state: { view_width: 8964 } } } },
    ]);
  });

  it('removes a chart by nulls', async () => {
    await patchesAfter({ ...request, left_kline_id: 7 });
    expect(await patchesAfter({ ...request, ins_list: '' })).toEqual([
      {
        charts: {
          c1: {
            left_id: null,
            right_id: null,
            more_data: null,
            ready: null,
            state: {
              aid: null,
              chart_id: null,
              ins_list: null,
              duration: null,
              view_width: null,
              left_kline_id: null,
            },
          },
        },
      },
    ]);
    // It may come back.
    expect(await patchesAfter(request)).toMatchObject([{ charts: { c1: empty } }]);
  });

  it.each([
    [{ duration: -1 }, 'duration must be a whole number of ns from 0 on, not -1'],
    [{ duration: 'day' }, 'duration must be a whole number of ns from 0 on, not "day"'],
    [{ view_width: 0 }, 'view_width must be a whole number from 1 on, not 0'],
    [{ view_width: null }, 'view_width must be a whole number from 1 on, not null'],
    [
      { left_kline_id: 1, focus_datetime: 1, focus_position: 0 },
      'a chart has one of left_kline_id and focus_datetime',
    ],
  ])('tells what is wrong with %j, and answers all the same', async (wrong, message) => {
    const frame: Frame = { ...request, ...wrong };
    client.send(frame);
    expect(await client.next()).toEqual({ aid: 'error', code: 'invalid_chart', message, request: frame });
    const duration = String(frame['duration']);
    expect(await patchesAfter()).toEqual([
      {
        klines: { 'SHFE.rb2410': { [duration]: { last_id: 0, data: {} } } },
        charts: { c1: { state: frame, ...empty } },
      },
    ]);
  });

  it('takes charts of trading days, which have no width', async () => {
    expect(
      await patchesAfter({
        ...request,
        view_width: undefined,
        trading_day_start: 1,
        trading_day_count: 86_400_000_000_000,
      }),
    ).toMatchObject([{ charts: { c1: empty } }]);
  });

  it.each([
    [{ chart_id: 7 }, 'chart_id must be a string of 1 to 512 characters, not 7'],
    [{ chart_id: '' }, 'chart_id must be a string of 1 to 512 characters, not ""'],
  ])('cannot answer %j', async (wrong, message) => {
    client.send({ ...request, ...wrong });
    expect(await client.settled()).toMatchObject([{ aid: 'error', code: 'invalid_chart', message }]);
  });

  it('never closes a client, however wrong its charts are', async () => {
    await world.stop();
    world = await World.start({ limits: { maxBadFrames: 3 } });
    client = await world.connectAid();
    for (let i = 0; i < 10; i++) client.send({ ...request, view_width: -i });
    for (let i = 0; i < 10; i++) expect(await client.next()).toMatchObject({ code: 'invalid_chart' });
    expect(await client.settled()).toEqual([]);
  });

  it('holds back no more answers than it may, and answers again once they are read', async () => {
    const insList = Array.from({ length: 8000 }, (_, i) => `DCE.m2409-C-${1000 + i}`).join(',');
    let refused: Frame | undefined;
    for (let i = 0; refused === undefined && i < 100; i++) {
      client.send({ ...request, chart_id: `c${i}`, ins_list: insList });
      [refused] = await client.settled();
    }
    expect(refused).toMatchObject({ aid: 'error', code: 'answers_unread', request: { truncated: true } });
    client.peek();
    const answered = patches(await client.next()).length;
    expect(answered).toBeGreaterThan(5);
    client.send({ ...request, chart_id: `c${answered}`, ins_list: insList });
    client.peek();
    expect(patches(await client.next())).toHaveLength(1);
  });

  it('counts what it keeps for a client, and no more what that has read', async () => {
    const kept = (): number => world.server.counters.keptBytes;
    for (let i = 0; i < 10; i++) client.send({ ...request, chart_id: `c${i}` });
    expect(await client.settled()).toEqual([]);
    const waiting = kept();
    expect(waiting).toBeGreaterThan(10 * JSON.stringify(request).length);
    client.peek();
    await client.next();
    expect(kept()).toBeLessThan(waiting / 2);
    for (let i = 0; i < 10; i++) client.send({ ...request, chart_id: `c${i}`, ins_list: '' });
    client.peek();
    await client.next();
    client.peek();
    await client.settled();
    expect(kept()).toBeLessThan(100);
  });

  it('closes the client that has the most waiting when all together have too much', async () => {
    await world.stop();
    world = await World.start({ limits: { maxKeptBytes: 100_000 } });
    const [quiet, loud] = [await world.connectAid(), await world.connectAid()];
    quiet.send(request);
    for (let i = 0; i < 1000; i++) loud.send({ ...request, chart_id: `c${i}` });
    expect((await loud.closed()).code).toBe(1008);
    quiet.peek();
    expect(patches(await quiet.next())).toHaveLength(1);
  });
});
