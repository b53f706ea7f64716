import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { World, type Frame } from './world.js';

let world: World;
beforeEach(async () => {
  world = await World.start();
});
afterEach(() => world.stop());

const data = (frame: Frame): Frame => frame['data'] as Frame;

describe('subscribe', () => {
  it('acknowledges, then sends a full frame of each instrument that has a value', async () => {
    world.tick('cu2406', { lastPrice: 70_000 });
    const client = await world.connectAction();
    expect(await client.subscribe(['rb2410', 'cu2406'])).toEqual({
      action: 'subscribe',
      status: 'ok',
      instruments: ['rb2410', 'cu2406'],
    });
    const snapshot = await client.next();
    expect(snapshot).toMatchObject({ action: 'market_data', instrument_id: 'cu2406' });
    expect(data(snapshot)).toMatchObject({ instrument_id: 'cu2406', last_price: 70_000, close_price: null });
    expect(await client.settled()).toEqual([]);
  });

  it('reaches more clients than one turn writes to, with nothing but their one tick', async () => {
    const clients = await Promise.all(Array.from({ length: 150 }, () => world.connectAction()));
    for (const client of clients) {
      await client.subscribe(['rb2410']);
      await client.settled();
    }
    world.tickAlone('rb2410', { lastPrice: 3210 });
    for (const client of clients) expect(data(await client.next())['last_price']).toBe(3210);
  });

  it('sends what came before an answer before it, and all of it before the end', async () => {
    const client = await world.connectAction();
    await client.subscribe(['rb2410']);
    await client.settled();
    world.tick('rb2410');
    world.server.onInstrumentRefused(world.directory.resolve('rb2410')!.slot, 16, 'refused');
    world.tick('rb2410');
    const end = world.server.close(1000);
    const actions = [await client.next(), await client.next(), await client.next()].map(
      ({ action }) => action,
    );
    expect(actions).toEqual(['market_data', 'error', 'market_data']);
    expect((await client.closed()).code).toBe(1012);
    await end;
  });

  it('pushes every tick in order without a peek, full by default', async () => {
    const client = await world.connectAction();
    await client.subscribe(['rb2410']);
    await client.settled();
    for (let i = 0; i < 500; i++) world.tick('rb2410', { lastPrice: 3000 + i });
    const frames = await client.settled();
    expect(frames.map((frame) => data(frame)['last_price'])).toEqual(
      Array.from({ length: 500 }, (_, i) => 3000 + i),
    );
    expect(data(frames[499]!)).toMatchObject({
      volume: 600,
      bid_price1: 3499,
      datetime: '2024-04-11 10:00:00.000',
    });
  });

  it('adds to what is subscribed', async () => {
    const client = await world.connectAction();
    await client.subscribe(['rb2410']);
    await client.subscribe(['cu2406']);
    await client.settled();
    world.tick('rb2410');
    world.tick('cu2406');
    expect((await client.settled()).map((frame) => frame['instrument_id'])).toEqual(['rb2410', 'cu2406']);
  });

  it('names instruments as they were requested, also when both ways were', async () => {
    const client = await world.connectAction();
    await client.subscribe(['SHFE.rb2410', 'rb2410', 'SHFE.rb2410']);
    await client.settled();
    world.tick('rb2410');
    const frames = await client.settled();
    expect(frames.map((frame) => [frame['instrument_id'], data(frame)['instrument_id']]).sort()).toEqual([
      ['SHFE.rb2410', 'SHFE.rb2410'],
      ['rb2410', 'rb2410'],
    ]);
    expect(world.wanted.get('rb2410')).toBe(1);
  });

  it('acknowledges the known instruments and names the unknown ones in an error', async () => {
    const client = await world.connectAction();
    expect(await client.subscribe(['rb2410', 'RB2410', 'DCE.rb2410', ''])).toMatchObject({
      status: 'ok',
      instruments: ['rb2410'],
    });
    expect(await client.next()).toEqual({
      action: 'error',
      code: 'unknown_instrument',
      message:
        'no such instruments: "RB2410" (did you mean rb2410?), "DCE.rb2410" (did you mean SHFE.rb2410?), "" (this is no form of an instrument id)',
      suggestions: { RB2410: ['rb2410'], 'DCE.rb2410': ['SHFE.rb2410'] },
      instruments: ['RB2410', 'DCE.rb2410', ''],
      request: { action: 'subscribe', instruments: ['rb2410', 'RB2410', 'DCE.rb2410', ''] },
    });
    await client.settled();
    world.tick('rb2410');
    expect(await client.settled()).toHaveLength(1);
  });

  it('acknowledges an error where none of the instruments exists', async () => {
    const client = await world.connectAction();
    expect(await client.subscribe(['RB2410', 'x*y'])).toEqual({
      action: 'subscribe',
      status: 'error',
      instruments: [],
    });
    expect(await client.next()).toMatchObject({ action: 'error', code: 'unknown_instrument' });
    expect(await client.next()).toMatchObject({ action: 'error', code: 'invalid_pattern' });
    expect(await client.subscribe([])).toMatchObject({ status: 'ok', instruments: [] });
    expect(await client.subscribe(['RB2410', 'rb2410'])).toMatchObject({ status: 'ok' });
  });

  it('narrows pushes to the fields that are asked for', async () => {
    world.tick('rb2410', { lastPrice: 3500 });
    const client = await world.connectAction();
    await client.subscribe(['rb2410'], { fields: ['volume', 'last_price', 'bid_price5'] });
    expect(data(await client.next())).toEqual({ last_price: 3500, volume: 101, bid_price5: null });
    world.tick('rb2410', { lastPrice: 3501 });
    expect(data(await client.next())).toEqual({ last_price: 3501, volume: 102, bid_price5: null });
  });

  it('sends only what changed with diff, after a first full frame', async () => {
    const client = await world.connectAction();
    await client.subscribe(['rb2410'], { diff: true });
    await client.settled();
    world.tick('rb2410', { lastPrice: 3500 });
    world.tick('rb2410', { lastPrice: 3501 });
    world.tick('rb2410', { lastPrice: 3501 });
    const [first, second, third] = await client.settled();
    expect(data(first!)).toMatchObject({ instrument_id: 'rb2410', last_price: 3500, close_price: null });
    expect(data(second!)).toEqual({ last_price: 3501, volume: 102 });
    expect(data(third!)).toEqual({ volume: 103 });
  });

  it('says nothing of ticks that leave the chosen fields as they were', async () => {
    world.tick('rb2410', { lastPrice: 3500 });
    const client = await world.connectAction();
    await client.subscribe(['rb2410'], { diff: true, fields: ['last_price'] });
    await client.settled();
    world.tick('rb2410', { lastPrice: 3500 });
    world.tick('rb2410', { lastPrice: 3505 });
    expect((await client.settled()).map(data)).toEqual([{ last_price: 3505 }]);
  });

  it('starts a diff client that comes later from a snapshot of its own', async () => {
    const early = await world.connectAction();
    await early.subscribe(['rb2410'], { diff: true });
    await early.settled();
    world.tick('rb2410', { lastPrice: 3500 });
    const late = await world.connectAction();
    await late.subscribe(['rb2410'], { diff: true });
    expect(data(await late.next())).toMatchObject({ last_price: 3500, volume: 101 });
    world.tick('rb2410', { lastPrice: 3502 });
    expect(data(await late.next())).toEqual({ last_price: 3502, volume: 102 });
  });

  it('changes the encoding when repeated with other options', async () => {
    const client = await world.connectAction();
    await client.subscribe(['rb2410']);
    await client.subscribe(['rb2410'], { fields: ['volume'] });
    await client.settled();
    world.tick('rb2410');
    expect((await client.settled()).map(data)).toEqual([{ volume: 101 }]);
    await client.subscribe(['rb2410'], { diff: true });
    expect(data(await client.next())).toMatchObject({ volume: 101, last_price: 3500 });
    world.tick('rb2410');
    expect((await client.settled()).map(data)).toEqual([{ volume: 102 }]);
    expect(world.wanted.get('rb2410')).toBe(1);
  });

  it('refuses unknown fields, naming them and the ones there are', async () => {
    const client = await world.connectAction();
    const error = await client.subscribe(['rb2410'], { fields: ['volume', 'colour'] });
    expect(error).toMatchObject({ action: 'error', code: 'unknown_field', unknown: ['colour'] });
    expect(error['allowed']).toContain('ask_volume5');
    world.tick('rb2410');
    expect(await client.settled()).toEqual([]);
  });

  it('refuses what goes beyond the limit and changes nothing', async () => {
    await world.stop();
    world = await World.start({ limits: { maxInstrumentsPerClient: 2 } });
    const client = await world.connectAction();
    await client.subscribe(['rb2410']);
    expect(await client.subscribe(['rb2410', 'cu2406', 'm2409'])).toMatchObject({
      code: 'too_many_instruments',
      message: 'a client may have 2 instruments, this would be 3',
    });
    expect(await client.subscribe(['rb2410', 'cu2406'])).toMatchObject({ status: 'ok' });
    expect([...world.wanted.keys()].sort()).toEqual(['cu2406', 'rb2410']);
  });

  it('takes 15,000 instruments in one frame and snapshots all of them', async () => {
    const ids = Array.from({ length: 15_000 }, (_, i) => `m2409-C-${i + 1}`);
    for (const id of ids) world.tick(id);
    const client = await world.connectAction();
    expect((await client.subscribe(ids))['instruments']).toEqual(ids);
    for (const id of ids) expect(await client.next()).toMatchObject({ instrument_id: id });
    for (const id of ids) world.tick(id);
    world.server.onBatchEnd();
    expect((await client.settled()).map((frame) => frame['instrument_id'])).toEqual(ids);
  });
});

