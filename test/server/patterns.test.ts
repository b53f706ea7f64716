import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Contract } from '../../src/market/instruments/contracts.js';
import { World, type Frame, type TestClient } from './world.js';

let world: World;
beforeEach(async () => {
  world = await World.start({ limits: { maxInstrumentsPerClient: 300 } });
});
afterEach(() => world.stop());

const found = (id: string): Contract => ({
  id,
  product: 'rb',
  exchange: 'SHFE',
  deliveryYear: 2026,
  deliveryMonth: 1,
  expireDate: 20260115,
});
const rb = (): string[] => world.directory.list({ product: 'rb' });
const pushed = async (client: TestClient): Promise<unknown[]> =>
  (await client.settled())
    .filter((each) => each['action'] === 'market_data')
    .map((each) => each['instrument_id']);

describe('subscribing by a pattern', () => {
  it('stands for all that is listed of it, and says which', async () => {
    const client = await world.connectAction();
    expect(rb()).toHaveLength(12);
    expect(await client.subscribe(['rb*', 'SHFE.hc*', 'cu2406'])).toEqual({
      action: 'subscribe',
      status: 'ok',
      instruments: ['cu2406', ...rb(), ...world.directory.list({ product: 'hc' }).map((id) => `SHFE.${id}`)],
      patterns: {
        'rb*': rb(),
        'SHFE.hc*': world.directory.list({ product: 'hc' }).map((id) => `SHFE.${id}`),
      },
    });
    world.tick('rb2410');
    world.tick('hc2410');
    world.tick('cu2406');
    world.tick('al2406');
    expect(await pushed(client)).toEqual(['rb2410', 'SHFE.hc2410', 'cu2406']);
    expect(world.wanted.size).toBe(25);
  });

  it('sends snapshots, in the encoding that was asked for', async () => {
    world.tick('rb2410', { lastPrice: 3500 });
    const client = await world.connectAction();
    await client.subscribe(['SHFE.rb*'], { fields: ['last_price'] });
    expect(await client.settled()).toEqual([
      { action: 'market_data', instrument_id: 'SHFE.rb2410', data: { last_price: 3500 } },
    ]);
  });

  it('ends by the same pattern; what was subscribed by name or by another one stays', async () => {
    const client = await world.connectAction();
    await client.subscribe(['rb2410']);
    await client.subscribe(['rb*', 'rb241*']);
    client.send({ action: 'unsubscribe', instruments: ['rb*'] });
    const gone = rb().filter((id) => !/^rb241\d$/.test(id));
    expect(await client.next()).toEqual({
      action: 'unsubscribe',
      status: 'ok',
      instruments: gone,
      patterns: { 'rb*': gone },
    });
    client.send({ action: 'unsubscribe', instruments: ['rb241*', 'cu*'] });
    expect((await client.next())['patterns']).toEqual({ 'rb241*': ['rb2411', 'rb2412'], 'cu*': [] });
    for (const id of rb()) world.tick(id);
    expect(await pushed(client)).toEqual(['rb2410']);
    expect([...world.wanted.keys()]).toEqual(['rb2410']);
  });

  it('takes everything away as "*", and what the client has of it by name where it was never subscribed', async () => {
    const client = await world.connectAction();
    await client.subscribe(['rb2410', 'SHFE.rb2411', 'cu2406', 'hc*']);
    client.send({ action: 'unsubscribe', instruments: ['SHFE.rb*', 'm*'] });
    expect(await client.next()).toEqual({
      action: 'unsubscribe',
      status: 'ok',
      instruments: ['rb2410', 'SHFE.rb2411'],
      patterns: { 'SHFE.rb*': ['rb2410', 'SHFE.rb2411'], 'm*': [] },
    });
    await client.settled();
    client.send({ action: 'unsubscribe', instruments: ['*'] });
    const { instruments } = await client.next();
    expect(instruments).toEqual(['cu2406', ...world.directory.list({ product: 'hc' })]);
    expect([...world.wanted.keys()]).toEqual([]);
    world.directory.setFound([found('hc2601')]);
    world.server.onListing();
    expect(await client.settled()).toEqual([]);
  });

  it('skips what is unsubscribed by its name, until the pattern is subscribed again', async () => {
    const client = await world.connectAction();
    await client.subscribe(['rb*']);
    client.send({ action: 'unsubscribe', instruments: ['rb2410'] });
    await client.settled();
    world.directory.setFound([found('rb2601')]);
    world.server.onListing();
    world.tick('rb2410');
    world.tick('rb2601');
    expect(await pushed(client)).toEqual(['rb2601']);
    await client.subscribe(['rb*']);
    await client.settled();
    world.tick('rb2410');
    expect(await pushed(client)).toEqual(['rb2410']);
  });

  it('is joined by what will be listed, and left by what is listed no more', async () => {
    const client = await world.connectAction();
    const other = await world.connectAction();
    await client.subscribe(['rb*', 'r*']);
    await other.subscribe(['rb2410']);
    world.server.onListing();
    expect(await client.settled()).toEqual([]);
    world.directory.setFound([found('rb2601')]);
    world.server.onListing();
    world.server.onListing();
    expect(await client.settled()).toEqual([
      {
        action: 'listing',
        patterns: { 'rb*': { added: ['rb2601'], removed: [] }, 'r*': { added: ['rb2601'], removed: [] } },
      },
    ]);
    world.tick('rb2601');
    expect(await pushed(client)).toEqual(['rb2601']);
    world.directory.setFound([]);
    world.server.onListing();
    expect(await client.settled()).toEqual([
      {
        action: 'listing',
        patterns: { 'rb*': { added: [], removed: ['rb2601'] }, 'r*': { added: [], removed: ['rb2601'] } },
      },
    ]);
    expect(world.wanted.has('rb2601')).toBe(false);
    expect(await other.settled()).toEqual([]);
  });

  it('says that nothing is listed so far of a pattern, which may be joined later', async () => {
    const client = await world.connectAction();
    expect(await client.subscribe(['RB*'])).toMatchObject({ instruments: [], patterns: { 'RB*': [] } });
    expect(await client.next()).toMatchObject({ code: 'empty_pattern', patterns: ['RB*'] });
  });

  it('refuses what is no pattern, and subscribes the rest', async () => {
    const client = await world.connectAction();
    expect(await client.subscribe(['*rb', 'shfe.*', 'cu2406'])).toMatchObject({ instruments: ['cu2406'] });
    const error = await client.next();
    expect(error).toMatchObject({ code: 'invalid_pattern', patterns: ['*rb', 'shfe.*'] });
    expect(error['message']).toMatch(
      /^\*rb: the star may only be its last character; shfe\.\*: exchanges are in capitals/,
    );
  });

  it('keeps to the limits, and changes nothing beyond them', async () => {
    const client = await world.connectAction();
    expect(await client.subscribe(['*'])).toMatchObject({
      code: 'too_many_instruments',
      message: expect.stringMatching(
        /^a client may have 300 instruments, this would be \d+: \* has \d+$/,
      ) as unknown,
    });
    expect(await client.subscribe(Array.from({ length: 101 }, (_, i) => `rb${i}*`))).toMatchObject({
      code: 'too_many_instruments',
      message: 'a client may have 100 patterns, this would be 101',
    });
    expect(world.wanted.size).toBe(0);
    await client.subscribe(['SHFE.*']);
    const count = world.wanted.size;
    world.directory.setFound(Array.from({ length: 300 }, (_, i) => found(`rb26${String(i + 100)}`)));
    await client.settled();
    world.directory.setFound(
      Array.from({ length: 29 }, (_, i) => i + 30).flatMap((year) =>
        Array.from({ length: 12 }, (_, i) => found(`rb${year}${String(i + 1).padStart(2, '0')}`)),
      ),
    );
    world.server.onListing();
    const told: Frame[] = await client.settled();
    expect(told.map((each) => each['action'])).toEqual(['listing', 'error']);
    expect(told[1]).toMatchObject({ code: 'too_many_instruments', request: null });
    expect(world.wanted.size).toBe(300);
    expect((told[1]!['instruments'] as string[]).length).toBe(29 * 12 - (300 - count));
  });

  it('ends with the session', async () => {
    const client = await world.connectAction();
    await client.subscribe(['rb*']);
    client.socket.close();
    await client.closed();
    const other = await world.connectAction();
    await other.settled();
    expect(world.wanted.size).toBe(0);
    world.directory.setFound([found('rb2601')]);
    world.server.onListing();
    expect(world.wanted.size).toBe(0);
  });
});

