import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tradingDayAt } from '../../src/market/contracts.js';
import { Client } from './client.js';
import { freePorts } from './ports.js';
import { connectionsTo, FrontsProcess, GatewayProcess, until } from './processes.js';

// What a client, /health and the log see of each fault that a front can have.

const delivery = new Date(Date.now() + 180 * 86_400_000);
const yymm = `${String(delivery.getUTCFullYear()).slice(2)}${String(delivery.getUTCMonth() + 1).padStart(2, '0')}`;
/** A snapshot is no older. */
const snapshotAgeMs = 10_000;
const rb = `rb${yymm}`;
const cu = `cu${yymm}`;
const ta = `TA${yymm.slice(1)}`;

interface Push {
  instrument_id: string;
  timestamp: number;
  datetime: string;
  trading_day: string;
  volume: number;
  last_price: number | null;
  bid_price1: number | null;
  bid_volume1: number;
  ask_price1: number | null;
  ask_volume1: number;
  turnover: number;
  settlement: number | null;
  close_price: number | null;
}

let fronts: FrontsProcess;
let gateway: GatewayProcess;
let client: Client;

beforeEach(async () => {
  const basePort = await freePorts(1);
  fronts = new FrontsProcess(1, basePort, ['--rate', '20', '--control-port', '0']);
  // Without grace, so that what is wanted again is asked for again.
  gateway = new GatewayProcess({ unsubscribe_grace: 0, connections: connectionsTo(basePort, 1) }, [], {
    QACTPMD_SIM_RECONNECT_MS: '100',
  });
  await gateway.loggedIn();
  client = await Client.connect(`${await gateway.url()}?protocol=action`);
});

afterEach(async () => {
  await client.close();
  const codes = [await gateway.stop(), await fronts.stop()];
  expect(codes).toEqual([0, 0]);
});

async function subscribe(...instruments: string[]): Promise<void> {
  client.send({ action: 'subscribe', instruments });
  await client.next('the ack', (frame) => frame['action'] === 'subscribe');
}

async function push(what = 'a push', test: (data: Push) => boolean = () => true): Promise<Push> {
  const frame = await client.next(
    what,
    (each) => each['action'] === 'market_data' && test(each['data'] as Push),
  );
  return frame['data'] as Push;
}

/** Takes a number of pushes and proves that no instrument steps back in volume or time. */
async function steady(count = 20): Promise<Push[]> {
  const newest = new Map<string, Push>();
  const pushes: Push[] = [];
  for (let i = 0; i < count; i++) {
    const data = await push();
    const before = newest.get(data.instrument_id);
    if (before?.trading_day === data.trading_day) {
      expect(data.volume).toBeGreaterThanOrEqual(before.volume);
      expect(data.timestamp).toBeGreaterThanOrEqual(before.timestamp);
    }
    newest.set(data.instrument_id, data);
    pushes.push(data);
  }
  return pushes;
}

const log = (pattern: RegExp): string[] => gateway.lines.filter((line) => pattern.test(line));

async function logSays(pattern: RegExp, times = 1): Promise<void> {
  await until(`the log line ${pattern}`, () => log(pattern).length >= times);
}

const reconnects = async (): Promise<number> => (await gateway.health()).body.connections[0]!.reconnects;

