import { expect, it } from 'vitest';
import { beganAt, beganLater, runName } from '../../src/storage/shared/gatewayRuns.js';
import { until, untilIs } from '../helpers/until.js';
import { freePort } from '../e2e/ports.js';
import { startRedis } from './redisServer.js';
import { clientOf, runPersister } from './running.js';
import { readStream } from './storeReader.js';
import { TapeMarket } from './tapeMarket.js';

const keys = ['SHFE.rb2605', 'DCE.m2605'];

it('two gateways on one prefix say so, and each tick that both have is stored by one of them', async () => {
  const { port } = await startRedis(await freePort());
  const redis = clientOf(port);
  const market = new TapeMarket(keys);
  const runs = [runName(Date.now()), runName(Date.now())];
  const both = runs.map((run) => runPersister(market.tape, port, { run }));
  for (let round = 0; round < 40; round++) {
    market.batch(10);
    // Ticks may be there twice where one falls more than 20 of an instrument behind the other.
    await until('both to read the tape', () =>
      both.every(({ persister }) => persister.status().behind === 0),
    );
    for (const each of both) await each.settled();
  }
  const seqs: string[] = [];
  for (const key of keys) {
    const ticks = await readStream(redis, key);
    expect(ticks.map(({ volume }) => volume)).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
    seqs.push(...ticks.map(({ seq }) => seq));
    await untilIs('the newest state', async () => await redis.hget(`qactpmd:quote:${key}`, 'volume'), '200');
  }
  expect(new Set(seqs).size).toBe(400);
  for (const [index, { persister }] of both.entries()) {
    const own = seqs.filter((seq) => seq.startsWith(`${runs[index]!}.`)).length;
    expect(persister.status()).toMatchObject({ stored: own, lost: 0 });
  }
  const told = both.flatMap((each, index) =>
    each
      .lines()
      .filter((line) =>
        new RegExp(
          `^warn: another gateway writes to redis_key_prefix qactpmd: too: its run ${runs[1 - index]!} has stored ticks in qactpmd:ticks:.* since this run, ${runs[index]!}, began; give each gateway a prefix of its own$`,
        ).test(line),
      ),
  );
  expect(told.length).toBeGreaterThan(0);
  expect(new Set(told).size).toBe(told.length);
  expect(both.flatMap((each) => each.lines()).filter((line) => line.startsWith('error'))).toEqual([]);
});

it('a gateway that runs after another one, on its prefix, says nothing', async () => {
  const { port } = await startRedis(await freePort());
  const market = new TapeMarket(keys);
  const first = runPersister(market.tape, port, { run: runName(Date.now()) });
  market.batch(100);
  await first.settled();
  await first.stop();
  await until('a later ms', () => Date.now() > market.lastReceivedMs);
  const next = new TapeMarket(keys);
  next.volumes.splice(0, 2, ...market.volumes);
  const second = runPersister(next.tape, port, { run: runName(Date.now()) });
  next.batch(100);
  await second.settled();
  expect(second.lines()).toEqual([`info: Redis at 127.0.0.1:${port} is connected`]);
  expect(second.persister.status()).toMatchObject({ stored: 100, lost: 0 });
});

it('names of runs differ within one ms, and tell when they began', () => {
  const names = Array.from({ length: 100 }, () => runName(1_800_000_000_000));
  expect(new Set(names).size).toBeGreaterThan(98);
  expect(new Set(names.map(beganAt))).toEqual(new Set([1_800_000_000_000]));
  const later = runName(1_800_000_000_001);
  expect(beganLater(later, names[0]!)).toBe(true);
  expect(names.some((name) => beganLater(name, later) || beganLater(name, names[0]!))).toBe(false);
  // Of earlier versions.
  expect(beganLater(later, (1_800_000_000_000).toString(36))).toBe(true);
  expect([beganAt('torn'), beganLater('torn', later), beganLater(later, 'torn')]).toEqual([
    NaN,
    false,
    false,
  ]);
});
