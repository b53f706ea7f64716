import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { badFrameWindowMs, BadFrameGauge } from '../../src/server/socket/limits.js';
import { untilIs } from '../helpers/until.js';
import { World } from './world.js';

const mib = 1_048_576;
let world: World;
beforeEach(async () => {
  world = await World.start({ limits: { maxBadFrames: 5, maxClients: 20 } });
});
afterEach(() => world.stop());

/** A frame of exactly so many bytes: a subscription padded with blanks. */
const frameOf = (bytes: number): string =>
  `{"aid":"subscribe_quote","ins_list":"rb2410"${' '.repeat(bytes - 45)}}`;

describe('large frames', () => {
  it('are taken up to 1 MiB', async () => {
    const client = await world.connectAid();
    expect(frameOf(mib)).toHaveLength(mib);
    client.send(frameOf(mib));
    expect(await client.next()).toEqual({ aid: 'subscribe_quote', status: 'ok' });
  });

  it('get an error above it, and the session continues', async () => {
    const client = await world.connectAid();
    client.send(frameOf(mib + 1));
    expect(await client.next()).toMatchObject({
      aid: 'error',
      action: 'error',
      code: 'frame_too_large',
      message: 'a frame has at most 1048576 bytes, this one has 1048577',
    });
    await client.subscribeQuote('rb2410');
  });

  it('end the session far above it, without harm to others', async () => {
    const client = await world.connectAid();
    const other = await world.connectAid();
    client.send(frameOf(4 * mib));
    await client.closed();
    await other.subscribeQuote('rb2410');
    expect(world.server.counters.activeSessions).toBe(1);
  });
});

describe('bad frames', () => {
  it('never close a session by themselves', async () => {
    const client = await world.connectAction();
    for (const frame of ['', '{', '[1]', '{"action":1}', Buffer.from([0, 255, 1])]) {
      client.send(frame);
      expect(await client.next()).toHaveProperty('code');
    }
    expect(await client.settled()).toEqual([]);
  });

  it('cut off the clients of an address without a word when many of them were closed for it', async () => {
    const codes: number[] = [];
    for (let client = 0; client < 13; client++) {
      const bad = await world.connectAction();
      for (let i = 0; i < 8; i++) bad.send('no JSON');
      codes.push((await bad.closed()).code);
    }
    expect(codes.slice(0, 10)).toEqual(Array(10).fill(1008));
    expect(codes.slice(10)).toContain(1006);
  });

  it('close it with 1008 when they repeat', async () => {
    const client = await world.connectAction();
    for (let i = 0; i < 6; i++) client.send('garbage');
    for (let i = 0; i < 6; i++) expect(await client.next()).toMatchObject({ code: 'invalid_json' });
    expect(await client.next()).toMatchObject({ code: 'too_many_bad_frames' });
    expect(await client.closed()).toEqual({ code: 1008, reason: 'too many bad frames' });
    expect(world.logLines.join('')).toContain('is closed: too many bad frames, the last one invalid_json');
    expect(world.server.counters).toMatchObject({ activeSessions: 0, badFrames: 6 });
  });

  it('do not count where the grammar was kept', async () => {
    const client = await world.connectAction();
    for (let i = 0; i < 20; i++) {
      await client.subscribe(['nonsense']);
      expect(await client.next()).toMatchObject({ code: 'unknown_instrument' });
    }
    expect(await client.settled()).toEqual([]);
  });

  it('are forgotten with time', () => {
    const gauge = new BadFrameGauge(2);
    expect([0, 1, 2].map((now) => gauge.add(now))).toEqual([false, false, true]);
    expect(gauge.add(badFrameWindowMs)).toBe(false);
  });

  it('that are no WebSocket frames at all end the connection and nothing else', async () => {
    const other = await world.connectAction();
    const raw = connect(world.port, '127.0.0.1');
    raw.on('error', () => undefined);
    const ended = new Promise((resolve) => raw.on('close', resolve));
    raw.write(
      'GET / HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n' +
        'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    raw.once('data', () => raw.write(Buffer.alloc(10_000, 0xff)));
    raw.resume();
    await ended;
    const garbage = connect(world.port, '127.0.0.1');
    garbage.on('error', () => undefined);
    const refused = new Promise((resolve) => garbage.on('close', resolve));
    garbage.end(Buffer.alloc(100_000, 7));
    garbage.resume();
    await refused;
    expect(await other.settled()).toEqual([]);
  });

  it('of invalid UTF-8 end the session and nothing else', async () => {
    const client = await world.connectAction();
    const other = await world.connectAction();
    client.socket.send(Buffer.from([0x22, 0xff, 0xfe, 0x22]), { binary: false });
    await client.closed();
    expect(await other.settled()).toEqual([]);
  });
});

describe('a failure of the gateway on a frame', () => {
  it('is logged and told, and ends nothing', async () => {
    const client = await world.connectAction();
    vi.spyOn(world.directory, 'search').mockImplementationOnce(() => {
      throw new Error('no such table');
    });
    client.send({ action: 'list_instruments' });
    expect(await client.next()).toMatchObject({ aid: 'error', action: 'error', code: 'internal_error' });
    expect(world.logLines.join('')).toContain('no such table');
    client.send({ action: 'list_instruments' });
    expect(await client.next()).toHaveProperty('instruments');
  });
});

describe('many clients', () => {
  it('are let in up to the limit, and again when one has left', async () => {
    const clients = await Promise.all(Array.from({ length: 20 }, () => world.connectAction()));
    await expect(world.connectAction()).rejects.toThrow('503');
    expect(world.server.counters).toMatchObject({ activeSessions: 20, refusedClients: 1 });
    clients[7]!.socket.close();
    await untilIs('the client to leave', () => world.server.counters.activeSessions, 19);
    await world.connectAction();
  });

  it('may come and go while ticks are pushed', async () => {
    await world.stop();
    world = await World.start();
    const ids = ['rb2410', 'SHFE.rb2410', 'cu2406', 'm2409', 'IF2406'];
    const steady = await world.connectAction();
    await steady.subscribe(['rb2410']);
    let ticks = 0;
    let running = true;
    const push = (): void => {
      if (!running) return;
      for (const id of ['rb2410', 'cu2406', 'm2409', 'IF2406']) world.tick(id);
      ticks++;
      world.server.onBatchEnd();
      setTimeout(push, 1);
    };
    push();
    for (let round = 0; round < 30; round++) {
      const clients = await Promise.all(
        Array.from({ length: 10 }, (_, i) => world.connect(i % 2 === 0 ? '/' : '/?protocol=action')),
      );
      for (const [i, client] of clients.entries()) {
        client.send({ action: 'subscribe', instruments: ids, diff: i % 3 === 0 });
        client.send({ aid: 'subscribe_quote', ins_list: ids.join(',') });
        client.peek();
        await client.next();
      }
      for (const [i, client] of clients.entries()) {
        if (i % 3 === 0) client.socket.terminate();
        else if (i % 3 === 1) client.socket.close();
        else client.send({ action: 'unsubscribe', instruments: ids });
      }
      for (const client of clients) client.socket.close();
    }
    running = false;
    await untilIs('all to leave', () => world.server.counters.activeSessions, 1);
    const frames = await steady.settled();
    const volumes = frames.map((frame) => (frame['data'] as { volume: number }).volume);
    expect(volumes).toEqual(Array.from({ length: ticks }, (_, i) => 101 + i));
    expect([...world.wanted]).toEqual([['rb2410', 1]]);
  });
});