describe('connection faults', () => {
  it.each([
    [0x1001, /network read failed/],
    [0x1002, /network write failed/],
    [0x2001, /no heartbeat/],
    [0x2002, /heartbeat could not be sent/],
    [0x2003, /bad packet/],
  ])('disconnect with reason %d is named, and ticks go on after the reconnect', async (reason, text) => {
    await subscribe(rb);
    await push();
    const before = await reconnects();
    await fronts.fault('disconnect', { reason });
    await gateway.healthUntil(
      'the reconnect',
      ({ connections }) => connections[0]!.reconnects === before + 1,
    );
    await logSays(text);
    await gateway.loggedIn();
    await steady();
    expect(log(/"level":"(error|fatal)"/)).toEqual([]);
  });

  it('garbage bytes end the connection as a bad packet', async () => {
    await subscribe(rb);
    await push();
    const before = await reconnects();
    await fronts.fault('garbage', { bytes: 512 });
    await gateway.healthUntil('the reconnect', ({ connections }) => connections[0]!.reconnects > before);
    await logSays(/bad packet/);
    await gateway.loggedIn();
    await steady();
  });

  it.each(['refuse', 'cut'])(
    'a front that does not take us back (%s) is reported until it does',
    async (how) => {
      await subscribe(rb);
      await push();
      await fronts.fault('refuse', { how });
      await fronts.fault('disconnect');
      // A front that cuts takes us first, and nothing is wrong for that moment.
      const health = await gateway.healthUntil(
        'the loss and its reason',
        ({ status, connections }) => status === 'unhealthy' && connections[0]!.reason !== '',
      );
      expect(health.instruments.waiting).toBe(1);
      expect(client.isOpen).toBe(true);
      await fronts.clear('refuse');
      await gateway.loggedIn();
      await steady();
    },
  );

  it('a flood beyond what can be read is counted, and every client goes on with the present', async () => {
    await subscribe(rb, cu, ta);
    const before = (await gateway.health()).body.connections[0]!;
    await fronts.fault('flood', { ticks_per_s: 20_000 });
    await steady(2_000);
    await fronts.clear();
    const { connections, ticks } = (await gateway.health()).body;
    expect(connections[0]!.reconnects).toBe(before.reconnects);
    expect(ticks.accepted + ticks.duplicate + ticks.regressed + ticks.untimed).toBe(connections[0]!.ticks);
    expect(ticks.missed).toBeGreaterThanOrEqual(0);
    const [last] = (await steady(50)).slice(-1);
    expect(Date.now() - last!.timestamp).toBeLessThan(60_000);
  });

  it('a front that cuts us off for reading too slowly is taken up again', async () => {
    await subscribe(rb, cu, ta);
    await push();
    const before = await reconnects();
    await fronts.fault('queue_limit', { packets: 100 });
    await fronts.fault('flood', { ticks_per_s: 100_000 });
    gateway.child.kill('SIGSTOP');
    try {
      await until('the cut', async () => (await fronts.sessions()) === 0);
    } finally {
      gateway.child.kill('SIGCONT');
    }
    await fronts.clear();
    await gateway.healthUntil('a reconnect', ({ connections }) => connections[0]!.reconnects > before);
    await gateway.loggedIn();
    await steady();
  });
});

describe('a front that stays connected and says nothing', () => {
  it('is found while others tick, reported, relieved of its instruments and taken up again', async () => {
    await gateway.stop();
    await fronts.stop();
    const basePort = await freePorts(2);
    fronts = await new FrontsProcess(2, basePort, ['--rate', '20', '--control-port', '0']).ready();
    gateway = new GatewayProcess(
      {
        silence_timeout: 1,
        trading_hours: 'always',
        load_balance_strategy: 'round_robin',
        connections: connectionsTo(basePort, 2),
      },
      [],
      { QACTPMD_SIM_RECONNECT_MS: '100' },
    );
    await gateway.loggedIn();
    client = await Client.connect(`${await gateway.url()}?protocol=action`);
    await subscribe(rb, cu);
    // The watchdog wants a flow of two time-outs before it calls its end a silence.
    await gateway.healthUntil('both to flow', ({ connections }) =>
      connections.every(({ ticks }) => ticks > 80),
    );
    await fronts.fault('stall', {}, 0);
    await logSays(/line_1: connected, but nothing came/);
    await gateway.healthUntil('the move', ({ connections }) => connections[1]!.subscriptions === 2);
    const seen = new Set<string>();
    await push('both again', ({ instrument_id }) => seen.add(instrument_id).size === 2);
    await fronts.clear();
    await gateway.loggedIn();
    await steady();
  });
});