describe('unsubscribe', () => {
  it('acknowledges, and ticks end', async () => {
    const client = await world.connectAction();
    await client.subscribe(['rb2410', 'cu2406']);
    client.send({ action: 'unsubscribe', instruments: ['rb2410'] });
    expect(await client.next()).toEqual({
      action: 'unsubscribe',
      status: 'ok',
      instruments: ['rb2410'],
    });
    world.tick('rb2410');
    world.tick('cu2406');
    expect((await client.settled()).map((frame) => frame['instrument_id'])).toEqual(['cu2406']);
    expect([...world.wanted.keys()]).toEqual(['cu2406']);
  });

  it('accepts what is not subscribed or does not exist', async () => {
    const client = await world.connectAction();
    client.send({ action: 'unsubscribe', instruments: ['rb2410', 'nonsense'] });
    expect(await client.next()).toMatchObject({ status: 'ok', instruments: ['rb2410', 'nonsense'] });
  });

  it('loses no tick that was pushed before', async () => {
    const client = await world.connectAction();
    await client.subscribe(['rb2410']);
    await client.settled();
    client.send({ action: 'unsubscribe', instruments: ['rb2410'] });
    for (let i = 0; i < 5; i++) world.tick('rb2410');
    const frames = await client.settled();
    expect(frames.map((frame) => frame['action'])).toEqual([
      ...Array.from({ length: 5 }, () => 'market_data'),
      'unsubscribe',
    ]);
  });

  it('of one name leaves the other', async () => {
    const client = await world.connectAction();
    await client.subscribe(['rb2410', 'SHFE.rb2410']);
    client.send({ action: 'unsubscribe', instruments: ['rb2410'] });
    await client.settled();
    world.tick('rb2410');
    expect((await client.settled()).map((frame) => frame['instrument_id'])).toEqual(['SHFE.rb2410']);
  });
});

