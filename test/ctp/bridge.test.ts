import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openVendorLibrary, type VendorLibrary, VendorSession } from '../../src/ctp/bridge.js';
import { ReturnCode } from '../../src/ctp/returnCode.js';
import { EventChannel } from '../../src/ring/eventChannel.js';
import { EventReader } from '../../src/ring/eventRing.js';
import { ringNatives } from '../../src/ring/native.js';
import { doubleWord, intWord } from '../../src/ring/tickRecord.js';
import { allocateTickRing, TickRingReader } from '../../src/ring/tickRing.js';
import { until, untilIs } from '../helpers/until.js';
import { depthStruct, longIdOffset, shortIdOffset } from './depthStruct.js';
import { type FakeLibrary, freshFakeLibrary, loadFakeLibrary } from './fakeLibrary.js';

const connection = 17;
let folder: string;
let fake: FakeLibrary;
const channels: EventChannel[] = [];

interface Opened {
  readonly session: VendorSession;
  readonly events: EventReader;
  readonly ticks: TickRingReader;
  readonly channel: EventChannel;
}

function openFile(library: FakeLibrary, production = true): VendorLibrary {
  return openVendorLibrary({ library: library.path, libraryVersion: '', production });
}

function open(
  library: FakeLibrary = fake,
  flow = 'flow',
  production = true,
  fronts: readonly string[] = ['tcp://a:1', 'tcp://b:2'],
): Opened {
  const channel = new EventChannel();
  channels.push(channel);
  const tickRing = allocateTickRing(1024);
  const session = new VendorSession({
    owner: channel.handle.owner,
    library: openFile(library, production),
    connection,
    flowFolder: join(folder, flow),
    tickRing,
    tickDoorbells: [],
  });
  expect(session.start(fronts)).toBe(ReturnCode.ok);
  return {
    session,
    channel,
    events: new EventReader(channel.handle.ring),
    ticks: new TickRingReader(tickRing),
  };
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'qactpmd-bridge-'));
  fake = loadFakeLibrary('fake_newest');
});
afterEach(async () => {
  fake.holdRelease(0);
  for (const channel of channels.splice(0)) {
    channel.release();
    await untilIs('released', () => channel.unreleased, 0);
  }
  await freshFakeLibrary('fake_newest');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A tick of rb2605 in which every field has a value of its own. */
function fullDepth(size: number, idOffset: number): Buffer {
  const depth = depthStruct(size);
  depth.text(0, '20260302');
  depth.text(idOffset, 'rb2605');
  depth.text(40, 'SHFE');
  const doubles = [80, 88, 96, 104, 112, 120, 128, 144, 152, 160, 168, 176, 184, 192, 200];
  doubles.forEach((offset, i) => depth.double(offset, 1000.25 + i));
  depth.int(136, 123_456);
  depth.text(208, '21:07:59');
  depth.int(220, 500);
  for (let k = 0; k < 5; k++) {
    depth.double(224 + 32 * k, 3100 - k);
    depth.int(232 + 32 * k, 10 + k);
    depth.double(240 + 32 * k, 3101 + k);
    depth.int(248 + 32 * k, 20 + k);
  }
  depth.double(384, 31_005.5);
  if (size >= 408) depth.text(392, '20260227');
  if (size >= 584) {
    depth.double(568, 3200.5);
    depth.double(576, 3000.5);
  }
  return depth.bytes;
}

describe('a session', () => {
  it('is created in a folder of its own, with all fronts, and asks for the plain TCP mode', () => {
    open(fake, 'deep/er/flow');
    expect(existsSync(join(folder, 'deep/er/flow'))).toBe(true);
    expect(fake.calls()).toEqual([
      `create ${folder}/deep/er/flow/ 001`,
      'front tcp://a:1',
      'front tcp://b:2',
      'spi',
      'init',
    ]);
  });

  it('keeps the addresses of its fronts where the library has seen them', () => {
    const fronts = Array.from({ length: 64 }, (_, i) => `tcp://a:${i}`);
    open(fake, 'fronts', true, fronts);
    expect(fake.calls().slice(1)).toEqual([...fronts.map((front) => `front ${front}`), 'spi', 'init']);
  });

  it('asks for the evaluation back end where that is wanted', () => {
    open(fake, 'evaluation', false);
    expect(fake.calls()[0]).toBe(`create ${folder}/evaluation/ 000`);
  });

  it.each(['fake_2013', 'fake_6_3_15', 'fake_6_3_19', 'fake_6_7_2'])(
    'of %s takes every request and callback',
    async (name) => {
      const library = loadFakeLibrary(name);
      const { session, events, channel } = open(library, name);
      expect(session.login('9999', 'user', 'secret', 3)).toBe(0);
      expect(session.subscribe(['rb2605'], [1])).toBe(0);
      expect(session.unsubscribe(['rb2605'])).toBe(0);
      expect(session.tradingDay).toBe(20260227);
      library.connected();
      library.heartbeat(33);
      library.login(0, Buffer.from('\0'), '20260227', 4, 0);
      library.logout(1, 'bye');
      library.error(6, 'not login', 9);
      library.answer(1, 'rb2606', 16, 'unknown', 0);
      library.answer(0, 'rb2607', 16, 'unknown', 0);
      library.others();
      library.disconnected(0x1001);
      session.close();
      await until('released', () => session.released);
      const all = [];
      for (let event = events.next(); event; event = events.next())
        all.push(`${event.type} ${event.code} ${event.instrumentId}`.trim());
      expect(all).toEqual([
        'front_connected 0',
        'heartbeat_warning 33',
        'login_response 0',
        'logout_response 1',
        'error 6',
        'subscribe_refused 16 rb2606',
        'unsubscribe_refused 16 rb2607',
        'front_disconnected 4097',
        'released 0',
      ]);
      expect(library.calls().map((call) => call.split(' ')[0])).toEqual(
        'create front front spi init login subscribe unsubscribe release'.split(' '),
      );
      expect(channel.unreleased).toBe(0);
    },
  );

  it('never shares its folder with another, not even with one that the library does not let go of', async () => {
    const folders = (): string[] =>
      fake
        .calls()
        .filter((call) => call.startsWith('create'))
        .map((call) => call.slice(`create ${folder}/`.length).split(' ')[0]!);
    const first = open(fake, 'own');
    open(fake, 'own/');
    fake.holdRelease(1);
    first.session.close();
    open(fake, './own');
    expect(folders()).toEqual(['own/', 'own.2/', 'own.3/']);
    fake.holdRelease(0);
    await until('released', () => first.session.released);
    open(fake, 'own');
    expect(folders()).toEqual(['own/']);
  });

  it('says what stands in the way of its flow folder', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => open(fake, 'file/flow')).toThrow(`${folder}/file/flow/: the folder for flow files`);
  });

  it.each([
    ['standard', 'can not open CFlow file'],
    ['number', 'refused to start a session'],
    ['null', 'made no session'],
  ])('survives a library that throws or gives nothing: %s', (flow, text) => {
    const odd = loadFakeLibrary('fake_odd_flow');
    expect(() => open(odd, flow)).toThrow(text);
  });

  it('turns every callback into an event', () => {
    const { session, events } = open();
    fake.connected();
    expect(session.frontUp).toBe(true);
    fake.heartbeat(33);
    fake.login(0, Buffer.from('\0'), '20260227', 4, 0);
    fake.login(3, Buffer.from('4354503ab2bbbacfb7a8b5c4b5c7c2bc00', 'hex'), 'x', 5, 0);
    fake.login(0, Buffer.from('\0'), '', 6, 1);
    fake.logout(1, 'bye');
    fake.error(6, 'not login', 9);
    fake.answer(1, 'rb2605', 0, '', 0);
    fake.answer(1, 'rb2606', 6000, 'sub too many insts', 0);
    fake.answer(1, '', 16, 'null id', 1);
    fake.answer(0, 'rb2606', 16, 'unknown', 0);
    fake.answer(0, 'rb2605', 0, '', 0);
    fake.others();
    fake.disconnected(0x1001);
    expect(session.frontUp).toBe(false);
    const all = [];
    for (let event = events.next(); event; event = events.next()) all.push(event);
    for (const event of all) expect(event).toMatchObject({ connection, session: session.handle });
    expect(
      all.map(({ type, code, text, requestId, instrumentId, tradingDay }) => [
        type,
        code,
        text,
        requestId,
        instrumentId,
        tradingDay,
      ]),
    ).toEqual([
      ['front_connected', 0, '', 0, '', 0],
      ['heartbeat_warning', 33, '', 0, '', 0],
      ['login_response', 0, '', 4, '', 20260227],
      ['login_response', 3, 'CTP:不合法的登录', 5, '', -1],
      ['login_response', 0, '', 6, '', 0],
      ['logout_response', 1, 'bye', 0 + 1, '', 0],
      ['error', 6, 'not login', 9, '', 0],
      ['subscribe_refused', 6000, 'sub too many insts', 0, 'rb2606', 0],
      ['subscribe_refused', 16, 'null id', 0, '', 0],
      ['unsubscribe_refused', 16, 'unknown', 0, 'rb2606', 0],
      ['front_disconnected', 0x1001, '', 0, '', 0],
    ]);
    expect(all[2]).toMatchObject({ systemName: 'TradingHosting', frontId: 7, sessionId: -5 });
    expect(session.acknowledged).toBe(1);
    expect(session.tradingDay).toBe(20260227);
  });

  it('passes requests on and gives back what they return', () => {
    const { session } = open();
    fake.calls();
    expect(session.login('9999', 'user', 'secret', 3)).toBe(0);
    fake.returnNext(-3);
    expect(session.login('', '', '', 4)).toBe(ReturnCode.tooManyPerSecond);
    expect(session.subscribe(['rb2605', 'm2605-C-3000', 'SPD SR605&SR609'], [1, 2, 3])).toBe(0);
    fake.returnNext(-1);
    expect(session.subscribe(['cu2605'], [4])).toBe(ReturnCode.notConnected);
    fake.returnNext(-2);
    expect(session.unsubscribe(['rb2605', 'cu2605'])).toBe(ReturnCode.tooManyPending);
    expect(fake.calls()).toEqual([
      'login 3 9999 user secret',
      'login 4   ',
      'subscribe rb2605,m2605-C-3000,SPD SR605&SR609',
      'subscribe cu2605',
      'unsubscribe rb2605,cu2605',
    ]);
  });

  it('refuses what does not fit the vendor’s fields instead of cutting it', () => {
    const { session } = open();
    expect(session.login('12345678901', 'u', 'p', 1)).toBe(ReturnCode.badArgument);
    expect(session.login('b', 'u'.repeat(16), 'p', 1)).toBe(ReturnCode.badArgument);
    expect(session.login('b', 'u', 'p'.repeat(41), 1)).toBe(ReturnCode.badArgument);
    expect(session.subscribe(['x'.repeat(81)], [1])).toBe(ReturnCode.badArgument);
    expect(session.subscribe([''], [1])).toBe(ReturnCode.badArgument);
    expect(session.subscribe([], [])).toBe(ReturnCode.badArgument);
    expect(session.subscribe(['x'.repeat(80)], [1])).toBe(ReturnCode.ok);
    expect(session.login('1234567890', 'u'.repeat(15), 'p'.repeat(40), 1)).toBe(ReturnCode.ok);
  });
});