describe('a library that throws when a session is opened again', () => {
  it('costs that connection alone, and /health and the log say what it threw', async () => {
    await gateway.stop();
    await fronts.stop();
    const basePort = await freePorts(2);
    fronts = await new FrontsProcess(2, basePort, ['--rate', '20', '--control-port', '0']).ready();
    gateway = new GatewayProcess({
      silence_timeout: 1,
      trading_hours: 'always',
      load_balance_strategy: 'round_robin',
      connections: connectionsTo(basePort, 2),
    });
    await gateway.loggedIn();
    client = await Client.connect(`${await gateway.url()}?protocol=action`);
    await subscribe(rb, cu);
    await gateway.healthUntil('both to flow', ({ connections }) =>
      connections.every(({ ticks }) => ticks > 80),
    );
    await fronts.fault('throw_at_create', { times: 1 }, 0);
    await fronts.fault('stall', {}, 0);
    const health = await gateway.healthUntil(
      'the failed opening',
      ({ connections }) => connections[0]!.status === 'error',
    );
    expect(health.status).toBe('degraded');
    await logSays(/line_1: .*CFlow/);
    const seen = new Set<string>();
    await push('both on the other line', ({ instrument_id }) => seen.add(instrument_id).size === 2);
  });
});

describe('what kinds of fronts and hours differ in', () => {
  async function restart(...args: string[]): Promise<void> {
    await client.close();
    await gateway.stop();
    await fronts.stop();
    const basePort = await freePorts(1);
    fronts = await new FrontsProcess(1, basePort, ['--rate', '20', '--control-port', '0', ...args]).ready();
    gateway = new GatewayProcess({ connections: connectionsTo(basePort, 1) });
    await gateway.loggedIn();
    client = await Client.connect(`${await gateway.url()}?protocol=action`);
  }

  it('production and SimNow date rules give every exchange the same natural date and trading day', async () => {
    const instruments = [rb, ta, `m${yymm.slice(0, 2)}09`, `IF${thisMonth()}`];
    const daysBy = async (dates: string): Promise<Set<string>> => {
      await restart('--dates', dates);
      await subscribe(...instruments);
      const tradingDays = new Map<string, string>();
      await push('a tick of most', ({ instrument_id, timestamp, trading_day }) => {
        expect(Math.abs(Date.now() - timestamp)).toBeLessThan(60_000);
        return tradingDays.set(instrument_id, trading_day).size >= 3;
      });
      return new Set(tradingDays.values());
    };
    // At 20:00 in Shanghai another trading day begins: what has seen both is done once more.
    for (let isOneDay = false; !isOneDay;) {
      const first = tradingDayAt(new Date(Date.now() - snapshotAgeMs));
      const days = [await daysBy('production'), await daysBy('simnow')];
      isOneDay = tradingDayAt(new Date()) === first;
      if (isOneDay) expect(days).toEqual([new Set([String(first)]), new Set([String(first)])]);
    }
  });

  it('settlement and close prices after the close reach clients', async () => {
    await restart(
      '--hours',
      'exchange',
      '--clock-start',
      '2026-11-20T15:10:00+08:00',
      '--clock-speed',
      '600',
    );
    await subscribe(rb);
    const data = await push('the settlement', (each) => each.settlement !== null);
    expect(data.settlement).toBeGreaterThan(0);
    expect(data.close_price).toBeGreaterThan(0);
    expect(data.datetime.slice(0, 10)).toBe('2026-11-20');
    expect(data.trading_day).toBe('20261120');
  });
});

function thisMonth(): string {
  const now = new Date(Date.now() + 40 * 86_400_000);
  return `${String(now.getUTCFullYear()).slice(2)}${String(now.getUTCMonth() + 1).padStart(2, '0')}`;
}

