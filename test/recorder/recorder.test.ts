import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { RecordingReader } from '../../src/recorder/recordingReader.js';
import { RecordedTicks, wholeRange } from '../../src/recorder/recordedTicks.js';
import type { RecorderStatus } from '../../src/recorder/recorder.js';
import { doubleWord, intWord } from '../../src/ring/tickRecord.js';
import { run } from '../cli/console.js';
import { Client } from '../e2e/client.js';
import { freePorts } from '../e2e/ports.js';
import { connectionsTo, FrontsProcess, GatewayProcess, type Health } from '../e2e/processes.js';
import { until } from '../helpers/until.js';
import { cu, rb, ta } from '../e2e/contracts.js';
import { Debugger } from '../workers/debugger.js';
import { buildNative } from '../simulator/nativeClient.js';
import { recordingFolder } from './recordings.js';

beforeAll(buildNative);

type Quote = Record<string, unknown>;

const keys = [`SHFE.${rb}`, `SHFE.${cu}`, `CZCE.${ta}`];

/** Simulated fronts; they end with the test. */
async function fronts(rate: number): Promise<object[]> {
  const basePort = await freePorts(1);
  const process = new FrontsProcess(1, basePort, ['--rate', String(rate)]);
  onTestFinished(async () => {
    await process.stop('SIGKILL');
  });
  await process.ready();
  return connectionsTo(basePort, 1);
}

async function gatewayWith(
  connections: object[],
  config: object,
  env: Record<string, string> = {},
): Promise<GatewayProcess> {
  const gateway = new GatewayProcess({ connections, ...config }, [], env);
  onTestFinished(async () => {
    await gateway.stop('SIGKILL');
  });
  await gateway.loggedIn();
  return gateway;
}

const recorderIn = (health: Health): RecorderStatus =>
  (health as Health & { recorder: RecorderStatus }).recorder;

async function recorderOf(gateway: GatewayProcess): Promise<RecorderStatus> {
  return recorderIn((await gateway.health()).body);
}

async function subscriber(gateway: GatewayProcess): Promise<Client> {
  const client = await Client.connect(`${await gateway.url()}?protocol=action`);
  onTestFinished(() => client.close());
  client.send({ action: 'subscribe', instruments: keys });
  return client;
}

/** What a quote or a record says that identifies a tick of the simulated exchange. */
const marks = (key: string, volume: unknown, price: unknown, turnover: unknown): string =>
  [key, volume, price, turnover].join(' ');

function quotesIn(client: Client): string[] {
  return client.frames
    .filter((frame) => frame['action'] === 'market_data')
    .map((frame) => frame['data'] as Quote)
    .map((quote) =>
      marks(quote['instrument_id'] as string, quote['volume'], quote['last_price'], quote['turnover']),
    );
}

interface Read {
  readonly ticks: string[];
  readonly torn: boolean;
}

function readFiles(folder: string): Read {
  const readers = readdirSync(folder)
    .sort()
    .map((name) => new RecordingReader(join(folder, name)));
  const all = new RecordedTicks(readers, wholeRange, (error) => expect(error.message).toBe(''));
  const ticks: string[] = [];
  while (all.next()) {
    const { f64, i32 } = all.record;
    ticks.push(marks(all.key, i32[intWord.volume], f64[doubleWord.lastPrice], f64[doubleWord.turnover]));
  }
  for (const reader of readers) {
    expect(reader.damages).toEqual([]);
    reader.close();
  }
  return { ticks, torn: readers.some(({ torn }) => torn !== undefined) };
}

