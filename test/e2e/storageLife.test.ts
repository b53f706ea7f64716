import { readFileSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { instruments } from '../../bench/instruments.js';
import { parseInstrumentId } from '../../src/market/instruments/instrumentId.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import { packagePath } from '../../src/base/paths.js';
import { temporaryFolder } from '../config/sources.js';
import { Client } from './client.js';
import { connectionsTo, FrontsProcess, GatewayProcess } from './processes.js';
import { until, untilIs } from '../helpers/until.js';
import { freePort, freePorts } from './ports.js';
import { startRedis } from '../storage/redisServer.js';
import { clientOf } from '../storage/running.js';
import { readStream } from '../storage/storeReader.js';

/** Of several months that are not the next one, which might expire meanwhile. */
const keys = [6, 90, 150].map((index) => {
  const id = instruments(200)[index]!;
  return `${parseInstrumentId(id, loadProducts())!.exchange}.${id}`;
});

interface StorageHealth {
  connected: boolean;
  trouble: string;
  stored: number;
  waiting: number;
  spilled: number;
  lost: number;
}

async function storageOf(gateway: GatewayProcess): Promise<StorageHealth> {
  return (await gateway.health()).body.redis as unknown as StorageHealth;
}

function start(frontPort: number, redisPort: number, config: object = {}): GatewayProcess {
  const gateway = new GatewayProcess({
    connections: connectionsTo(frontPort, 1),
    trading_hours: 'always',
    always_subscribe: keys,
    redis_enabled: true,
    redis_port: redisPort,
    shutdown_deadline: 3,
    ...config,
  });
  onTestFinished(() => gateway.stop('SIGKILL').then(() => undefined));
  return gateway;
}

/** Members of /health that docs/health.md does not name in their section, such as `redis.lost`. */
function undocumented(health: object): string[] {
  const [begin, ...sections] = readFileSync(packagePath('docs', 'health.md'), 'utf8').split('\n### ');
  const isNamed = (name: string, text: string | undefined): boolean => text?.includes(`\`${name}\``) === true;
  return Object.entries(health as Record<string, unknown>).flatMap(([name, value]) => {
    const [part] = Array.isArray(value) ? (value as unknown[]) : [value];
    if (typeof part !== 'object' || part === null) return isNamed(name, begin) ? [] : [name];
    const section = sections.find((text) => text.startsWith(`\`${name}\``));
    return Object.keys(part).flatMap((member) => (isNamed(member, section) ? [] : [`${name}.${member}`]));
  });
}

async function startFronts(): Promise<{ fronts: FrontsProcess; port: number }> {
  const port = await freePorts(1);
  const fronts = await new FrontsProcess(1, port, ['--rate', '20']).ready();
  onTestFinished(() => fronts.stop('SIGKILL').then(() => undefined));
  return { fronts, port };
}

it('quotes come back after a restart, flagged stale, until a front has newer ones', async () => {
  const redis = await startRedis(await freePort());
  const { fronts, port } = await startFronts();
  const first = start(port, redis.port);
  await first.loggedIn();
  await until('ticks to be stored', async () => (await storageOf(first)).stored > 100);
  await fronts.stop('SIGKILL');
  await untilIs('all of them to be stored', async () => (await storageOf(first)).waiting, 0);
  expect(await first.stop()).toBe(0);
  const newest = await clientOf(redis.port).hgetall(`qactpmd:quote:${keys[0]!}`);

  const second = start(port, redis.port);
  const client = await Client.connect(`${await second.url()}?protocol=action`);
  client.send({ action: 'subscribe', instruments: keys, flags: true });
  const isOf = (frame: Record<string, unknown>): boolean =>
    frame['action'] === 'market_data' && frame['instrument_id'] === keys[0];
  const { data } = (await client.next('the stored quote', isOf)) as { data: Record<string, unknown> };
  expect(data).toMatchObject({ volume: Number(newest['volume']), last_price: Number(newest['last_price']) });
  expect(data['flags']).toContain('stale');
  const again = await new FrontsProcess(1, port, ['--rate', '20']).ready();
  onTestFinished(() => again.stop('SIGKILL').then(() => undefined));
  await client.next('a tick that is not stale', (frame) => {
    const flags = (frame['data'] as { flags?: string[] } | undefined)?.flags;
    return isOf(frame) && flags !== undefined && !flags.includes('stale');
  });
  await again.stop('SIGKILL');
  expect(await second.stop()).toBe(0);
  for (const key of keys) {
    const ticks = await readStream(clientOf(redis.port), key);
    const texts = ticks.map(({ row }) => row.join());
    expect(texts.filter((text, index) => text === texts[index - 1])).toEqual([]);
  }
  await client.close();
});

it('a Redis that stands still or is down at the start holds up neither clients nor the start', async () => {
  const redisPort = await freePort();
  const { port } = await startFronts();
  const gateway = start(port, redisPort, { record_path: temporaryFolder() });
  await gateway.loggedIn();
  const client = await Client.connect(`${await gateway.url()}?protocol=action`);
  client.send({ action: 'subscribe', instruments: keys });
  const ticksFlow = async (): Promise<void> => {
    const before = client.frames.length;
    await until('ticks to flow', () => client.frames.length > before + 50);
  };
  await ticksFlow();
  expect(await storageOf(gateway)).toMatchObject({
    connected: false,
    trouble: 'connection refused',
    lost: 0,
  });
  expect(undocumented((await gateway.health()).body)).toEqual([]);
  const redis = await startRedis(redisPort);
  await until('ticks to be stored', async () => (await storageOf(gateway)).stored > 100);
  await gateway.healthUntil('healthy', ({ status }) => status === 'healthy');
  redis.process.kill('SIGSTOP');
  await ticksFlow();
  await until('ticks to wait', async () => (await storageOf(gateway)).waiting > 100);
  // The end does not wait for it either, though a pipeline is under way.
  expect(await gateway.stop()).toBe(0);
  expect(gateway.output).toMatch(/\d+ ticks wait for Redis in a file, for the next start/);
  redis.process.kill('SIGCONT');
  await client.close();
});
