import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadProducts } from '../../src/market/instruments/products.js';
import { SimulatedExchange } from '../../src/simulator/exchange.js';
import { Front } from '../../src/simulator/front.js';
import { TickFeed } from '../../src/simulator/tickFeed.js';
import { freePort } from '../e2e/ports.js';
import { FrontProcess } from './frontProcess.js';
import { loginRequest, request, subscribeRequest } from './frontRequests.js';
import { buildNative, NativeClient, type ClientEvent } from './nativeClient.js';
import { fieldsOf, listedId, stepsBetween } from './tickFields.js';

const readFailed = 0x1001;
/** Whichever of read and write comes first notices a front that dies. */
const lost = [readFailed, 0x1002];
/** For what a loaded machine takes its time over. */
const deadline = { timeout: 25_000, interval: 20 };
const volume = 136;
const ids = ['rb', 'm', 'CF', 'IF'].map(listedId);
const clients: NativeClient[] = [];
const processes: FrontProcess[] = [];
const closers: (() => void)[] = [];

function open(env: Record<string, string> = {}): NativeClient {
  const client = new NativeClient(env);
  clients.push(client);
  return client;
}

function run(...args: string[]): FrontProcess {
  const fronts = new FrontProcess(args);
  processes.push(fronts);
  return fronts;
}

/** One front in this process. */
async function front(rate = 2): Promise<{ front: Front; port: number }> {
  const exchange = new SimulatedExchange({ seed: 1, rate, products: loadProducts() });
  const opened = new Front(1, exchange);
  closers.push(() => {
    opened.close();
    exchange.close();
  });
  return { front: opened, port: await opened.listen('127.0.0.1', 0) };
}

async function dial(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  closers.push(() => socket.destroy());
  socket.on('error', () => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

const volumes = (ticks: readonly ClientEvent[]): number[] =>
  ticks.map((tick) => Number(tick.fields![volume]));

beforeAll(buildNative);
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  for (const fronts of processes.splice(0)) await fronts.stop('SIGKILL');
  for (const close of closers.splice(0)) close();
});

describe('ticks', () => {
  it('of two front processes and of the library’s own generator are the model’s, field by field', async () => {
    const began = Date.now();
    const options = ['--base-port', '0', '--rate', '4', '--seed', '5'];
    const [first, second] = [run(...options), run(...options, '--fronts', '2')];
    const addresses = [
      `tcp://127.0.0.1:${(await first.ports())[0]!}`,
      `tcp://127.0.0.1:${(await second.ports())[1]!}`,
      `sim://?rate=${4 * ids.length}&seed=5`,
    ];
    const feed = new TickFeed({ seed: 5, rate: 4 });
    closers.push(() => feed.close());
    const all = await Promise.all(
      addresses.map(async (address) => {
        const client = open();
        await client.connect(address);
        await client.start(ids);
        await client.until(() => ids.every((id) => client.ticks(id).length > 8), 'ticks');
        return client;
      }),
    );
    for (const id of ids) {
      const index = feed.add(id);
      const steps = stepsBetween(feed, index, began - 2000, Date.now() + 1000);
      const model = steps.map((step) => JSON.stringify(fieldsOf(feed.tickFrame(index, step))));
      for (const client of all) {
        const received = client.ticks(id).map((tick) => JSON.stringify(tick.fields));
        // From the snapshot on every tick of the schedule arrives, in order; the snapshot may come once more.
        const distinct = received.filter((tick, i) => tick !== received[i - 1]);
        const start = model.indexOf(distinct[0]!);
        expect(start).toBeGreaterThanOrEqual(0);
        expect(distinct).toEqual(model.slice(start, start + distinct.length));
      }
    }
  });

  it('continue after the front was killed and started again, with a volume that continues', async () => {
    const port = await freePort();
    const before = run('--base-port', String(port));
    await before.ports();
    const client = open({ QACTPMD_SIM_RECONNECT_MS: '50' });
    await client.connect(`tcp://127.0.0.1:${port}`);
    await client.start(ids);
    await client.until(() => client.ticks(ids[0]).length > 2, 'ticks');
    await before.stop('SIGKILL');
    await client.until(() => client.callbacks('disconnected')[0], 'the disconnection');
    expect(lost).toContain(client.callbacks('disconnected')[0]!.reason);
    // A dying process may still accept a connection; when it is gone, requests are refused.
    await vi.waitFor(async () => expect((await client.command('subscribe rb2701')).code).toBe(-1), deadline);

    const connections = client.callbacks('connected').length;
    const seen = client.ticks(ids[0]).length;
    await run('--base-port', String(port)).ports();
    await client.until(() => client.callbacks('connected').length > connections, 'a new connection');
    await client.start(ids);
    await client.until(() => client.ticks(ids[0]).length > seen + 2, 'further ticks');
    const all = volumes(client.ticks(ids[0]));
    expect(all).toEqual([...all].sort((a, b) => a - b));
  });

  it('of a front that was stopped for a while continue with the present', async () => {
    const fronts = run('--base-port', '0', '--rate', '100');
    const client = open();
    await client.connect(`tcp://127.0.0.1:${(await fronts.ports())[0]!}`);
    // DCE stamps its ticks to the millisecond.
    await client.start([listedId('m')]);
    await client.until(() => client.ticks().length > 20, 'ticks');
    fronts.child.kill('SIGSTOP');
    const stoppedAt = Date.now();
    await vi.waitFor(() => expect(Date.now() - stoppedAt).toBeGreaterThan(1500), deadline);
    const seen = client.ticks().length;
    fronts.child.kill('SIGCONT');
    await client.until(() => client.ticks().length > seen + 20, 'further ticks');
    const times = client.ticks().map(({ fields }) => {
      const [hours, minutes, seconds] = String(fields![208]).split(':').map(Number);
      return ((hours! * 60 + minutes!) * 60 + seconds!) * 1000 + Number(fields![220]);
    });
    // What is older than half a second when the front wakes up is skipped.
    const gaps = times.slice(1).map((time, i) => time - times[i]!);
    expect(Math.max(...gaps)).toBeGreaterThan(900);
    expect(gaps.filter((gap) => gap > 500)).toHaveLength(1);
  });
});

