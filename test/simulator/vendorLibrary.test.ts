import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { mkdirSync, writeFileSync } from 'node:fs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../e2e/ports.js';
import { buildNative, NativeClient } from './nativeClient.js';

const readFailed = 0x1001;
const heartbeatTimeout = 0x2001;
const badPacket = 0x2003;
/** Between two rounds of attempts; what is done at once does not wait for it. */
const quickRetry = { QACTPMD_SIM_RECONNECT_MS: '50' };
const noRetry = { QACTPMD_SIM_RECONNECT_MS: '600000' };
const clients: NativeClient[] = [];
const servers: Server[] = [];

function open(env: Record<string, string> = {}): NativeClient {
  const client = new NativeClient(env);
  clients.push(client);
  return client;
}

/** A bare TCP server in a front's place. */
async function listen(
  onClient: (socket: Socket) => void,
  port = 0,
): Promise<{ port: number; server: Server }> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    onClient(socket);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, server };
}

beforeAll(buildNative);
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  for (const server of servers.splice(0)) server.close();
});

describe('on generated ticks', () => {
  it('goes from its creation to ticks, with every callback on one thread that is not the caller’s', async () => {
    const client = open();
    await client.connect('sim://?rate=40&seed=3');
    await client.start(['rb2701', 'IF2612']);
    await client.until(() => client.ticks('rb2701').length > 5 && client.ticks('IF2612').length > 5, 'ticks');

    expect(client.events[0]!.version).toMatch(/^sim v6\.7\.13_20260225 /);
    const login = client.callbacks('login')[0]!;
    expect(login).toMatchObject({ error: 0, request: 7, last: true, broker: '9999', user: 'someone' });
    expect((await client.command('day')).code).toBe(Number(login.trading_day));
    const responses = client.callbacks('subscribed');
    expect(responses.map(({ id, error, request }) => [id, error, request])).toEqual([
      ['rb2701', 0, 0],
      ['IF2612', 0, 0],
    ]);
    // The client compares the threads.
    expect(client.problems).toEqual([]);
    for (const name of ['trap', 'heartbeat_warning', 'multicast', 'quote_request'])
      expect(client.callbacks(name), name).toEqual([]);
  });

  it('answers requests with -1 before the connection and knows no trading day before the login', async () => {
    const client = open();
    await client.command(`create ${client.flowFolder}/`);
    await client.command('spi on');
    await client.command('front sim://?rate=10');
    for (const request of [
      'login',
      'logout',
      'subscribe rb2701',
      'unsubscribe rb2701',
      'subscribe_quote a',
    ]) {
      expect((await client.command(request)).code).toBe(-1);
    }
    expect((await client.command('multicast')).code).toBe(-1);
    expect((await client.command('day')).code).toBe(19800100);
  });

  it('answers every request once it is connected', async () => {
    const client = open();
    await client.connect('sim://?rate=10');
    for (const request of [
      'login 9999',
      'subscribe_quote IO2612-C-4000',
      'unsubscribe_quote IO2612-C-4000',
    ]) {
      expect((await client.command(request)).code).toBe(0);
    }
    for (const request of ['subscribe rb2701', 'unsubscribe rb2701', 'logout', 'multicast']) {
      expect((await client.command(request)).code).toBe(0);
    }
    const names = ['quote_subscribed', 'quote_unsubscribed', 'subscribed', 'unsubscribed', 'logout'];
    for (const name of names) await client.until(() => client.callbacks(name)[0], name);
  });

  it('acknowledges an unknown id and then stays silent about it', async () => {
    const client = open();
    await client.connect('sim://?rate=100');
    await client.start(['nothing', 'rb2713', 'rb2701']);
    await client.until(() => client.ticks('rb2701').length > 20, 'ticks');
    expect(client.callbacks('subscribed').map((response) => response.error)).toEqual([0, 0, 0]);
    expect(client.ticks().every((tick) => tick.id === 'rb2701')).toBe(true);
  });

  it('sends the newest tick at once, and again when subscribed again', async () => {
    const client = open();
    await client.connect('sim://?rate=0.001');
    await client.start(['rb2701']);
    await client.until(() => client.ticks().length === 1, 'the snapshot');
    await client.command('subscribe rb2701');
    await client.until(() => client.ticks().length === 2, 'the snapshot again');
    expect(client.ticks()[1]!.fields).toEqual(client.ticks()[0]!.fields);
  });

  it('stops the ticks of an id that was unsubscribed', async () => {
    const client = open();
    await client.connect('sim://?rate=200');
    await client.start(['rb2701', 'm2701']);
    await client.until(() => client.ticks('rb2701').length > 3, 'ticks');
    await client.command('unsubscribe rb2701');
    await client.until(() => client.callbacks('unsubscribed')[0], 'the answer');
    const seen = client.ticks('rb2701').length;
    const others = client.ticks('m2701').length;
    await client.until(() => client.ticks('m2701').length > others + 20, 'other ticks');
    expect(client.ticks('rb2701').length).toBe(seen);
  });

  it('throws when the flow folder is missing, and can be created afterwards', async () => {
    const client = open();
    expect((await client.command(`create ${client.flowFolder}/missing/`)).threw).toContain(
      'can not open CFlow',
    );
    mkdirSync(`${client.flowFolder}/missing`);
    expect((await client.command(`create ${client.flowFolder}/missing/`)).code).toBe(0);
    await client.command('release');
  });

  it('knows the trading day of the session before from its flow file', async () => {
    const client = open();
    writeFileSync(`${client.flowFolder}/TradingDay.con`, '20240415');
    await client.command(`create ${client.flowFolder}/`);
    expect((await client.command('day')).code).toBe(20240415);
  });

  it('makes no callback without a Spi and can be released in any state', async () => {
    const client = open();
    await client.connect('sim://?rate=1000');
    await client.start(['rb2701']);
    await client.until(() => client.ticks().length > 5, 'ticks');
    await client.command('spi off');
    await client.command('count');
    const callbacks = client.events.filter((event) => event.event !== undefined).length;
    expect((await client.command('release')).code).toBe(0);
    expect(client.callbacks('disconnected')).toEqual([]);
    expect(client.events.filter((event) => event.event !== undefined).length - callbacks).toBeLessThan(2);

    await client.command(`create ${client.flowFolder}/`);
    await client.command('release');
    await client.command(`create ${client.flowFolder}/`);
    await client.command('init');
    await client.command('release');
  });

  it('says nothing of a connection that it is released from, though its Spi is registered, as from 6.3.15 on', async () => {
    const client = open();
    await client.connect('sim://?rate=10');
    await client.command('release');
    expect(client.callbacks('disconnected').map((event) => event.reason)).toEqual([]);
  });

  it.each([{}, { QACTPMD_SIM_RELEASE_JOINS: '0' }])(
    'survives quick releases, environment %j',
    async (env) => {
      const client = open(env);
      await client.command('quiet on');
      expect((await client.command(`storm ${client.flowFolder}/ sim://?rate=50000 100`)).code).toBe(0);
    },
  );
});

