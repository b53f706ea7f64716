import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ConfigError } from '../../src/config/configError.js';
import type { ReloadSummary } from '../../src/config/reload.js';
import { ManagementServer, managementSocketPath } from '../../src/server/managementServer.js';
import { publicStatus } from '../../src/server/http/publicStatus.js';
import { NotReadyError } from '../../src/server/http/reloadRoute.js';
import type { StatusReport } from '../../src/server/http/status.js';
import { toAddressSet } from '../../src/config/networkList.js';
import { temporaryFolder } from '../config/sources.js';
import { freePorts } from '../e2e/ports.js';
import { redisStatus } from './redisStatus.js';
import { World } from './world.js';

const report: StatusReport = {
  status: 'healthy',
  version: '0.1.0',
  pid: 1,
  uptime_s: 2,
  strategy: 'hash_based',
  redundancy: 1,
  instruments: { wanted: 1, short: 0, pending: 0, subscribing: 0, active: 1, failed: 0, cancelled: 0 },
  redis: redisStatus,
  waiting: [],
  failed: [],
  connections: [
    {
      id: 'one',
      broker_id: '9001',
      broker_name: '',
      fronts: ['tcp://192.0.2.1:41213'],
      state: 'disconnected',
      reason: 'no answer from tcp://192.0.2.1:41213, tcp://front.example:1',
      quality: 0,
      why: '',
      subscriptions: 0,
      max_subscriptions: 500,
      priority: 1,
      ticks: 0,
      ticks_per_s: null,
      delay_p50_ms: null,
      delay_p99_ms: null,
      first_share: null,
      reconnects: 0,
      login_failures: 0,
      last_error: 'lost [2001:db8::1]:7 at 10:15',
      last_tick_ms: null,
    },
  ],
  brokers: [],
};
const summary: ReloadSummary = {
  added: ['new'],
  removed: [],
  reopened: [],
  adjusted: [],
  settings: ['log_level'],
  restart: [],
  unchanged: 3,
};

let world: World;
let management: ManagementServer;
let socketPath: string;
let managementPort: number;
let outcome: () => Promise<ReloadSummary>;
let reloads: number;
let isPublic: boolean;

const logLines: string[] = [];
const logger = pino({ level: 'debug' }, { write: (line: string) => logLines.push(line) });

function manage(path: string, port = 0): Promise<ManagementServer> {
  return ManagementServer.open({
    pages: world.server.pages,
    status: () => report,
    reload: () => {
      reloads++;
      return outcome();
    },
    socket: path,
    port,
    logger,
  });
}

beforeEach(async () => {
  outcome = () => Promise.resolve(summary);
  reloads = 0;
  isPublic = true;
  logLines.length = 0;
  world = await World.start({
    access: { status: () => publicStatus(report), statusIsPublic: () => isPublic },
  });
  socketPath = join(temporaryFolder(), 'flow', 'management.sock');
  managementPort = await freePorts(1);
  management = await manage(socketPath, managementPort);
});
afterEach(async () => {
  await management.close();
  await world.stop();
});

