import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ControlClient } from './controlClient.js';
import { FrontProcess } from './frontProcess.js';
import { buildNative, NativeClient, type ClientEvent } from './nativeClient.js';
import { listedId } from './tickFields.js';

/** For what a loaded machine takes its time over. */
const deadline = { timeout: 25_000, interval: 20 };
const noValue = Number.MAX_VALUE;
const field = { tradingDay: 0, last: 80, highest: 120, lowest: 128, volume: 136, turnover: 144, upper: 176 };
const more = { lower: 184, time: 208, actionDay: 392, bid: 224, bidVolume: 232, ask: 240, askVolume: 248 };
const quick = { QACTPMD_SIM_RECONNECT_MS: '50' };
const clients: NativeClient[] = [];
const sockets: Socket[] = [];
let id = '';
let other = '';
let czce = '';
let fronts: FrontProcess;
let control: ControlClient;
let ports: number[] = [];

beforeAll(async () => {
  await buildNative();
  [id, other, czce] = ['rb', 'm', 'CF'].map(listedId) as [string, string, string];
  fronts = new FrontProcess(['--base-port', '0', '--fronts', '2', '--rate', '40', '--control-port', '0']);
  ports = await fronts.ports();
  control = await fronts.control();
});
beforeEach(() => control.clear('all'));
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  for (const socket of sockets.splice(0)) socket.destroy();
});
afterAll(() => fronts.stop());

async function open(front = 0, env: Record<string, string> = quick): Promise<NativeClient> {
  const client = new NativeClient(env);
  clients.push(client);
  await client.connect(`tcp://127.0.0.1:${ports[front]!}`);
  return client;
}

/** A client that receives ticks of its ids. */
async function receiving(...ids: string[]): Promise<NativeClient> {
  const client = await open();
  await client.start(ids);
  await client.until(() => ids.every((one) => client.ticks(one).length > 1), 'ticks');
  return client;
}

/** The ticks of an id that arrive after a fault was set. */
async function ticksUnder(fault: string, fields: Record<string, unknown> = {}, wanted = id, count = 6) {
  const client = await receiving(wanted);
  await control.fault(0, fault, fields);
  const before = client.ticks(wanted).length + 2;
  await client.until(() => client.ticks(wanted).length >= before + count, 'ticks under the fault');
  return client.ticks(wanted).slice(before);
}

const values = (ticks: readonly ClientEvent[], at: number): number[] =>
  ticks.map((tick) => Number(tick.fields![at]));

describe('a connection', () => {
  it.each([0x1001, 0x1002, 0x2001, 0x2002, 0x2003])('ends with reason %i and comes again', async (reason) => {
    const [hit, spared] = [await open(0), await open(1)];
    await control.fault(0, 'disconnect', { reason });
    await hit.until(() => hit.callbacks('connected').length === 2, 'the second connection');
    expect(hit.callbacks('disconnected').map((event) => event.reason)).toEqual([reason]);
    expect(spared.callbacks('disconnected')).toEqual([]);
  });

  it('ends with 0x2003 on garbage', async () => {
    const client = await open();
    await control.fault('all', 'garbage', { bytes: 1000 });
    await client.until(() => client.callbacks('disconnected')[0]?.reason === 0x2003, 'the disconnection');
  });

  it('is refused, cut, and had again on the same port', async () => {
    await control.fault(0, 'refuse');
    const refused = connect(ports[0]!, '127.0.0.1');
    const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
    await control.clear(0, 'refuse');

    await control.fault(0, 'refuse', { how: 'cut' });
    const cut = connect(ports[0]!, '127.0.0.1').resume();
    await once(cut, 'close');
    await control.clear(0);
    await open();
  });

  it('falls silent in a stall, the heartbeats too, and continues after it', async () => {
    const client = await receiving(id);
    await control.fault(0, 'stall');
    await client.command(`subscribe ${other}`);
    const late = await open();
    await late.command('login');
    // Time passes on the other front.
    const witness = await open(1);
    await witness.start([id]);
    const seen = client.ticks().length;
    await witness.until(() => witness.ticks(id).length > 20, 'ticks of the other front');
    expect(client.ticks().length).toBeLessThanOrEqual(seen + 2);
    expect(late.callbacks('login')).toEqual([]);
    await control.clear(0, 'stall');
    await client.until(() => client.ticks(other).length > 2, 'ticks of what was asked meanwhile');
    await late.until(() => late.callbacks('login')[0], 'the answer to the login');
    expect(client.callbacks('disconnected')).toEqual([]);
  });

  it('gives everything late, in order', async () => {
    await control.fault(0, 'delay', { ms: 400 });
    const client = await open();
    const asked = Date.now();
    await client.start([id]);
    expect(Date.now() - asked).toBeGreaterThan(390);
    await client.until(() => client.ticks(id).length > 10, 'ticks');
    const volumes = values(client.ticks(id), field.volume);
    expect(volumes).toEqual([...volumes].sort((a, b) => a - b));
  });

  it('is cut when its client leaves more packets unread than the limit', async () => {
    const unread = connect(ports[0]!, '127.0.0.1').pause();
    sockets.push(unread);
    unread.on('error', () => unread.destroy());
    const header = (type: number, bytes: number): Buffer =>
      Buffer.from([0x51, 0x53, 1, type, bytes, 0, 0, 0]);
    unread.write(Buffer.concat([header(1, 72), Buffer.alloc(72)]));
    unread.write(
      Buffer.concat([header(3, 5 + id.length), Buffer.from([1, 0, 0, 0, id.length]), Buffer.from(id)]),
    );
    const sessions = async (): Promise<number> => (await control.fronts())[0]!.sessions.length;
    await vi.waitFor(async () => expect(await sessions()).toBe(1), deadline);
    await control.fault(0, 'queue_limit', { packets: 100 });
    await control.fault(0, 'flood', { ticks_per_s: 100_000 });
    await vi.waitFor(async () => expect(await sessions()).toBe(0), deadline);
  });
});