describe('recording from a running gateway', () => {
  it('keeps every tick that a client got, in its order, though its thread is killed, and says so in /health', async () => {
    const folder = join(recordingFolder(), 'ticks');
    const gateway = await gatewayWith(
      await fronts(200),
      { record_path: folder },
      { NODE_OPTIONS: '--inspect=127.0.0.1:0' },
    );
    const debug = await Debugger.attach(/(ws:\S+)/.exec(await gateway.line(/Debugger listening on/))![1]!);
    onTestFinished(() => debug.close());
    const client = await subscriber(gateway);
    await gateway.healthUntil('ticks in files', (each) => recorderIn(each).ticks > 100);
    await debug.runInWorker('process.exit(5)', 'recorder.js');
    const health = await gateway.healthUntil(
      'ticks in a second file',
      (each) => recorderIn(each).files === 2 && each.status === 'healthy',
    );
    debug.close();
    expect(recorderIn(health)).toMatchObject({ folder, missed: 0, lost: 0, failure: '', restarts: 1 });
    expect(await gateway.stop()).toBe(0);
    const { ticks, torn } = readFiles(folder);
    const got = quotesIn(client);
    for (const key of keys) {
      const mine = got.filter((each) => each.startsWith(key));
      const recorded = ticks.filter((each) => each.startsWith(key));
      // The client may have come after the first of them, and left before the last.
      const first = recorded.indexOf(mine[0]!);
      expect(first).toBeGreaterThanOrEqual(0);
      expect(recorded.slice(first, first + mine.length)).toEqual(mine);
    }
    expect(torn).toBe(false);

    // What is exported of them is what the client was sent, dates included.
    const output = join(recordingFolder(), 'day.csv');
    const files = readdirSync(folder).map((name) => join(folder, name));
    const hours = ['--trading-hours', 'always'];
    expect((await run(['export', ...files, '--output', output, ...hours])).result).toEqual({
      kind: 'done',
      exitCode: 0,
    });
    const [head, ...lines] = readFileSync(output, 'latin1').trimEnd().split('\n');
    const names = head!.split(',');
    const [first] = client.frames.filter((frame) => frame['action'] === 'market_data');
    const shown = Object.keys(first!['data'] as Quote).filter((name) => names.includes(name));
    expect(shown.length).toBeGreaterThan(20);
    const places = shown.map((name) => names.indexOf(name));
    const exported = new Set(lines.map((line) => places.map((at) => line.split(',')[at]).join(' ')));
    const sent = client.frames.filter((frame) => frame['action'] === 'market_data');
    for (const frame of sent) {
      const quote = frame['data'] as Record<string, string | number | null>;
      expect(exported).toContain(shown.map((name) => quote[name] ?? '').join(' '));
    }
  });

  it('keeps what /health said is in files when the process is killed, and two processes do not disturb each other', async () => {
    const folder = recordingFolder();
    const connections = await fronts(200);
    const config = { record_path: folder, record_instruments: ['SHFE.*'], always_subscribe: keys };
    const victim = await gatewayWith(connections, config);
    const other = await gatewayWith(connections, config);
    let acknowledged = 0;
    await until('two files and a thousand ticks', async () => {
      const now = await recorderOf(victim);
      acknowledged = now.ticks;
      return now.ticks > 1000 && (await recorderOf(other)).ticks > 0;
    });
    const { file } = await recorderOf(victim);
    expect(await victim.stop('SIGKILL')).toBe(null);
    const reader = new RecordingReader(file);
    expect(reader.ticks).toBeGreaterThanOrEqual(acknowledged);
    reader.close();
    expect(await other.stop()).toBe(0);
    expect(readdirSync(folder)).toHaveLength(2);
    expect(readFiles(folder).ticks.every((each) => each.startsWith('SHFE.'))).toBe(true);
  });

  it('does not hold up clients while its folder cannot be written, and continues when it can', async () => {
    const folder = join(recordingFolder(), 'ticks');
    writeFileSync(folder, 'a file');
    const gateway = await gatewayWith(await fronts(200), { record_path: folder });
    const client = await subscriber(gateway);
    await gateway.line(/cannot record into .*ticks: .*trying again/);
    const failing = await gateway.healthUntil('a failure', (each) => recorderIn(each).failure !== '');
    expect(recorderIn(failing)).toMatchObject({ ticks: 0, files: 0, lost: 0 });
    expect(failing.status).toBe('degraded');
    const before = quotesIn(client).length;
    await until('further quotes', () => quotesIn(client).length > before + 100);
    rmSync(folder);
    mkdirSync(folder);
    await gateway.line(/recording continues into .*; 0 ticks were lost meanwhile/);
    // The thread writes its counters itself, and its failure is a message.
    await gateway.healthUntil('ticks in files', (each) => {
      const { ticks, failure } = recorderIn(each);
      return ticks > 0 && failure === '';
    });
    expect(await gateway.stop()).toBe(0);
    expect(gateway.output.match(/cannot record/g)).toHaveLength(1);
    expect(readFiles(folder).ticks.length).toBeGreaterThan(before);
  });
});
