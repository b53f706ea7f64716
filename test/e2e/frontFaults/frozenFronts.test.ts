import { afterEach, it } from 'vitest';
import { Client } from '../client.js';
import { cu, rb } from '../contracts.js';
import { freePorts } from '../ports.js';
import { connectionsTo, FrontsProcess, GatewayProcess } from '../processes.js';
import { until } from '../../helpers/until.js';

// All fronts stop without a word a few seconds after the first subscription, so that no other line reports it.

const count = 2;
/** Seconds of flow; two time-outs of it would be enough to be judged by. */
const flowSeconds = 6;
const silenceTimeout = 10;
const deadlineMs = 60_000;

let fronts: FrontsProcess;
let gateway: GatewayProcess;
afterEach(async () => {
  fronts.child.kill('SIGCONT');
  await Promise.all([gateway.stop('SIGKILL'), fronts.stop('SIGKILL')]);
});

it(
  'fronts that freeze soon after the first subscription are found, and are back when they continue',
  async () => {
    const basePort = await freePorts(count);
    fronts = await new FrontsProcess(count, basePort, ['--control-port', '0', '--rate', '20']).ready();
    gateway = new GatewayProcess({
      connections: connectionsTo(basePort, count),
      silence_timeout: silenceTimeout,
      load_balance_strategy: 'round_robin',
      trading_hours: 'always',
    });
    await gateway.loggedIn();
    const client = await Client.connect(`${await gateway.url()}?protocol=action`);
    client.send({ action: 'subscribe', instruments: [rb, cu] });
    await client.next('a push', (frame) => frame['action'] === 'market_data');
    const begin = await fronts.clock();
    await until('some seconds of flow', async () => (await fronts.clock()) > begin + 1000 * flowSeconds);
    fronts.child.kill('SIGSTOP');
    await gateway.healthUntil(
      'all to be found',
      ({ connections }) => connections.every(({ status }) => status !== 'logged_in'),
      deadlineMs,
    );
    for (let line = 1; line <= count; line++)
      await gateway.line(new RegExp(`line_${line}: connected, but nothing came for`));
    fronts.child.kill('SIGCONT');
    await gateway.healthUntil(
      'all to be back',
      ({ connections }) => connections.every(({ status }) => status === 'logged_in'),
      deadlineMs,
    );
    await client.close();
  },
  3 * deadlineMs,
);
