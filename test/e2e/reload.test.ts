import { once } from 'node:events';
import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { StatusReport } from '../../src/server/http/status.js';
import { recordingFolder } from '../recorder/recordings.js';
import { Client } from './client.js';
import { freePorts } from './ports.js';
import { FrontsProcess, GatewayProcess, Program } from './processes.js';
import { ScriptedClock } from './week/scriptedClock.js';
import { libraryOf } from '../helpers/generations.js';
import { until, untilCounted } from '../helpers/until.js';

const fronts = 5;
const instruments = 12;

let basePort: number;
let frontsProcess: FrontsProcess;
let gateway: GatewayProcess;
let client: Client;

interface Line {
  readonly connection_id: string;
  readonly [key: string]: unknown;
}

/** A connection to a front of its own, of a broker of its own. */
function line(number: number, more: object = {}): Line {
  return {
    connection_id: `line_${number}`,
    front_addr: `tcp://127.0.0.1:${basePort + number - 1}`,
    broker_id: `900${number}`,
    ...more,
  };
}

const three = (): Line[] => [line(1), line(2), line(3)];

/** Puts another file in the place of the gateway's. */
function write(content: object | string): void {
  const path = join(gateway.folder, 'config.json');
  const fixed = {
    websocket_host: '127.0.0.1',
    websocket_port: 0,
    flow_path: gateway.folder,
    config_watch: false,
    trading_hours: 'always',
    limits: { requests_per_second: 100_000, connects_per_second: 100_000 },
  };
  writeFileSync(
    `${path}.new`,
    typeof content === 'string' ? content : JSON.stringify({ ...fixed, ...content }),
  );
  renameSync(`${path}.new`, path);
}

/** The messages of the lines that begin so, of all that have been logged. */
function logged(beginning: string): string[] {
  return gateway.lines
    .map((text) => (JSON.parse(text) as { msg: string }).msg)
    .filter((message) => message.startsWith(beginning));
}

/** Asks for a reload by SIGHUP, which logs these lines. */
async function reload(...expected: unknown[]): Promise<void> {
  const before = logged('SIGHUP: ').length;
  gateway.child.kill('SIGHUP');
  await until('the reload in the log', () => logged('SIGHUP: ').length >= before + expected.length);
  expect(logged('SIGHUP: ').slice(before)).toEqual(expected);
}

async function status(): Promise<StatusReport> {
  const { code, body } = await gateway.manage('GET', '/api/status');
  expect(code).toBe(200);
  return body as StatusReport;
}

function statusUntil(what: string, check: (report: StatusReport) => boolean): Promise<StatusReport> {
  return until(what, async () => {
    const report = await status();
    return check(report) ? report : undefined;
  });
}

/** All connections are these, logged in, and every instrument has its line. */
function settled(...ids: string[]): Promise<StatusReport> {
  return statusUntil(
    `${ids.join()} to carry everything`,
    ({ connections, instruments }) =>
      connections
        .map(({ id }) => id)
        .sort()
        .join() === ids.sort().join() &&
      connections.every(({ state }) => state === 'logged_in') &&
      instruments.active === instruments.wanted,
  );
}

/** By instrument, the numbers of the ticks that the client was sent: in a bench run they count from 1. */
function ticks(): Map<string, number[]> {
  const numbers = new Map<string, number[]>();
  for (const frame of client.frames) {
    if (frame['action'] !== 'market_data') continue;
    const { volume } = frame['data'] as { volume: number };
    const id = String(frame['instrument_id']);
    numbers.set(id, [...(numbers.get(id) ?? []), volume]);
  }
  return numbers;
}

/**
 * Every instrument ticks on, and from its first tick to its last none is lost, repeated or behind the one before. A line
 * that has just been subscribed begins with the newest state, which overtakes what a front that is short of time has yet
 * to send on the old line: what is skipped for that reason has come nevertheless, and the book has counted it.
 */
