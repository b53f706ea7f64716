import { afterEach, expect, it } from 'vitest';
import { Client } from '../e2e/client.js';
import { freePorts } from '../e2e/ports.js';
import { connectionsTo, FrontsProcess, GatewayProcess, type Program } from '../e2e/processes.js';
import { until } from '../helpers/until.js';

const programs: Program[] = [];
afterEach(async () => {
  for (const { child } of programs) child.kill('SIGCONT');
  await Promise.all(programs.splice(0).map((program) => program.stop('SIGKILL')));
});

function track<T extends Program>(program: T): T {
  programs.push(program);
  return program;
}

const silence = /line_1: connected, but nothing came for [1-9]\d* s/;
const attempts = 4;
const attemptMs = 15_000;
const testMs = 120_000;

const delivery = new Date(Date.now() + 180 * 86_400_000).toISOString();
const instruments = ['rb', 'cu', 'al', 'zn'].map(
  (product) => product + delivery.slice(2, 4) + delivery.slice(5, 7),
);

it(
  'a front that stops without a word is found, its instruments move, and it comes back',
  async () => {
    const basePort = await freePorts(2);
    const [stopped] = await Promise.all(
      [0, 1].map((n) => track(new FrontsProcess(1, basePort + n, ['--rate', '20'])).ready()),
    );
    const gateway = track(
      new GatewayProcess(
        {
          connections: connectionsTo(basePort, 2),
          silence_timeout: 1,
          trading_hours: 'always',
          load_balance_strategy: 'round_robin',
        },
        [],
        { QACTPMD_SIM_RECONNECT_MS: '100' },
      ),
    );
    await gateway.loggedIn();
    const client = await Client.connect(`${await gateway.url()}?protocol=action`);
    client.send({ action: 'subscribe', instruments });
    const ticksOf = (line: number): Promise<number> =>
      gateway.health().then(({ body }) => body.connections[line]!.ticks);
    // The watch wants two time-outs of a flow without a break, which a loaded machine may not give at once.
    const isFound = (): boolean => gateway.lines.some((text) => silence.test(text));
    for (let attempt = 0; attempt < attempts && !isFound(); attempt++) {
      stopped!.child.kill('SIGCONT');
      const before = [await ticksOf(0), await ticksOf(1)];
      await until(
        'both to flow',
        async () => (await ticksOf(0)) > before[0]! + 120 && (await ticksOf(1)) > before[1]! + 120,
      );
      stopped!.child.kill('SIGSTOP');
      const deadline = Date.now() + attemptMs;
      await until(
        'the silence, or the next attempt',
        () => isFound() || Date.now() > deadline,
        2 * attemptMs,
      );
    }
    expect(isFound()).toBe(true);
    await gateway.healthUntil(
      'all on the other line',
      ({ connections: [first, second] }) =>
        first!.status !== 'logged_in' && second!.subscriptions === instruments.length,
    );
    let read = client.frames.length;
    const missing = new Set(instruments);
    await until('ticks of all', () => {
      for (const frame of client.frames.slice(read)) missing.delete(frame['instrument_id'] as string);
      read = client.frames.length;
      return missing.size === 0;
    });
    stopped!.child.kill('SIGCONT');
    await gateway.loggedIn();
    expect(gateway.lines.filter((text) => silence.test(text))).toHaveLength(1);
    await client.close();
    expect(await gateway.stop()).toBe(0);
  },
  testMs,
);
