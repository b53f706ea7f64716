import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packagePath } from '../../src/base/paths.js';
import { Client } from './client.js';
import { freePorts } from './ports.js';
import { connectionsTo, FrontsProcess, GatewayProcess } from './processes.js';
import { until } from '../helpers/until.js';
import { cu, rb, ta, yymm } from './contracts.js';
import { play, type Stage, type Transcript } from './transcript.js';

const folder = packagePath('test', 'e2e', 'transcripts');
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));

const ids: Readonly<Record<string, string>> = {
  rb,
  cu,
  i: `i${yymm}`,
  TA: ta,
};

let fronts: FrontsProcess;
let gateway: GatewayProcess;
let witness: Client;

function optionList(characters: number): string {
  let list = '';
  for (let strike = 1000; list.length < characters; strike++)
    list += `${list === '' ? '' : ','}DCE.i${yymm}-C-${strike}`;
  return list;
}

function read(name: string): Transcript {
  const text = readFileSync(join(folder, name), 'utf8')
    .replace(/\{options:(\d+)\}/g, (_, characters: string) => optionList(Number(characters)))
    .replace(/\{(rb|cu|i|TA)\}/g, (_, product: string) => ids[product]!);
  return JSON.parse(text) as Transcript;
}

beforeAll(async () => {
  const basePort = await freePorts(1);
  fronts = await new FrontsProcess(1, basePort, ['--rate', '10', '--control-port', '0']).ready();
  gateway = new GatewayProcess(
    {
      connections: connectionsTo(basePort, 1).map((each) => ({ ...each, max_subscriptions: 20_000 })),
      unsubscribe_grace: 0,
      trading_hours: 'always',
    },
    [],
    { QACTPMD_SIM_RECONNECT_MS: '50' },
  );
  await gateway.loggedIn();
  witness = await Client.connect(`${await gateway.url()}?protocol=action`);
  witness.send({ action: 'subscribe', instruments: [ids['rb']] });
  await witness.next('a push', (frame) => frame['action'] === 'market_data');
});

afterAll(async () => {
  await witness.close();
  expect(await gateway.stop()).toBe(0);
  await fronts.stop();
});

const stage: Stage = {
  connect: async () => Client.connect(await gateway.url()),
  ticks: async (count) => {
    const enough = witness.frames.length + count;
    await until(`${count} ticks`, () => witness.frames.length >= enough);
  },
  fault: (name, fields) => fronts.fault(name, fields),
  clear: (name) => fronts.clear(name),
};

describe('what TqSdk for Python says and needs to hear', () => {
  it('is written down', () => {
    expect(files.length).toBeGreaterThanOrEqual(10);
  });

  it.each(files.map((file) => [file, read(file)] as const))('%s', async (_, transcript) => {
    await play(transcript, stage);
  });
});