describe('the other actions', () => {
  it('lists the instruments, all or by search and exchange', async () => {
    const client = await world.connectAction();
    const list = async (filter: Frame): Promise<string[]> => {
      client.send({ action: 'list_instruments', ...filter });
      const answer = await client.next();
      expect(Object.keys(answer)).toEqual(['action', 'instruments']);
      return answer['instruments'] as string[];
    };
    const all = await list({});
    expect(all).toEqual(world.directory.list({}));
    expect(all.length).toBeGreaterThan(100);
    expect(await list({ search: 'rb' })).toEqual(world.directory.list({ search: 'rb' }));
    const czce = await list({ exchange: 'CZCE' });
    expect(czce).toEqual(world.directory.list({ exchange: 'CZCE' }));
    expect(czce.length).toBeLessThan(all.length);
  });

  it('answers an exchange that there is not with those that there are', async () => {
    const client = await world.connectAction();
    client.send({ action: 'list_instruments', exchange: 'NYSE' });
    expect(await client.next()).toMatchObject({
      action: 'error',
      code: 'unknown_exchange',
      exchanges: ['SHFE', 'INE', 'DCE', 'CZCE', 'CFFEX', 'GFEX'],
    });
  });

  it('answers ping with the time in ms', async () => {
    const client = await world.connectAction();
    const before = Date.now();
    client.send({ action: 'ping' });
    const pong = await client.next();
    expect(pong).toEqual({ action: 'pong', timestamp: expect.any(Number) as unknown });
    expect(pong['timestamp']).toBeGreaterThanOrEqual(before);
    expect(pong['timestamp']).toBeLessThanOrEqual(Date.now());
  });

  it('tells those who asked for an instrument that the front refused it', async () => {
    const client = await world.connectAction();
    const other = await world.connectAction();
    await client.subscribe(['SHFE.rb2499'.replace('99', '10')]);
    await other.subscribe(['cu2406']);
    world.server.onInstrumentRefused(world.directory.resolve('rb2410')!.slot, 16, 'instrument not found');
    expect(await client.next()).toEqual({
      action: 'error',
      code: 'instrument_refused',
      message: 'the exchange front refused SHFE.rb2410: instrument not found (16)',
      instruments: ['SHFE.rb2410'],
      request: null,
    });
    expect(await other.settled()).toEqual([]);
  });

  it('tells them again only when they have asked again', async () => {
    const client = await world.connectAction();
    await client.subscribe(['rb2410']);
    const { slot } = world.directory.resolve('rb2410')!;
    world.server.onInstrumentRefused(slot, 16, 'instrument not found');
    expect((await client.next())['code']).toBe('instrument_refused');
    world.server.onInstrumentRefused(slot, 16, 'instrument not found');
    expect(await client.settled()).toEqual([]);
    await client.subscribe(['rb2410']);
    world.server.onInstrumentRefused(slot, 16, 'instrument not found');
    expect((await client.next())['code']).toBe('instrument_refused');
  });
});

