import { connect } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { listInstruments } from '../../src/market/instruments/optionContracts.js';
import { loadProducts, shippedProductRows, toProductTable } from '../../src/market/instruments/products.js';
import { SimulationClock } from '../../src/simulator/clock.js';
import { SimulatedExchange, type SimulatedExchangeSettings } from '../../src/simulator/exchange.js';
import type { Subscriber } from '../../src/simulator/market.js';
import { FrontProcess } from './frontProcess.js';
import { buildNative, NativeClient } from './nativeClient.js';
import { fieldsOf, listedId, type TickFields } from './tickFields.js';

/** For what a loaded machine takes its time over. */
const deadline = { timeout: 25_000, interval: 20 };
const products = loadProducts();
const exchanges: SimulatedExchange[] = [];
const processes: FrontProcess[] = [];
const clients: NativeClient[] = [];

beforeAll(buildNative);
afterEach(async () => {
  for (const exchange of exchanges.splice(0)) exchange.close();
  for (const client of clients.splice(0)) await client.close();
  for (const fronts of processes.splice(0)) await fronts.stop('SIGKILL');
});

/** An exchange whose ticks end in a list, without sockets. */
function open(options: Partial<SimulatedExchangeSettings>): {
  exchange: SimulatedExchange;
  subscriber: Subscriber;
  ticks: { id: string; fields: TickFields }[];
} {
  const exchange = new SimulatedExchange({ products, ...options });
  exchanges.push(exchange);
  const ticks: { id: string; fields: TickFields }[] = [];
  const idAt = 8 + 312;
  const subscriber: Subscriber = {
    outbox: { flush: () => undefined, backlog: 0 },
    deliver: (_, frames, start, end) => {
      const frame = frames.subarray(start, end);
      ticks.push({ id: frame.toString('latin1', idAt), fields: fieldsOf(frame) });
    },
  };
  return { exchange, subscriber, ticks };
}

function run(...args: string[]): FrontProcess {
  const fronts = new FrontProcess(args);
  processes.push(fronts);
  return fronts;
}

it('runs through a fortnight with holidays, nights and an expiry, half an hour at a time', () => {
  const start = Date.parse('2026-09-29T18:00:00+08:00');
  const clock = new SimulationClock(start, 1);
  const { exchange, subscriber, ticks } = open({ clock, rate: 0.001, hours: 'exchange' });
  exchange.subscribe(subscriber, ['rb2610', 'rb2701', 'au2612']);
  const end = Date.parse('2026-10-17T12:00:00+08:00');
  for (let now = start; now <= end; now += 1_800_000) {
    clock.set(now);
    exchange.clockSet();
    // No ticks beyond the schedule, but all that are due, whatever the machine's timers do.
    exchange.sendExtra(subscriber, 0);
  }

  const days = (id: string): unknown[] => [
    ...new Set(ticks.filter((tick) => tick.id === id).map(({ fields }) => fields[0])),
  ];
  const before = ['20260929', '20260930'];
  const after = ['20261008', '20261009', '20261012', '20261013', '20261014', '20261015', '20261016'];
  expect(days('rb2701').slice(0, 9)).toEqual([...before, ...after]);
  // It expires on the 15th, and is silent from the evening on.
  expect(days('rb2610')).toEqual([...before, ...after.slice(0, 6)]);
  const nights = (day: string): boolean =>
    ticks.some(({ id, fields }) => id === 'au2612' && fields[0] === day && String(fields[208]) > '20:00');
  expect(['20260930', '20261008', '20261009', '20261012'].map(nights)).toEqual([true, false, true, true]);
  expect(exchange.tradingDay()).toBeGreaterThan(20261016);
  expect(exchange.isListed('rb2610')).toBe(false);
});

it('runs a clock of a millionfold speed over a week of holidays within the second', async () => {
  const clock = new SimulationClock(Date.parse('2026-09-30T10:00:00+08:00'), 1_000_000);
  const { exchange, subscriber, ticks } = open({ clock, rate: 0.001, hours: 'exchange' });
  exchange.subscribe(subscriber, ['rb2701']);
  const days = (): number[] => ticks.map(({ fields }) => Number(fields[0]));
  await vi.waitFor(() => expect(days().at(-1)).toBeGreaterThan(20261007), deadline);
  expect(days()).toEqual(days().sort((a, b) => a - b));
  expect(days().filter((day) => day > 20260930 && day < 20261008)).toEqual([]);
});

