import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { strategies } from '../../src/config/options.js';
import { listInstruments } from '../../src/market/instruments/optionContracts.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import { Client } from './client.js';
import { freePorts } from './ports.js';
import { FrontsProcess, GatewayProcess, type Health } from './processes.js';
import { until } from '../helpers/until.js';

const connections = 96;
const listed = 15_000;
const wanted = 1_000;
const clientCount = 200;
const instrumentsEach = 10;
/** From the gateway's own start. */
const loginDeadlineMs = 30_000;

/** Room for 8 to 15 instruments each: 1,012 in all on the lines of the first priority, so that nearly all is used. */
const roomOf = (line: number): number => 8 + (line % 8);
const reserves = 8;
const isReserve = (line: number): boolean => line >= connections - reserves;

const ids = listInstruments(loadProducts(), new Date(), undefined, listed).map(({ id }) => id);
const some = Array.from({ length: wanted }, (_, i) => ids[i * (listed / wanted)]!);

let fronts: FrontsProcess;
let basePort: number;

beforeAll(async () => {
  basePort = await freePorts(connections);
  fronts = new FrontsProcess(connections, basePort, ['--instruments', `${listed}`, '--rate', '2']);
  await fronts.ready();
});

afterAll(async () => {
  expect(await fronts.stop()).toBe(0);
});

function config(strategy: string): object {
  return {
    load_balance_strategy: strategy,
    connections: Array.from({ length: connections }, (_, line) => ({
      connection_id: `line_${line}`,
      front_addr: `tcp://127.0.0.1:${basePort + line}`,
      broker_id: `${1000 + (line % 12)}`,
      max_subscriptions: roomOf(line),
      priority: isReserve(line) ? 2 : 1,
    })),
  };
}

/** Each client's instruments: every instrument is wanted by two clients. */
function instrumentsOf(client: number): string[] {
  return Array.from({ length: instrumentsEach }, (_, i) => some[(client + i * 100) % wanted]!);
}

/** Subscribes by the one protocol or the other; resolves when each of its instruments has a state. */
async function follow(url: string, index: number): Promise<Client> {
  const mine = instrumentsOf(index);
  const missing = new Set(mine);
  if (index % 2 === 0) {
    const client = await Client.connect(`${url}?protocol=action`);
    client.send({ action: 'subscribe', instruments: mine });
    await client.next(`a tick of each instrument of client ${index}`, (frame) => {
      if (frame['action'] === 'market_data') missing.delete(frame['instrument_id'] as string);
      return missing.size === 0;
    });
    return client;
  }
  const client = await Client.connect(url);
  client.send({ aid: 'subscribe_quote', ins_list: mine.join(',') });
  await until(`a quote of each instrument of client ${index}`, async () => {
    for (const id of Object.keys((await client.peek()).quotes)) missing.delete(id);
    return missing.size === 0;
  });
  return client;
}

const carried = ({ connections: all }: Health): number =>
  all.reduce((sum, { subscriptions }) => sum + subscriptions, 0);

async function everyoneFollows(gateway: GatewayProcess): Promise<Client[]> {
  const url = await gateway.url();
  return Promise.all(Array.from({ length: clientCount }, (_, index) => follow(url, index)));
}

describe(`${connections} connections, ${listed} instruments, ${wanted} of them wanted by ${clientCount} clients`, () => {
  it('the clients want every one of them', () => {
    const all = new Set(Array.from({ length: clientCount }, (_, index) => instrumentsOf(index)).flat());
    expect([...all].sort()).toEqual([...some].sort());
    expect(new Set(some).size).toBe(wanted);
  });

  it.each(strategies)(
    '%s: all are logged in, none passes its limit, every instrument ticks',
    async (strategy) => {
      const gateway = new GatewayProcess(config(strategy));
      try {
        await gateway.healthUntil(
          'all connections to be logged in',
          ({ connections: all }) => all.every(({ status }) => status === 'logged_in'),
          loginDeadlineMs,
        );
        const clients = await everyoneFollows(gateway);
        const health = await gateway.healthUntil('every instrument to be carried', (now) => {
          return carried(now) === wanted && now.instruments.waiting === 0;
        });
        expect(health.instruments).toMatchObject({ wanted, waiting: 0, refused: 0 });
        expect(health.connections).toHaveLength(connections);
        for (const [line, { subscriptions }] of health.connections.entries())
          expect(subscriptions).toBeLessThanOrEqual(isReserve(line) ? 0 : roomOf(line));
        await Promise.all(clients.map((client) => client.close()));
        expect(await gateway.stop()).toBe(0);
      } finally {
        await gateway.stop('SIGKILL');
      }
    },
    90_000,
  );
});
