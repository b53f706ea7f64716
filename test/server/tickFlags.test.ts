import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeTick, testTimeMs, type TickFields } from '../market/ticks.js';
import { World, type Frame } from './world.js';

let world: World;

beforeEach(async () => {
  world = await World.start();
});

afterEach(async () => {
  await world.stop();
});

/** As the gateway does it: a tick that the book skips is shown to those who want all. */
function apply(fields: TickFields): void {
  const { slot } = world.directory.resolve('rb2410')!;
  const tick = makeTick({ slot, ...fields });
  if (world.book.apply(tick)) world.server.onTick(slot);
  else if (world.server.showsRejected(slot)) {
    world.book.readRejected(tick);
    world.server.onRejected(slot);
  }
  world.server.onBatchEnd();
}

const dataOf = (frame: Frame): Frame => frame['data'] as Frame;
const fields = ['last_price'];

describe('action subscribe with flags', () => {
  it('names the flags of each tick, in full pushes and snapshots', async () => {
    const client = await world.connectAction();
    apply({ doubles: { bidPrice1: 3501 } });
    await client.subscribe(['rb2410'], { flags: true, fields });
    expect(dataOf(await client.next())).toEqual({ last_price: 3500, flags: ['snapshot', 'crossed_book'] });
    apply({ volume: 101, lastPrice: 3502 });
    expect(dataOf(await client.next())).toEqual({ last_price: 3502, flags: [] });
  });

  it('says so in diffs too, also when nothing but the flags has changed', async () => {
    const client = await world.connectAction();
    apply({});
    await client.subscribe(['rb2410'], { flags: true, diff: true, fields });
    await client.next();
    apply({ volume: 101 });
    expect(dataOf(await client.next())).toEqual({ flags: [] });
    apply({ volume: 102 });
    apply({ volume: 103, lastPrice: 3503 });
    expect(dataOf(await client.next())).toEqual({ last_price: 3503, flags: [] });
  });

  it('leaves others as they were', async () => {
    const plain = await world.connectAction();
    const flagged = await world.connectAction();
    await plain.subscribe(['rb2410'], { fields });
    await flagged.subscribe(['rb2410'], { fields, flags: true, all: false });
    apply({});
    apply({});
    expect(dataOf(await plain.next())).toEqual({ last_price: 3500 });
    expect(dataOf(await flagged.next())).toEqual({ last_price: 3500, flags: ['snapshot'] });
    expect(await plain.settled()).toEqual([]);
    expect(await flagged.settled()).toEqual([]);
  });
});

describe('action subscribe with all', () => {
  it('shows every tick that comes, and why it was skipped', async () => {
    const client = await world.connectAction();
    await client.subscribe(['SHFE.rb2410'], { all: true, fields: ['volume', 'datetime', 'instrument_id'] });
    apply({ volume: 100 });
    apply({ volume: 100 });
    apply({ volume: 99, updateTime: 36_001, receivedAt: testTimeMs + 1000 });
    apply({ volume: 101, updateTime: -1 });
    const frames = await client.settled();
    expect(frames.map((frame) => frame['instrument_id'])).toEqual(Array(4).fill('SHFE.rb2410'));
    const instrument_id = 'SHFE.rb2410';
    const datetime = '2024-04-11 10:00:00.000';
    expect(frames.map(dataOf)).toEqual([
      { instrument_id, datetime, volume: 100, flags: ['snapshot'], left_out: null },
      { instrument_id, datetime, volume: 100, flags: [], left_out: 'duplicate' },
      {
        instrument_id,
        datetime: '2024-04-11 10:00:01.000',
        volume: 99,
        flags: ['falling_volume'],
        left_out: 'falling_volume',
      },
      { instrument_id, datetime: null, volume: 101, flags: [], left_out: 'untimed' },
    ]);
  });

  it('costs nothing while nobody asks for it: no tick is read again', async () => {
    const { slot } = world.directory.resolve('rb2410')!;
    const client = await world.connectAction();
    await client.subscribe(['rb2410'], { flags: true });
    expect(world.server.showsRejected(slot)).toBe(false);
    await client.subscribe(['rb2410'], { all: true });
    expect(world.server.showsRejected(slot)).toBe(true);
    expect(world.server.showsRejected(slot + 1)).toBe(false);
    client.send({ action: 'unsubscribe', instruments: ['rb2410'] });
    await client.next();
    expect(world.server.showsRejected(slot)).toBe(false);
    await client.subscribe(['rb2410'], { all: true });
    client.socket.close();
    await client.closed();
    const other = await world.connectAction();
    await other.settled();
    expect(world.server.showsRejected(slot)).toBe(false);
  });

  it.each([
    [{ flags: 1 }, 'flags must be true or false, not 1'],
    [{ all: 'yes' }, 'all must be true or false, not "yes"'],
    [{ all: true, diff: true }, 'all goes without diff'],
  ])('refuses %j', async (options, message) => {
    const client = await world.connectAction();
    const answer = await client.subscribe(['rb2410'], options);
    expect(answer).toMatchObject({ action: 'error', code: 'invalid_flags' });
    expect(answer['message']).toContain(message);
  });
});