describe('a tick', () => {
  const generations: [string, number, number, boolean][] = [
    ['fake_newest', 584, longIdOffset, true],
    ['fake_6_7_2', 584, longIdOffset, true],
    ['fake_6_3_19', 408, shortIdOffset, false],
    ['fake_6_3_15', 408, shortIdOffset, false],
    ['fake_2013', 392, shortIdOffset, false],
  ];
  it.each(generations)('of %s arrives field by field', async (name, size, idOffset, banding) => {
    const library = loadFakeLibrary(name);
    const { session, ticks, events } = open(library);
    session.subscribe(['rb2605'], [42]);
    const before = Date.now();
    library.tick(fullDepth(size, idOffset));
    const after = Date.now();
    library.answer(1, 'rb2606', 6000, 'too many', 0);
    expect(events.next()).toMatchObject({ type: 'subscribe_refused', instrumentId: 'rb2606' });
    expect(ticks.next()).toBe(true);
    const { record } = ticks;
    const { f64, i32 } = record;
    expect(record.slot).toBe(42);
    expect(record.connection).toBe(connection);
    expect(record.receiveTimeMs).toBeGreaterThanOrEqual(before);
    expect(record.receiveTimeMs).toBeLessThanOrEqual(after + 1);
    expect(i32[intWord.length]).toBe(320);
    const inOrder = [
      doubleWord.lastPrice,
      doubleWord.preSettlementPrice,
      doubleWord.preClosePrice,
      doubleWord.preOpenInterest,
      doubleWord.openPrice,
      doubleWord.highestPrice,
      doubleWord.lowestPrice,
      doubleWord.turnover,
      doubleWord.openInterest,
      doubleWord.closePrice,
      doubleWord.settlementPrice,
      doubleWord.upperLimitPrice,
      doubleWord.lowerLimitPrice,
      doubleWord.preDelta,
      doubleWord.currDelta,
    ];
    expect(inOrder.map((field) => f64[field])).toEqual(inOrder.map((_, i) => 1000.25 + i));
    expect(f64[doubleWord.averagePrice]).toBe(31_005.5);
    expect([f64[doubleWord.bandingUpperPrice], f64[doubleWord.bandingLowerPrice]]).toEqual(
      banding ? [3200.5, 3000.5] : [Number.MAX_VALUE, Number.MAX_VALUE],
    );
    for (let k = 0; k < 5; k++) {
      expect(f64[doubleWord.bidPrice1 + k]).toBe(3100 - k);
      expect(f64[doubleWord.askPrice1 + k]).toBe(3101 + k);
      expect(i32[intWord.bidVolume1 + k]).toBe(10 + k);
      expect(i32[intWord.askVolume1 + k]).toBe(20 + k);
    }
    expect([i32[intWord.volume], i32[intWord.updateMillisec]]).toEqual([123_456, 500]);
    expect([i32[intWord.tradingDay], i32[intWord.actionDay]]).toEqual([20260302, size >= 408 ? 20260227 : 0]);
    expect(i32[intWord.updateTime]).toBe(21 * 3600 + 7 * 60 + 59);
    expect(Buffer.from(i32.buffer, intWord.exchangeId * 4, 8).toString('latin1')).toBe('SHFE\0\0\0\0');
    channels[channels.length - 1]!.release();
    await until('released', () => session.released);
  });

  const days: [string, number][] = [
    ['', 0],
    ['20260227', 20260227],
    ['2026022', -1],
    ['202602277', -1],
    ['2026-2-7', -1],
    ['20261327', -1],
    ['20260200', -1],
    ['19800100', -1],
    ['\xff\xff\xff\xff\xff\xff\xff\xff\xff', -1],
  ];
  it.each(days)('with the day %j has %d', (text, value) => {
    const { session, ticks } = open();
    session.subscribe(['rb2605'], [1]);
    const depth = depthStruct(584);
    depth.text(longIdOffset, 'rb2605');
    depth.text(0, text);
    depth.text(392, text);
    fake.tick(depth.bytes);
    expect(ticks.next()).toBe(true);
    expect([ticks.record.i32[intWord.tradingDay], ticks.record.i32[intWord.actionDay]]).toEqual([
      value,
      value,
    ]);
  });

  const times: [string, number][] = [
    ['', -1],
    ['00:00:00', 0],
    ['23:59:59', 86_399],
    ['24:00:00', -2],
    ['09:60:00', -2],
    ['9:00:00', -2],
    ['09:00:000', -2],
    ['ab:cd:ef', -2],
  ];
  it.each(times)('at %j has the time %d', (text, value) => {
    const { session, ticks } = open();
    session.subscribe(['rb2605'], [1]);
    const depth = depthStruct(584);
    depth.text(longIdOffset, 'rb2605');
    depth.text(208, text);
    fake.tick(depth.bytes);
    expect(ticks.next()).toBe(true);
    expect(ticks.record.i32[intWord.updateTime]).toBe(value);
  });

  it('without data, without an id or of an instrument without a slot is dropped and counted', () => {
    const { session, ticks } = open();
    const depth = depthStruct(584);
    fake.tick(null);
    fake.tick(depth.bytes);
    depth.text(longIdOffset, 'rb2605');
    fake.tick(depth.bytes);
    session.subscribe(['rb2605'], [1]);
    fake.tick(depth.bytes);
    session.unsubscribe(['rb2605']);
    fake.tick(depth.bytes);
    session.subscribe(['rb2605'], [2]);
    fake.tick(depth.bytes);
    expect([ticks.nullPointers, ticks.unknownInstruments]).toEqual([1, 3]);
    expect(ticks.next() && ticks.record.slot).toBe(1);
    expect(ticks.next() && ticks.record.slot).toBe(2);
    expect(ticks.next()).toBe(false);
  });

  it('finds its slot among many, while the map grows under a running stream', async () => {
    const { session, ticks } = open();
    const first = depthStruct(584);
    first.text(longIdOffset, 'rb2605');
    session.subscribe(['rb2605'], [9]);
    fake.stream(first.bytes, first.bytes.length);
    try {
      for (let batch = 0; batch < 20; batch++) {
        const ids = Array.from({ length: 500 }, (_, i) => `id${batch * 500 + i}`);
        expect(
          session.subscribe(
            ids,
            ids.map((_, i) => batch * 500 + i),
          ),
        ).toBe(0);
        const streamed = fake.streamed();
        await until('the stream goes on', () => fake.streamed() > streamed);
        while (ticks.next()) if (ticks.record.slot !== 9) throw new Error(`slot ${ticks.record.slot}`);
      }
      expect(ticks.unknownInstruments).toBe(0);
    } finally {
      fake.endStream();
    }
    while (ticks.next());
    for (const n of [0, 4999, 9999]) {
      const depth = depthStruct(584);
      depth.text(longIdOffset, `id${n}`);
      fake.tick(depth.bytes);
      expect(ticks.next() && ticks.record.slot).toBe(n);
    }
  });
});

