import { expect, it } from 'vitest';
import { until, untilIs } from '../helpers/until.js';
import { greeting, reply, startOddPeer } from './oddPeer.js';
import { freePort } from '../e2e/ports.js';
import { startRedis } from './redisServer.js';
import { clientOf, runPersister } from './running.js';
import { readStream } from './storeReader.js';
import { TapeMarket } from './tapeMarket.js';

const keys = ['SHFE.rb2605', 'DCE.m2605'];
const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

async function expectWhole(port: number, market: TapeMarket): Promise<void> {
  for (const [slot, key] of market.keys.entries()) {
    const volumes = (await readStream(clientOf(port), key)).map(({ volume }) => volume);
    expect(volumes).toEqual(numbers(market.volumes[slot]!));
  }
}

it.each(['xadd', 'hset', 'xinfo', 'multi', 'ping'])(
  'with a user who may not %s nothing is lost, and all is stored once that is allowed',
  async (command) => {
    const { port } = await startRedis(await freePort());
    const redis = clientOf(port);
    await redis.call('ACL', 'SETUSER', 'gateway', 'on', '>secret', '~*', '+@all', `-${command}`);
    const market = new TapeMarket(keys);
    const user = { username: 'gateway', password: 'secret' };
    const running = runPersister(market.tape, port, { redis: user, storage: { batchSize: 64 } });
    // One that goes alone, and some together.
    market.batch(1);
    await until('it to be refused', () => running.persister.status().trouble.startsWith('NOPERM'));
    market.batch(300);
    await untilIs('the tape to be read', () => running.persister.status().behind, 0);
    // Ticks without a hash that is due go through where only hashes are forbidden.
    const { stored, lost } = running.persister.status();
    expect(lost).toBe(0);
    expect(stored).toBeLessThanOrEqual(command === 'hset' ? 300 : 0);
    await redis.call('ACL', 'SETUSER', 'gateway', `+${command}`);
    await running.settled();
    await expectWhole(port, market);
    expect(running.persister.status()).toMatchObject({ stored: 301, lost: 0 });
  },
);

it('a server that has another name for XADD has nothing stored and nothing lost', async () => {
  const port = await freePort();
  const renamed = await startRedis(port, '--rename-command', 'XADD', 'OTHER');
  const market = new TapeMarket(keys);
  const running = runPersister(market.tape, port);
  market.batch(1);
  await until('it to be refused', () => /unknown command/i.test(running.persister.status().trouble));
  market.batch(50);
  await untilIs('the tape to be read', () => running.persister.status().behind, 0);
  expect(running.persister.status()).toMatchObject({ stored: 0, lost: 0 });
  await renamed.kill();
  await startRedis(port);
  await running.settled();
  await expectWhole(port, market);
});

it('a hash of another type is reported once, and its ticks are stored', async () => {
  const { port } = await startRedis(await freePort());
  await clientOf(port).set(`qactpmd:quote:${keys[0]!}`, 'x');
  const market = new TapeMarket(keys);
  const running = runPersister(market.tape, port);
  market.batch(100);
  await running.settled();
  await until('it to be told of', () =>
    running.lines().some((line) => line.includes('qactpmd:quote:SHFE.rb2605: WRONGTYPE')),
  );
  market.batch(100);
  await running.settled();
  await expectWhole(port, market);
  expect(running.lines().filter((line) => line.includes('WRONGTYPE'))).toHaveLength(1);
});

it('a Redis that evicts keys when it is full is reported', async () => {
  const { port } = await startRedis(
    await freePort(),
    ...['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'],
  );
  const running = runPersister(new TapeMarket(keys).tape, port);
  const advice = `warn: Redis at 127.0.0.1:${port} takes stored ticks away when it is full (maxmemory-policy allkeys-lru at 104857600 bytes); set the policy to noeviction`;
  await until('the advice', () => running.lines().includes(advice));
});

it('a user who may not look at keys has ticks stored, and is told that states are not read', async () => {
  const { port } = await startRedis(await freePort());
  const redis = clientOf(port);
  await redis.call('ACL', 'SETUSER', 'gateway', 'on', '>secret', '~*', '+@all', '-scan');
  const market = new TapeMarket(keys);
  const running = runPersister(market.tape, port, { redis: { username: 'gateway', password: 'secret' } });
  market.batch(100);
  await running.settled();
  await expectWhole(port, market);
  expect(running.lines()).toContainEqual(
    expect.stringMatching(/^warn: .* does not give the states of an earlier run: NOPERM/),
  );
});

it('a peer that answers nonsense is no Redis, whatever it says, and what follows it gets everything', async () => {
  const nonsense = [
    '+OK\r\n',
    ':7\r\n',
    '$-1\r\n',
    '*-1\r\n',
    '*0\r\n',
    '-ERR no\r\n',
    reply([['x'], 5, null]),
  ];
  const peers = await Promise.all(
    nonsense.map((answer) => startOddPeer((words) => greeting(words) ?? answer)),
  );
  const worlds = peers.map(({ port }) => {
    const market = new TapeMarket(keys);
    const running = runPersister(market.tape, port);
    market.batch(100);
    return { port, market, running };
  });
  for (const peer of peers) await until('it to be asked', () => peer.asked.size > 3);
  for (const { running } of worlds)
    await until('it to be doubted', () => running.persister.status().trouble !== '');
  for (const [index, { port, market, running }] of worlds.entries()) {
    expect(running.persister.status()).toMatchObject({ stored: 0, lost: 0 });
    await peers[index]!.close();
    await startRedis(port);
    await running.settled();
    await expectWhole(port, market);
  }
});
