import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { packagePath } from '../../src/base/paths.js';
import {
  AbiClient,
  buildAbi,
  layouts,
  libraryOf,
  quickReconnect,
  type AbiSession,
  type Fields,
  type Generation,
} from './abiClient.js';
import { expectCleanCallbacks, fieldsOf, utf8Of } from './abiChecks.js';
import { listedIds, RestartableFront, runLifecycle, stageNames, type Outcome } from './abiLifecycle.js';
import {
  ScriptedFront,
  scriptedDouble,
  scriptedDoubles,
  scriptedInt,
  scriptedInts,
  scriptedTexts,
} from './scriptedFront.js';

const { generations } = layouts;
const hasReserves = (generation: Generation): boolean => generation.idBytes === 81;

/** Version strings of the vendor's own libraries; where the time of day is not known, any will do. */
const versions: Readonly<Record<string, string | RegExp | null>> = {
  '2013': null,
  '6.3.15': 'sim v6.3.15_20190220 20:39:53',
  '6.3.19': 'sim v6.3.19_P1_20200106 15:21:32',
  '6.5.1': /^sim v6\.5\.1_20200908 \d\d:\d\d:\d\d$/,
  '6.6.1': 'sim v6.6.1_P1_20210406  9:27:14',
  '6.6.7': /^sim v6\.6\.7_\d{8} \d\d:\d\d:\d\d$/,
  '6.6.9': /^sim v6\.6\.9_\d{8} \d\d:\d\d:\d\d$/,
  '6.7.8': 'sim v6.7.8_20240918 14:34:34.8082',
  '6.7.11': 'sim v6.7.11_20250617 16:22:00.10369',
  '6.7.13': 'sim v6.7.13_20260225 14:16:30.12079',
};
const foreignVersions = ['v6.7.2_20230913 10:48:10.4926', 'openctp-qq v6.7.2', 'V6_6_1_P1', '6.3.19_P1', ''];

const clients: AbiClient[] = [];
function client(env: Readonly<Record<string, string>> = {}): AbiClient {
  const created = new AbiClient('plain', { ...quickReconnect, ...env });
  clients.push(created);
  return created;
}

beforeAll(() => buildAbi(), 120_000);
afterEach(async () => {
  for (const open of clients.splice(0)) await open.close();
});

describe('the table of layouts', () => {
  it.each(generations)('has the offsets and sizes that the compiler gives, generation $id', (generation) => {
    for (const [struct, size] of Object.entries(generation.sizes)) {
      let end = 0;
      let alignment = 1;
      for (const { name, offset, type } of fieldsOf(generation, struct)) {
        const width = type === 'f64' ? 8 : type === 'i32' ? 4 : Number(type.slice(1));
        const own = type.startsWith('c') ? 1 : width;
        alignment = Math.max(alignment, own);
        expect(Math.ceil(end / own) * own, `${struct}.${name}`).toBe(offset);
        end = offset + width;
      }
      expect(Math.ceil(end / alignment) * alignment, struct).toBe(size);
    }
  });
});