describe('a session', () => {
  it('gets no tick of an unknown id, and of none before it has logged in', async () => {
    const { port } = await front(20);
    const client = open();
    await client.connect(`tcp://127.0.0.1:${port}`);
    await client.command('subscribe rb2701');
    const refused = await client.until(() => client.callbacks('subscribed')[0], 'the answer');
    expect(refused).toMatchObject({ error: 6, id: 'rb2701' });
    await client.start(['nothing', 'rb9912', ids[0]!]);
    await client.until(() => client.ticks(ids[0]).length > 10, 'ticks');
    expect(client.callbacks('subscribed').slice(1)).toMatchObject([
      { error: 0, id: 'nothing', last: false },
      { error: 0, id: 'rb9912', last: false },
      { error: 0, id: ids[0], last: true },
    ]);
    expect(client.ticks().every((tick) => tick.id === ids[0])).toBe(true);
  });

  it('ends its ticks with an unsubscribe and with a logout', async () => {
    const { port } = await front(50);
    const client = open();
    await client.connect(`tcp://127.0.0.1:${port}`);
    await client.start(ids);
    await client.until(() => client.ticks(ids[0]).length > 3, 'ticks');
    await client.command(`unsubscribe ${ids[0]!}`);
    await client.until(() => client.callbacks('unsubscribed')[0], 'the answer');
    const seen = client.ticks(ids[0]).length;
    const others = client.ticks(ids[1]).length;
    await client.until(() => client.ticks(ids[1]).length > others + 10, 'other ticks');
    expect(client.ticks(ids[0]).length).toBe(seen);

    await client.command('logout');
    await client.until(() => client.callbacks('logout')[0], 'the answer');
    await client.command('subscribe rb2701');
    await client.until(() => client.callbacks('subscribed').at(-1)?.error === 6, 'the refusal');
  });

  it('is answered with the error id that the front was started with, in GB18030', async () => {
    const fronts = run('--base-port', '0', '--reject-login', '3');
    const client = open();
    await client.connect(`tcp://127.0.0.1:${(await fronts.ports())[0]!}`);
    await client.command('login 9999 someone');
    const login = await client.until(() => client.callbacks('login')[0], 'the answer');
    expect(login).toMatchObject({ error: 3, request: 7, last: true, trading_day: '' });
    expect(new TextDecoder('gb18030').decode(Buffer.from(login.text!, 'latin1'))).toBe('CTP:不合法的登录');
    expect((await client.command('day')).code).toBe(19800100);
  });

  it('is cut when it does not read', async () => {
    const opened = await front(100);
    const reader = await dial(opened.port);
    reader.pause();
    reader.write(loginRequest);
    await vi.waitFor(() => expect(opened.front.sessions).toBe(1), deadline);
    reader.write(
      subscribeRequest([
        ...new SimulatedExchange({ seed: 1, rate: 1, products: loadProducts() }).listedIds(),
      ]),
    );
    await vi.waitFor(() => expect(opened.front.sessions).toBe(0), deadline);
  });

  it.each([
    ['another protocol', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a single wrong byte', Buffer.from([7])],
    ['an unknown type', request(99, Buffer.alloc(0))],
    ['an endless frame', request(3, Buffer.alloc(4), 0xffffffff)],
    ['a short login', request(1, Buffer.alloc(10))],
    ['a list of ids that ends early', request(3, Buffer.from([5, 0, 0, 0, 2, 65, 66]))],
    ['a list of ids with more behind it', request(4, Buffer.from([0, 0, 0, 0, 1]))],
    ['a list without a count', request(5, Buffer.alloc(2))],
    ['a heartbeat with a body', request(7, Buffer.alloc(3))],
  ])('that sends %s is cut, and the others are not disturbed', async (_, bytes) => {
    const opened = await front(50);
    const client = open();
    await client.connect(`tcp://127.0.0.1:${opened.port}`);
    await client.start([ids[0]!]);
    const bad = await dial(opened.port);
    bad.resume();
    bad.write(bytes);
    await once(bad, 'close');
    await vi.waitFor(() => expect(opened.front.sessions).toBe(1), deadline);
    const seen = client.ticks().length;
    await client.until(() => client.ticks().length > seen + 5, 'further ticks');
    expect(client.callbacks('disconnected')).toEqual([]);
  });

  it('may send its requests byte by byte', async () => {
    const { port } = await front();
    const socket = await dial(port);
    const received: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    for (const byte of Buffer.concat([loginRequest, subscribeRequest(['rb'])]))
      socket.write(Buffer.from([byte]));
    const loginBytes = 191;
    const answerBytes = 8 + 87 + 2;
    await vi.waitFor(() => expect(Buffer.concat(received).length).toBe(loginBytes + answerBytes), deadline);
  });
});