/** Times of day at which an instrument has ticks from 12:00 to 19:00, the exchange looked at every half hour. */
function afternoonOf(id: string, day: string, options: Partial<SimulatedExchangeSettings> = {}): string[] {
  const at = (time: string): number => Date.parse(`${day}T${time}:00+08:00`);
  const clock = new SimulationClock(at('12:00'), 0.001);
  const { exchange, subscriber, ticks } = open({ clock, rate: 0.01, hours: 'exchange', ...options });
  exchange.subscribe(subscriber, [id]);
  ticks.length = 0;
  exchange.subscribe(subscriber, [id]);
  const before = ticks.length;
  for (let now = at('12:00'); now <= at('19:00'); now += 1_800_000) {
    clock.set(now, 0.001);
    exchange.clockSet();
    exchange.sendExtra(subscriber, 0);
  }
  return ticks.slice(before).map(({ fields }) => String(fields[208]));
}

describe('the hours of contracts', () => {
  it('a bond future is silent from noon on its last trading day, but for its closing prices', () => {
    for (const [id, day] of [
      ['T2612', '2026-12-10'],
      ['T2703', '2026-12-11'],
    ] as const)
      expect(afternoonOf(id, day).filter((time) => time < '15:15').length).toBeGreaterThan(2);
    expect(afternoonOf('T2612', '2026-12-11').length).toBe(2);
  });

  it('a product of the user keeps its own, and its closing prices come after them', () => {
    const row = {
      ...shippedProductRows().find(({ product }) => product === 'm')!,
      product: 'xy',
      night_close: null,
      day_hours: [['10:00', '17:00']] as const,
    };
    const own = toProductTable([...shippedProductRows(), row]);
    const stamps = afternoonOf('xy2701', '2026-12-10', { products: own });
    for (const hour of ['12', '13', '14', '15', '16'])
      expect(stamps.filter((time) => time.startsWith(hour)).length).toBeGreaterThan(0);
    expect(stamps.filter((time) => time > '17:01').length).toBe(2);
    expect(stamps.filter((time) => time > '17:01' && time < '17:10').length).toBe(1);
  });
});

it('does not tick a contract before its listing and after its last day', () => {
  const clock = new SimulationClock(Date.parse('2026-10-15T19:00:00+08:00'), 0.001);
  const { exchange, subscriber, ticks } = open({ clock });
  exchange.subscribe(subscriber, ['rb2610', 'rb2710', 'rb2711']);
  expect(ticks.map((tick) => tick.id)).toEqual(['rb2610']);
  clock.set(Date.parse('2026-10-15T20:00:00+08:00'));
  exchange.subscribe(subscriber, ['rb2610', 'rb2710', 'rb2711']);
  expect(ticks.map((tick) => tick.id)).toEqual(['rb2610', 'rb2710']);
});

it('serves 25,000 instruments to one client', async () => {
  const ids = listInstruments(products, new Date(), undefined, 25_000).map((contract) => contract.id);
  const fronts = run(
    '--base-port',
    '0',
    '--instruments',
    '25000',
    '--rate',
    '0.05',
    '--queue-limit',
    '100000',
  );
  const [port] = await fronts.ports();
  expect(fronts.output).toContain('ready: 25000 instruments');
  const client = new NativeClient();
  clients.push(client);
  await client.connect(`tcp://127.0.0.1:${port!}`);
  await client.command('login 9999');
  await client.until(() => client.callbacks('login')[0], 'the login');
  await client.command('quiet on');
  for (let i = 0; i < ids.length; i += 5000)
    await client.command(`subscribe ${ids.slice(i, i + 5000).join(' ')}`);
  let ticks = 0;
  await vi.waitFor(async () => {
    ticks += (await client.command('count')).code!;
    expect(ticks).toBeGreaterThan(25_500);
  }, deadline);
});

it('encodes a bench run alike on two front processes and in the library', async () => {
  const start = Date.now() * 1000;
  const options = ['--base-port', '0', '--rate', '20', '--arrivals', 'poisson', '--bench-start', `${start}`];
  const [one, other] = [run(...options), run(...options)];
  const addresses = [
    `tcp://127.0.0.1:${(await one.ports())[0]!}`,
    `tcp://127.0.0.1:${(await other.ports())[0]!}`,
    `sim://?each=20&arrivals=poisson&bench_start=${start}`,
  ];
  const id = listedId('rb');
  const received = await Promise.all(
    addresses.map(async (address) => {
      const client = new NativeClient();
      clients.push(client);
      await client.connect(address);
      await client.start([id]);
      await client.until(() => client.ticks(id).length > 30, 'ticks');
      return new Map(client.ticks(id).map(({ fields }) => [Number(fields![136]), Number(fields![152])]));
    }),
  );
  for (const ticks of received) {
    const numbers = [...ticks.keys()];
    expect(numbers).toEqual(numbers.map((_, n) => numbers[0]! + n));
    const shared = [...ticks].filter(([number]) => received.every((others) => others.has(number)));
    expect(shared.length).toBeGreaterThan(5);
    for (const [number, time] of shared) {
      expect(received.map((others) => others.get(number))).toEqual([time, time, time]);
    }
  }
});

