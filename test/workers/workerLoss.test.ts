import { readdirSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { Client } from '../e2e/client.js';
import { GatewayProcess } from '../e2e/processes.js';
import { until, untilCounted } from '../helpers/until.js';
import { Debugger } from './debugger.js';

let gateway: GatewayProcess | undefined;
afterEach(async () => {
  await gateway?.stop('SIGKILL');
});

async function start(connections: number, config: object = {}): Promise<[GatewayProcess, Debugger, Client]> {
  gateway = new GatewayProcess(
    {
      connections: Array.from({ length: connections }, (_, i) => ({
        connection_id: `line_${i}`,
        front_addr: 'sim://?rate=100',
      })),
      // So that connections' workers are the only ones.
      history_memory: 0,
      ...config,
    },
    [],
    { NODE_OPTIONS: '--inspect=127.0.0.1:0 --max-old-space-size=96' },
  );
  const [, url] = /(ws:\S+)/.exec(await gateway.line(/Debugger listening on/))!;
  await gateway.loggedIn();
  const debug = await Debugger.attach(url!);
  const client = await Client.connect(`${await gateway.url()}?protocol=action`);
  return [gateway, debug, client];
}

const delivery = new Date(Date.now() + 180 * 86_400_000).toISOString();
const instruments = ['rb', 'cu', 'al', 'zn'].map(
  (product) => product + delivery.slice(2, 4) + delivery.slice(5, 7),
);

/** Waits for a tick of each instrument from now on. */
async function ticksOfAll(client: Client): Promise<void> {
  let read = client.frames.length;
  const missing = new Set(instruments);
  await until('ticks of all', () => {
    for (const frame of client.frames.slice(read)) missing.delete(frame['instrument_id'] as string);
    read = client.frames.length;
    return missing.size === 0;
  });
}

const deaths = [
  ['throws', "setImmediate(() => { throw new Error('broken on purpose') })", 'broken on purpose'],
  ['exits', 'process.exit(5)', 'the worker ended with code 5'],
  ['runs out of memory', 'const list = []; for (;;) list.push(new Array(1e5).fill(1.5))', 'memory limit'],
] as const;

describe('a worker thread that', () => {
  it.each(deaths)('%s is replaced, and its subscriptions with it', async (_how, code, error) => {
    const [process, debug, client] = await start(1);
    client.send({ action: 'subscribe', instruments });
    await ticksOfAll(client);
    await debug.runInWorker(code);
    await process.line(new RegExp(`line_0: its worker crashed: .*${error}`));
    await process.healthUntil(
      'the connection to be back',
      ({ connections: [line] }) => line!.status === 'logged_in' && line!.subscriptions === instruments.length,
    );
    await ticksOfAll(client);
    expect((await process.health()).body.connections[0]!.reconnects).toBe(1);
    debug.close();
    await client.close();
    expect(await process.stop()).toBe(0);
  });
});

it('a worker that is lost again and again leaves nothing behind, and the others alone', async () => {
  const [process, debug, client] = await start(3);
  client.send({ action: 'subscribe', instruments });
  await ticksOfAll(client);
  const use = (): number[] =>
    ['task', 'fd'].map((kind) => readdirSync(`/proc/${process.child.pid}/${kind}`).length);
  const lose = async (times: number): Promise<void> => {
    await debug.runInWorker('process.exit(5)');
    await untilCounted(
      'the loss',
      () => process.lines.filter((line) => line.includes('worker crashed')).length,
      times,
    );
    await process.loggedIn();
  };
  await lose(1);
  const before = use();
  for (let times = 2; times <= 5; times++) await lose(times);
  await until(`no more than ${before.join()}, not ${use().join()}`, () =>
    use().every((n, i) => n <= before[i]! + 1),
  );
  await ticksOfAll(client);
  const { connections } = (await process.health()).body;
  expect(connections.reduce((sum, { reconnects }) => sum + reconnects, 0)).toBe(5);
  debug.close();
  await client.close();
  expect(await process.stop()).toBe(0);
});