describe('names of instruments that have expired', () => {
  it('are subscribed, and said to have no ticks', async () => {
    const client = await world.connectAction();
    expect(await client.subscribe(['rb2401', 'SR309', 'rb2410'])).toMatchObject({
      instruments: ['rb2401', 'SR309', 'rb2410'],
    });
    expect(await client.next()).toMatchObject({
      action: 'error',
      code: 'expired_instrument',
      instruments: ['rb2401', 'SR309'],
      message: expect.stringMatching(
        /^no ticks are to be expected of rb2401 \(it expired by 2024-01, the main ones are rb/,
      ) as unknown,
    });
  });
});

describe('heartbeats', () => {
  const isBeat = (frame: Frame): boolean => frame['action'] === 'heartbeat' && frame['status'] === undefined;

  it('come at the interval that was asked for, until they are turned off', async () => {
    const client = await world.connectAction();
    client.send({ action: 'heartbeat', interval: 1 });
    expect(await client.next()).toEqual({ action: 'heartbeat', status: 'ok', interval: 1 });
    const before = Date.now();
    for (let i = 0; i < 2; i++) {
      const beat = await client.next();
      expect(beat).toEqual({ action: 'heartbeat', timestamp: expect.any(Number) as unknown });
      expect(beat['timestamp']).toBeGreaterThanOrEqual(before);
    }
    client.send({ action: 'heartbeat', interval: 0 });
    expect((await client.settled()).filter((each) => !isBeat(each))).toEqual([
      { action: 'heartbeat', status: 'ok', interval: 0 },
    ]);
  });

  it('can be asked for with a subscription', async () => {
    const client = await world.connectAction();
    expect(await client.subscribe(['rb2410'], { heartbeat: 1 })).toMatchObject({ status: 'ok' });
    expect(isBeat(await client.next())).toBe(true);
  });

  it.each([-1, 0.5, 3601, '5', null, undefined, true])(
    'are refused at an interval of %j',
    async (interval) => {
      const client = await world.connectAction();
      client.send({ action: 'heartbeat', interval });
      expect(await client.next()).toMatchObject({
        code: 'invalid_heartbeat',
        message: expect.stringContaining(
          'interval must be seconds from 1 to 3600, or 0 for none, not ',
        ) as unknown,
      });
    },
  );
});

describe('list_instruments', () => {
  const list = async (filter: Frame): Promise<Frame> => {
    const client = await world.connectAction();
    client.send({ action: 'list_instruments', ...filter });
    return client.next();
  };

  it.each([
    [{ product: 'RB' }],
    [{ search: '螺纹钢' }],
    [{ search: 'LWG' }],
    [{ search: 'luowen' }],
    [{ search: ' Shfe.Rb ' }],
    [{ product: 'rb', kind: 'future' }],
  ])('finds rebar by %j', async (filter) => {
    expect(await list(filter)).toEqual({ action: 'list_instruments', instruments: rb() });
  });

  it('cuts the list at a limit and says how many there are', async () => {
    expect(await list({ product: 'rb', limit: 3 })).toEqual({
      action: 'list_instruments',
      instruments: rb().slice(0, 3),
      total: 12,
    });
  });

  it('finds what was imported or found, by kind', async () => {
    world.directory.setImported([
      { ...found('rb2410C3500'), class: 'FUTURE_OPTION', name: '螺纹钢购3500' },
      { ...found('SP a2405&a2409'), class: 'COMBINE', product: 'a', exchange: 'DCE' },
    ]);
    world.directory.setFound([found('rb2601')]);
    expect((await list({ kind: 'option' }))['instruments']).toEqual(['rb2410C3500']);
    expect((await list({ kind: 'combination' }))['instruments']).toEqual(['SP a2405&a2409']);
    expect((await list({ search: '钢购' }))['instruments']).toEqual(['rb2410C3500']);
    expect((await list({ product: 'rb', kind: 'future' }))['instruments']).toContain('rb2601');
  });

  it.each([
    [{ kind: 'swap' }, 'kind must be future or option or combination, not "swap"'],
    [{ limit: 0 }, 'limit must be an integer from 1 on, not 0'],
    [{ product: 1 }, 'product must be a string, not 1'],
  ])('refuses %j', async (filter, message) => {
    expect(await list(filter)).toMatchObject({ code: 'invalid_filter', message });
  });
});