describe('closing', () => {
  it('first silences the session, then releases it, and tells when it is done', async () => {
    const { session, events } = open();
    fake.calls();
    session.close();
    session.close();
    await until('released', () => !events.empty);
    expect(events.next()).toMatchObject({ type: 'released', session: session.handle });
    // RegisterSpi(NULL) would be a trap: some libraries call what is registered without a look.
    expect(fake.calls()).toEqual(['release']);
    expect(session.released).toBe(true);
    expect(session.login('', '', '', 1)).toBe(ReturnCode.closed);
    expect(session.subscribe(['a'], [1])).toBe(ReturnCode.closed);
    expect(session.start(['tcp://a:1'])).toBe(ReturnCode.closed);
  });

  it('stops a running stream before it returns, also callbacks that come after the release', async () => {
    const { session, events, ticks } = open();
    session.subscribe(['rb2605'], [1]);
    const depth = fullDepth(584, longIdOffset);
    fake.stream(depth, depth.length);
    try {
      await until('ticks', () => ticks.next());
      session.close();
      while (ticks.next());
      const streamed = fake.streamed();
      await until('callbacks go on, released', () => fake.streamed() > streamed + 1000 && !events.empty);
      expect(ticks.next()).toBe(false);
      expect(ticks.unknownInstruments).toBe(0);
    } finally {
      fake.endStream();
    }
    fake.connected();
    fake.tick(null);
    expect(events.next()?.type).toBe('released');
    expect(events.next()).toBeUndefined();
    expect(ticks.nullPointers).toBe(0);
  });

  it('releases one session at a time, without holding up the caller', async () => {
    const opened = Array.from({ length: 8 }, (_, i) => open(fake, `serial${i}`));
    fake.holdRelease(1);
    for (const { session } of opened) session.close();
    await until('the first release has begun', () => fake.log().includes('release'));
    expect(opened.filter(({ session }) => session.released)).toHaveLength(0);
    fake.holdRelease(0);
    await until('all released', () => opened.every(({ session }) => session.released));
    expect(fake.mostReleasing()).toBe(1);
  });

  it('of the channel closes what its worker left behind, and writes nothing more', async () => {
    const { channel, session, events, ticks } = open();
    session.subscribe(['rb2605'], [1]);
    expect(channel.unreleased).toBe(1);
    channel.release();
    channel.release();
    await untilIs('released', () => channel.unreleased, 0);
    fake.connected();
    fake.tick(fullDepth(584, longIdOffset));
    expect(events.next()).toBeUndefined();
    expect(ticks.next()).toBe(false);
  });

  it('of everything at the end of the process only silences', () => {
    const { session, events, ticks } = open();
    session.subscribe(['rb2605'], [1]);
    fake.calls();
    ringNatives().silenceAll();
    fake.connected();
    fake.tick(fullDepth(584, longIdOffset));
    expect(fake.calls(), 'the library is asked for nothing').toEqual([]);
    expect(events.next()).toBeUndefined();
    expect(ticks.next()).toBe(false);
    ringNatives().silenceAll();
  });
});

describe('the bridge', () => {
  it('refuses numbers that name nothing', () => {
    expect(ringNatives().closeOwner(-1)).toBe(ReturnCode.badArgument);
    expect(ringNatives().closeOwner(1e6)).toBe(ReturnCode.badArgument);
    const wrong = new Uint8Array(new SharedArrayBuffer(4096));
    expect(ringNatives().openOwner(wrong, wrong.length, new Int32Array(2), 1)).toBe(ReturnCode.badArgument);
  });

  it('refuses memory that is no tick ring', () => {
    const channel = new EventChannel();
    channels.push(channel);
    const library = openFile(fake);
    const options = {
      owner: channel.handle.owner,
      library,
      connection,
      flowFolder: folder,
      tickDoorbells: [],
    };
    expect(() => new VendorSession({ ...options, tickRing: new SharedArrayBuffer(4096) })).toThrow(
      'tick ring',
    );
    expect(channel.unreleased).toBe(0);
  });
});