describe('login faults', () => {
  it('a login that is never answered is given up and tried again', async () => {
    await fronts.fault('login_silent');
    await fronts.fault('disconnect');
    await gateway.healthUntil('the time-out', ({ connections }) => connections[0]!.reason.includes('login'));
    await fronts.clear();
    await gateway.loggedIn();
    await subscribe(rb);
    await steady();
  });

  it.each([
    [{ error: 75 }, 'error', /75/],
    [{ error: 3 }, 'error', /3/],
    [{ error: 7 }, 'error', /7/],
  ])('%j is named in /health and in one log line', async (fields, status, text) => {
    await fronts.fault('login_error', fields);
    await fronts.fault('disconnect');
    const health = await gateway.healthUntil(
      'the refusal',
      ({ connections }) => connections[0]!.status === status && /login/i.test(connections[0]!.reason),
    );
    expect(health.status).toBe('unhealthy');
    expect(health.connections[0]!.reason).toMatch(text);
    await logSays(/login/i);
  });

  it('"over limit freq" is retried a little later', async () => {
    await fronts.fault('login_error', { error: -1, text: 'api login over limit freq' });
    await fronts.fault('disconnect');
    await gateway.healthUntil('the refusal', ({ connections }) => connections[0]!.reason.includes('freq'));
    await fronts.clear('login_error');
    await gateway.loggedIn();
  });

  it('an empty trading day in the answer does no harm', async () => {
    await fronts.fault('empty_trading_day');
    await fronts.fault('disconnect');
    await logSays(/logged_in/, 2);
    await subscribe(rb);
    await steady();
  });
});

describe('subscription faults', () => {
  it.each([-1, -2, -3])('return code %d is tried again', async (code) => {
    await fronts.fault('return_code', { code, calls: 2 });
    await subscribe(rb);
    await steady(5);
  });

  it.each(['none', 'missing', 'repeated', 'each_last', 'never_last'])('responses: %s', async (how) => {
    await fronts.fault('subscribe_responses', { how });
    await subscribe(rb, cu, ta);
    const seen = new Set<string>();
    await push('all three', ({ instrument_id }) => seen.add(instrument_id).size === 3);
  });

  it('error 6000 above a limit is told to the clients whose instruments do not fit', async () => {
    await fronts.fault('subscription_limit', { limit: 1 });
    await subscribe(rb, cu, ta);
    const refused = new Set<unknown>();
    await client.next('the refusals', (frame) => {
      if (frame['code'] === 'instrument_refused')
        for (const id of frame['instruments'] as string[]) refused.add(id);
      return refused.size === 2;
    });
    await logSays(/refused/);
    const health = await gateway.healthUntil('the count', ({ instruments }) => instruments.waiting === 2);
    expect(health.status).toBe('degraded');
    const [ticking] = [rb, cu, ta].filter((id) => !refused.has(id));
    await push('the one that fits', ({ instrument_id }) => instrument_id === ticking);
  });

  it('an unknown instrument is silent, or refused where the front says so', async () => {
    const never = 'rb9912';
    await subscribe(never, rb);
    for (const { instrument_id } of await steady(10)) expect(instrument_id).toBe(rb);
    client.send({ action: 'unsubscribe', instruments: [never] });
    await client.next('the ack', (frame) => frame['action'] === 'unsubscribe');
    await gateway.healthUntil('the end of the wish', ({ instruments }) => instruments.wanted === 1);
    await fronts.fault('unknown_id_error', { error: 16 });
    await subscribe(never);
    const refusal = await client.next('the refusal', (frame) => frame['code'] === 'instrument_refused');
    expect(refusal['instruments']).toEqual([never]);
  });

  it('a stale snapshot is passed on as what it is, and never follows a newer tick', async () => {
    await fronts.fault('stale_snapshot', { age_s: 3600 });
    await subscribe(rb);
    const pushes = await steady(20);
    expect(Date.now() - pushes.at(-1)!.timestamp).toBeLessThan(60_000);
    await fronts.fault('disconnect');
    await logSays(/logged_in/, 2);
    const later = await steady(20);
    expect(later[0]!.timestamp).toBeGreaterThanOrEqual(pushes.at(-1)!.timestamp);
  });
});

