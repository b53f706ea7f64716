import { copyFileSync, mkdtempSync, openSync, rmSync, writeSync, closeSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packagePath } from '../../src/base/paths.js';
import { Client } from './client.js';
import { generations, libraryOf } from '../helpers/generations.js';
import { freePorts } from './ports.js';
import { connectionsTo, FrontsProcess, GatewayProcess, type Program } from './processes.js';
import { until } from '../helpers/until.js';

const library = packagePath('libs', 'simulator', 'build', 'thostmduserapi_se.so');
const simConnection = [{ connection_id: 'sim', front_addr: 'sim://?rate=10', broker_id: '9999' }];

let folder: string;
const programs: Program[] = [];

function track<T extends Program>(program: T): T {
  programs.push(program);
  return program;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'qactpmd-faults-'));
});

afterEach(async () => {
  await Promise.all(programs.splice(0).map((program) => program.stop('SIGKILL')));
  rmSync(folder, { recursive: true, force: true });
});

/** Starts a gateway that cannot run; its exit code and what it said of why. */
async function refused(
  config: object,
  env: Record<string, string> = {},
): Promise<{ code: number | null; said: string }> {
  const gateway = track(new GatewayProcess(config, [], env));
  const { code } = await gateway.ended;
  const said = gateway.lines
    .map((line) => JSON.parse(line) as { level: string; msg: string })
    .filter(({ level }) => level === 'fatal')
    .map(({ msg }) => msg);
  return { code, said: [...said, ...gateway.complaints].join('\n') };
}

describe('a gateway that cannot run says why in one line and exits with 1', () => {
  it('library missing', async () => {
    const path = join(folder, 'nothing.so');
    const { code, said } = await refused({ ctp_library: path, connections: simConnection });
    expect(code).toBe(1);
    expect(said).toContain(path);
    expect(said.split('\n')).toHaveLength(1);
  });

  it('library of another machine', async () => {
    const path = join(folder, 'thostmduserapi_se.so');
    copyFileSync(library, path);
    const file = openSync(path, 'r+');
    // e_machine of the ELF header: 183 is AArch64.
    writeSync(file, Buffer.from([183, 0]), 0, 2, 18);
    closeSync(file);
    const { code, said } = await refused({ ctp_library: path, connections: simConnection });
    expect(code).toBe(1);
    expect(said).toContain(path);
    expect(said).toMatch(/aarch64|architecture|machine/i);
    expect(said.split('\n')).toHaveLength(1);
  });

  it('library that is none', async () => {
    const path = join(folder, 'text.so');
    writeFileSync(path, 'not a library');
    const { code, said } = await refused({ ctp_library: path, connections: simConnection });
    expect(code).toBe(1);
    expect(said).toContain(path);
  });

  it('port in use', async () => {
    const server = await new Promise<Server>((resolve) => {
      const listening = createServer().listen(0, '127.0.0.1', () => resolve(listening));
    });
    const { port } = server.address() as { port: number };
    const { code, said } = await refused({ websocket_port: port, connections: simConnection });
    server.close();
    expect(code).toBe(1);
    expect(said).toContain(`127.0.0.1:${port}`);
    expect(said.split('\n')).toHaveLength(1);
  });

  it('unknown key and wrong value in the configuration', async () => {
    const { code, said } = await refused({
      websocket_prot: 1,
      max_retry_count: 'many',
      connections: simConnection,
    });
    expect(code).toBe(1);
    expect(said).toContain('websocket_prot');
    expect(said).toContain('max_retry_count');
    expect(said.split('\n')).toHaveLength(2);
  });

  it('wrong value in the environment', async () => {
    const { code, said } = await refused({ connections: simConnection }, { QACTPMD_REDIS_PORT: 'x' });
    expect(code).toBe(1);
    expect(said).toContain('QACTPMD_REDIS_PORT');
  });
});

describe('a gateway that runs says what is wrong with its surroundings', () => {
  it('front that cuts every session: a few lines, not one for each', async () => {
    let cuts = 0;
    const front = createServer((socket) => {
      cuts++;
      socket.on('error', () => undefined);
      socket.destroy();
    });
    await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
    const { port } = front.address() as AddressInfo;
    const gateway = track(
      new GatewayProcess({ connections: connectionsTo(port, 1) }, [], { QACTPMD_SIM_RECONNECT_MS: '10' }),
    );
    await until('many cuts', () => cuts > 15);
    expect(await gateway.stop()).toBe(0);
    front.close();
    expect(gateway.lines.length).toBeLessThan(20);
    expect(gateway.output).toMatch(/accepts and closes, 5 times since the last login/);
  });

  it('missing Redis: one line, and the ticks flow', async () => {
    const port = await freePorts(1);
    const gateway = track(
      new GatewayProcess({
        redis_enabled: true,
        redis_host: '127.0.0.1',
        redis_port: port,
        connections: simConnection,
      }),
    );
    await gateway.line(new RegExp(`127.0.0.1:${port}`));
    const { status, redis } = await gateway.healthUntil('degraded', (health) => health.status === 'degraded');
    expect(status).toBe('degraded');
    expect(redis.connected).toBe(false);
    const client = await Client.connect(`${await gateway.url()}?protocol=action`);
    client.send({ action: 'subscribe', instruments: ['rb2701'] });
    for (let i = 0; i < 3; i++) await client.next('a tick', (frame) => frame['action'] === 'market_data');
    expect(gateway.lines.filter((line) => line.includes(`127.0.0.1:${port}`))).toHaveLength(1);
    await client.close();
    expect(await gateway.stop()).toBe(0);
  });
});

