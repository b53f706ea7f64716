import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { loadCalendar } from '../../src/market/calendar/holidayCalendar.js';
import { listInstruments } from '../../src/market/instruments/optionContracts.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import { generations, libraryOf, newestVerified } from '../helpers/generations.js';
import { AidFollower } from './aidFollower.js';
import { Client } from './client.js';
import { freePorts } from './ports.js';
import { connectionsTo, FrontsProcess, GatewayProcess } from './processes.js';
import { until } from '../helpers/until.js';
import { PushRecorder, stateOf, type Quote } from './pushRecorder.js';

const reference = newestVerified;
/** Ids have 30 characters at most in their structs. */
const withShortIds = new Set(['2013', '6.3.15', '6.3.19']);

// A Friday with its night, and the Monday after it; both are trading days without a holiday near.
const shanghai = (text: string): number => Date.parse(`${text}+08:00`);
const friday = shanghai('2026-01-16T13:30:00');
const frontArguments = [
  '--hours',
  'exchange',
  '--rate',
  '10',
  '--instruments',
  '4000',
  '--control-port',
  '0',
];

/** Products of every exchange, with each night close and with none, and options in each exchange's form of id. */
const futures = [
  'au',
  'cu',
  'rb',
  'wr',
  'sc',
  'ec',
  'm',
  'l_f',
  'lh',
  'SR',
  'TA',
  'AP',
  'IF',
  'T',
  'si',
  'lc',
];
const options = /^(au\d{4}[CP]|sc\d{4}[CP]|m\d{4}-C|m\d{4}-P|SR\d{3}C|CF\d{3}P|IO\d{4}-C|si\d{4}-P)/;

function chosen(): string[] {
  const listed = listInstruments(loadProducts(), new Date(friday), loadCalendar(), 4000);
  const ofFutures = futures.map((code) => listed.filter(({ product }) => product === code)[1]!);
  const seen = new Set<string>();
  const ofOptions = listed.filter(({ id }) => {
    const form = options.exec(id)?.[0].replace(/\d/g, '');
    return form !== undefined && !seen.has(form) && seen.add(form);
  });
  return [...ofFutures, ...ofOptions].map(({ exchange, id }) => `${exchange}.${id}`);
}

/** Waits for what must come to hold; where it does not, the comparison after it shows the difference. */
async function settled(check: () => boolean): Promise<void> {
  await until('both to be at the end', check).catch(() => undefined);
}

/** What comes out of a gateway whose connection has the library of one generation. */
interface Output {
  readonly generation: string;
  readonly gateway: GatewayProcess;
  readonly full: PushRecorder;
  readonly diffs: PushRecorder;
  readonly aid: AidFollower;
}

let keys: string[];
let fronts: FrontsProcess;
const outputs: Output[] = [];
const outputOf = (generation: string): Output => outputs.find((each) => each.generation === generation)!;
/** From here on all of them are subscribed. */
const begin = shanghai('2026-01-16T14:00:00');

async function open(generation: string, frontPort: number): Promise<Output> {
  const gateway = new GatewayProcess({
    ctp_library: libraryOf(generation),
    connections: connectionsTo(frontPort, 1),
    trading_hours: 'exchange',
    silence_timeout: 0,
  });
  await gateway.loggedIn();
  const url = await gateway.url();
  return {
    generation,
    gateway,
    full: await PushRecorder.start(url, { instruments: keys }),
    diffs: await PushRecorder.ofChanges(url, keys),
    aid: await AidFollower.start(url, keys.join(',')),
  };
}

/** Lets the exchange's clock go from one time to another, so many times as fast. */
async function pass(from: string, to: string, speed = 1): Promise<void> {
  await fronts.setClock(shanghai(from), speed);
  await until(`the exchange's clock to show ${to}`, async () => (await fronts.clock()) >= shanghai(to));
}

const idsOf = (all: readonly string[]): string[] => all.map((key) => key.slice(key.indexOf('.') + 1));

const quotesOf = (key: string): Quote[] =>
  outputOf(reference)
    .full.since(key, begin)
    .map((text) => (JSON.parse(text) as { data: Quote }).data);

beforeAll(async () => {
  keys = chosen();
  const frontPort = await freePorts(1);
  fronts = await new FrontsProcess(1, frontPort, [
    ...['--clock-start', new Date(friday).toISOString(), ...frontArguments],
  ]).ready();
  outputs.push(...(await Promise.all(generations.map((generation) => open(generation, frontPort)))));
  for (const { aid, full, diffs, generation } of outputs)
    await until(`snapshots through ${generation}`, () =>
      keys.every(
        (key) => aid.of(key).length > 0 && full.since(key, 0).length > 0 && diffs.since(key, 0).length > 0,
      ),
    );

  await pass('2026-01-16T14:00:00', '2026-01-16T14:00:01');
  await pass('2026-01-16T14:59:59.5', '2026-01-16T15:00:01');
  // Past the ticks with the closing and the settlement prices, the newest of which comes.
  await pass('2026-01-16T15:25:00', '2026-01-16T15:25:00.5');
  await pass('2026-01-16T16:51:00', '2026-01-16T16:51:00.5');
  await pass('2026-01-16T20:58:59.5', '2026-01-16T20:59:01');
  await pass('2026-01-16T20:59:59.5', '2026-01-16T21:00:01');
  await pass('2026-01-17T00:30:00', '2026-01-17T00:30:01');
  await fronts.fault('limit_up', { instruments: idsOf(keys.slice(0, 8)) });
  await fronts.fault('limit_down', { instruments: idsOf(keys.slice(8, 16)) });
  await pass('2026-01-19T09:30:00', '2026-01-19T09:30:01.5');
  await fronts.clear();
  await pass('2026-01-19T10:00:00', '2026-01-19T10:00:01');
  // All are in a break, and silent.
  await fronts.setClock(shanghai('2026-01-19T11:35:00'));
  const framesOf = ({ full }: Output): string =>
    JSON.stringify(keys.map((key) => full.since(key, begin).length));
  await settled(() => new Set(outputs.map(framesOf)).size === 1);
}, 90_000);