async function expectNoGap(): Promise<void> {
  const counts = new Map([...ticks()].map(([id, numbers]) => [id, numbers.length]));
  await until('more ticks of every instrument', () =>
    [...ticks()].every(([id, numbers]) => numbers.length >= (counts.get(id) ?? 0) + 3),
  );
  const steps = [...ticks()].flatMap(([id, numbers]) =>
    numbers.slice(1).map((number, index) => ({ id, number, step: number - numbers[index]! })),
  );
  expect(steps.filter(({ step }) => step < 1)).toEqual([]);
  const skips = steps.filter(({ step }) => step > 1);
  const skipped = skips.reduce((sum, { step }) => sum + step - 1, 0);
  const { body } = await gateway.health();
  expect(skipped, JSON.stringify(skips)).toBeLessThanOrEqual(body.ticks.regressed);
}

async function start(config: object): Promise<void> {
  gateway = new GatewayProcess({ config_watch: false, ...config });
  await gateway.loggedIn();
  client = await Client.connect(`${await gateway.url()}?protocol=action`);
  client.send({ action: 'list_instruments', search: 'rb' });
  const listed = await client.next('the list', (frame) => frame['action'] === 'list_instruments');
  const ids = (listed['instruments'] as string[]).slice(0, instruments);
  client.send({ action: 'subscribe', instruments: ids });
  await untilCounted(
    'ticks of all',
    () => [...ticks().values()].filter(({ length }) => length >= 3).length,
    ids.length,
  );
}

const reconnects = ({ connections }: StatusReport): Record<string, number> =>
  Object.fromEntries(connections.map((each) => [each.id, each.reconnects]));

beforeAll(async () => {
  basePort = await freePorts(fronts);
  frontsProcess = await new FrontsProcess(fronts, basePort, ['--bench', '--rate', '20']).ready();
});

afterEach(async () => {
  await client.close();
  await gateway.stop('SIGKILL');
});

afterAll(() => frontsProcess.stop());