describe('tick faults', () => {
  const counters = async (): Promise<{ duplicate: number; regressed: number; untimed: number }> =>
    (await gateway.health()).body.ticks;

  it('lost ticks leave a state that is right again with the next one', async () => {
    await fronts.fault('missing_ticks', { every: 2 });
    await subscribe(rb, cu);
    await steady(30);
  });

  it('duplicates reach no client', async () => {
    await subscribe(rb);
    await push();
    const before = (await counters()).duplicate;
    await fronts.fault('duplicate_ticks');
    const pushes = await steady(30);
    expect(new Set(pushes.map((each) => JSON.stringify(each))).size).toBe(pushes.length);
    expect((await counters()).duplicate).toBeGreaterThan(before);
  });

  it('ticks that step back reach no client', async () => {
    await subscribe(rb, ta);
    await push();
    const before = (await counters()).regressed;
    await fronts.fault('regressing_ticks', { every: 2, by_ms: 60_000 });
    await steady(40);
    expect((await counters()).regressed).toBeGreaterThan(before);
  });

  it('a falling turnover at CZCE does not hold back the other fields', async () => {
    await fronts.fault('falling_turnover');
    await subscribe(ta);
    const [first] = await steady(1);
    await push('a later time', ({ timestamp }) => timestamp > first!.timestamp + 1000);
    await steady();
  });

  it('ticks dated on a Saturday do not spoil the present', async () => {
    await subscribe(rb);
    await push();
    await fronts.fault('saturday_ticks', { instruments: [rb] });
    await subscribe(cu);
    await steady(30);
    await fronts.clear();
    const { trading_day: day } = await push(
      'a tick of the present',
      ({ instrument_id }) => instrument_id === rb,
    );
    const weekday = new Date(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}T00:00:00Z`).getUTCDay();
    expect([1, 2, 3, 4, 5]).toContain(weekday);
  });

  it('ticks without a time are dropped and counted', async () => {
    await subscribe(rb);
    await push();
    const before = (await counters()).untimed;
    await fronts.fault('empty_update_time', { every: 2 });
    for (const { datetime } of await steady(20))
      expect(datetime).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/);
    expect((await counters()).untimed).toBeGreaterThan(before);
  });

  it.each(['empty_action_day', 'exchange_id'])('%s changes nothing that a client sees', async (fault) => {
    await fronts.fault(fault);
    await subscribe(`SHFE.${rb}`, ta);
    for (const { timestamp, instrument_id } of await steady(20)) {
      expect(Math.abs(Date.now() - timestamp)).toBeLessThan(60_000);
      expect([`SHFE.${rb}`, ta]).toContain(instrument_id);
    }
  });

  it.each([
    ['limit_up', 'ask'],
    ['limit_down', 'bid'],
  ] as const)('%s: the empty side is null with volume 0', async (fault, side) => {
    await fronts.fault(fault);
    await subscribe(rb);
    const data = await push('a locked market', (each) => each[`${side}_volume1`] === 0);
    expect(data[`${side}_price1`]).toBeNull();
    await fronts.fault('zero_for_absent');
    await push('more ticks');
    const zeroed = await push('a locked market', (each) => each[`${side}_volume1`] === 0);
    expect(zeroed[`${side}_price1`]).toBeNull();
  });

  it('garbage in the fields neither ends the gateway nor breaks the JSON', async () => {
    await subscribe(rb, cu);
    await push();
    await fronts.fault('garbage_ticks', { every: 2, instruments: [rb] });
    const seen = new Set<string>();
    for (let i = 0; i < 60; i++) seen.add((await push()).instrument_id);
    expect(seen.has(cu)).toBe(true);
    expect((await gateway.health()).body.status).toBe('healthy');
  });
});
