import { expect, it } from 'vitest';
import { until, untilIs } from '../helpers/until.js';
import { freePort } from '../e2e/ports.js';
import { startRedis } from './redisServer.js';
import { clientOf, runPersister } from './running.js';
import { startSlowWire } from './slowWire.js';
import { readStream } from './storeReader.js';
import { TapeMarket } from './tapeMarket.js';

const keys = ['SHFE.rb2605', 'DCE.m2605', 'CZCE.SR605'];
const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

async function expectWhole(port: number, market: TapeMarket): Promise<void> {
  for (const [slot, key] of market.keys.entries()) {
    const volumes = (await readStream(clientOf(port), key)).map(({ volume }) => volume);
    expect(volumes).toEqual(numbers(market.volumes[slot]!));
  }
}

it('a Redis behind a slow line gets all ticks once; they wait in the file meanwhile, and the tape is read', async () => {
  const { port } = await startRedis(await freePort());
  const wire = await startSlowWire(port, { delayMs: 40, bytesPerSecond: 500_000 });
  const market = new TapeMarket(keys);
  const running = runPersister(market.tape, wire.port, { storage: { spillMemory: 1 } });
  for (let i = 0; i < 4; i++) {
    market.batch(3000);
    await untilIs('the tape to be read', () => running.persister.status().behind, 0);
  }
  await until('some to be stored', () => running.persister.status().stored > 0);
  const { connected, spilled, lost, latencyMs } = running.persister.status();
  expect({ connected, lost }).toEqual({ connected: true, lost: 0 });
  expect(spilled).toBeGreaterThan(0);
  expect(latencyMs).toBeGreaterThanOrEqual(80);
  wire.bytesPerSecond = 1e9;
  wire.delayMs = 0;
  await running.settled();
  await expectWhole(port, market);
  expect(running.persister.status()).toMatchObject({ stored: 12_000, lost: 0 });
});

it('a line that takes longer for a full batch than Redis is waited for is written to nevertheless', async () => {
  const { port } = await startRedis(await freePort());
  const wire = await startSlowWire(port, { delayMs: 0, bytesPerSecond: 25_000 });
  const market = new TapeMarket(keys);
  const running = runPersister(market.tape, wire.port);
  market.batch(1500);
  await until('some to be stored', () => running.persister.status().stored > 100);
  wire.bytesPerSecond = 1e9;
  await running.settled();
  await expectWhole(port, market);
});

it('a Redis that pauses its clients for a while is waited for', async () => {
  const { port } = await startRedis(await freePort());
  const market = new TapeMarket(keys);
  const running = runPersister(market.tape, port);
  market.batch(300);
  await running.settled();
  await clientOf(port).call('CLIENT', 'PAUSE', '1500', 'ALL');
  market.batch(3000);
  await untilIs('the tape to be read', () => running.persister.status().behind, 0);
  await running.settled();
  await expectWhole(port, market);
  expect(running.persister.status()).toMatchObject({ stored: 3300, lost: 0 });
});