it('has no ticks beyond the numbered ones in a bench run: a flood repeats the newest', async () => {
  const { exchange, subscriber, ticks } = open({ benchStartUs: (Date.now() - 1000) * 1000, rate: 20 });
  exchange.subscribe(subscriber, ['rb', 'm'].map(listedId));
  exchange.sendExtra(subscriber, 100);
  await vi.waitFor(() => expect(ticks.length).toBeGreaterThan(110), deadline);
  for (const id of new Set(ticks.map((tick) => tick.id))) {
    const numbers = ticks.filter((tick) => tick.id === id).map(({ fields }) => Number(fields[136]));
    for (const [i, number] of numbers.entries())
      if (i > 0) expect([0, 1]).toContain(number - numbers[i - 1]!);
  }
});

it('has 96 fronts in one process, which agree', async () => {
  const fronts = run('--base-port', '0', '--fronts', '96', '--control-port', '0');
  const ports = await fronts.ports();
  expect(new Set(ports).size).toBe(96);
  const sockets = await Promise.all(
    ports.map(async (port) => {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      return socket;
    }),
  );
  const control = await fronts.control();
  await vi.waitFor(async () => {
    const reports = await control.fronts();
    expect(reports.map((front) => front.sessions.length)).toEqual(Array(96).fill(1));
  }, deadline);
  for (const socket of sockets) socket.destroy();

  const id = listedId('rb');
  const received = await Promise.all(
    [ports[0]!, ports[95]!].map(async (port) => {
      const client = new NativeClient();
      clients.push(client);
      await client.connect(`tcp://127.0.0.1:${port}`);
      await client.start([id]);
      await client.until(() => client.ticks(id).length > 5, 'ticks');
      return client.ticks(id).map((tick) => JSON.stringify(tick.fields));
    }),
  );
  const [one, other] = received as [string[], string[]];
  expect(one.filter((tick) => other.includes(tick)).length).toBeGreaterThan(3);
});

it('what was due on a contract’s last day comes, however late the turn, and what expired is silent then', async () => {
  const clock = new SimulationClock(Date.parse('2026-09-18T14:50:00+08:00'), 100);
  const { exchange, subscriber, ticks } = open({
    clock,
    rate: 1 / 1800,
    hours: 'exchange',
    lateLimitMs: 3_600_000,
  });
  exchange.subscribe(subscriber, ['IF2609', 'rb2701']);
  // The clock passes the day's last hours and the next one's first before there is a turn, and a request comes before it.
  clock.set(Date.parse('2026-09-18T21:40:00+08:00'), 100);
  exchange.subscribe(subscriber, ['rb9901']);
  exchange.clockSet();
  const of = (id: string): string[] =>
    ticks.filter((each) => each.id === id).map(({ fields }) => String(fields[208]));
  await vi.waitFor(() => expect(of('rb2701')).toContain('20:59:00'), deadline);
  expect(of('IF2609').filter((time) => time > '15:15')).toHaveLength(2);
  clock.set(Date.parse('2026-09-21T11:00:00+08:00'), 100);
  exchange.clockSet();
  await vi.waitFor(() => expect(of('rb2701')).toContain('10:15:00'), deadline);
  expect(of('IF2609').at(-1)! > '15:30').toBe(true);
});

it('at high speed, a new trading day loses no tick, and what is new on it has no snapshot of days before', async () => {
  const clock = new SimulationClock(Date.parse('2026-09-18T16:55:00+08:00'), 24_000);
  const { exchange, subscriber, ticks } = open({
    clock,
    rate: 1 / 1800,
    hours: 'exchange',
    lateLimitMs: 60_000,
  });
  const ids = ['IF2609', 'IF2610', 'cu2611', 'rb2701'];
  exchange.subscribe(subscriber, ids);
  expect(ticks.map(({ id }) => id)).toEqual(ids);
  const [day, time] = [0, 208];
  const auction = (id: string): boolean =>
    ticks.some(
      (each) => each.id === id && each.fields[time] === '20:59:00' && each.fields[day] === '20260921',
    );
  await vi.waitFor(() => expect(['cu2611', 'rb2701'].map(auction)).toEqual([true, true]), deadline);

  clock.set(Date.parse('2026-09-21T03:00:00+08:00'), 1);
  exchange.clockSet();
  ticks.length = 0;
  exchange.subscribe(subscriber, ['IF2611', 'IF2612', 'IF2609']);
  expect(ticks.map(({ id, fields }) => [id, fields[day]])).toEqual([['IF2612', '20260918']]);
  clock.set(Date.parse('2026-09-21T09:29:59.999+08:00'), 1);
  exchange.clockSet();
  await vi.waitFor(() => expect(ticks.some(({ id }) => id === 'IF2611')).toBe(true), deadline);
});
