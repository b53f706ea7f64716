import { afterEach, expect, it } from 'vitest';
import { until } from '../../helpers/until.js';
import { World, type Frame, type TestClient } from '../world.js';

let world: World;
afterEach(() => world.stop());

const ids = [
  'rb2405',
  'rb2406',
  'rb2407',
  'rb2408',
  'rb2409',
  'rb2410',
  'cu2405',
  'cu2406',
  'cu2407',
  'cu2408',
];
const names = ['last_price', 'open_price', 'highest_price', 'lowest_price', 'turnover', 'open_interest'];

/** Lists of fields that all have the volume, each another one. */
function fieldLists(count: number): string[][] {
  return Array.from({ length: count }, (_, index) => [
    'volume',
    ...names.filter((_name, bit) => ((index + 1) >> bit) % 2 === 1),
  ]);
}

async function subscribe(
  localAddress: string,
  instruments: string[],
  fields?: string[],
): Promise<TestClient> {
  const client = await world.connect('/?protocol=action', { localAddress });
  client.send({ action: 'subscribe', instruments, ...(fields === undefined ? {} : { fields }) });
  expect(await client.next()).toMatchObject({ action: 'subscribe', status: 'ok' });
  return client;
}

const volumesOf = (frames: readonly Frame[]): number[] =>
  frames.map((frame) => (frame['data'] as { volume: number }).volume);

it('clients that each choose other fields skip ticks beyond their share, others get every tick, and all end on the newest state', async () => {
  world = await World.start({ limits: { viewWork: 1 } });
  for (const id of ids) world.tick(id);
  world.server.onBatchEnd();
  const many = await Promise.all(fieldLists(40).map((fields) => subscribe('127.0.0.2', ids, fields)));
  const plain = await subscribe('127.0.0.3', ['rb2405']);
  const chooser = await subscribe('127.0.0.4', ['rb2405'], ['volume', 'average']);
  for (const client of [...many, plain, chooser]) await client.settled();
  const rounds = 60;
  for (let round = 0; round < rounds; round++) {
    for (const id of ids) world.tick(id);
    world.server.onBatchEnd();
  }
  const expected = Array.from({ length: rounds }, (_, index) => 102 + index);
  expect(volumesOf(await plain.settled())).toEqual(expected);
  expect(world.server.counters.skippedViews).toBeGreaterThan(0);
  const newest = 101 + rounds;
  const last = new Map<TestClient, Map<unknown, number>>();
  await until('everybody to hold the newest states', async () => {
    for (const client of [...many, chooser])
      for (const frame of await client.settled()) {
        const states = last.get(client) ?? new Map<unknown, number>();
        last.set(client, states.set(frame['instrument_id'], volumesOf([frame])[0]!));
      }
    return (
      last.get(chooser)?.get('rb2405') === newest &&
      many.every((client) => ids.every((id) => last.get(client)?.get(id) === newest))
    );
  });
});

it('a share that is large enough lets everybody who chooses fields have every tick', async () => {
  world = await World.start({ limits: { viewWork: 100 } });
  world.tickAlone('rb2405');
  const clients = await Promise.all(
    fieldLists(5).map((fields, index) => subscribe(`127.0.0.${2 + index}`, ['rb2405'], fields)),
  );
  for (const client of clients) await client.settled();
  for (let round = 0; round < 50; round++) world.tickAlone('rb2405');
  for (const client of clients)
    expect(volumesOf(await client.settled())).toEqual(Array.from({ length: 50 }, (_, index) => 102 + index));
  expect(world.server.counters.skippedViews).toBe(0);
});
