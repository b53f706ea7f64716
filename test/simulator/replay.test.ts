import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { makeRecording, type MadeRecording } from '../../bench/processes/recording.js';
import { readProductTable } from '../../src/config/productsFile.js';
import { ExchangeClock } from '../../src/market/quotes/exchangeClock.js';
import { InstrumentDirectory } from '../../src/market/instruments/instrumentDirectory.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import { QuoteBook } from '../../src/market/quotes/quoteBook.js';
import { Field, fieldCount } from '../../src/market/quotes/quoteFields.js';
import { WeekdayCalendar } from '../../src/market/calendar/tradingCalendar.js';
import { doubleWord, intWord } from '../../src/ring/tickRecord.js';
import { parseArguments } from '../../src/simulator/arguments.js';
import { parseRedisAddress } from '../../src/simulator/redisAddress.js';
import { RedisReplaySource } from '../../src/simulator/redisSource.js';
import { RecordedSource } from '../../src/simulator/replaySource.js';
import { headerBytes, requestType, responseType } from '../../src/simulator/wire.js';
import { encodeTick } from '../../src/tickText/tickCodec.js';
import { Client } from '../e2e/client.js';
import { GatewayProcess, Program } from '../e2e/processes.js';
import { untilCounted, untilIs } from '../helpers/until.js';
import { loginRequest, subscribeRequest } from './frontRequests.js';
import { buildNative } from './nativeClient.js';
import { recordingFolder, sample, writeRecording } from '../recorder/recordings.js';
import { freePort } from '../e2e/ports.js';
import { startRedis } from '../storage/redisServer.js';

beforeAll(buildNative);

type Quote = Record<string, unknown>;

/** The simulated fronts with a replay; ends with the test. */
function replay(source: string, ...args: string[]): Program {
  const program = new Program(
    ['dist', 'src', 'simulator', 'main.js'],
    ['--base-port', '0', '--replay', source, ...args],
  );
  onTestFinished(async () => {
    await program.stop('SIGKILL');
  });
  return program;
}

/** A gateway at a replay's front; ends with the test. */
async function gatewayAt(front: Program, keys: readonly string[]): Promise<GatewayProcess> {
  const address = /tcp:\/\/[^\s;]+/.exec(await front.line(/^ready/))![0];
  const gateway = new GatewayProcess({
    connections: [{ connection_id: 'replay', front_addr: address, max_subscriptions: keys.length + 1 }],
    tick_flow: 'lossless',
    silence_timeout: 0,
  });
  onTestFinished(async () => expect(await gateway.stop()).toBe(0));
  await gateway.loggedIn();
  return gateway;
}

/** A bare connection to a replay's front, and the types of the packets that have come over it. */
async function dial(front: Program): Promise<{ socket: Socket; types: number[] }> {
  const port = Number(/:(\d+)/.exec((await front.line(/^ready/)).split('tcp://')[1]!)![1]);
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  const types: number[] = [];
  let unread = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    unread = Buffer.concat([unread, chunk]);
    while (unread.length >= headerBytes) {
      const end = headerBytes + unread.readUInt32LE(4);
      if (unread.length < end) break;
      types.push(unread[3]!);
      unread = unread.subarray(end);
    }
  });
  await once(socket, 'connect');
  return { socket, types };
}

/** Every quote that a client of all instruments gets until `count` have come, in order, by instrument. */
async function quotesOf(
  gateway: GatewayProcess,
  keys: readonly string[],
  count: number,
): Promise<Map<string, Quote[]>> {
  const client = await Client.connect(`${await gateway.url()}?protocol=action`);
  onTestFinished(() => client.close());
  client.send({ action: 'subscribe', instruments: keys });
  const quotes = new Map<string, Quote[]>();
  for (let i = 0; i < count; i++) {
    const frame = await client.next(`quote ${i + 1} of ${count}`, (each) => each['action'] === 'market_data');
    const quote = frame['data'] as Quote;
    const id = quote['instrument_id'] as string;
    quotes.set(id, [...(quotes.get(id) ?? []), quote]);
  }
  return quotes;
}

/** The day, read by a book of its own: each tick's state, as the gateway stores it. */
function statesOf({ path }: MadeRecording): { key: string; row: Float64Array; receivedMs: number }[] {
  const directory = new InstrumentDirectory({ products: loadProducts(), maxInstruments: 1000 });
  const book = new QuoteBook(directory, new ExchangeClock(new WeekdayCalendar()));
  const source = new RecordedSource([path], (text) => expect(text).toBe(''));
  onTestFinished(() => source.close());
  const states = [];
  while (source.next()) {
    const { slot, key } = directory.resolve(source.key)!;
    source.record.i32[intWord.slot] = slot;
    expect(book.apply(source.record)).toBe(true);
    const row = Float64Array.from({ length: fieldCount }, (_, field) => book.value(slot, field));
    states.push({ key, row, receivedMs: source.record.receiveTimeMs });
  }
  return states;
}

