import { readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SpillFolder } from '../../src/storage/spill/spillFolder.js';
import { until, untilIs } from '../helpers/until.js';
import { freePort } from '../e2e/ports.js';
import { startRedis } from './redisServer.js';
import { clientOf, runPersister, temporarySpill, type Running } from './running.js';
import { readStream } from './storeReader.js';
import { TapeMarket } from './tapeMarket.js';

const keys = ['SHFE.rb2605', 'DCE.m2605'];

/** Where a list of numbers is not 1 to `last`, each once and in order: `12 after 7`. */
function faultsOf(volumes: readonly number[], last: number): string[] {
  const steps = [...volumes, last + 1].map((volume, index) => [
    index === 0 ? 0 : volumes[index - 1]!,
    volume,
  ]);
  return steps
    .filter(([before, volume]) => volume !== before! + 1)
    .map(([before, volume]) => `${volume} after ${before}`);
}

/** Fails unless each stream has all ticks, each once and in order, and each hash the newest. */
async function expectWhole(port: number, market: TapeMarket): Promise<void> {
  const redis = clientOf(port);
  for (const [slot, key] of market.keys.entries()) {
    const volumes = (await readStream(redis, key)).map(({ volume }) => volume);
    expect(faultsOf(volumes, market.volumes[slot]!)).toEqual([]);
    const newest = `${market.volumes[slot]!}`;
    await untilIs('the newest state', async () => await redis.hget(`qactpmd:quote:${key}`, 'volume'), newest);
  }
}

async function troubled(running: Running, trouble: RegExp): Promise<void> {
  await until(
    () => `trouble like ${trouble}: ${JSON.stringify(running.persister.status())}`,
    () => trouble.test(running.persister.status().trouble),
  );
}

