import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import { sequencesAt } from '../../bench/expectedTicks.js';
import { instruments } from '../../bench/instruments.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import { parseInstrumentId } from '../../src/market/instruments/instrumentId.js';
import { RecordedTicks, wholeRange } from '../../src/recorder/recordedTicks.js';
import { RecordingReader } from '../../src/recorder/recordingReader.js';
import { intWord } from '../../src/ring/tickRecord.js';
import { startRedis, type RedisServer } from '../storage/redisServer.js';
import { clientOf } from '../storage/running.js';
import { readStream } from '../storage/storeReader.js';
import { Client } from './client.js';
import { randomOf } from './chaos/plan.js';
import { FrontsProcess, GatewayProcess } from './processes.js';
import { until } from '../helpers/until.js';
import { freePort, freePorts } from './ports.js';
import { faultsIn, type Kept, type KeptInRedis, type Kill, type Witnessed } from './storage/evidence.js';

// QACTPMD_STORAGE_SECONDS sets how long the kills continue, QACTPMD_STORAGE_SEED which ones they are.
const seconds = Number(process.env['QACTPMD_STORAGE_SECONDS'] ?? 15);
const seed = Number(process.env['QACTPMD_STORAGE_SEED'] ?? 1);

const instrumentCount = 250;
/** Ticks per second of each. */
const rate = 40;
const watchedCount = 20;
const patienceMs = 60_000;

interface StorageHealth {
  redis: { stored: number; waiting: number; spilled: number; lost: number; trouble: string };
  ticks: { missed: number };
}

/** Fronts that stay, and a gateway and a Redis that are killed. */
class World {
  readonly folder = mkdtempSync(join(tmpdir(), 'qactpmd-storage-'));
  readonly ids = instruments(instrumentCount);
  readonly keys = this.ids.map((id) => `${parseInstrumentId(id, loadProducts())!.exchange}.${id}`);
  readonly startUs = (Date.now() + 1000) * 1000;
  readonly kills: Kill[] = [];
  readonly witnessed: Witnessed[] = [];
  #fronts: FrontsProcess | undefined;
  #frontPort = 0;
  #redisPort = 0;
  #redis: RedisServer | undefined;
  #gateway: GatewayProcess | undefined;
  #client: Client | undefined;
  #witness: Redis | undefined;
  #isOver = false;

