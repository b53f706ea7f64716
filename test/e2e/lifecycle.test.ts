import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Client } from './client.js';
import { freePorts } from './ports.js';
import { childrenOf, connectionsTo, FrontsProcess, GatewayProcess, isAlive, Program } from './processes.js';
import { until } from '../helpers/until.js';

const programs: Program[] = [];

function track<T extends Program>(program: T): T {
  programs.push(program);
  return program;
}

afterEach(async () => {
  await Promise.all(programs.splice(0).map((program) => program.stop('SIGKILL')));
});

async function simulated(fronts = 2): Promise<GatewayProcess> {
  const basePort = await freePorts(fronts);
  return track(
    new GatewayProcess({
      log_level: 'debug',
      simulator: { fronts, base_port: basePort },
      connections: connectionsTo(basePort, fronts),
    }),
  );
}

describe('start', () => {
  it('without any configuration serves the simulated exchange on its own fronts', async () => {
    const gateway = track(
      new Program(['dist', 'src', 'main.js'], [], {
        QACTPMD_WEBSOCKET_PORT: '0',
        QACTPMD_FLOW_PATH: '/tmp/qactpmd-default',
        QACTPMD_SIMULATOR_BASE_PORT: `${await freePorts(4)}`,
        QACTPMD_UNHEARD_OF: 'x',
      }),
    );
    const { port } = JSON.parse(await gateway.line(/"msg":"listening"/)) as { port: number };
    const client = await Client.connect(`ws://127.0.0.1:${port}/?protocol=action`);
    client.send({ action: 'list_instruments', search: 'rb' });
    const { instruments } = await client.next('the list');
    client.send({ action: 'subscribe', instruments });
    await client.next('a tick', (frame) => frame['action'] === 'market_data');
    await client.close();
    expect(await gateway.stop()).toBe(0);
    expect(gateway.lines.filter((line) => /"level":"warn".*QACTPMD_UNHEARD_OF/.test(line))).toHaveLength(1);
  });

  it('says what to do when a port of its fronts is taken', async () => {
    const basePort = await freePorts(2);
    await track(new FrontsProcess(1, basePort)).ready();
    const gateway = track(new GatewayProcess({ simulator: { fronts: 2, base_port: basePort } }));
    const line = await gateway.line(/"level":"fatal"/);
    expect(line).toContain(`cannot listen on 127.0.0.1:${basePort}`);
    expect(line).toContain('QACTPMD_SIMULATOR_BASE_PORT');
    expect((await gateway.ended).code).toBe(1);
  });

  it('puts reloads off until it has started', async () => {
    const gateway = await simulated();
    const early = new Set<string>();
    await until('a reload', async () => {
      const { code, body } = await gateway.manage('POST', '/api/reload');
      if (code !== 200) early.add(`${code} ${JSON.stringify(body)}`);
      return code === 200;
    });
    for (const answer of early) expect(answer).toMatch(/^503 .*"not_ready".*the gateway is starting/);
    expect(gateway.output).not.toMatch(/the reload failed/);
    expect(await gateway.stop()).toBe(0);
  });

  it('restarts the simulated fronts when they die', async () => {
    const gateway = await simulated();
    await gateway.loggedIn();
    const [fronts] = childrenOf(gateway.child.pid!);
    process.kill(fronts!, 'SIGKILL');
    // They may be back before the loss could be seen in the state.
    await gateway.healthUntil('reconnects', ({ connections }) =>
      connections.every(({ status, reconnects }) => status === 'logged_in' && reconnects > 0),
    );
    expect(await gateway.stop()).toBe(0);
  });
});

