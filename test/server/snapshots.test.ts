import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeTick } from '../market/ticks.js';
import { World, type Frame } from './world.js';

// Clients that want an instrument of which the book holds a state that may be old.

let world: World;
let slot: number;

beforeEach(async () => {
  world = await World.start({ waits: true });
  slot = world.directory.resolve('rb2410')!.slot;
  world.snapshots.carried(slot, 1);
  world.tickAlone('rb2410', { lastPrice: 3500 });
  world.snapshots.ticked(slot);
});
afterEach(() => world.stop());

const dataOf = (frame: Frame): Frame => frame['data'] as Frame;
const fields = ['last_price'];

/** As the gateway does it. */
function tick(lastPrice: number): void {
  world.tick('rb2410', { lastPrice });
  world.snapshots.ticked(slot);
  world.server.onBatchEnd();
}

/** The line goes and another is asked for. */
function lineIsBack(): void {
  world.snapshots.carried(slot, 0);
  world.snapshots.carried(slot, 1);
}

describe('action subscribe', () => {
  it('is answered at once while the line of the instrument is there', async () => {
    const client = await world.connectAction();
    await client.subscribe(['rb2410'], { flags: true, fields });
    expect(dataOf(await client.next())).toEqual({ last_price: 3500, flags: ['snapshot'] });
  });

  it('waits for the front where the line has just been asked for, and others do not wait with it', async () => {
    lineIsBack();
    const cu = world.directory.resolve('cu2410')!.slot;
    world.snapshots.carried(cu, 1);
    world.tickAlone('cu2410', { lastPrice: 70_000 });
    world.snapshots.ticked(cu);
    const client = await world.connectAction();
    await client.subscribe(['rb2410', 'cu2410'], { flags: true, fields: ['last_price'] });
    expect(dataOf(await client.next())).toMatchObject({ last_price: 70_000 });
    tick(3600);
    expect(dataOf(await client.next())).toEqual({ last_price: 3600, flags: [] });
    expect(await client.settled()).toEqual([]);
  });

  it('gets the old state, flagged as stale, when the front says nothing, and what it says later', async () => {
    lineIsBack();
    const flagged = await world.connectAction();
    const plain = await world.connectAction();
    await flagged.subscribe(['rb2410'], { flags: true, fields });
    await plain.subscribe(['rb2410'], { fields });
    expect(dataOf(await flagged.next())).toEqual({ last_price: 3500, flags: ['snapshot', 'stale'] });
    expect(dataOf(await plain.next())).toEqual({ last_price: 3500 });
    const late = await world.connectAction();
    await late.subscribe(['rb2410'], { flags: true, fields });
    expect(dataOf(await late.next())).toEqual({ last_price: 3500, flags: ['snapshot', 'stale'] });
    tick(3600);
    for (const client of [flagged, late])
      expect(dataOf(await client.next())).toEqual({ last_price: 3600, flags: [] });
    expect(dataOf(await plain.next())).toEqual({ last_price: 3600 });
  });

  it('gets the state that is held, without the flag, when the front confirms it', async () => {
    lineIsBack();
    const client = await world.connectAction();
    await client.subscribe(['rb2410'], { flags: true, fields });
    expect(world.book.apply(makeTick({ slot, volume: 101, lastPrice: 3500 }))).toBe(false);
    world.snapshots.ticked(slot);
    world.server.onBatchEnd();
    expect(dataOf(await client.next())).toEqual({ last_price: 3500, flags: ['snapshot'] });
  });

  it('that is taken back while it waits gets nothing', async () => {
    lineIsBack();
    const client = await world.connectAction();
    await client.subscribe(['rb2410'], { fields });
    client.send({ action: 'unsubscribe', instruments: ['rb2410'] });
    await client.next();
    tick(3600);
    expect(await client.settled()).toEqual([]);
  });
});

describe('aid subscribe_quote', () => {
  it('has its quote once the front has answered', async () => {
    lineIsBack();
    const client = await world.connectAid();
    client.send({ aid: 'subscribe_quote', ins_list: 'SHFE.rb2410' });
    expect(await client.next()).toMatchObject({ aid: 'subscribe_quote' });
    client.send({ aid: 'peek_message' });
    expect((await client.rtnData()).quotes).toEqual({});
    client.send({ aid: 'peek_message' });
    tick(3600);
    expect((await client.rtnData()).quotes).toMatchObject({ 'SHFE.rb2410': { last_price: 3600 } });
  });

  it('has the old quote when the front says nothing', async () => {
    lineIsBack();
    const client = await world.connectAid();
    client.send({ aid: 'subscribe_quote', ins_list: 'SHFE.rb2410' });
    expect(await client.next()).toMatchObject({ aid: 'subscribe_quote' });
    client.send({ aid: 'peek_message' });
    await client.rtnData();
    client.send({ aid: 'peek_message' });
    expect((await client.rtnData()).quotes).toMatchObject({ 'SHFE.rb2410': { last_price: 3500 } });
  });
});
