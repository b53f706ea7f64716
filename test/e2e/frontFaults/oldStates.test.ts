import { describe, expect } from 'vitest';
import { Client } from '../client.js';
import { until } from '../../helpers/until.js';
import { rb } from '../contracts.js';
import { inWorld, type FaultWorld, type Push } from './faultWorld.js';

// What a client gets first of an instrument that nobody has wanted for a while.

type Flagged = Push & { readonly flags?: readonly string[] };

/** Of stamps of exchanges. */
const stampStepMs = 500;
/** What has been asked for is not taken back and asked for again within this time. */
const answerMs = 2_000;

/** Subscribes and leaves again, until the market has gone on; the last push that came of it. */
async function leftAlone(world: FaultWorld): Promise<Push> {
  const begin = await world.fronts.clock();
  await world.subscribe(rb);
  await world.steady();
  await until('the time of an answer', async () => (await world.fronts.clock()) > begin + 1.2 * answerMs);
  world.client.send({ action: 'unsubscribe', instruments: [rb] });
  await world.client.next('the ack', (frame) => frame['action'] === 'unsubscribe');
  await until('the front to hear of it', async () => (await world.fronts.load()).subscriptions === 0);
  const pushes = world.client.frames.filter((frame) => frame['action'] === 'market_data');
  const last = pushes.at(-1)!['data'] as Push;
  await until('later stamps', async () => (await world.fronts.clock()) > last.timestamp + 2 * stampStepMs);
  return last;
}

describe('an instrument that nobody has wanted for a while', () => {
  inWorld('begins with what the front has now', async ({ world }) => {
    const before = await leftAlone(world);
    world.client.send({ action: 'subscribe', instruments: [rb], flags: true });
    const first: Flagged = await world.push();
    expect(first.timestamp).toBeGreaterThan(before.timestamp);
    expect(first.flags).not.toContain('stale');
  });

  inWorld('begins with the old state, as stale, where the front says nothing', async ({ world }) => {
    const before = await leftAlone(world);
    await world.fronts.fault('stall');
    world.client.send({ action: 'subscribe', instruments: [rb], flags: true });
    const first: Flagged = await world.push();
    expect(first.timestamp).toBeLessThanOrEqual(before.timestamp + 1000);
    expect(first.flags).toContain('stale');
    await world.fronts.clear();
    await world.push('a tick of now', (data: Flagged) => data.flags?.length === 0);
  });

  inWorld('begins with what the front has now for aid clients too', async ({ world }) => {
    const before = await leftAlone(world);
    const aid = await Client.connect(await world.gateway.url());
    aid.send({ aid: 'subscribe_quote', ins_list: rb });
    await until('the quote', async () => {
      const quote = (await aid.peek()).quotes[rb];
      if (quote === undefined) return false;
      expect(
        Date.parse(`${(quote['datetime'] as string).slice(0, 23).replace(' ', 'T')}+08:00`),
      ).toBeGreaterThan(before.timestamp);
      return true;
    });
    await aid.close();
  });
});