describe('over TCP', () => {
  it('is connected as soon as TCP is accepted; after a close it reconnects at once and by itself', async () => {
    const { port } = await listen((socket) => void socket.once('data', () => socket.destroy()));
    const client = open(noRetry);
    await client.connect(`tcp://127.0.0.1:${port}`);
    await client.command('login 9999');
    await client.until(() => client.callbacks('connected').length === 2, 'the second connection');
    expect(client.callbacks('disconnected').map((event) => event.reason)).toEqual([readFailed]);
    expect((await client.command('day')).code).toBe(19800100);
  });

  it('tries again until a front accepts', async () => {
    const port = await freePort();
    const client = open(quickRetry);
    await client.command(`create ${client.flowFolder}/`);
    await client.command('spi on');
    await client.command(`front tcp://127.0.0.1:${port}`);
    await client.command('init');
    expect((await client.command('login')).code).toBe(-1);
    await listen(() => undefined, port);
    await client.until(() => client.callbacks('connected').length === 1, 'the connection');
  });

  it('takes the first of several fronts that accepts', async () => {
    const port = await freePort();
    const other = await listen(() => undefined);
    const client = open(noRetry);
    await client.command(`create ${client.flowFolder}/`);
    await client.command('spi on');
    await client.command('front nonsense');
    await client.command(`front tcp://127.0.0.1:${port}`);
    await client.command(`front tcp://127.0.0.1:${other.port}`);
    await client.command('init');
    await client.until(() => client.callbacks('connected')[0], 'the connection');
  });

  const frame = (type: number, body: Buffer, length = body.length): Buffer => {
    const header = Buffer.from([0x51, 0x53, 1, type, 0, 0, 0, 0]);
    header.writeUInt32LE(length, 4);
    return Buffer.concat([header, body]);
  };
  it.each([
    ['another protocol', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['a single wrong byte', Buffer.from([0])],
    ['another version', Buffer.from([0x51, 0x53, 9])],
    ['an unknown type', frame(200, Buffer.alloc(4))],
    ['a request', frame(1, Buffer.alloc(72))],
    ['an endless frame', frame(72, Buffer.alloc(8), 0x7fffffff)],
    ['a short tick', frame(72, Buffer.alloc(100))],
    ['a tick without its id', frame(72, Buffer.alloc(312, 0xff))],
    ['a long heartbeat', frame(71, Buffer.alloc(1))],
    ['a short login answer', frame(65, Buffer.alloc(20))],
    ['a short answer to a subscription', frame(67, Buffer.alloc(86))],
    ['a long error', frame(73, Buffer.alloc(300))],
  ])('ends the connection with 0x2003 on %s, and goes on', async (_, bytes) => {
    let connections = 0;
    const { port } = await listen((socket) => {
      if (++connections === 1) socket.write(bytes);
    });
    const client = open(quickRetry);
    await client.connect(`tcp://127.0.0.1:${port}`);
    await client.until(() => client.callbacks('connected').length === 2, 'the second connection');
    expect(client.callbacks('disconnected').map((event) => event.reason)).toEqual([badPacket]);
  });

  it('gives up a connection that is silent for too long', async () => {
    const { port } = await listen(() => undefined);
    const client = open({ ...quickRetry, QACTPMD_SIM_SILENCE_MS: '100' });
    await client.connect(`tcp://127.0.0.1:${port}`);
    const ended = await client.until(() => client.callbacks('disconnected')[0], 'the disconnection');
    expect(ended.reason).toBe(heartbeatTimeout);
  });

  it('can be released at any moment, with nobody listening and with someone who says nothing', async () => {
    const { port, server } = await listen(() => undefined);
    const client = open(quickRetry);
    await client.command('quiet on');
    await client.command(`storm ${client.flowFolder}/ tcp://127.0.0.1:${port} 40`);
    server.close();
    await client.command(`storm ${client.flowFolder}/ tcp://127.0.0.1:1 40`);
  });
});