describe('the library', () => {
  it.each([-1, -2, -3])('answers the next requests with %i, and then again with 0', async (code) => {
    const client = await open();
    await client.start([id]);
    await control.fault(0, 'return_code', { code, calls: 2 });
    const answers: number[] = [];
    await client.until(() => client.ticks(id).length > 3, 'ticks');
    while (answers.length < 20 && !(answers.includes(code) && answers.at(-1) === 0)) {
      answers.push((await client.command(`subscribe ${id}`)).code!);
    }
    expect(answers.filter((answer) => answer !== 0)).toEqual([code, code]);
  });

  it('throws at the next creation', async () => {
    const client = await open();
    const connections = client.callbacks('connected').length;
    await control.fault(0, 'throw_at_create');
    await control.fault(0, 'disconnect');
    await client.until(() => client.callbacks('connected').length > connections, 'the next connection');
    await client.command('release');
    expect((await client.command(`create ${client.flowFolder}/`)).threw).toContain('can not open CFlow');
    expect((await client.command(`create ${client.flowFolder}/`)).code).toBe(0);
  });
});

describe('a login', () => {
  it.each([
    ['by id', { error: 7 }, 'CTP:还没有初始化'],
    ['by text', { error: -1, text: 'api login over limit freq' }, 'api login over limit freq'],
  ])('is refused %s', async (_, fields, text) => {
    await control.fault(0, 'login_error', fields);
    const client = await open();
    await client.command('login 9999 someone');
    const login = await client.until(() => client.callbacks('login')[0], 'the answer');
    expect([login.error, login.trading_day]).toEqual([fields.error, '']);
    expect(new TextDecoder('gb18030').decode(Buffer.from(login.text!, 'latin1'))).toBe(text);
    await control.clear(0);
    await client.start([id]);
    await client.until(() => client.ticks(id).length > 1, 'ticks');
  });

  it('is never answered', async () => {
    await control.fault(0, 'login_silent');
    const client = await open();
    await client.command('login');
    await client.command(`subscribe ${id}`);
    await client.until(() => client.callbacks('subscribed')[0]?.error === 6, 'the refused subscription');
    expect(client.callbacks('login')).toEqual([]);
  });

  it('is answered without a trading day', async () => {
    await control.fault(0, 'empty_trading_day');
    const client = await receiving(id);
    expect(client.callbacks('login')[0]).toMatchObject({ error: 0, trading_day: '' });
    expect((await client.command('day')).code).toBe(19800100);
  });
});

describe('a subscription', () => {
  const asked = ['a', 'b', 'c'];
  it.each([
    ['none', []],
    ['missing', ['a', 'c last']],
    ['repeated', ['a', 'b', 'c last', 'a', 'b', 'c last']],
    ['each_last', ['a last', 'b last', 'c last']],
    ['never_last', ['a', 'b', 'c']],
  ])('is answered in a way that cannot be counted on: %s', async (how, expected) => {
    await control.fault(0, 'subscribe_responses', { how });
    const client = await open();
    await client.start([...asked]);
    const subscriptions = async (): Promise<number> =>
      (await control.fronts())[0]!.sessions.reduce((sum, session) => sum + session.subscriptions, 0);
    await vi.waitFor(async () => expect(await subscriptions()).toBe(asked.length), deadline);
    await control.clear(0);
    await client.command('unsubscribe a');
    await client.until(() => client.callbacks('unsubscribed')[0], 'the answer to a later request');
    const answers = client
      .callbacks('subscribed')
      .map((event) => `${event.id!}${event.last! ? ' last' : ''}`);
    expect(answers).toEqual(expected);
  });

  it('is refused with 6000 above the limit, with 16 for an unknown id, or as told', async () => {
    await control.fault(0, 'subscription_limit', { limit: 2 });
    await control.fault(0, 'unknown_id_error');
    await control.fault(0, 'subscribe_error', { error: 8, instruments: ['IF2612'] });
    const client = await open();
    await client.start(['nothing', 'IF2612', id, other, czce, id]);
    await client.until(() => client.ticks(id).length > 5, 'ticks');
    expect(client.callbacks('subscribed').map((event) => event.error)).toEqual([16, 8, 0, 0, 6000, 0]);
    expect(new Set(client.ticks().map((tick) => tick.id))).toEqual(new Set([id, other]));
    expect((await control.fronts())[0]!.sessions[0]!.subscriptions).toBe(2);
  });

  it('begins with a snapshot that is hours old', async () => {
    await control.fault(0, 'stale_snapshot', { age_s: 3600 });
    const client = await receiving(other);
    const [first, second] = client.ticks(other).map((tick) => {
      const [hours, minutes] = String(tick.fields![more.time]).split(':').map(Number);
      return hours! * 60 + minutes!;
    });
    expect([59, 60, 61]).toContain((second! - first! + 1440) % 1440);
  });
});

