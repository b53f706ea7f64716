import { afterEach, describe, expect, it } from 'vitest';
import { World } from './world.js';

let world: World | undefined;
afterEach(async () => {
  await world?.stop();
  world = undefined;
});

async function start(...waiting: string[]): Promise<World> {
  world = await World.start();
  for (const id of waiting) world.waiting.add(id);
  return world;
}

const slotOf = (id: string): number => world!.directory.resolve(id)!.slot;

describe('an action client whose instruments wait for a place on a connection', () => {
  it('is told so with the acknowledgement, and once when they are served', async () => {
    await start('cu2601', 'm2601-C-3000');
    const client = await world!.connectAction();
    client.send({ action: 'subscribe', instruments: ['rb2601', 'cu2601', 'SHFE.cu2601', 'm2601-C-3000'] });
    expect(await client.next()).toEqual({
      action: 'subscribe',
      status: 'ok',
      instruments: ['rb2601', 'cu2601', 'SHFE.cu2601', 'm2601-C-3000'],
      waiting: ['cu2601', 'SHFE.cu2601', 'm2601-C-3000'],
    });
    for (const id of ['rb2601', 'cu2601', 'm2601-C-3000']) world!.server.onInstrumentServed(slotOf(id));
    expect(await client.next()).toEqual({
      action: 'served',
      instruments: ['cu2601', 'SHFE.cu2601', 'm2601-C-3000'],
    });
    world!.server.onInstrumentServed(slotOf('cu2601'));
    client.send({ action: 'ping' });
    expect(await client.next()).toMatchObject({ action: 'pong' });
  });

  it('learns of those of its patterns too', async () => {
    await start();
    const [first, ...others] = world!.directory.list({ product: 'cu' });
    world!.waiting.add(first!);
    const client = await world!.connectAction();
    client.send({ action: 'subscribe', instruments: ['cu*'] });
    const instruments = [first, ...others];
    expect(await client.next()).toMatchObject({
      instruments,
      patterns: { 'cu*': instruments },
      waiting: [first],
    });
  });

  it('hears nothing of it where none waits, or when it has left them', async () => {
    await start('cu2601');
    const client = await world!.connectAction();
    client.send({ action: 'subscribe', instruments: ['rb2601'] });
    expect(await client.next()).toEqual({ action: 'subscribe', status: 'ok', instruments: ['rb2601'] });
    client.send({ action: 'subscribe', instruments: ['cu2601'] });
    expect(await client.next()).toMatchObject({ waiting: ['cu2601'] });
    client.send({ action: 'unsubscribe', instruments: ['cu2601'] });
    expect(await client.next()).toMatchObject({ action: 'unsubscribe' });
    world!.server.onInstrumentServed(slotOf('cu2601'));
    client.send({ action: 'ping' });
    expect(await client.next()).toMatchObject({ action: 'pong' });
  });

  it('is told when an instrument loses its place, and when it has one again', async () => {
    await start();
    const client = await world!.connectAction();
    const other = await world!.connectAction();
    client.send({ action: 'subscribe', instruments: ['rb2601', 'SHFE.cu2601'] });
    await client.next();
    other.send({ action: 'subscribe', instruments: ['rb2601'] });
    await other.next();
    world!.server.onInstrumentsDisplaced([slotOf('cu2601')]);
    expect(await client.next()).toEqual({ action: 'waiting', instruments: ['SHFE.cu2601'] });
    world!.server.onInstrumentServed(slotOf('cu2601'));
    expect(await client.next()).toEqual({ action: 'served', instruments: ['SHFE.cu2601'] });
    other.send({ action: 'ping' });
    expect(await other.next(), 'others hear nothing').toMatchObject({ action: 'pong' });
  });

  it('leaves nothing behind when it goes', async () => {
    await start('cu2601');
    const client = await world!.connectAction();
    client.send({ action: 'subscribe', instruments: ['cu2601'] });
    await client.next();
    client.socket.terminate();
    await expect.poll(() => world!.wanted.size).toBe(0);
    world!.server.onInstrumentServed(slotOf('cu2601'));
    const next = await world!.connectAction();
    next.send({ action: 'ping' });
    expect(await next.next()).toMatchObject({ action: 'pong' });
  });

  it('that speaks aid learns of no such thing', async () => {
    await start('cu2601');
    const client = await world!.connectAid();
    client.send({ aid: 'subscribe_quote', ins_list: 'cu2601' });
    expect(await client.next()).toEqual({ aid: 'subscribe_quote', status: 'ok' });
    world!.server.onInstrumentsDisplaced([slotOf('cu2601')]);
    world!.server.onInstrumentServed(slotOf('cu2601'));
    client.peek();
    expect((await client.rtnData()).meta.ins_list).toBe('cu2601');
  });
});

describe('an action client that names more than there are slots for', () => {
  it('is told so by a code of its own; the others are subscribed', async () => {
    await start();
    world!.unproven = 200_000;
    const [listed] = world!.directory.list({ product: 'rb' });
    const client = await world!.connectAction();
    client.send({ action: 'subscribe', instruments: [listed, 'm2601-C-3000', 'nonsense'] });
    expect(await client.next()).toEqual({ action: 'subscribe', status: 'ok', instruments: [listed] });
    expect(await client.next()).toMatchObject({ code: 'unknown_instrument', instruments: ['nonsense'] });
    expect(await client.next()).toMatchObject({
      action: 'error',
      code: 'no_slots',
      message: expect.stringContaining('m2601-C-3000') as string,
      instruments: ['m2601-C-3000'],
    });
    expect(world!.directory.slots.refused).toBe(1);
    const aid = await world!.connectAid();
    aid.send({ aid: 'subscribe_quote', ins_list: `${listed},m2601-C-3000` });
    expect(await aid.next()).toEqual({ aid: 'subscribe_quote', status: 'ok' });
    expect(world!.directory.slots.refused).toBe(2);
  });
});
