import { afterEach, describe, expect, it } from 'vitest';
import { Client } from './client.js';
import { freePorts } from './ports.js';
import { connectionsTo, FrontsProcess, GatewayProcess, type Health } from './processes.js';
import { until } from '../helpers/until.js';

let gateways: GatewayProcess[] = [];
let fronts: FrontsProcess | undefined;
afterEach(async () => {
  await Promise.all(gateways.map((each) => each.stop('SIGKILL')));
  gateways = [];
  await fronts?.stop('SIGKILL');
  fronts = undefined;
});

const year = String(new Date().getFullYear() + 1).slice(-2);
const letters = 'abcdefghijklmnopqrstuvwxyz';
/** Ids of a form that the exchange could use, of products that there are none of. */
const conceivable = Array.from({ length: 3_000 }, (_, i) => {
  const [a, b, c] = [letters[Math.floor(i / 676)]!, letters[Math.floor(i / 26) % 26]!, letters[i % 26]!];
  return `SHFE.z${a}${b}${c}${year}01`;
});
const strikes = (first: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `m${year}05-C-${first + i}`);

async function start(basePort: number, count: number, config: object): Promise<GatewayProcess> {
  const connections = connectionsTo(basePort, count).map((each) => ({ ...each, ...config }));
  const gateway = new GatewayProcess({ discover_instruments: false, health_check_interval: 1, connections });
  gateways.push(gateway);
  await gateway.loggedIn();
  return gateway;
}

const action = async (gateway: GatewayProcess): Promise<Client> =>
  Client.connect(`${await gateway.url()}?protocol=action`);

const isTick = (frame: Record<string, unknown>): boolean => frame['action'] === 'market_data';