describe.each(generations)('a front of generation %s', (generation) => {
  const ctp_library = libraryOf(generation);

  it('that rejects the login is named', async () => {
    const basePort = await freePorts(1);
    await track(new FrontsProcess(1, basePort, ['--reject-login', '3'])).ready();
    const gateway = track(new GatewayProcess({ ctp_library, connections: connectionsTo(basePort, 1) }));
    await gateway.line(/line_1.*login.*3/);
    const health = await gateway.healthUntil(
      'the error state',
      ({ connections }) => connections[0]!.status === 'error',
    );
    expect(health.status).toBe('unhealthy');
    expect(await gateway.stop()).toBe(0);
  });

  it('that dies is reported, and its ticks flow again after it is back, to the clients that were there', async () => {
    const basePort = await freePorts(1);
    const load = ['--rate', '20'];
    const fronts = await track(new FrontsProcess(1, basePort, load)).ready();
    const gateway = track(
      new GatewayProcess({ ctp_library, connections: connectionsTo(basePort, 1) }, [], {
        QACTPMD_SIM_RECONNECT_MS: '200',
      }),
    );
    await gateway.loggedIn();
    const client = await Client.connect(`${await gateway.url()}?protocol=action`);
    client.send({ action: 'list_instruments', exchange: 'SHFE' });
    const { instruments } = (await client.next('the list')) as { instruments: string[] };
    client.send({ action: 'subscribe', instruments });
    await client.next('the ack', (frame) => frame['action'] === 'subscribe');
    const seen = new Set<unknown>();
    await client.next('every instrument', (frame) => {
      if (frame['action'] === 'market_data') seen.add(frame['instrument_id']);
      return seen.size === instruments.length;
    });

    await fronts.stop('SIGKILL');
    // The dying front's backlog may take one more connection, which is connected for a moment.
    const lost = await gateway.healthUntil(
      'the loss',
      ({ connections }) => connections[0]!.status !== 'logged_in' && connections[0]!.reason !== '',
    );
    expect(lost.status).toBe('unhealthy');
    expect(client.isOpen).toBe(true);

    await track(new FrontsProcess(1, basePort, load)).ready();
    await gateway.loggedIn();
    seen.clear();
    const before = client.frames.length;
    await client.next('every instrument again', (frame) => {
      if (frame['action'] === 'market_data' && client.frames.length > before)
        seen.add(frame['instrument_id']);
      return seen.size === instruments.length;
    });
    const volumes = new Map<unknown, number>();
    for (const frame of client.frames) {
      if (frame['action'] !== 'market_data') continue;
      const { volume } = frame['data'] as { volume: number };
      expect(volume).toBeGreaterThanOrEqual(volumes.get(frame['instrument_id']) ?? 0);
      volumes.set(frame['instrument_id'], volume);
    }
    await client.close();
    expect(await gateway.stop()).toBe(0);
  });

  it('that dies hands its instruments to the other connections', async () => {
    const basePort = await freePorts(2);
    const first = await track(new FrontsProcess(1, basePort)).ready();
    await track(new FrontsProcess(1, basePort + 1)).ready();
    const gateway = track(new GatewayProcess({ ctp_library, connections: connectionsTo(basePort, 2) }));
    await gateway.loggedIn();
    const client = await Client.connect(`${await gateway.url()}?protocol=action`);
    client.send({ action: 'list_instruments', search: 'rb' });
    const { instruments } = (await client.next('the list')) as { instruments: string[] };
    client.send({ action: 'subscribe', instruments });
    await gateway.healthUntil('both to carry some', ({ connections }) =>
      connections.every(({ subscriptions }) => subscriptions > 0),
    );
    await first.stop('SIGKILL');
    const health = await gateway.healthUntil(
      'the move',
      ({ connections }) => connections[1]!.subscriptions === instruments.length,
    );
    expect(health.status).toBe('degraded');
    const seen = new Set<unknown>();
    await client.next('every instrument', (frame) => {
      if (frame['action'] === 'market_data') seen.add(frame['instrument_id']);
      return seen.size === instruments.length;
    });
    await client.close();
    expect(await gateway.stop()).toBe(0);
  });
});

describe('a worker that dies', () => {
  it('is replaced, and its ticks flow again to the clients that were there', async () => {
    const trigger = join(folder, 'die');
    const preload = join(folder, 'preload.cjs');
    writeFileSync(
      preload,
      `const fs = require('node:fs');
       if (require('node:worker_threads').workerData?.channel?.doorbell !== undefined)
         setInterval(() => {
           if (!fs.existsSync(${JSON.stringify(trigger)})) return;
           fs.unlinkSync(${JSON.stringify(trigger)});
           throw new Error('killed by the test');
         }, 20).unref();`,
    );
    const gateway = track(
      new GatewayProcess({ connections: simConnection }, [], { NODE_OPTIONS: `--require ${preload}` }),
    );
    await gateway.loggedIn();
    const client = await Client.connect(`${await gateway.url()}?protocol=action`);
    client.send({ action: 'list_instruments', search: 'au' });
    const { instruments } = await client.next('the list');
    client.send({ action: 'subscribe', instruments });
    await client.next('a tick', (frame) => frame['action'] === 'market_data');
    writeFileSync(trigger, '');
    await gateway.line(/its worker crashed: killed by the test/);
    const { connections } = await gateway.loggedIn();
    const before = connections[0]!.ticks;
    await gateway.healthUntil('ticks to flow again', (health) => health.connections[0]!.ticks > before + 10);
    await client.next('a tick', (frame) => frame['action'] === 'market_data');
    expect(await gateway.stop()).toBe(0);
  });
});