describe('at SIGHUP', () => {
  beforeEach(() => start({ connections: three() }));

  it('a new connection is opened, and the others keep their login', async () => {
    write({ connections: [...three(), line(4)] });
    await reload('SIGHUP: connections added: line_4');
    const report = await settled('line_1', 'line_2', 'line_3', 'line_4');
    expect(reconnects(report)).toEqual({ line_1: 0, line_2: 0, line_3: 0, line_4: 0 });
    await expectNoGap();
  });

  it('what a removed connection carried goes over to others without a tick less', async () => {
    write({ connections: [line(1), line(3)] });
    await reload('SIGHUP: connections removed: line_2');
    expect(reconnects(await settled('line_1', 'line_3'))).toEqual({ line_1: 0, line_3: 0 });
    await expectNoGap();
  });

  it('a connection is disabled and enabled again', async () => {
    write({ connections: [line(1), line(2, { enabled: false }), line(3)] });
    await reload('SIGHUP: connections removed: line_2');
    await settled('line_1', 'line_3');
    write({ connections: three() });
    await reload('SIGHUP: connections added: line_2');
    const report = await settled('line_1', 'line_2', 'line_3');
    expect(reconnects(report)).toMatchObject({ line_1: 0, line_3: 0 });
    await expectNoGap();
  });

  it('priority, room and name change without a new login', async () => {
    const changed = { priority: 2, max_subscriptions: 50, broker_name: 'A broker' };
    write({ connections: [line(1), line(2, changed), line(3)] });
    await reload('SIGHUP: connections changed without a new login: line_2');
    const report = await settled('line_1', 'line_2', 'line_3');
    expect(report.connections.find(({ id }) => id === 'line_2')).toMatchObject({ ...changed, reconnects: 0 });
    await expectNoGap();
  });

  it('a connection with another address logs in there, and loses no tick on the way', async () => {
    const address = `tcp://127.0.0.1:${basePort + 4}`;
    write({ connections: [line(1), line(2, { front_addr: address }), line(3)] });
    await reload('SIGHUP: connections that log in anew: line_2');
    const report = await statusUntil(
      'line_2 alone at its new address',
      ({ connections, instruments }) =>
        connections.length === 3 &&
        connections.every(({ state }) => state === 'logged_in') &&
        connections.some(({ id, fronts }) => id === 'line_2' && fronts.join() === address) &&
        instruments.active === instruments.wanted,
    );
    expect(reconnects(report)).toMatchObject({ line_1: 0, line_3: 0 });
    await expectNoGap();
  });

  it('a connection whose password file has changed logs in again', async () => {
    const file = join(gateway.folder, 'password');
    writeFileSync(file, 'one');
    const withPassword = [line(1), line(2, { password_file: file }), line(3)];
    write({ connections: withPassword });
    await reload('SIGHUP: connections that log in anew: line_2');
    writeFileSync(file, 'two');
    await reload('SIGHUP: connections that log in anew: line_2');
    await settled('line_1', 'line_2', 'line_3');
    await expectNoGap();
  });

  it('a file with anything wrong in it changes nothing', async () => {
    const before = await settled('line_1', 'line_2', 'line_3');
    write({ redundancy: 0, connections: [line(1), line(4), line(4)] });
    await reload(
      expect.stringMatching(
        /^SIGHUP: refused, nothing was changed: .*: redundancy: must be an integer from 1 to 8, not 0$/,
      ),
      expect.stringMatching(/connections\[2\]\.connection_id: "line_4" is taken by connections\[1\]$/),
    );
    write('{ "connections": [');
    await reload(expect.stringMatching(/: refused, nothing was changed: .*: line 1, column /));
    const { code, body } = await gateway.manage('POST', '/api/reload');
    expect(code).toBe(422);
    expect(body).toMatchObject({
      error: { code: 'invalid_config', problems: [expect.stringContaining('config.json: line 1, column ')] },
    });
    const { redundancy, connections } = await status();
    expect(redundancy).toBe(1);
    expect(connections.map(({ id, reconnects }) => [id, reconnects])).toEqual(
      before.connections.map(({ id, reconnects }) => [id, reconnects]),
    );
    await expectNoGap();
  });

  it('a library that comes with a connection is logged once, with what it says it is', async () => {
    const library = libraryOf('6.6.9');
    const added = [4, 5].map((line) => ({
      ...three()[0]!,
      connection_id: `line_${line}`,
      ctp_library: library,
    }));
    write({ connections: [...three(), ...added] });
    await reload(expect.stringContaining('line_4'));
    await settled('line_1', 'line_2', 'line_3', 'line_4', 'line_5');
    const loaded = gateway.lines
      .map((line) => JSON.parse(line) as { msg: string; library?: string; version?: string })
      .filter(({ msg }) => msg === 'vendor library loaded');
    expect(loaded.filter((each) => each.library === library).map(({ version }) => version)).toEqual([
      expect.stringContaining('6.6.9'),
    ]);
    expect(loaded, 'and that of the start').toHaveLength(2);
    await expectNoGap();
  });

  it('what needs a restart is named and stays, the rest applies', async () => {
    const port = await gateway.port();
    write({
      websocket_port: 1,
      ctp_library: '/no/such.so',
      load_balance_strategy: 'hash_based',
      connections: three(),
    });
    await reload(
      'SIGHUP: settings changed: load_balance_strategy',
      'SIGHUP: these need a restart and stay as they were: websocket_port, ctp_library',
    );
    expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).toBe(200);
    const report = await settled('line_1', 'line_2', 'line_3');
    expect(report.strategy).toBe('hash_based');
    expect(reconnects(report)).toEqual({ line_1: 0, line_2: 0, line_3: 0 });
    await expectNoGap();
  });

  it('redundancy gives each instrument a second line, and takes it back, without a tick less or twice', async () => {
    const lines = ({ connections }: StatusReport): number =>
      connections.reduce((sum, { subscriptions }) => sum + subscriptions, 0);
    write({ redundancy: 2, connections: three() });
    await reload('SIGHUP: settings changed: redundancy');
    await statusUntil('two lines each', (report) => lines(report) === 2 * instruments);
    await expectNoGap();
    write({ connections: three() });
    await reload('SIGHUP: settings changed: redundancy');
    await statusUntil('one line each', (report) => lines(report) === instruments);
    await expectNoGap();
  });

  it('what is always subscribed comes and goes', async () => {
    write({ always_subscribe: ['cu*'], unsubscribe_grace: 0, connections: three() });
    await reload('SIGHUP: settings changed: always_subscribe, unsubscribe_grace');
    await statusUntil(
      'copper',
      ({ instruments: { wanted, active } }) => wanted > instruments && active === wanted,
    );
    write({ unsubscribe_grace: 0, connections: three() });
    await reload('SIGHUP: settings changed: always_subscribe');
    await statusUntil('no copper', ({ instruments: { wanted } }) => wanted === instruments);
    await expectNoGap();
  });
});