describe('instruments that nobody knows to exist', () => {
  it('cost others nothing, however many two clients name', async () => {
    const base = await freePorts(4);
    fronts = await new FrontsProcess(4, base, ['--rate', '2']).ready();
    const disturbed = await start(base, 4, { max_subscriptions: 100 });
    const undisturbed = await start(base, 4, { max_subscriptions: 100 });
    const honest = [await action(disturbed), await action(undisturbed)];
    honest[0]!.send({ action: 'list_instruments' });
    const list = await honest[0]!.next('the list', (frame) => frame['action'] === 'list_instruments');
    const live = (list['instruments'] as string[]).slice(0, 300);
    expect(live).toHaveLength(300);
    const ticks = honest.map(() => new Map<string, number[]>());
    const read = honest.map(() => 0);
    const take = (): void => {
      honest.forEach((client, i) => {
        for (; read[i]! < client.frames.length; read[i]!++) {
          const frame = client.frames[read[i]!]!;
          if (!isTick(frame)) continue;
          const { timestamp } = frame['data'] as { timestamp: number };
          const id = frame['instrument_id'] as string;
          const all = ticks[i]!.get(id) ?? [];
          ticks[i]!.set(id, all);
          all.push(timestamp);
        }
      });
    };
    const haveAll = (after: number): boolean => {
      take();
      return ticks.every((each) => live.every((id) => (each.get(id)?.at(-1) ?? 0) > after));
    };
    for (const client of honest) client.send({ action: 'subscribe', instruments: live });
    await until('all to tick', () => haveAll(0), 60_000);
    const begin = Math.max(...ticks.flatMap((each) => [...each.values()].map((all) => all.at(-1)!)));

    const others = [await action(disturbed), await action(disturbed)];
    for (const client of others) {
      client.send({ action: 'subscribe', instruments: conceivable });
      const ack = await client.next('the acknowledgement', (frame) => frame['action'] === 'subscribe');
      expect(ack['instruments']).toHaveLength(3_000);
      expect((ack['waiting'] as string[]).length).toBeGreaterThanOrEqual(2_600);
    }
    const health: Health[] = [];
    const end = begin + 12_000;
    await until(
      'twelve seconds of ticks',
      async () => {
        health.push((await disturbed.health()).body);
        return haveAll(end);
      },
      120_000,
    );
    const within = ticks.map((each) =>
      live.map((id) => [id, ...each.get(id)!.filter((time) => time > begin && time <= end)]),
    );
    expect(within[0]).toEqual(within[1]);
    for (const { status, instruments } of health) {
      expect(status).toBe('healthy');
      expect(instruments).toMatchObject({ waiting: 0, short: 0 });
    }
    expect(health.at(-1)!.instruments).toMatchObject({ wanted: 3_300, unproven: 3_000 });
    expect(honest[0]!.frames.filter(({ action: what }) => what === 'waiting')).toEqual([]);
  }, 240_000);

  it('give their places to what is listed, and their clients are told', async () => {
    const base = await freePorts(1);
    fronts = await new FrontsProcess(1, base, ['--rate', '5']).ready();
    const gateway = await start(base, 1, { max_subscriptions: 2 });
    const first = await action(gateway);
    const options = [`rb${year}05C1000`, `rb${year}05C2000`];
    first.send({ action: 'subscribe', instruments: options });
    expect(await first.next('the acknowledgement')).toEqual({
      action: 'subscribe',
      status: 'ok',
      instruments: options,
    });
    await gateway.healthUntil(
      'both to have places',
      ({ connections }) => connections[0]!.subscriptions === 2,
    );
    const second = await action(gateway);
    second.send({ action: 'subscribe', instruments: [`cu${year}01`] });
    await second.next('a tick', isTick);
    const told = await first.next('word of the place', (frame) => frame['action'] === 'waiting');
    expect(options).toContain((told['instruments'] as string[])[0]);
    const { body } = await gateway.health();
    expect(body).toMatchObject({
      status: 'healthy',
      instruments: { wanted: 3, waiting: 0, short: 0, unproven: 2, unproven_waiting: 1 },
    });
    await second.close();
    const again = await first.next('word of a place', (frame) => frame['action'] === 'served');
    expect(again['instruments']).toEqual(told['instruments']);
  });

  it('leave no slot behind, and leave some for others while they are wanted', async () => {
    const base = await freePorts(1);
    fronts = await new FrontsProcess(1, base).ready();
    const gateway = await start(base, 1, { max_subscriptions: 500 });
    const before = (await gateway.health()).body.instruments;
    const third = await action(gateway);
    for (let round = 0; round < 2; round++) {
      const greedy = [await action(gateway), await action(gateway)];
      for (const [i, client] of greedy.entries())
        client.send({
          action: 'subscribe',
          instruments: strikes(10_000 + (2 * round + i) * 100_000, 25_000),
        });
      let taken = 0;
      for (const client of greedy) {
        const ack = await client.next('the acknowledgement', ({ action: what }) => what === 'subscribe');
        const count = (ack['instruments'] as string[]).length;
        expect(count, 'both have a share').toBeGreaterThan(15_000);
        taken += count;
        if (count === 25_000) continue;
        const refused = await client.next('the refusal', ({ code }) => code === 'no_slots');
        expect(refused['instruments'] as string[]).toHaveLength(25_000 - count);
      }
      expect(taken, 'some are left').toBeLessThan(49_000);
      const options = strikes(3_000 + round, 1);
      third.send({ action: 'subscribe', instruments: options });
      const ack = await third.next('the acknowledgement', ({ action: what }) => what === 'subscribe');
      expect(ack['instruments']).toEqual(options);
      await Promise.all(greedy.map((client) => client.close()));
      await gateway.healthUntil(
        'the slots to be given back',
        ({ instruments }) => instruments.slots <= before.slots + 2 && instruments.unproven <= 2,
        60_000,
      );
    }
    await gateway.line(/further ones are refused with no_slots/);
    const { instruments } = (await gateway.health()).body;
    expect(instruments.free_slots).toBeGreaterThanOrEqual(before.free_slots - 2);
    expect(instruments.no_slots).toBeGreaterThan(0);
    expect(gateway.lines.filter((line) => line.includes('refused with no_slots')).length).toBeLessThanOrEqual(
      2,
    );
  }, 240_000);
});
