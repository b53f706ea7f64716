import { createServer, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { World } from './world.js';

let world: World;
beforeEach(async () => {
  world = await World.start();
});
afterEach(() => world.stop());

describe('listen', () => {
  it('refuses a port that another server has, naming host and port', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const second = World.unstarted({ port });
    await expect(second.server.listen()).rejects.toThrow(
      `cannot listen on 127.0.0.1:${port}: the port is in use by another program, --port takes another one`,
    );
    await second.server.close(100);
    await new Promise((resolve) => other.close(resolve));
  });

  it('refuses a port that another gateway has', async () => {
    const second = World.unstarted({ port: world.port });
    await expect(second.server.listen()).rejects.toThrow(`cannot listen on 127.0.0.1:${world.port}`);
    await second.server.close(100);
  });

  it('refuses an address that is not of this machine', async () => {
    const second = World.unstarted({ host: '203.0.113.7', port: 0 });
    await expect(second.server.listen()).rejects.toThrow(
      'cannot listen on 203.0.113.7:0: this machine does not have the address',
    );
    await second.server.close(100);
  });
});

describe('close', () => {
  it('flushes what was ticked before, then closes every client with 1012', async () => {
    const push = await world.connectAction();
    await push.subscribe(['rb2410']);
    await push.settled();
    const aid = await world.connectAid();
    await aid.subscribeQuote('rb2410');
    aid.peek();
    await aid.rtnData();
    aid.peek();
    await aid.settled();
    world.tick('rb2410', { lastPrice: 3777 });
    const closing = world.server.close(5000);
    expect(await push.next()).toMatchObject({ data: { last_price: 3777 } });
    expect((await aid.rtnData()).quotes['rb2410']).toHaveProperty('last_price', 3777);
    expect(await push.closed()).toEqual({ code: 1012, reason: 'the gateway is stopping' });
    expect((await aid.closed()).code).toBe(1012);
    await closing;
    expect(world.server.counters.activeSessions).toBe(0);
    expect(world.wanted.size).toBe(0);
  });

  it('ends within its deadline although a client does not read', async () => {
    const client = await world.connectAction();
    await client.subscribe(['rb2410']);
    await client.settled();
    client.socket.pause();
    for (let i = 0; i < 30_000; i++) {
      if (i % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
      world.tick('rb2410');
    }
    await world.server.close(500);
    expect(world.server.counters.activeSessions).toBe(0);
  });

  it('may be called twice, before listening, and with ticks still coming', async () => {
    const client = await world.connectAction();
    await client.subscribe(['rb2410']);
    await Promise.all([world.server.close(1000), world.server.close(1000)]);
    await world.server.close(1000);
    world.tickAlone('rb2410');
    world.server.onInstrumentRefused(world.directory.resolve('rb2410')!.slot, 16, 'late');
    await World.unstarted({}).server.close(100);
  });

  it('lets nobody in any more', async () => {
    await world.server.close(1000);
    await expect(world.connectAction()).rejects.toThrow();
  });

  it('is announced by /readyz, while those who are in are served on', async () => {
    const client = await world.connectAction();
    await client.subscribe(['rb2410']);
    world.server.stopAccepting();
    world.tick('rb2410');
    expect(await client.next()).toMatchObject({ instrument_id: 'rb2410' });
    await expect(world.connectAction()).rejects.toThrow();
    expect(client.closedWith).toBeUndefined();
  });
});