describe.each(generations)('the library of generation $id', (generation) => {
  const library = libraryOf(generation.id);

  it('exports what genuine ones do: factory, version, and what tells the callback order', () => {
    const symbols = execFileSync('nm', ['-D', '-S', '--defined-only', library], { encoding: 'utf8' });
    const rows = symbols
      .trim()
      .split('\n')
      .map((line) => line.split(' '));
    const vtable = rows.find(([, , , name]) => name === '_ZTV15CThostFtdcMdApi')!;
    expect(parseInt(vtable[1]!, 16)).toBe({ first: 0x68, A: 0x80, B: 0x88 }[generation.methods]);
    expect(rows.map(([, , , name]) => name).sort()).toEqual([
      ...(generation.methods === 'B'
        ? ['_ZN14CFtdcMdApiImpl25ReqQryMulticastInstrumentEP37CThostFtdcQryMulticastInstrumentFieldi']
        : []),
      ...(generation.hasVersion ? ['_ZN15CThostFtdcMdApi13GetApiVersionEv'] : []),
      `_ZN15CThostFtdcMdApi15CreateFtdcMdApiEPKc${'b'.repeat(generation.factoryBools)}`,
      '_ZTV15CThostFtdcMdApi',
    ]);
  });

  it('has no unique symbols, which the process would share among all of them', () => {
    const symbols = execFileSync('readelf', ['-sW', library], { encoding: 'utf8', maxBuffer: 1 << 24 });
    expect(symbols).toContain('FUNC');
    expect(symbols).not.toContain('UNIQUE');
  });

  it('tells its version in the shape of its time', async () => {
    const session = await client().open(generation);
    const { version, factories } = session.events[0]!;
    expect(factories).toEqual([generation.factoryBools]);
    const expected = versions[generation.id]!;
    if (expected instanceof RegExp) expect(version).toMatch(expected);
    else expect(version).toBe(expected);
  });

  it('puts every value of a tick, a refusal and an error into its field', async () => {
    const front = new ScriptedFront();
    try {
      const session = await client().open(generation);
      await session.begin(await front.address());
      await session.callback('connected');
      await session.command('login 1234567890 123456789012345');

      const { fields, info, request } = await session.callback('login');
      expect(fields).toMatchObject({
        ...{ TradingDay: '20270104', LoginTime: '20:59:58', SystemName: 'scripted' },
        ...{ BrokerID: '1234567890', UserID: '123456789012345', FrontID: 77, SessionID: 88 },
        ...{ SHFETime: '20:59:58', DCETime: '20:59:59', CZCETime: '21:00:00', FFEXTime: '21:00:01' },
      });
      expect([info!['ErrorID'], utf8Of(info!['ErrorMsg']), request]).toEqual([3, 'CTP:不合法的登录', 7]);
      const error = await session.callback('error');
      expect([error.info!['ErrorID'], utf8Of(error.info!['ErrorMsg'])]).toEqual([6000, 'CTP:不合法的登录']);

      await session.command('subscribe rb2701');
      const tick = (await session.callback('tick')).fields!;
      const expected: Record<string, number | string> = { InstrumentID: 'rb2701', ExchangeInstID: '' };
      if (hasReserves(generation)) Object.assign(expected, { reserve1: '', reserve2: '' });
      scriptedDoubles.forEach((name, i) => (expected[name] = scriptedDouble(i)));
      scriptedInts.forEach((name, i) => (expected[name] = scriptedInt(i)));
      Object.assign(expected, scriptedTexts);
      const names = fieldsOf(generation, 'depth').map((field) => field.name);
      expect(tick).toEqual(Object.fromEntries(names.map((name) => [name, expected[name]])));
      expectCleanCallbacks(session);
    } finally {
      front.close();
    }
  });

  it('asks for quotes in its own struct', async () => {
    if (generation.methods === 'first') return;
    const session = await client().open(generation);
    await session.begin('sim://?rate=1');
    await session.callback('connected');
    await session.command('subscribe_quote cu2701C70000 nothing');
    const { fields } = await session.callback('quote_request');
    expect(Object.keys(fields!)).toEqual(fieldsOf(generation, 'quoteRequest').map((field) => field.name));
    expect(fields).toMatchObject({ InstrumentID: 'cu2701C70000', ForQuoteSysID: '1', ExchangeID: '' });
    expect([fields!['TradingDay'], fields!['ActionDay'], fields!['ForQuoteTime']].join(' ')).toMatch(
      /^\d{8} \d{8} \d\d:\d\d:\d\d$/,
    );
    expectCleanCallbacks(session);
  });

  it('survives releases at any moment', async () => {
    const session = await client().open(generation);
    await session.command('quiet on');
    expect(await session.code(`storm ${session.flowPath} sim://?rate=50000 30`)).toBe(0);
    expect(await session.code(`storm ${session.flowPath} tcp://127.0.0.1:1 10`)).toBe(0);
  });
});

describe.each(generations)(
  'a life of generation $id, against a front that stops and comes back',
  ({ id }) => {
    it.each(stageNames)('%s', async (stage) => {
      const failure = (await outcome).get(id)!.get(stage);
      if (failure !== undefined) throw failure as Error;
    });
  },
);

let outcome: Promise<Outcome>;
const lives: AbiClient[] = [];
beforeAll(async () => {
  const sessions: AbiSession[] = [];
  // A process each: one that crashes leaves the others alone.
  for (const generation of generations) {
    const own = new AbiClient('plain', quickReconnect);
    lives.push(own);
    sessions.push(await own.open(generation));
  }
  outcome = runLifecycle(sessions);
  await outcome;
}, 90_000);
afterAll(async () => {
  for (const life of lives) await life.close();
});