it('ticks of a day that a calendar named later calls a trading day are recorded from then on', async () => {
  const folder = recordingFolder();
  const calendar = join(folder, 'holidays.json');
  writeFileSync(calendar, '{"years": {"2026": [20260922]}}');
  const tuesday = Date.parse('2026-09-22T10:00:00+08:00');
  const clock = new ScriptedClock(tuesday);
  onTestFinished(() => clock.close());
  const port = await freePorts(1);
  const clockStart = ['--hours', 'exchange', '--clock-start', new Date(tuesday).toISOString()];
  const exchange = await new FrontsProcess(1, port, clockStart).ready();
  onTestFinished(async () => {
    await exchange.stop();
  });
  const config = {
    trading_hours: 'exchange',
    record_path: join(folder, 'ticks'),
    // Too few to prove that there is trading on a holiday.
    always_subscribe: ['rb2701', 'cu2611'],
    discover_instruments: false,
    connections: [{ connection_id: 'one', front_addr: `tcp://127.0.0.1:${port}`, broker_id: '9999' }],
  };
  gateway = new GatewayProcess({ config_watch: false, calendar_file: calendar, ...config }, [], clock.env);
  client = await Client.connect(await gateway.url());
  await gateway.healthUntil('ticks', ({ ticks }) => ticks.accepted > 10);
  const recordings = (): string[] => (existsSync(config.record_path) ? readdirSync(config.record_path) : []);
  expect(recordings()).toEqual([]);
  write(config);
  await reload('SIGHUP: settings changed: calendar_file');
  const names = await until('a recording', () => {
    const found = recordings();
    return found.length > 0 ? found : undefined;
  });
  expect(names[0]).toMatch(/^20260922/);
});

it('a SIGHUP never ends the program, neither at its start nor at its end', async () => {
  gateway = new GatewayProcess({ config_watch: false, connections: three() });
  await gateway.port();
  for (let times = 0; times < 5; times++) gateway.child.kill('SIGHUP');
  await gateway.loggedIn();
  client = await Client.connect(await gateway.url());
  await until('the reload in the log', () => logged('SIGHUP: nothing has changed').length > 0);
  gateway.child.kill('SIGTERM');
  for (let times = 0; times < 5; times++) gateway.child.kill('SIGHUP');
  expect(await gateway.ended).toEqual({ code: 0, signal: null });
});

it('a changed file is taken over by itself, and POST /api/reload does it at once', async () => {
  await start({ config_watch: true, connections: three() });
  write({ config_watch: true, connections: [...three(), line(4)] });
  await settled('line_1', 'line_2', 'line_3', 'line_4');
  await gateway.line(/config\.json has changed: connections added: line_4/);
  write({ connections: [...three(), line(4)] });
  await gateway.line(/config\.json has changed: settings changed: config_watch/);
  write({ connections: [line(1), line(2), line(4)] });
  const { code, body } = await gateway.manage('POST', '/api/reload');
  expect(code).toBe(200);
  expect(body).toEqual({
    added: [],
    removed: ['line_3'],
    reopened: [],
    adjusted: [],
    settings: [],
    restart: [],
    unchanged: 3,
  });
  await gateway.line(/POST \/api\/reload: connections removed: line_3/);
  await settled('line_1', 'line_2', 'line_4');
  await expectNoGap();
});

it('--status prints what the running gateway says of itself', async () => {
  await start({ connections: three() });
  await settled('line_1', 'line_2', 'line_3');
  const asked = new Program(
    ['dist', 'src', 'main.js'],
    ['--status', '--port', String(await gateway.port()), '--config', join(gateway.folder, 'config.json')],
  );
  const [code] = (await once(asked.child, 'close')) as [number];
  expect([code, asked.complaints]).toEqual([0, []]);
  expect(asked.lines[0]).toMatch(/^healthy: version .*, connection_quality, redundancy 1$/);
  expect(asked.lines).toContain(
    `instruments: ${instruments} wanted, of them ${instruments} active, 0 subscribing, 0 pending, 0 failed`,
  );
  expect(asked.lines.filter((text) => /^line_\d .*logged_in/.test(text))).toHaveLength(3);
});