describe('a Redis', () => {
  it('that is down at the start gets everything later', async () => {
    const port = await freePort();
    const market = new TapeMarket(keys);
    const running = runPersister(market.tape, port);
    market.batch(1000);
    await troubled(running, /^connection refused$/);
    const { connected, waiting, spilled, lost } = running.persister.status();
    expect({ connected, lost, kept: waiting + spilled }).toEqual({ connected: false, lost: 0, kept: 1000 });
    await startRedis(port);
    await running.settled();
    await expectWhole(port, market);
    expect(running.lines()).toEqual([
      `warn: Redis at 127.0.0.1:${port} cannot be used: connection refused; trying again`,
      `info: Redis at 127.0.0.1:${port} answers again`,
    ]);
  });

  it('that is killed and comes back with what it had has everything once', async () => {
    const port = await freePort();
    const folder = temporarySpill();
    const options = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--dir', folder];
    let server = await startRedis(port, ...options);
    const market = new TapeMarket(keys);
    const running = runPersister(market.tape, port);
    for (let round = 0; round < 3; round++) {
      const stored = running.persister.status().stored;
      for (let i = 0; i < 20; i++) {
        market.batch(500);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await until('something to be stored', () => running.persister.status().stored > stored);
      // In the midst of pipelines.
      await server.kill();
      market.batch(500);
      server = await startRedis(port, ...options);
      market.batch(500);
    }
    await running.settled();
    await expectWhole(port, market);
    expect(running.persister.status()).toMatchObject({ stored: market.written, lost: 0 });
  });

  it('that comes back empty gets again what it acknowledged recently', async () => {
    const port = await freePort();
    const server = await startRedis(port);
    const market = new TapeMarket(keys);
    const running = runPersister(market.tape, port);
    market.batch(2000);
    await running.settled();
    await server.kill();
    await startRedis(port);
    await until('it to be found out', async () => {
      const volumes = (await readStream(clientOf(port), keys[0]!)).map(({ volume }) => volume);
      return volumes.length === 1000;
    });
    market.batch(10);
    await running.settled();
    await expectWhole(port, market);
  });

  it('that stands still holds up nobody, and has everything once when it continues', async () => {
    const server = await startRedis(await freePort());
    const market = new TapeMarket(keys);
    const running = runPersister(market.tape, server.port);
    market.batch(1000);
    await running.settled();
    server.process.kill('SIGSTOP');
    market.batch(3000);
    await troubled(running, /^no answer within 5000 ms$/);
    market.batch(3000);
    await untilIs('the tape to be read', () => running.persister.status().behind, 0);
    server.process.kill('SIGCONT');
    await running.settled();
    await expectWhole(server.port, market);
    expect(running.persister.status()).toMatchObject({ lost: 0 });
  });

  it('that is full, and has room again, gets everything in order', async () => {
    const { port } = await startRedis(await freePort(), '--maxmemory-policy', 'noeviction');
    const market = new TapeMarket(keys);
    const running = runPersister(market.tape, port);
    market.batch(1000);
    await running.settled();
    const redis = clientOf(port);
    await redis.config('SET', 'maxmemory', '1mb');
    market.batch(1000);
    await troubled(running, /^OOM command not allowed/);
    market.batch(1000);
    expect(running.persister.status()).toMatchObject({ connected: true, stored: 1000, lost: 0 });
    await redis.config('SET', 'maxmemory', '0');
    await running.settled();
    await expectWhole(port, market);
    expect(running.lines().slice(1)).toEqual([
      expect.stringMatching(
        /^warn: Redis at .* does not store ticks: OOM command not allowed .*; they wait$/,
      ),
      `info: Redis at 127.0.0.1:${port} stores ticks again`,
    ]);
  });

  it('that is a replica keeps ticks waiting until it is none', async () => {
    const { port } = await startRedis(await freePort());
    const replica = await startRedis(await freePort(), '--replicaof', '127.0.0.1', `${port}`);
    const market = new TapeMarket(keys);
    const running = runPersister(market.tape, replica.port);
    market.batch(1000);
    await troubled(running, /^READONLY /);
    await clientOf(replica.port).replicaof('NO', 'ONE');
    await running.settled();
    await expectWhole(replica.port, market);
  });

  it('that has a key of another type loses that instrument alone, and says so', async () => {
    const { port } = await startRedis(await freePort());
    const redis = clientOf(port);
    await redis.set(`qactpmd:ticks:${keys[0]!}`, 'x');
    const market = new TapeMarket(keys);
    const running = runPersister(market.tape, port);
    market.batch(1000);
    await running.settled();
    expect(running.persister.status()).toMatchObject({ stored: 500, lost: 500 });
    expect(await readStream(redis, keys[1]!)).toHaveLength(500);
    expect(running.lines().at(-1)).toMatch(/^error: qactpmd:ticks:SHFE\.rb2605: WRONGTYPE/);
  });
});

describe('ticks that wait', () => {
  it('go to a file when memory is full, and are written later in order', async () => {
    const port = await freePort();
    const market = new TapeMarket(keys);
    const spillPath = temporarySpill();
    const running = runPersister(market.tape, port, { storage: { spillPath, spillMemory: 1 } });
    for (let i = 0; i < 10; i++) {
      market.batch(2000);
      await untilIs('the tape to be read', () => running.persister.status().behind, 0);
    }
    expect(running.persister.status().spilled).toBeGreaterThan(10_000);
    await startRedis(port);
    market.batch(2000);
    await running.settled();
    await expectWhole(port, market);
    expect(running.persister.status()).toMatchObject({ stored: 22_000, lost: 0 });
    // And from memory again.
    market.batch(10);
    await running.settled();
    await expectWhole(port, market);
  });

  it('are lost and counted beyond that, the newest of them, and what comes after the outage is whole', async () => {
    const port = await freePort();
    const market = new TapeMarket(['SHFE.rb2605']);
    const running = runPersister(market.tape, port, { storage: { spillMemory: 1, spillFile: 1 } });
    for (let i = 0; i < 15; i++) {
      market.batch(2000);
      await untilIs('the tape to be read', () => running.persister.status().behind, 0);
    }
    const { lost, waiting, spilled } = running.persister.status();
    expect(waiting + spilled + lost).toBe(30_000);
    expect(lost).toBeGreaterThan(1000);
    await startRedis(port);
    await running.settled();
    market.batch(100);
    await running.settled();
    const volumes = (await readStream(clientOf(port), 'SHFE.rb2605')).map(({ volume }) => volume);
    const kept = 30_000 - lost;
    expect(volumes).toHaveLength(kept + 100);
    expect(volumes).toEqual([...new Set(volumes)].sort((one, other) => one - other));
    expect(volumes.slice(-100)).toEqual(Array.from({ length: 100 }, (_, index) => 30_001 + index));
    // A newer tick may still fit where an older one with a longer line did not, a few times.
    const firstLost = volumes.findIndex((volume, index) => volume !== index + 1);
    expect(firstLost).toBeGreaterThan(0.99 * kept);
    expect(running.persister.status()).toMatchObject({ stored: kept + 100, lost });
  });

  it('outlast the gateway in the file, and come before the next run’s', async () => {
    const port = await freePort();
    const spillPath = temporarySpill();
    const market = new TapeMarket(keys);
    const storage = { spillPath, spillMemory: 1 };
    const first = runPersister(market.tape, port, { storage });
    market.batch(20_000);
    await until('the file to be used', () => first.persister.status().spilled > 10_000);
    await first.stop();
    expect(first.events.at(-1)).toMatchObject({ type: 'stopped', status: { lost: 0 } });
    // A torn tail, as a kill leaves it.
    writeFileSync(`${spillPath}/ticks-500000001.spill`, 'qactpmd-spill 1 torn\n1234\t7\tSHFE.rb');
    const next = new TapeMarket(keys);
    next.volumes.splice(0, 2, ...market.volumes);
    await startRedis(port);
    const second = runPersister(next.tape, port, { storage });
    next.batch(1000);
    await second.settled();
    await expectWhole(port, next);
    expect(second.persister.status()).toMatchObject({ stored: 21_000, lost: 1 });
  });

  it('bring hashes up to date when nothing newer comes, but never set them back', async () => {
    const port = await freePort();
    const storage = { spillPath: temporarySpill(), spillMemory: 1 };
    const market = new TapeMarket(keys);
    const first = runPersister(market.tape, port, { storage });
    market.batch(1000);
    await untilIs('the tape to be read', () => first.persister.status().behind, 0);
    await first.stop();
    await startRedis(port);
    const redis = clientOf(port);
    await redis.hset('qactpmd:quote:DCE.m2605', { flags: 0, received: Date.now(), volume: 777 });
    const second = runPersister(new TapeMarket(keys).tape, port, { storage });
    await second.settled();
    await second.stop();
    expect(second.persister.status()).toMatchObject({ stored: 1000, lost: 0 });
    expect(await redis.hget('qactpmd:quote:SHFE.rb2605', 'volume')).toBe('500');
    expect(await redis.hget('qactpmd:quote:DCE.m2605', 'volume')).toBe('777');
  });

  it('are not stored twice when the run that stored them did not live to see it', async () => {
    const { port } = await startRedis(await freePort());
    const spillPath = temporarySpill();
    const market = new TapeMarket(keys);
    const first = runPersister(market.tape, port, { run: 'first' });
    market.batch(1000);
    await first.settled();
    // What the first run's file would hold: some ticks that it has stored, and some that it has not.
    const again = runPersister(market.tape, await freePort(), {
      run: 'first',
      storage: { spillPath, spillMemory: 1 },
    });
    market.batch(500);
    await untilIs('the tape to be read', () => again.persister.status().behind, 0);
    await first.settled();
    await again.stop();
    const next = new TapeMarket(keys);
    next.volumes.splice(0, 2, ...market.volumes);
    const second = runPersister(next.tape, port, { storage: { spillPath } });
    next.batch(10);
    await second.settled();
    await expectWhole(port, next);
    expect(second.persister.status()).toMatchObject({ stored: 1510, lost: 0 });
  });

  it('wait where the disk does not give them back for now, which is said', async () => {
    const port = await freePort();
    const spillPath = temporarySpill();
    const market = new TapeMarket(keys);
    const running = runPersister(market.tape, port, { storage: { spillPath } });
    market.batch(1000);
    await untilIs('all to be on disk', () => running.persister.status().spilled, 1000);
    const file = join(
      spillPath,
      readdirSync(spillPath).find((name) => name.endsWith('.spill'))!,
    );
    renameSync(file, join(spillPath, 'aside'));
    // Nothing lies at the lowest addresses.
    symlinkSync('/proc/self/mem', file);
    await startRedis(port);
    await troubled(running, /^what waits on disk cannot be read: EIO/);
    market.batch(500);
    rmSync(file);
    renameSync(join(spillPath, 'aside'), file);
    await running.settled();
    await expectWhole(port, market);
    expect(running.persister.status()).toMatchObject({ stored: 1500, lost: 0 });
    const told = running.lines().filter((line) => line.includes('EIO'));
    expect(told.sort()).toEqual([
      expect.stringMatching(/^error: the file for ticks that wait for Redis: \/\S+: EIO/),
      expect.stringMatching(
        /^warn: Redis at .* does not store ticks: what waits on disk cannot be read: EIO/,
      ),
    ]);
  });

  it('stay in memory where the disk is full, which is said, and go to it at the end if there is room again', async () => {
    const port = await freePort();
    const spillPath = temporarySpill();
    const market = new TapeMarket(keys);
    market.batch(1000);
    const first = runPersister(market.tape, port, { storage: { spillPath } });
    // Where it begins to write, in front of a file or behind it.
    for (const number of [499_999_999, 500_000_000])
      symlinkSync('/dev/full', join(spillPath, `ticks-${number}.spill`));
    const told = (): boolean =>
      first
        .lines()
        .includes(
          `error: the file for ticks that wait for Redis: ${spillPath}: ENOSPC: no space left on device, write`,
        );
    await until('it to be said', told);
    const { waiting, spilled, lost, spillTrouble } = first.persister.status();
    expect({ waiting, spilled, lost }).toEqual({ waiting: 1000, spilled: 0, lost: 0 });
    expect(spillTrouble).toBe(`${spillPath}: ENOSPC: no space left on device, write`);
    for (const name of readdirSync(spillPath)) if (name.endsWith('.spill')) rmSync(join(spillPath, name));
    await first.stop();
    expect(first.persister.status()).toMatchObject({ spilled: 1000, lost: 0 });
    await startRedis(port);
    const next = runPersister(new TapeMarket(keys).tape, port, { storage: { spillPath } });
    await next.settled();
    await expectWhole(port, market);
    expect(next.persister.status()).toMatchObject({ stored: 1000, lost: 0 });
  });

  it('stay in memory where the folder belongs to another gateway, which is said', async () => {
    const port = await freePort();
    const spillPath = temporarySpill();
    const other = SpillFolder.open(spillPath, 1e6, 'other');
    const market = new TapeMarket(keys);
    const running = runPersister(market.tape, port, { storage: { spillPath } });
    expect(running.lines()[0]).toMatch(
      /^error: .* is in use by process \d+ on .*; give each gateway a spill_path of its own/,
    );
    market.batch(100);
    await startRedis(port);
    await running.settled();
    await expectWhole(port, market);
    other.close();
  });
});

describe('a start', () => {
  it('does not store again what the front repeats', async () => {
    const { port } = await startRedis(await freePort());
    const market = new TapeMarket(keys);
    const first = runPersister(market.tape, port);
    market.batch(200);
    await first.settled();
    await first.stop();
    const next = new TapeMarket(keys);
    next.beginMs = market.beginMs;
    // A slower front's last ticks, then new ones.
    next.volumes.splice(0, 2, 95, 97);
    const second = runPersister(next.tape, port);
    next.batch(40);
    await second.settled();
    await expectWhole(port, next);
    expect(second.persister.status().stored).toBe(15 + 17);
  });
});