afterAll(async () => {
  for (const { full, diffs, aid } of outputs) {
    full.stop();
    diffs.stop();
    await aid.stop();
  }
  const codes = await Promise.all(outputs.map(({ gateway }) => gateway.stop()));
  await fronts.stop();
  expect(codes).toEqual(outputs.map(() => 0));
});

describe('the ticks that are compared', () => {
  it('are of nights and days, with values absent, and at both limits', () => {
    const all = keys.flatMap(quotesOf);
    for (const key of keys) expect(quotesOf(key).length, key).toBeGreaterThan(10);
    const dates = new Set(
      all.map(({ datetime, trading_day: day }) => `${String(datetime).slice(0, 10)} ${String(day)}`),
    );
    expect([...dates].sort()).toEqual([
      '2026-01-16 20260116',
      '2026-01-16 20260119',
      '2026-01-17 20260119',
      '2026-01-19 20260119',
    ]);
    expect(all.some((quote) => quote['ask_price1'] === null && quote['bid_price1'] !== null)).toBe(true);
    expect(all.some((quote) => quote['bid_price1'] === null && quote['ask_price1'] !== null)).toBe(true);
    for (const name of ['settlement', 'close_price', 'open_price']) {
      expect(
        all.some((quote) => quote[name] === null),
        name,
      ).toBe(true);
      expect(
        all.some((quote) => quote[name] !== null),
        name,
      ).toBe(true);
    }
  });
});

describe.each(generations.filter((generation) => generation !== reference))(
  `through ${reference} and %s alike`,
  (generation) => {
    it.each(['full', 'diffs'] as const)('action frames (%s) are the same, byte for byte', async (kind) => {
      for (const key of keys) {
        const expected = (): string[] => outputOf(reference)[kind].since(key, begin);
        const found = (): string[] => outputOf(generation)[kind].since(key, begin);
        await settled(() => found().length >= expected().length);
        expect(found()).toEqual(expected());
      }
    });

    it('every state that an aid client got is one of the same ticks, and so is the last', async () => {
      const { aid } = outputOf(generation);
      for (const key of keys) {
        const states = outputOf(reference).diffs.states(key);
        await settled(() => stateOf(aid.of(key).at(-1)!) === states.at(-1));
        const known = new Set(states);
        const told = aid.of(key).filter((quote) => Number(quote['timestamp']) >= begin);
        expect(told.map(stateOf).filter((state) => !known.has(state))).toEqual([]);
        expect(stateOf(told.at(-1)!)).toBe(states.at(-1));
      }
    });

    it('a first aid snapshot is the same, byte for byte', async () => {
      expect(await firstSnapshot(generation)).toBe(await firstSnapshot(reference));
    });
  },
);

describe('what differs', () => {
  const nextYear = String(new Date().getFullYear() + 1).slice(2);
  const long = `DCE.m${nextYear}09-MS-C-30000000000000000000`;

  it.each(generations)('%s: ids of more than 30 characters', async (generation) => {
    const client = await Client.connect(`${await outputOf(generation).gateway.url()}?protocol=action`);
    client.send({ action: 'subscribe', instruments: [long] });
    await client.next('the ack', (frame) => frame['action'] === 'subscribe');
    if (withShortIds.has(generation)) {
      const error = await client.next('the refusal', (frame) => frame['action'] === 'error');
      expect(error).toMatchObject({ code: 'instrument_refused', instruments: [long] });
      expect(error['message']).toContain('at most 30 characters (16)');
    } else {
      await until('the subscription', async () => {
        const { body } = await outputOf(generation).gateway.health();
        return body.connections[0]!.subscriptions === keys.length + 1;
      });
      expect(client.unread).toBe(0);
    }
    await client.close();
  });
});

/** The text of the first answer to a peek of a client that is new. */
async function firstSnapshot(generation: string): Promise<string> {
  const socket = new WebSocket(await outputOf(generation).gateway.url());
  const texts: string[] = [];
  socket.on('message', (data: Buffer) => texts.push(data.toString('utf8')));
  await once(socket, 'open');
  socket.send(JSON.stringify({ aid: 'subscribe_quote', ins_list: keys.join(',') }));
  socket.send('{"aid":"peek_message"}');
  // After the greeting and the acknowledgement.
  const text = await until('the snapshot', () => texts[2]);
  socket.terminate();
  return text;
}
