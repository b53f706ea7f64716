import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { ServerLimits } from '../../../src/server/socket/limits.js';
import { until, untilIs } from '../../helpers/until.js';
import { World, type TestClient } from '../world.js';

let world: World;
const raw: Socket[] = [];
afterEach(async () => {
  for (const socket of raw.splice(0)) socket.destroy();
  await world.stop();
});

async function start(limits: Partial<ServerLimits> = {}): Promise<void> {
  world = await World.start({ limits });
}

/** Waits until the client has closed, or has sent so many frames; it sends on only while the socket takes it. */
async function flood(client: TestClient, frames: readonly string[], most: number): Promise<void> {
  for (let sent = 0; sent < most && client.closedWith === undefined; sent += 100) {
    for (let i = 0; i < 100; i++) client.send(frames[(sent + i) % frames.length]!);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('pings and pongs of one client', () => {
  it.each(['ping', 'pong'] as const)(
    '%s: are taken up to 100 at once; at the next one the client is closed with 1008',
    async (kind) => {
      await start();
      const modest = await world.connectAction();
      for (let i = 0; i < 100; i++) modest.socket[kind]('x');
      modest.send({ action: 'ping' });
      expect(await modest.next()).toMatchObject({ action: 'pong' });
      const greedy = await world.connectAction();
      for (let i = 0; i < 1000; i++) greedy.socket[kind]('x');
      expect(await greedy.next()).toMatchObject({ action: 'error', code: 'too_many_pings' });
      expect(await greedy.closed()).toEqual({ code: 1008, reason: 'too_many_pings' });
      expect(modest.closedWith).toBeUndefined();
      expect(world.server.counters).toMatchObject({ closedOverLimit: 1, activeSessions: 1 });
    },
  );
});

describe('requests of one client that sends more than its share', () => {
  it.each([
    [
      'subscribe and unsubscribe of all there is',
      ['{"action":"subscribe","instruments":["*"]}', '{"action":"unsubscribe","instruments":["*"]}'],
    ],
    ['lists', ['{"action":"list_instruments"}']],
    ['pinyin', Array.from({ length: 300 }, (_, i) => `{"action":"list_instruments","search":"zz${i}"}`)],
    ['unknown ids', ['{"action":"subscribe","instruments":["n1","n2","n3","n4","n5","n6","n7","n8"]}']],
    ['expired ids', ['{"action":"subscribe","instruments":["rb2001","rb2002","rb2003"]}']],
    ['lists of blanks', [`{"aid":"subscribe_quote","ins_list":"rb2410${' '.repeat(4000)}"}`]],
  ])(
    '%s: wait, and at last the client is closed with 1008; others get every tick meanwhile',
    async (_what, frames) => {
      await start({ clientWork: 1 });
      const honest = await world.connectAction();
      await honest.subscribe(['rb2410']);
      await honest.settled();
      const greedy = await world.connectAction();
      let ticks = 0;
      const ticking = setInterval(() => {
        world.tickAlone('rb2410');
        ticks++;
      }, 5);
      try {
        await flood(greedy, frames, 400_000);
        expect(await greedy.closed()).toEqual({ code: 1008, reason: 'too_many_waiting' });
      } finally {
        clearInterval(ticking);
      }
      const volumes = (await honest.settled()).map((frame) => (frame['data'] as { volume: number }).volume);
      expect(volumes).toEqual(Array.from({ length: ticks }, (_, i) => 101 + i));
      expect(world.server.counters).toMatchObject({ closedOverLimit: 1, activeSessions: 1 });
      const told = world.logLines.filter((line) => line.includes('is closed: requests arrive faster'));
      expect(told).toHaveLength(1);
      await untilIs('what it wanted to be given up', () => world.wanted.size, 1);
      expect(world.server.counters.keptBytes).toBeLessThan(1000);
    },
  );

  it('are answered in their order when they fit', async () => {
    await start();
    const client = await world.connectAction();
    const ids = Array.from({ length: 500 }, (_, i) => `rb2410C${i + 1}`);
    for (const id of ids) client.send({ action: 'subscribe', instruments: [id] });
    client.send({ action: 'unsubscribe', instruments: ids });
    for (const id of ids)
      expect(await client.next()).toMatchObject({ action: 'subscribe', instruments: [id] });
    expect(await client.next()).toMatchObject({ action: 'unsubscribe', instruments: ids });
  });

  it('do not hold up the requests of another', async () => {
    await start({ clientWork: 1 });
    const greedy = await world.connectAction();
    for (let i = 0; i < 2000; i++) greedy.send({ action: 'subscribe', instruments: ['*'] });
    const other = await world.connectAction();
    await other.subscribe(['rb2410']);
    expect(greedy.closedWith).toBeUndefined();
    await until('the greedy one to wait', () => world.server.counters.delayedClients > 0);
    expect(world.logLines.join('')).toContain('asks for more than its share: its requests wait');
    expect(await other.settled()).toEqual([]);
  });
});

describe('clients that all have something to be read in one turn of the event loop', () => {
  it('are served with looks for ticks in between', async () => {
    let turn = 0;
    const looks = new Map<number, number>();
    world = await World.start({ takeTicks: () => looks.set(turn, (looks.get(turn) ?? 0) + 1) });
    const clients = await Promise.all(Array.from({ length: 40 }, () => world.connectAction()));
    let counting = true;
    const count = (): void => {
      turn++;
      if (counting) setImmediate(count);
    };
    count();
    // All of it is in the kernel's buffers before the server reads the first of it.
    for (const client of clients)
      for (let i = 0; i < 100; i++) client.send({ action: 'subscribe', instruments: ['rb2410', 'cu2406'] });
    await until('looks in one turn', () => Math.max(0, ...looks.values()) >= 3);
    counting = false;
  });
});

describe('a request that takes long', () => {
  it('leaves gaps in which ticks of others are sent', async () => {
    await start({ maxInstrumentsPerClient: 30_000 });
    const honest = await world.connectAction();
    await honest.subscribe(['rb2410']);
    await honest.settled();
    const large = await world.connectAction();
    const ids = Array.from({ length: 30_000 }, (_, i) => `m2409-C-${i + 1}`);
    const seenBefore: number[] = [];
    large.send({ action: 'subscribe', instruments: ids });
    const state = { acknowledged: false };
    const ack = large.next().finally(() => {
      state.acknowledged = true;
    });
    while (!state.acknowledged) {
      world.tickAlone('rb2410');
      const frame = await honest.next();
      seenBefore.push((frame['data'] as { volume: number }).volume);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await ack)['instruments']).toHaveLength(30_000);
    expect(seenBefore.length).toBeGreaterThan(5);
  });

  it('is given up when its client leaves during it, and nothing of it stays', async () => {
    await start({ maxInstrumentsPerClient: 30_000 });
    const ids = Array.from({ length: 30_000 }, (_, i) => `m2409-C-${i + 1}`);
    const [action, aid] = [await world.connectAction(), await world.connectAid()];
    action.send({ action: 'subscribe', instruments: ids });
    aid.send({ aid: 'subscribe_quote', ins_list: ids.map((id) => `DCE.${id}`).join(',') });
    await until('both to be under way', () => world.wanted.size > 100);
    action.socket.terminate();
    aid.socket.terminate();
    await untilIs('both to leave', () => world.server.counters.activeSessions, 0);
    await untilIs('all to be given up', () => world.wanted.size, 0);
    world.tickAlone('m2409-C-1');
    expect(world.server.counters.keptBytes).toBe(0);
  });
});

describe('a subscription that is made again', () => {
  it('continues until the new one has its place: no tick is lost while a long request is worked on', async () => {
    await start({ maxInstrumentsPerClient: 30_000 });
    const client = await world.connectAction();
    await client.subscribe(['rb2410']);
    await client.settled();
    const others = Array.from({ length: 20_000 }, (_, i) => `m2409-C-${i + 1}`);
    client.send({ action: 'subscribe', instruments: ['rb2410', ...others] });
    let ticks = 0;
    await until('the work to be under way', () => world.wanted.size > 500);
    while (world.wanted.size < 20_001) {
      world.tickAlone('rb2410');
      ticks++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until('all to have their places', () => world.server.counters.keptBytes > 20_000 * 250);
    world.tickAlone('rb2410');
    ticks++;
    const volumes = (await client.settled()).flatMap((frame) =>
      frame['action'] === 'market_data' ? [(frame['data'] as { volume: number }).volume] : [],
    );
    expect(ticks).toBeGreaterThan(5);
    expect(new Set(volumes)).toEqual(new Set(Array.from({ length: ticks }, (_, i) => 101 + i)));
    expect(volumes).toEqual([...volumes].sort((a, b) => a - b));
    client.send({ action: 'unsubscribe', instruments: ['*'] });
    await client.settled();
    await until('all to be given up', () => world.wanted.size === 0);
  });
});

describe('answers that clients do not read', () => {
  it('are bounded in sum: those with the most are cut off', async () => {
    world = await World.start({ backpressure: { totalCutBytes: 4_000_000 } });
    const honest = await world.connectAction();
    const lazy = await Promise.all(Array.from({ length: 8 }, () => world.connectAction()));
    for (const client of lazy) client.socket.pause();
    for (let round = 0; round < 3000 && world.server.counters.cutOffClients < 4; round++) {
      for (const client of lazy)
        if (client.socket.readyState === client.socket.OPEN) client.send({ action: 'list_instruments' });
      if (round % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(world.server.counters.cutOffClients).toBeGreaterThanOrEqual(4);
    expect(world.logLines.join('')).toContain('all clients together have too much unread');
    expect(await honest.settled()).toEqual([]);
  });
});

describe('a client that is closed within its own request', () => {
  it('leaves no heartbeat and no bytes behind', async () => {
    await start({ maxKeptBytes: 30_000 });
    const client = await world.connectAction();
    const ids = Array.from({ length: 200 }, (_, i) => `m2409-C-${i + 1}`);
    client.send({ action: 'subscribe', instruments: ids, heartbeat: 1 });
    expect((await client.closed()).reason).toBe('too_much_kept');
    await until('all to be given up', () => world.wanted.size === 0);
    expect(world.server.counters.keptBytes).toBe(0);
    const { totalMessages } = world.server.counters;
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect(world.server.counters.totalMessages).toBe(totalMessages);
  });
});

describe('what clients make the gateway keep', () => {
  it('is bounded in sum: those who have the most are closed', async () => {
    await start({ maxKeptBytes: 4_000_000, maxInstrumentsPerClient: 200_000 });
    const modest = await world.connectAid();
    await modest.subscribeQuote('SHFE.rb2410');
    const list = Array.from({ length: 80_000 }, (_, i) => `nosuch${i}`).join(',');
    const greedy: TestClient[] = [];
    for (let i = 0; i < 8; i++) {
      const client = await world.connectAid();
      client.send({ aid: 'subscribe_quote', ins_list: list });
      greedy.push(client);
    }
    await until(
      'the largest to go',
      () => greedy.filter(({ closedWith }) => closedWith !== undefined).length >= 4,
    );
    await modest.settled();
    const closed = greedy.flatMap(({ closedWith }) => (closedWith === undefined ? [] : [closedWith]));
    for (const { code, reason } of closed) expect([code, reason]).toEqual([1008, 'too_much_kept']);
    expect(modest.closedWith).toBeUndefined();
    expect(world.server.counters.keptBytes).toBeLessThan(4_000_000);
    expect(world.server.counters.closedOverLimit).toBe(closed.length);
  });

  it('is no list that is longer than its instruments need', async () => {
    await start();
    const client = await world.connectAid();
    client.send({ aid: 'subscribe_quote', ins_list: `rb2410${','.repeat(900_000)}` });
    expect(await client.next()).toMatchObject({
      aid: 'error',
      code: 'ins_list_too_long',
      message: 'ins_list has 900006 characters, and 4110 are the most for the 1 instruments in it',
    });
    await client.subscribeQuote(`rb2410${' '.repeat(1000)}`);
  });
});

describe('connecting', () => {
  it('is refused past the clients that one address may have, and possible again when one has left', async () => {
    await start({ maxClientsPerAddress: 2 });
    const [first] = [await world.connectAction(), await world.connectAction()];
    await expect(world.connectAction()).rejects.toThrow('429');
    await world.connect('/?protocol=action', { localAddress: '127.0.0.2' });
    first.socket.close();
    await untilIs('one to leave', () => world.server.counters.activeSessions, 2);
    await world.connectAction();
    expect(world.server.counters.refusedClients).toBe(1);
  });

  it('is refused to an address that does so too often', async () => {
    await start({ connectsPerSecond: 1 });
    for (let i = 0; i < 10; i++) await world.connectAction();
    await expect(world.connectAction()).rejects.toThrow('429');
    await world.connect('/?protocol=action', { localAddress: '127.0.0.2' });
  });

  it('is refused to web pages from elsewhere, and allowed to the gateway’s own and to those listed', async () => {
    await start({ allowedOrigins: ['https://desk.example'] });
    await expect(world.connect('/', { origin: 'http://evil.example' })).rejects.toThrow('403');
    await expect(world.connect('/', { origin: 'null' })).rejects.toThrow('403');
    await world.connect('/', { origin: `http://127.0.0.1:${world.port}` });
    await world.connect('/', { origin: 'https://desk.example' });
    expect(world.server.counters).toMatchObject({ refusedOrigins: 2, refusedClients: 0 });
  });

  it('is refused with another version of the protocol, which is named', async () => {
    await start();
    await expect(world.connect('/', { protocolVersion: 8 })).rejects.toThrow('426');
  });
});

describe('HTTP requests', () => {
  it('that state their length in both ways get no answer', async () => {
    await start();
    const socket = connect(world.port, '127.0.0.1');
    raw.push(socket);
    let text = '';
    socket.on('data', (data: Buffer) => (text += data.toString('latin1')));
    socket.on('error', () => undefined);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write(
      'POST /livez HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    );
    await closed;
    expect(text).not.toContain(' 200 ');
  });

  it('of one address are answered so often a second, whatever comes in one read', async () => {
    await start({ requestsPerSecond: 5 });
    const socket = connect(world.port, '127.0.0.1');
    raw.push(socket);
    let text = '';
    socket.on('data', (data: Buffer) => (text += data.toString('latin1')));
    socket.on('error', () => undefined);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(5000));
    await closed;
    expect(text.match(/ 200 OK/g)).toHaveLength(10);
    // uWebSockets.js may have read some more requests before it closes the connection.
    const refused = text.match(/ 429 Too Many/g)!.length;
    expect(refused).toBeGreaterThan(0);
    expect(refused).toBeLessThan(500);
    expect(text).toContain('retry-after: 1');
    expect(world.server.counters.refusedRequests).toBeGreaterThanOrEqual(refused);
  });

  it.each([
    [
      'two Content-Lengths',
      'content-length: 1\r\ncontent-length: 1\r\n\r\nx',
      'more than one Content-Length',
    ],
    ['an unknown transfer coding', 'transfer-encoding: xchunked\r\n\r\n', 'must be chunked'],
  ])('with %s are refused', async (_what, rest, message) => {
    await start();
    const socket = connect(world.port, '127.0.0.1');
    raw.push(socket);
    let text = '';
    socket.on('data', (data: Buffer) => (text += data.toString('latin1')));
    socket.on('error', () => undefined);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write(`POST /livez HTTP/1.1\r\nhost: x\r\n${rest}`);
    await closed;
    expect(text).toMatch(/^HTTP\/1.1 400 /);
    expect(text).toContain(message);
  });
});