describe('a replay', () => {
  const made = (ticks: number, instruments: number): MadeRecording =>
    makeRecording(recordingFolder(), { ticks, instruments, rate: 2 });

  it('at maximum speed loses nothing, and is the same from a recording and from what Redis stored of it', async () => {
    const day = made(3000, 20);
    const states = statesOf(day);
    const fromFile = replay(day.path, '--speed', 'max', '--replay-wait', '3600');
    const quotes = await quotesOf(await gatewayAt(fromFile, day.keys), day.keys, 3000);
    expect(await fromFile.line(/^replayed/)).toMatch(/^replayed: 3000 ticks in /);
    for (const key of day.keys) {
      const mine = states.filter((each) => each.key === key);
      const got = quotes.get(key)!;
      const volumes = mine.map(({ row }) => row[Field.volume]);
      expect(got.map((quote) => quote['volume'])).toEqual(volumes);
      expect(got.map((quote) => quote['timestamp'])).toEqual(mine.map(({ row }) => row[Field.timestamp]));
    }

    const { port } = await startRedis(await freePort());
    const redis = new Redis(port, '127.0.0.1');
    for (const { key, row, receivedMs } of states)
      await redis.xadd(
        `test:ticks:${key}`,
        `${row[Field.timestamp]}-*`,
        ...['time', String(row[Field.timestamp]), 'tick', encodeTick(0, receivedMs, row)],
      );
    await redis.xadd('test:ticks:SHFE.rb1', '1-1', 'tick', 'no tick');
    redis.disconnect();
    const tradingDay = String(states[0]!.row[Field.tradingDay]);
    const address = `redis://127.0.0.1:${port}/0?day=${tradingDay}&prefix=test:`;
    const fromRedis = replay(address, '--speed', 'max', '--replay-wait', '3600');
    const again = await quotesOf(await gatewayAt(fromRedis, day.keys), day.keys, 3000);
    expect(again).toEqual(quotes);
  });

  it('at maximum speed stands while no session is subscribed to anything', async () => {
    const day = made(3000, 20);
    const ids = day.keys.map((key) => key.slice(key.indexOf('.') + 1));
    const front = replay(day.path, '--speed', 'max', '--replay-wait', '3600');
    const { socket, types } = await dial(front);
    const countOf = (type: number): number => types.filter((each) => each === type).length;
    // In one packet: nothing has been sent yet when the subscriptions end.
    socket.write(
      Buffer.concat([loginRequest, subscribeRequest(ids), subscribeRequest(ids, requestType.unsubscribe)]),
    );
    await untilCounted('all to be unsubscribed', () => countOf(responseType.unsubscribe), ids.length);
    socket.write(subscribeRequest(ids));
    expect(await front.line(/^replayed/)).toMatch(/^replayed: 3000 ticks in /);
    await untilCounted(
      () => `3000 ticks and not ${countOf(responseType.tick)}`,
      () => countOf(responseType.tick),
      3000,
    );
  });

  it('at a speed sends ticks by the recorded clock, and the newest to who comes later', async () => {
    const day = made(400, 4);
    const front = replay(day.path, '--speed', '100', '--replay-wait', '0', '--control-port', '0');
    const gateway = await gatewayAt(front, day.keys);
    const quotes = await quotesOf(gateway, day.keys, 400);
    expect([...quotes.values()].flat().length).toBe(400);
    await front.line(/^replayed: 400 ticks/);
    const late = await quotesOf(gateway, day.keys.slice(0, 1), 1);
    expect(late.get(day.keys[0]!)).toEqual(quotes.get(day.keys[0]!)!.slice(-1));
    const port = /127\.0\.0\.1:(\d+)\D*$/.exec(await front.line(/control at/))![1]!;
    const clock = (await (await fetch(`http://127.0.0.1:${port}/clock`)).json()) as { speed: number };
    expect(clock.speed).toBe(100);
  });

  it('sends instruments of one id from two exchanges as one, as a front would', async () => {
    const folder = recordingFolder();
    const twins = ['SHFE.xx2405', 'DCE.xx2405'].map((key, i) => sample(key, { volume: 100 + i }));
    const front = replay(writeRecording(folder, [twins]), '--speed', 'max', '--replay-wait', '3600');
    const gateway = await gatewayAt(front, ['SHFE.xx2405']);
    const client = await Client.connect(`${await gateway.url()}?protocol=action`);
    onTestFinished(() => client.close());
    client.send({ action: 'subscribe', instruments: ['SHFE.xx2405'] });
    expect(await front.line(/^replayed/)).toMatch(/^replayed: 2 ticks/);
  });

  it('continues past damage, says where it is, and reads several files as one day', async () => {
    const day = made(20_000, 4);
    const other = made(100, 5);
    const bytes = readFileSync(day.path);
    bytes[bytes.length >> 1]! ^= 1;
    const torn = join(recordingFolder(), 'torn.ticks');
    writeFileSync(torn, bytes.subarray(0, -10));
    const front = replay(torn, '--replay', other.path, '--speed', 'max', '--replay-wait', '0');
    await gatewayAt(front, day.keys).then((gateway) => quotesOf(gateway, day.keys, 1));
    const ended = await front.line(/^replayed/);
    const sent = Number(/\d+/.exec(ended)![0]);
    expect(sent).toBeLessThan(20_100 - 8192);
    expect(sent % 8192).toBe(100);
    expect(front.complaints.join('\n')).toMatch(
      /torn\.ticks: at byte \d+: the block is damaged \(checksum\)/,
    );
    expect(front.complaints.join('\n')).toMatch(/torn\.ticks: at byte \d+: the block is cut short; the last/);
  });

  it.each([
    ['a file that is no recording', 'package.json', 1, /package\.json: this is no recording/],
    ['a file that is not there', 'none.ticks', 2, /simulator: --replay none\.ticks: there is no such file/],
    ['a folder', 'test', 1, /simulator: test: this is a folder; name the recordings in it, such as/],
    ['a Redis that is not there', 'redis://127.0.0.1:1?day=20261120', 1, /Redis at 127\.0\.0\.1:1: /],
    [
      'a day that is none',
      'redis://:secret@127.0.0.1?day=20261340',
      2,
      /--replay: day is not 20261340; the form/,
    ],
  ])('is refused in one line for %s', async (_, source, code, message) => {
    const program = replay(source);
    expect((await program.ended).code).toBe(code);
    expect(program.complaints.join('\n')).toMatch(message);
    expect(program.complaints).toHaveLength(1);
    expect(program.output).not.toContain('secret');
  });

  it.each([
    [['--speed', '3'], '--speed: only with --replay'],
    [['--replay-wait', '3'], '--replay-wait: only with --replay'],
    [['--replay', 'x', '--speed', 'fast'], '--speed fast: must be "max" or a number above 0 up to 1000000'],
    [['--replay', 'x', '--replay-wait', '-1'], '--replay-wait'],
    [['--replay', 'x', '--rate', '3'], '--rate: not with --replay, which has the ticks of the recording'],
    [
      ['--replay', 'x', '--products', 'p.json'],
      '--products: not with recordings, which hold the ticks as they',
    ],
    [['--replay', 'x', '--bench'], '--bench: not with --replay'],
    [['--replay', 'x', '--replay', 'redis://h?day=1'], '--replay: either files or one redis:// address'],
    [['--replay', ''], '--replay: must name a file'],
  ])('takes no %j', (args, message) => {
    expect(() => parseArguments(args)).toThrow(message);
  });

  it.each([
    ['redis://h', 'day is missing'],
    ['redis://h?day=2026', 'day is not 2026'],
    ['redis://h/x?day=20261120', '/x is no database'],
    ['redis://h?day=20261120&days=3', '"days" is unknown'],
    ['redis:///0?day=20261120', 'the host is missing'],
  ])('takes no address %s', (address, message) => {
    expect(() => parseRedisAddress(address)).toThrow(new RegExp(message));
  });

  it('from Redis has averages by the products that it is given', async () => {
    const { port } = await startRedis(await freePort());
    const redis = new Redis(port, '127.0.0.1');
    const row = new Float64Array(fieldCount).fill(NaN);
    row[Field.timestamp] = Date.UTC(2026, 0, 5, 2);
    row[Field.tradingDay] = 20260105;
    row[Field.average] = 3500;
    for (const key of ['SHFE.rb2605', 'SHFE.qq2605'])
      await redis.xadd(
        `ticks:${key}`,
        `${row[Field.timestamp]}-*`,
        'tick',
        encodeTick(0, row[Field.timestamp]!, row),
      );
    redis.disconnect();
    const cwd = recordingFolder();
    const rows = [
      { product: 'rb', volume_multiple: 20 },
      { product: 'qq', exchange: 'SHFE', volume_multiple: 300, price_tick: 1 },
    ];
    writeFileSync(join(cwd, 'products.json'), JSON.stringify(rows));
    const { products, faults } = readProductTable('products.json', cwd);
    expect(faults).toEqual([]);
    const address = `redis://127.0.0.1:${port}/0?day=20260105&prefix=`;
    const source = await RedisReplaySource.open(address, products, (text) => expect(text).toBe(''));
    onTestFinished(() => source.close());
    const averages = new Map<string, number>();
    while (source.next()) averages.set(source.key, source.record.f64[doubleWord.averagePrice]!);
    expect(averages).toEqual(
      new Map([
        ['SHFE.qq2605', 3500 * 300],
        ['SHFE.rb2605', 3500 * 20],
      ]),
    );
  });

  it('begins when all its instruments are subscribed to, whatever session they come from', async () => {
    const day = made(200, 6);
    const front = replay(day.path, '--speed', 'max', '--replay-wait', '3600');
    const gateway = await gatewayAt(front, day.keys);
    const first = await Client.connect(`${await gateway.url()}?protocol=action`);
    onTestFinished(() => first.close());
    first.send({ action: 'subscribe', instruments: day.keys.slice(0, 5) });
    await gateway.healthUntil('five subscriptions', ({ connections }) => connections[0]!.subscriptions === 5);
    expect(front.output).not.toMatch(/replayed/);
    first.send({ action: 'subscribe', instruments: day.keys.slice(5) });
    await front.line(/^replayed: 200 ticks/);
    await untilIs('all in the book', async () => (await gateway.health()).body.ticks.accepted, 200);
  });
});