/** Without the repetitions: a snapshot may be the tick that comes next. */
const distinct = (all: readonly string[]): string[] => all.filter((each, i) => each !== all[i - 1]);

/**
 * Two sessions see one instrument's ticks one after the other, without a gap, from where the later one began. All
 * fields that both generations have are the same.
 */
function expectSameTicks(ticks: readonly Fields[], reference: readonly Fields[]): void {
  const shared = Object.keys(ticks[0]!).filter((name) => name in reference[0]!);
  const identity = (fields: Fields): string => JSON.stringify(shared.map((name) => fields[name]));
  const theirs = distinct(reference.map(identity));
  const ours = distinct(ticks.map(identity));
  const begin = ours.indexOf(theirs[0]!);
  expect(begin, 'the first tick of the later session').toBeGreaterThanOrEqual(0);
  const common = Math.min(ours.length - begin, theirs.length);
  expect(common).toBeGreaterThan(1);
  expect(ours.slice(begin, begin + common)).toEqual(theirs.slice(0, common));
}

describe('all generations in one process', () => {
  it.each(['tcp', 'sim'])('agree on every tick over %s, field by field', async (scheme) => {
    const front = scheme === 'tcp' ? await RestartableFront.start() : undefined;
    try {
      const address = front === undefined ? 'sim://?rate=120' : await front.address();
      const ids = listedIds();
      const together = client();
      const sessions: AbiSession[] = [];
      for (const generation of generations) sessions.push(await together.open(generation));
      for (const session of sessions) await session.begin(address);
      for (const session of sessions) {
        await session.callback('connected');
        await session.command('login 9999 gateway');
        await session.command(`subscribe ${ids.join(' ')}`);
      }
      for (const session of sessions) {
        await session.until(() => ids.every((id) => session.ticks(id).length > 6), 'ticks');
        await session.command('spi off');
      }
      for (const session of sessions) {
        for (const id of ids) expectSameTicks(session.ticks(id), sessions.at(-1)!.ticks(id));
        expectCleanCallbacks(session);
      }
      for (const session of sessions) expect(await session.code('release')).toBe(0);
    } finally {
      await front?.stop();
    }
  });
});

describe('the version that the environment sets', () => {
  it.each(foreignVersions)('is told as it is: "%s"', async (version) => {
    const generation = generations.find(({ id }) => id === '6.7.8')!;
    const session = await client({ QACTPMD_SIM_VERSION: version }).open(generation);
    expect(session.events[0]!.version).toBe(version);
  });

  it('leaves a library without a version without one', async () => {
    const session = await client({ QACTPMD_SIM_VERSION: 'v6.7.2' }).open(generations[0]!);
    expect(session.events[0]!.version).toBeNull();
  });
});

describe('the client', () => {
  it.each([
    ['6.6.1', '6.7.8', 'login: '],
    ['6.7.8', '6.6.9', 'login: '],
    ['6.5.1', '6.6.1', 'depth: '],
    ['6.6.1', '6.5.1', 'depth: '],
    ['6.3.19', '6.5.1', 'instrument: '],
  ])('notices the library of %s that is taken for %s', async (real, taken, what) => {
    const generation = generations.find(({ id }) => id === taken)!;
    const session = await client().open(generation, libraryOf(real));
    await session.begin('sim://?rate=100');
    await session.callback('connected');
    await session.command('login 9999 gateway');
    await session.command('subscribe rb2701');
    const problems = (): readonly string[] => session.events.flatMap((event) => event.problems ?? []);
    await session.until(() => problems().some((problem) => problem.startsWith(what)), 'a problem');
  });

  it('finds the same file twice in one process independent of itself', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'abi-copy-'));
    const generation = generations.at(-1)!;
    copyFileSync(packagePath('libs', 'simulator', 'build', 'thostmduserapi_se.so'), join(folder, 'copy.so'));
    const both = client();
    const first = await both.open(generation);
    const second = await both.open({ ...generation, id: generations.at(-2)!.id }, join(folder, 'copy.so'));
    for (const session of [first, second]) await session.begin('sim://?rate=10');
    for (const session of [first, second]) await session.callback('connected');
    expect(await first.code('release')).toBe(0);
    expect(await second.code('login 9999 gateway')).toBe(0);
    rmSync(folder, { recursive: true });
  });
});