describe('stop', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`${signal} closes clients with 1012 and ends with 0 and no process left`, async () => {
      const gateway = await simulated();
      await gateway.loggedIn();
      const children = childrenOf(gateway.child.pid!);
      expect(children).toHaveLength(1);
      const client = await Client.connect(await gateway.url());
      const closed = client.closed();
      expect(await gateway.stop(signal)).toBe(0);
      expect(await closed).toBe(1012);
      for (const child of children) expect(isAlive(child)).toBe(false);
    });
  }

  it.each([
    ['the library is loaded', /vendor library loaded/],
    ['the port is open', /"msg":"listening"/],
    ['the simulated fronts listen', /simulated fronts are listening/],
    ['a connection connects', /connecting/],
    ['a connection is logged in', /logged_in/],
  ])('ends with 0 and no process left when %s', async (_when, line) => {
    const gateway = await simulated(4);
    await gateway.line(line);
    const children = childrenOf(gateway.child.pid!);
    expect(await gateway.stop('SIGTERM')).toBe(0);
    for (const child of children) await until('the child to end', () => !isAlive(child));
  });

  it('ends with 0 when the signal reaches its fronts as well, before they listen', async () => {
    const gateway = await simulated();
    await gateway.line(/"msg":"listening"/);
    const fronts = await until('the fronts to be started', () => childrenOf(gateway.child.pid!)[0]);
    process.kill(fronts, 'SIGTERM');
    expect(await gateway.stop('SIGTERM')).toBe(0);
    expect(gateway.output).not.toMatch(/"level":"fatal"/);
    expect(isAlive(fronts)).toBe(false);
  });

  it('does not start the fronts again when the signal ends them too', async () => {
    const gateway = await simulated();
    await gateway.loggedIn();
    const children = childrenOf(gateway.child.pid!);
    for (const child of children) process.kill(child, 'SIGTERM');
    expect(await gateway.stop('SIGTERM')).toBe(0);
    expect(gateway.output).not.toMatch(/starting them again/);
    expect(gateway.lines.filter((line) => line.includes('simulated fronts are listening'))).toHaveLength(1);
    for (const child of children) expect(isAlive(child)).toBe(false);
  });

  it('takes the signal twice, as a terminal under npm sends it', async () => {
    const gateway = await simulated();
    await gateway.line(/"msg":"listening"/);
    gateway.child.kill('SIGINT');
    gateway.child.kill('SIGINT');
    expect(await gateway.stop('SIGINT')).toBe(0);
  });

  it('ends the simulated fronts when it is killed itself', async () => {
    const gateway = await simulated();
    await gateway.loggedIn();
    const [fronts] = childrenOf(gateway.child.pid!);
    await gateway.stop('SIGKILL');
    await until('the fronts to end', () => !isAlive(fronts!));
  });

  it('ends while clients subscribe and ticks flow', async () => {
    const gateway = await simulated();
    await gateway.loggedIn();
    const client = await Client.connect(`${await gateway.url()}?protocol=action`);
    client.send({ action: 'list_instruments' });
    const { instruments } = await client.next('the list');
    client.send({ action: 'subscribe', instruments });
    await client.next('a tick', (frame) => frame['action'] === 'market_data');
    expect(await gateway.stop()).toBe(0);
  });

  it('ends in time although nobody reads its log', async () => {
    const basePort = await freePorts(1);
    const fronts = track(new FrontsProcess(1, basePort, ['--control-port', '0']));
    await fronts.ready();
    const gateway = track(
      new GatewayProcess({ log_level: 'debug', connections: connectionsTo(basePort, 1) }, [], {
        QACTPMD_SIM_RECONNECT_MS: '1',
      }),
    );
    await gateway.loggedIn();
    gateway.child.stdout!.pause();
    const client = await Client.connect(`${await gateway.url()}?protocol=action`);
    // Each is a line in the log: more than a pipe and its reader's buffers hold.
    const clients = 700;
    for (let i = 0; i < clients; i++) await (await Client.connect(await gateway.url())).close();
    client.send({ action: 'ping' });
    await client.next('the pong', (frame) => frame['action'] === 'pong');
    gateway.child.kill('SIGTERM');
    await until('the end', () => !gateway.isRunning);
    expect(gateway.child.exitCode).toBe(0);
    gateway.child.stdout!.resume();
  });

  it('removes the profile socket', async () => {
    const basePort = await freePorts(1);
    const gateway = track(new GatewayProcess({ connections: connectionsTo(basePort, 1) }, ['--profile']));
    await gateway.line(/"msg":"listening"/);
    const socket = join(gateway.folder, 'profile.sock');
    expect(existsSync(socket)).toBe(true);
    expect(await gateway.stop()).toBe(0);
    expect(existsSync(socket)).toBe(false);
  });
});