interface Answer {
  readonly code: number | undefined;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

type Door = 'socket' | 'port' | 'public';

function ask(
  method: string,
  path: string,
  {
    door = 'socket',
    headers = {},
    body = '',
  }: { door?: Door; headers?: NodeJS.Dict<string>; body?: string } = {},
): Promise<Answer> {
  const where =
    door === 'socket'
      ? { socketPath }
      : { host: '127.0.0.1', port: door === 'port' ? managementPort : world.port };
  return new Promise((resolve, reject) => {
    const sent = request({ ...where, path, method, headers, agent: false }, (response) => {
      text(response).then(
        (body) => resolve({ code: response.statusCode, headers: response.headers, body }),
        reject,
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const reload = (): Promise<Answer> => ask('POST', '/api/reload');

describe('GET /api/status for management', () => {
  it('gives the report on socket and port', async () => {
    for (const door of ['socket', 'port'] as const) {
      const { code, headers, body } = await ask('GET', '/api/status', { door });
      expect(code).toBe(200);
      expect(headers['content-type']).toContain('application/json');
      expect(headers['cache-control']).toBe('no-store');
      expect(headers['access-control-allow-origin']).toBeUndefined();
      expect(JSON.parse(body)).toEqual(report);
    }
  });

  it('answers HEAD without the body', async () => {
    const { code, headers, body } = await ask('HEAD', '/api/status');
    expect([code, body]).toEqual([200, '']);
    expect(headers['content-length']).toBe(String(JSON.stringify(report).length));
  });

  it.each(['POST', 'PUT', 'DELETE'])('answers %s with 405', async (method) => {
    const { code, headers, body } = await ask(method, '/api/status', { body: 'x'.repeat(1000) });
    expect(code).toBe(405);
    expect(headers['allow']).toBe('GET, HEAD, OPTIONS');
    expect(JSON.parse(body)).toMatchObject({ error: { code: 'method_not_allowed' } });
  });

  it('tells web pages of other origins nothing, not even in a preflight', async () => {
    const { code, headers } = await ask('OPTIONS', '/api/status');
    expect([code, headers['allow']]).toEqual([204, 'GET, HEAD, OPTIONS']);
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('POST /api/reload', () => {
  it('answers with the summary when it is done, whatever the body is', async () => {
    const { code, body } = await ask('POST', '/api/reload', { body: 'x'.repeat(100_000) });
    expect(code).toBe(200);
    expect(JSON.parse(body)).toEqual(summary);
    expect(reloads).toBe(1);
  });

  it('answers 422 with a line for each thing that is wrong', async () => {
    const texts = ['gateway.json: websocket_port: must be …', 'environment X: …'];
    outcome = () => Promise.reject(new ConfigError(texts.map((each) => ({ source: 'file', text: each }))));
    const { code, body } = await reload();
    expect(code).toBe(422);
    expect(JSON.parse(body)).toEqual({
      error: {
        code: 'invalid_config',
        message: 'the configuration is refused, nothing was changed',
        problems: texts,
      },
    });
  });

  it('answers 503 and when to ask again while the gateway starts or stops', async () => {
    outcome = () => Promise.reject(new NotReadyError('the gateway is starting'));
    const { code, headers, body } = await reload();
    expect([code, headers['retry-after']]).toEqual([503, '1']);
    expect(JSON.parse(body)).toEqual({ error: { code: 'not_ready', message: 'the gateway is starting' } });
  });

  it('answers 500 without the reason for any other failure, and logs it', async () => {
    outcome = () => Promise.reject(new Error('a secret path'));
    const { code, body } = await reload();
    expect(code).toBe(500);
    expect(JSON.parse(body)).toMatchObject({ error: { code: 'internal_error' } });
    expect(body).not.toContain('secret');
    expect(logLines.some((line) => line.includes('a secret path'))).toBe(true);
  });

  it('bears a client that goes before the answer', async () => {
    let finish: () => void = () => undefined;
    let isAsked: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => (isAsked = resolve));
    outcome = () => {
      isAsked();
      return new Promise((resolve) => (finish = () => resolve(summary)));
    };
    const sent = request({ socketPath, path: '/api/reload', method: 'POST', agent: false });
    sent.on('error', () => undefined);
    sent.end();
    await asked;
    sent.destroy();
    outcome = () => Promise.resolve(summary);
    expect((await reload()).code).toBe(200);
    finish();
    expect((await reload()).code).toBe(200);
  });

  it.each(['GET', 'HEAD', 'PUT'])('answers %s with 405 and reloads nothing', async (method) => {
    const { code, headers } = await ask(method, '/api/reload');
    expect([code, headers['allow'], reloads]).toEqual([405, 'POST, OPTIONS', 0]);
  });
});

describe('the management server', () => {
  it.each(['/health', '/livez', '/readyz'])('has %s as well', async (path) => {
    expect((await ask('GET', path)).code).toBe(200);
    expect((await ask('HEAD', path, { door: 'port' })).body).toBe('');
  });

  it('answers 404 for what it has not', async () => {
    const { code, body } = await ask('GET', '/nowhere?a=1');
    expect([code, JSON.parse(body)]).toMatchObject([
      404,
      { error: { message: 'there is no page /nowhere' } },
    ]);
  });

  it.each(['localhost', 'LOCALHOST:1', '127.0.0.1', '127.0.0.1:80', '[::1]', '[::1]:80'])(
    'takes the Host %s on its port',
    async (host) => {
      expect((await ask('GET', '/api/status', { door: 'port', headers: { host } })).code).toBe(200);
    },
  );

  it.each([
    { host: 'evil.example' },
    { host: 'localhost.evil.example' },
    { host: '127.0.0.1.evil.example' },
    { host: '127.0.0.1:80:80' },
    { host: '127.0.0.1@evil.example' },
    { origin: 'http://evil.example' },
    { origin: 'http://localhost' },
    { origin: 'null' },
  ])('refuses %j on its port, whatever is asked', async (headers) => {
    for (const [method, path] of [
      ['GET', '/api/status'],
      ['POST', '/api/reload'],
      ['OPTIONS', '/api/reload'],
    ] as const) {
      const { code, body } = await ask(method, path, { door: 'port', headers });
      expect([code, JSON.parse(body)]).toMatchObject([403, { error: { code: 'local_only' } }]);
    }
    expect(reloads).toBe(0);
  });

  it('has a socket that its own user alone can open, which is gone after close', async () => {
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
    await management.close();
    await management.close();
    expect(existsSync(socketPath)).toBe(false);
  });

  it('leaves the socket of one that is alive alone, and replaces that of a dead one', async () => {
    await expect(manage(socketPath)).rejects.toThrow(
      `management_socket: ${socketPath} belongs to a process that is running`,
    );
    expect((await ask('GET', '/livez')).code).toBe(200);
    const stale = join(temporaryFolder(), 'stale.sock');
    const script = `require('node:net').createServer().listen(${JSON.stringify(stale)}, () => process.kill(process.pid, 'SIGKILL'))`;
    await once(spawn(process.execPath, ['-e', script]), 'exit');
    expect(statSync(stale).isSocket()).toBe(true);
    const next = await manage(stale);
    onTestFinished(() => next.close());
    socketPath = stale;
    expect((await ask('GET', '/livez')).code).toBe(200);
  });

  it('names the setting of a port that is taken, and leaves no socket', async () => {
    const path = join(temporaryFolder(), 'other.sock');
    await expect(manage(path, managementPort)).rejects.toThrow(
      `management_port: cannot listen on 127.0.0.1:${managementPort}: the port is in use by another program, management_port takes another one`,
    );
    expect(existsSync(path)).toBe(false);
  });

  it('has its socket in the flow folder under the port of the gateway, or where it is told', () => {
    const place = { managementSocket: '', flowPath: '/srv/ctpflow' };
    expect(managementSocketPath(place, 7799, {})).toBe('/srv/ctpflow/management-7799.sock');
    expect(managementSocketPath({ ...place, managementSocket: '/run/m.sock' }, 7799, {})).toBe('/run/m.sock');
  });
});

describe('the public port', () => {
  it.each(['GET', 'POST', 'OPTIONS'])('answers %s /api/reload with 404 and where it is', async (method) => {
    const { code, body } = await ask(method, '/api/reload', { door: 'public' });
    expect(code).toBe(404);
    expect(JSON.parse(body)).toEqual({
      error: {
        code: 'not_public',
        message:
          '/api/reload is not on this port, but on the Unix socket of management_socket and on management_port',
      },
    });
    expect(reloads).toBe(0);
  });

  it('tells everybody its status without addresses and process', async () => {
    const { code, body } = await ask('GET', '/api/status', { door: 'public' });
    expect(code).toBe(200);
    expect(body).not.toMatch(/192\.0\.2|example|2001:|41213|"pid"|"fronts"/);
    expect(JSON.parse(body)).toMatchObject({
      version: '0.1.0',
      connections: [
        { id: 'one', reason: 'no answer from (address), (address)', last_error: 'lost (address) at 10:15' },
      ],
    });
  });

  it('keeps /health and /api/status to management where the status is not public', async () => {
    isPublic = false;
    for (const path of ['/health', '/api/status']) {
      const { code, body } = await ask('GET', path, { door: 'public' });
      expect([code, JSON.parse(body)]).toMatchObject([404, { error: { code: 'not_public' } }]);
      expect((await ask('GET', path)).code).toBe(200);
    }
    for (const path of ['/livez', '/readyz'])
      expect((await ask('GET', path, { door: 'public' })).code).toBe(200);
  });

  it('gives no more to those who come through a proxy on this machine', async () => {
    const proxy = createServer((incoming, outgoing) => {
      const { method, url, headers } = incoming;
      const onward = request(
        {
          host: '127.0.0.1',
          port: world.port,
          method,
          path: url,
          headers: { ...headers, host: 'localhost' },
        },
        (answer) => {
          outgoing.writeHead(answer.statusCode!, answer.headers);
          answer.pipe(outgoing);
        },
      );
      incoming.pipe(onward);
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    onTestFinished(() => void proxy.close());
    const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    expect((await fetch(`${address}/api/reload`, { method: 'POST' })).status).toBe(404);
    expect(await (await fetch(`${address}/api/status`)).text()).not.toMatch(/"pid"|"fronts"/);
    expect(reloads).toBe(0);
  });
});

describe('queries for stored ticks', () => {
  it('count for the address that a trusted proxy states, and for the proxy where none is trusted', async () => {
    for (const [trusted, expected] of [
      [['127.0.0.0/8'], '198.51.100.9'],
      [[], '127.0.0.1'],
    ] as const) {
      const seen: string[] = [];
      const gateway = await World.start({
        access: { trustedProxies: () => toAddressSet(trusted) },
        history: {
          run: (_query, _receiver, address) => {
            seen.push(address);
            return 'busy';
          },
        },
      });
      const sent = request({
        host: '127.0.0.1',
        port: gateway.port,
        path: '/api/history/ticks?instrument=rb2410',
        // The first is the client's own word.
        headers: { 'x-forwarded-for': ['1.1.1.1', '198.51.100.9'] },
        agent: false,
      });
      sent.end();
      await once(sent, 'response');
      sent.destroy();
      await gateway.stop();
      expect(seen).toEqual([expected]);
    }
  });
});