  async start(): Promise<void> {
    mkdirSync(join(this.folder, 'redis'));
    this.#redisPort = await freePort();
    await this.#startRedis();
    this.#witness = clientOf(this.#redisPort);
    this.#frontPort = await freePorts(1);
    this.#fronts = new FrontsProcess(1, this.#frontPort, [
      ...['--instruments', `${instrumentCount}`, '--rate', `${rate}`, '--queue-limit', '1000000'],
      ...['--bench', '--bench-start', `${this.startUs}`],
    ]);
    await this.#fronts.ready();
    await this.#startGateway();
    void this.#watch();
  }

  async killRedis(downMs: number): Promise<void> {
    const atMs = Date.now();
    await this.#redis!.kill();
    const goneMs = Date.now();
    await until('the outage to last', () => Date.now() >= atMs + downMs);
    await this.#startRedis();
    this.kills.push({ what: 'redis', atMs, goneMs, backMs: Date.now() });
  }

  async killGateway(): Promise<void> {
    const atMs = Date.now();
    await this.#gateway!.stop('SIGKILL');
    const goneMs = Date.now();
    await this.#startGateway();
    this.kills.push({ what: 'gateway', atMs, goneMs, backMs: Date.now() });
  }

  async health(): Promise<StorageHealth> {
    return (await this.#gateway!.health()).body as unknown as StorageHealth;
  }

  /** Ends the front, then the gateway in order. Returns the numbers that the client got of each instrument. */
  async end(): Promise<Map<string, number[]>> {
    await this.#fronts!.stop('SIGKILL');
    const sighted = new Map<string, Set<number>>();
    const settled = async (): Promise<boolean> => {
      const { redis } = await this.health();
      return redis.waiting === 0 && redis.spilled === 0 && redis.trouble === '';
    };
    await until('everything to be stored', settled, patienceMs);
    for (const { data } of this.#client!.frames.filter(({ action }) => action === 'market_data') as {
      data: { instrument_id: string; volume: number };
    }[]) {
      const numbers = sighted.get(data.instrument_id) ?? new Set();
      sighted.set(data.instrument_id, numbers.add(data.volume));
    }
    const { redis, ticks } = await this.health();
    expect({ lost: redis.lost, missed: ticks.missed }).toEqual({ lost: 0, missed: 0 });
    expect(await this.#gateway!.stop()).toBe(0);
    this.#isOver = true;
    return new Map([...sighted].map(([key, numbers]) => [key, [...numbers]]));
  }

  async stored(): Promise<Map<string, KeptInRedis[]>> {
    const streams = new Map<string, KeptInRedis[]>();
    for (const key of this.keys) {
      const ticks = await readStream(this.#witness!, key);
      streams.set(
        key,
        ticks.map(({ volume, receivedMs, id, seq }) => ({ number: volume, receivedMs, id, seq })),
      );
    }
    return streams;
  }

  recorded(): Map<string, Kept[]> {
    const folder = join(this.folder, 'recorded');
    const readers = readdirSync(folder).map((name) => new RecordingReader(join(folder, name)));
    const ticks = new RecordedTicks(readers, wholeRange, (error) => {
      throw error;
    });
    const found = new Map<string, Kept[]>(this.keys.map((key) => [key, []]));
    while (ticks.next())
      found
        .get(ticks.key)!
        .push({ number: ticks.record.i32[intWord.volume]!, receivedMs: ticks.record.receiveTimeMs });
    for (const reader of readers) reader.close();
    return found;
  }

  async close(): Promise<void> {
    this.#isOver = true;
    await this.#client?.close();
    await this.#gateway?.stop('SIGKILL');
    await this.#fronts?.stop('SIGKILL');
    await this.#redis?.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #startRedis(): Promise<void> {
    const options = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--dir', join(this.folder, 'redis')];
    this.#redis = await startRedis(this.#redisPort, ...options);
  }

  async #startGateway(): Promise<void> {
    const gateway = new GatewayProcess({
      connections: [
        {
          connection_id: 'line',
          front_addr: `tcp://127.0.0.1:${this.#frontPort}`,
          broker_id: '9999',
          max_subscriptions: 2000,
        },
      ],
      always_subscribe: this.ids,
      trading_hours: 'always',
      redis_enabled: true,
      redis_port: this.#redisPort,
      history_length: 1_000_000,
      spill_path: join(this.folder, 'spill'),
      record_path: join(this.folder, 'recorded'),
    });
    this.#gateway = gateway;
    await gateway.loggedIn();
    await this.#client?.close();
    this.#client = await Client.connect(`${await gateway.url()}?protocol=action`);
    const instruments = this.keys.slice(0, watchedCount);
    this.#client.send({ action: 'subscribe', instruments, fields: ['instrument_id', 'volume'] });
  }

  /** Notes down what can be seen in Redis, as long as it continues. */
  async #watch(): Promise<void> {
    while (!this.#isOver) {
      const pipeline = this.#witness!.pipeline();
      for (const key of this.keys) pipeline.xrevrange(`qactpmd:ticks:${key}`, '+', '-', 'COUNT', 1);
      const atMs = Date.now();
      const answers = (await pipeline.exec()) ?? [];
      for (const [index, [error, entries]] of answers.entries()) {
        const [entry] = error === null ? (entries as [string, string[]][]) : [];
        if (entry === undefined) continue;
        const number = Number(entry[1][3]!.split(',')[10]);
        this.witnessed.push({ key: this.keys[index]!, id: entry[0], number, atMs });
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

it(
  `stores what it acknowledges once and in order, whatever is killed, for ${seconds} s with seed ${seed}`,
  async () => {
    const random = randomOf(seed);
    const world = new World();
    onTestFinished(() => world.close());
    await world.start();
    const end = Date.now() + seconds * 1000;
    const actions = [
      () => world.killRedis(random() * 1500),
      () => world.killGateway(),
      () => Promise.all([world.killRedis(random() * 1500), world.killGateway()]),
    ];
    for (let round = 0; Date.now() < end; round++) {
      const at = Date.now() + 500 + random() * 2000;
      await until('the moment of a kill', () => Date.now() >= at);
      await actions[round < actions.length ? round : Math.trunc(random() * actions.length)]!();
    }
    const sighted = await world.end();
    const newest = sequencesAt(
      world.ids,
      { seed: 1, rate, arrivals: 'uniform', startUs: world.startUs, instruments: instrumentCount },
      Date.now(),
    );
    const redis = await world.stored();
    const faults = faultsIn({
      redis,
      recorded: world.recorded(),
      sighted,
      witnessed: world.witnessed,
      kills: world.kills,
      newest: new Map(world.ids.map((id, index) => [world.keys[index]!, newest.get(id)!])),
    });
    const counts = [...redis.values()].map((ticks) => ticks.length);
    const total = counts.reduce((sum, count) => sum + count, 0);
    expect(
      faults.slice(0, 20),
      `${faults.length} faults in ${total} ticks, ${JSON.stringify(world.kills)}`,
    ).toEqual([]);
    expect(Math.min(...counts)).toBeGreaterThan(0);
    expect(sighted.size).toBe(watchedCount);
  },
  seconds * 1000 + 3 * patienceMs,
);
