import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { shippedProductRows } from '../../src/market/instruments/products.js';
import { temporaryFolder } from '../config/sources.js';
import { Client } from './client.js';
import { freePorts } from './ports.js';
import { connectionsTo, FrontsProcess, GatewayProcess } from './processes.js';
import { untilIs } from '../helpers/until.js';

const started: (FrontsProcess | GatewayProcess)[] = [];
afterEach(async () => {
  for (const each of started.splice(0).reverse()) await each.stop();
});

async function fronts(count: number): Promise<{ fronts: FrontsProcess; basePort: number }> {
  const basePort = await freePorts(count);
  const process = new FrontsProcess(count, basePort, ['--control-port', '0', '--rate', '4']);
  started.push(process);
  return { fronts: await process.ready(), basePort };
}

async function gateway(config: object): Promise<GatewayProcess> {
  const process = new GatewayProcess({ trading_hours: 'always', maintenance_interval: 1, ...config });
  started.push(process);
  await process.loggedIn();
  return process;
}

async function client(of: GatewayProcess): Promise<Client> {
  const made = await Client.connect(`${await of.url()}?protocol=action`);
  onTestFinished(() => made.close());
  return made;
}

/** With room for all trials at once. */
const connections = (basePort: number, count: number): object[] =>
  connectionsTo(basePort, count).map((each) => ({ ...each, max_subscriptions: 2000 }));

/** A table in which rebar lists this month's contract and the next alone, and nothing but copper is left beside it. */
function shortTable(folder: string): string {
  const others = shippedProductRows().filter(({ product }) => product !== 'rb' && product !== 'cu');
  const file = join(folder, 'products.json');
  writeFileSync(
    file,
    JSON.stringify([
      { product: 'rb', listing: 'months:2' },
      ...others.map(({ product }) => ({ product, remove: true })),
    ]),
  );
  return file;
}

describe('instruments that no rule lists', () => {
  it('are found where there is room to spare, join patterns and the list, and are remembered', async () => {
    const folder = temporaryFolder();
    const { fronts: simulated, basePort } = await fronts(1);
    const known = join(folder, 'known.json');
    const config = {
      connections: connections(basePort, 1),
      products_file: shortTable(folder),
      instruments_file: known,
    };
    const first = await gateway(config);
    const one = await client(first);
    one.send({ action: 'subscribe', instruments: ['rb*'] });
    const ack = await one.next('the acknowledgement', ({ action }) => action === 'subscribe');
    expect(ack['instruments']).toHaveLength(2);

    // The simulated exchange lists twelve months.
    const joined = new Set<string>();
    while (joined.size < 10) {
      const { patterns } = await one.next('new listings', ({ action }) => action === 'listing');
      for (const id of (patterns as { 'rb*': { added: string[] } })['rb*'].added) joined.add(id);
    }
    const [last] = [...joined].sort().slice(-1);
    await one.next('ticks of what was found', (frame) => frame['instrument_id'] === last);
    one.send({ action: 'list_instruments', product: 'rb' });
    const { instruments } = await one.next('the list', ({ action }) => action === 'list_instruments');
    expect(instruments).toEqual(expect.arrayContaining([...joined]));
    const symbols = (await (
      await fetch(`http://127.0.0.1:${await first.port()}/symbols/latest.json`)
    ).json()) as object;
    expect(symbols).toHaveProperty([`SHFE.${last}`]);

    await first.line(/all conceivable contracts were tried/);
    const health = await first.healthUntil(
      'trials to be over',
      ({ connections }) => connections[0]!.subscriptions === 12,
    );
    expect(health.instruments).toMatchObject({ wanted: 12, waiting: 0, refused: 0, short: 0 });
    await untilIs(
      'what was tried to be unsubscribed',
      async () => (await simulated.load()).subscriptions,
      12,
    );
    expect(first.output).not.toMatch(/"level":"?(warn|40|error|50)/);
    expect(await first.stop()).toBe(0);
    expect(
      Object.keys((JSON.parse(readFileSync(known, 'utf8')) as { instruments: object }).instruments),
    ).toHaveLength(joined.size + cuBeyondRules(known));

    const second = await gateway({ ...config, discover_instruments: true });
    const two = await client(second);
    two.send({ action: 'subscribe', instruments: ['rb*'] });
    const again = await two.next('the acknowledgement', ({ action }) => action === 'subscribe');
    expect(again['instruments']).toHaveLength(12);
  });

  it('are found when clients name them; what is unknown to the front never is, whatever it answers', async () => {
    const folder = temporaryFolder();
    const { fronts: simulated, basePort } = await fronts(2);
    await simulated.fault('unknown_id_error', { error: 16 }, 1);
    const process = await gateway({
      connections: connections(basePort, 2),
      products_file: shortTable(folder),
      max_retry_count: 0,
    });
    const one = await client(process);
    one.send({ action: 'list_instruments', product: 'cu' });
    const { instruments } = await one.next('the list', ({ action }) => action === 'list_instruments');
    const [future] = (instruments as string[]).slice(-1);
    const strange = `cu${Number(future!.slice(2, 4)) + 2}${future!.slice(4)}`;
    one.send({ action: 'subscribe', instruments: [future, strange, 'SHFE.rb2499', 'CU9901'] });
    await one.next('a tick', (frame) => frame['instrument_id'] === future);
    await process.line(/all conceivable contracts were tried/);
    one.send({ action: 'list_instruments', search: strange });
    expect(
      (await one.next('the list', ({ action }) => action === 'list_instruments'))['instruments'],
    ).toEqual([]);
    // Trials that a front refuses are nobody's concern.
    expect(process.lines.filter((line) => line.includes('refused:') && !line.includes(strange))).toEqual([]);
    const health = await process.health();
    expect(health.body.connections.map(({ quality }) => quality >= 90)).toEqual([true, true]);
  });
});

describe('products of the user', () => {
  it('are quoted by the simulated exchange of the gateway, with its own fronts', async () => {
    const file = join(temporaryFolder(), 'products.json');
    writeFileSync(
      file,
      JSON.stringify([
        { product: 'xy', exchange: 'DCE', volume_multiple: 5, price_tick: 0.5, reference_price: 1234 },
        { product: 'rb', remove: true },
      ]),
    );
    const process = await gateway({
      simulator: { fronts: 1, base_port: await freePorts(1) },
      products_file: file,
    });
    const one = await client(process);
    one.send({ action: 'list_instruments', product: 'xy' });
    const { instruments } = await one.next('the list', ({ action }) => action === 'list_instruments');
    expect(instruments).toHaveLength(12);
    one.send({ action: 'subscribe', instruments });
    const { data } = await one.next('a tick', ({ action }) => action === 'market_data');
    const { last_price: last, turnover, volume, pre_settlement: before } = data as Record<string, number>;
    expect((last! * 10) % 5).toBe(0);
    expect(last! / 1234).toBeGreaterThan(0.5);
    expect(last! / 1234).toBeLessThan(2);
    // Turnover is that of five units a lot, at a price of the day.
    expect(turnover! / volume! / before!).toBeGreaterThan(4);
    expect(turnover! / volume! / before!).toBeLessThan(6);
  });
});

/** Instruments of copper that were found, which the simulated exchange lists by the same rule. */
function cuBeyondRules(file: string): number {
  const { instruments } = JSON.parse(readFileSync(file, 'utf8')) as { instruments: Record<string, number> };
  return Object.keys(instruments).filter((key) => key.startsWith('SHFE.cu')).length;
}