describe('errors', () => {
  it('echo the request, and leave the session as it was', async () => {
    const client = await world.connectAction();
    await client.subscribe(['rb2410']);
    client.send({ action: 'fly', to: '月' });
    expect(await client.next()).toEqual({
      action: 'error',
      code: 'unknown_action',
      message: 'unknown action "fly": use subscribe, unsubscribe, list_instruments, heartbeat or ping',
      request: { action: 'fly', to: '月' },
    });
    await client.settled();
    world.tick('rb2410');
    expect(await client.settled()).toHaveLength(1);
  });

  it('do not echo a request that is long', async () => {
    const client = await world.connectAction();
    client.send({ action: 'fly', to: 'x'.repeat(100_000) });
    expect(await client.next()).toMatchObject({ code: 'unknown_action', request: { truncated: true } });
  });

  it('carry both marks where the frame belongs to neither side', async () => {
    const client = await world.connectAction();
    client.send('{"action":');
    expect(await client.next()).toMatchObject({ aid: 'error', action: 'error', code: 'invalid_json' });
    client.send(Buffer.from('{"action":"ping"}'));
    expect(await client.next()).toMatchObject({ aid: 'error', action: 'error', code: 'binary_frame' });
  });
});

describe('a session that mixes both protocols', () => {
  it('keeps the two sets apart and serves both', async () => {
    const client = await world.connectAid();
    await client.subscribeQuote('SHFE.rb2410');
    await client.subscribe(['rb2410', 'cu2406']);
    client.peek();
    expect((await client.rtnData()).quotes).toEqual({});
    client.peek();
    await client.settled();
    world.tick('rb2410');
    world.tick('cu2406');
    world.server.onBatchEnd();
    const frames = await client.settled();
    expect(frames.map((frame) => frame['instrument_id'] ?? frame['aid'])).toEqual([
      'rb2410',
      'cu2406',
      'rtn_data',
    ]);
    await client.subscribeQuote('');
    expect([...world.wanted.keys()].sort()).toEqual(['cu2406', 'rb2410']);
    client.send({ action: 'unsubscribe', instruments: ['rb2410', 'cu2406'] });
    await client.settled();
    expect(world.wanted.size).toBe(0);
  });
});