describe('ticks', () => {
  it('come in a flood, and none steps back', async () => {
    await control.fault(0, 'flood', { ticks_per_s: 5000 });
    const client = await receiving(id);
    const from = Date.now();
    const seen = client.ticks().length;
    await client.until(() => client.ticks().length - seen > 3000, 'a flood');
    expect(Date.now() - from).toBeLessThan(20_000);
    const volumes = values(client.ticks(), field.volume);
    expect(volumes).toEqual([...volumes].sort((a, b) => a - b));
  });

  it('come twice', async () => {
    const ticks = await ticksUnder('duplicate_ticks', {}, id, 20);
    const texts = ticks.map((tick) => JSON.stringify(tick.fields));
    expect(texts.filter((text, i) => text === texts[i - 1]).length).toBeGreaterThan(8);
  });

  it('step back', async () => {
    const volumes = values(
      await ticksUnder('regressing_ticks', { every: 2, by_ms: 60_000 }, id, 20),
      field.volume,
    );
    expect(volumes.some((volume, i) => volume < volumes[i - 1]!)).toBe(true);
  });

  it('are missing', async () => {
    const client = await receiving(id, other);
    await control.fault(0, 'missing_ticks', { every: 1, instruments: [id] });
    const settled = client.ticks(other).length + 4;
    await client.until(() => client.ticks(other).length > settled, 'other ticks');
    const seen = client.ticks(id).length;
    await client.until(() => client.ticks(other).length > settled + 20, 'other ticks');
    expect(client.ticks(id).length).toBe(seen);
  });

  it('have a falling turnover at CZCE, and nowhere else', async () => {
    const falls = (turnovers: number[]): boolean => turnovers.some((value, i) => value < turnovers[i - 1]!);
    await control.setClock('2026-11-23T14:00:00+08:00', 1);
    expect(falls(values(await ticksUnder('falling_turnover', {}, czce), field.turnover))).toBe(true);
    expect(falls(values(await ticksUnder('falling_turnover', {}, id), field.turnover))).toBe(false);
  });

  it('are stamped with a Saturday', async () => {
    await control.setClock('2026-11-23T14:00:00+08:00', 1);
    for (const tick of await ticksUnder('saturday_ticks')) {
      expect([tick.fields![field.tradingDay], tick.fields![more.actionDay]]).toEqual([
        '20261121',
        '20261121',
      ]);
    }
  });

  it.each([
    ['empty_update_time', more.time, ''],
    ['empty_action_day', more.actionDay, ''],
    ['exchange_id', 40, 'SHFE'],
    ['zero_for_absent', 160, 0],
    ['quotes_alone', 80, 0],
  ])('have %s', async (fault, at, value) => {
    for (const tick of await ticksUnder(fault)) expect(tick.fields![at]).toBe(value);
  });

  it.each([
    ['limit_up', field.upper, field.highest, more.bid, more.ask, more.askVolume],
    ['limit_down', more.lower, field.lowest, more.ask, more.bid, more.bidVolume],
  ])('stand at their limit with an empty side: %s', async (fault, limit, extreme, full, empty, volume) => {
    for (const { fields } of await ticksUnder(fault)) {
      expect([fields![field.last], fields![extreme], fields![full]]).toEqual(Array(3).fill(fields![limit]));
      for (let level = 0; level < 5; level++) {
        expect([fields![empty + 32 * level], fields![volume + 32 * level]]).toEqual([noValue, 0]);
      }
    }
  });

  it('are garbage from end to end, and the connection holds', async () => {
    const ticks = await ticksUnder('garbage_ticks');
    expect(new Set(values(ticks, field.volume)).size).toBe(ticks.length);
  });
});
