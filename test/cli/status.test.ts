import { createServer, type RequestListener } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ConnectionStatusReport, StatusReport } from '../../src/server/http/status.js';
import { connection, temporaryFolder } from '../config/sources.js';
import { displayWidth } from '../../src/cli/textTable.js';
import { redisStatus } from '../server/redisStatus.js';
import { run } from './console.js';

async function serve(answer: RequestListener): Promise<number> {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

function serveHealth(body: unknown, statusCode = 200): Promise<number> {
  return serve(({ url }, response) => {
    response.writeHead(url === '/health' ? statusCode : 403).end(JSON.stringify(body));
  });
}

/** A gateway's management socket, where `--status` in a folder with default settings looks for it. */
async function serveStatus(body: unknown): Promise<{ args: string[]; cwd: string }> {
  const cwd = temporaryFolder();
  mkdirSync(join(cwd, 'ctpflow'));
  const server = createServer(({ url }, response) => {
    response.writeHead(url === '/api/status' ? 200 : 500).end(JSON.stringify(body));
  });
  server.listen(join(cwd, 'ctpflow', 'management-7123.sock'));
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { args: ['--status', '--port', '7123'], cwd };
}

const health = {
  status: 'healthy',
  timestamp: '2023-11-10T09:30:00Z',
  connections: [
    { id: 'simnow_01', status: 'logged_in', quality: 95, subscriptions: 150, reason: '' },
    {
      id: 'b',
      status: 'error',
      quality: 0,
      subscriptions: 0,
      reason: 'no answer from tcp://h:1',
      more: { a: 1 },
    },
  ],
  websocket: { active_sessions: 25, total_messages: 123456 },
  redis: { connected: true, latency: '1.2ms' },
};

const line: ConnectionStatusReport = {
  id: 'broker_01',
  broker_id: '9001',
  broker_name: '',
  fronts: ['tcp://127.0.0.1:1'],
  state: 'logged_in',
  reason: '',
  quality: 100,
  why: '',
  subscriptions: 150,
  max_subscriptions: 500,
  priority: 1,
  ticks: 123_456,
  ticks_per_s: 299.6,
  delay_p50_ms: 0,
  delay_p99_ms: 1.234,
  first_share: 0.75,
  reconnects: 0,
  login_failures: 0,
  last_error: '',
  last_tick_ms: 12,
};
const report: StatusReport = {
  status: 'degraded',
  version: '0.1.0',
  pid: 4711,
  uptime_s: 7_985,
  strategy: 'connection_quality',
  redundancy: 2,
  instruments: { wanted: 152, active: 149, subscribing: 1, pending: 1, failed: 1, cancelled: 3, short: 4 },
  redis: redisStatus,
  waiting: ['cu2605'],
  failed: [{ id: 'rb9912', code: 16, text: 'CTP:\u001binstrument not found' }],
  connections: [
    line,
    {
      ...line,
      id: 'broker_02',
      broker_name: '第二期货',
      state: 'disconnected',
      reason: 'no answer from tcp://127.0.0.1:2',
      quality: 0,
      why: '2 disconnects −22, 35 ms behind −14',
      subscriptions: 0,
      ticks_per_s: 0.25,
      delay_p50_ms: null,
      delay_p99_ms: null,
      reconnects: 12,
      last_error: 'an older one',
    },
    {
      ...line,
      id: 'broker_03',
      ticks_per_s: null,
      quality: 85,
      why: '1 refusal −15',
      last_error: 'heart beat',
    },
  ],
  brokers: [
    {
      broker_id: '9001',
      broker_name: '',
      connections: 2,
      ticks: 200,
      first_share: 0.755,
      delay_p50_ms: 0,
      delay_p99_ms: 1,
    },
    {
      broker_id: '2',
      broker_name: '第二期货',
      connections: 1,
      ticks: 1,
      first_share: null,
      delay_p50_ms: null,
      delay_p99_ms: null,
    },
  ],
};

describe('--status of a gateway on this machine', () => {
  it('prints instruments, troubles, connections and brokers', async () => {
    const { args, cwd } = await serveStatus(report);
    const { result, out, err } = await run(args, {}, cwd);
    expect(err).toBe('');
    expect(result).toEqual({ kind: 'done', exitCode: 1 });
    expect(out.split('\n')).toEqual([
      'degraded: version 0.1.0, process 4711, up 2 h 13 min, connection_quality, redundancy 2',
      'connections: 2 of 3 logged in',
      'instruments: 152 wanted, of them 149 active, 1 subscribing, 1 pending, 1 failed; 4 with fewer lines than redundancy asks for; 3 cancelled, not wanted any more',
      'redis: connection refused; 1200 ticks stored, 91 wait, 0 lost',
      'waiting: cu2605',
      'failed: rb9912: CTP: instrument not found (16)',
      '',
      'id         broker    state         quality  why                                    lines  ticks/s  p50/p99 ms  reconnects  last error',
      'broker_01  9001      logged_in         100  -                                    150/500      300     0.0/1.2           0  -',
      'broker_02  第二期货  disconnected        0  2 disconnects −22, 35 ms behind −14    0/500      0.3           -          12  no answer from tcp://127.0.0.1:2',
      'broker_03  9001      logged_in          85  1 refusal −15                        150/500        -     0.0/1.2           0  heart beat',
      '',
      'broker    connections  ticks   first  p50/p99 ms',
      '9001                2    200  75.5 %     0.0/1.0',
      '第二期货            1      1       -           -',
      '',
    ]);
  });

  it('fits a terminal of 80 columns and uses one of 200', async () => {
    const { args, cwd } = await serveStatus(report);
    const at = async (columns: number): Promise<string[]> =>
      (await run(args, {}, cwd, columns)).out.split('\n');
    for (const columns of [80, 100, 120, 160, 200])
      for (const text of await at(columns)) expect(displayWidth(text), text).toBeLessThanOrEqual(columns);
    const narrow = await at(80);
    for (const each of ['broker_02', 'disconnected', 'quality', 'why', 'lines', 'ticks/s', 'last error'])
      expect(narrow.join('\n')).toContain(each);
    expect((await at(200)).join('\n')).toContain('no answer from tcp://127.0.0.1:2');
    expect(await at(40)).toEqual(narrow);
  });

  it('prints the report as it is for --json', async () => {
    const { args, cwd } = await serveStatus(report);
    const { result, out } = await run([...args, '--json'], {}, cwd);
    expect(result).toEqual({ kind: 'done', exitCode: 1 });
    expect(JSON.parse(out)).toEqual(report);
  });

  it('exits 0 when all is well, and says no more than there is', async () => {
    const { args, cwd } = await serveStatus({
      ...report,
      status: 'healthy',
      instruments: { wanted: 1, active: 1, subscribing: 0, pending: 0, failed: 0, cancelled: 0, short: 0 },
      redis: { ...report.redis, enabled: false },
      waiting: [],
      failed: [],
      connections: [line],
      brokers: [],
    });
    const { result, out } = await run(args, {}, cwd);
    expect(result).toEqual({ kind: 'done', exitCode: 0 });
    expect(out.split('\n')).toEqual([
      expect.stringMatching(/^healthy: /),
      'connections: 1 of 1 logged in',
      'instruments: 1 wanted, of them 1 active, 0 subscribing, 0 pending, 0 failed',
      '',
      expect.stringMatching(/^id /),
      expect.stringMatching(/^broker_01 /),
      '',
    ]);
  });

  it('names ten instruments that failed and counts the others', async () => {
    const failed = Array.from({ length: 30 }, (_, index) => ({ id: `rb${index}`, code: 1, text: 'x' }));
    const { args, cwd } = await serveStatus({
      ...report,
      failed,
      instruments: { ...report.instruments, failed: 500 },
    });
    const lines = (await run(args, {}, cwd)).out.split('\n');
    expect(lines.filter((text) => text.startsWith('failed: rb'))).toHaveLength(10);
    expect(lines).toContain('failed: 490 more');
  });

  it('tolerates the report of another version', async () => {
    const { args, cwd } = await serveStatus({
      status: 'healthy',
      connections: [{ id: 'a', broker_id: 'b', new: 1 }],
      brokers: 5,
    });
    const { out } = await run(args, {}, cwd);
    expect(out.split('\n').at(-2)).toMatch(/^a {3}b {7}-( +-){2} +-\/-( +-){4}$/);
  });
});

describe('--status without a management socket', () => {
  it('prints the connections of /health as a table and what else there is', async () => {
    const port = await serveHealth(health);
    const { result, out, err } = await run(['--status', '--port', String(port)]);
    expect(err).toEqual(
      expect.stringMatching(
        new RegExp(
          `^qactpmdgateway: /.*/ctpflow/management-${port}\\.sock: there is no such socket; this is /health of http://127\\.0\\.0\\.1:${port}\n$`,
        ),
      ),
    );
    expect(result).toEqual({ kind: 'done', exitCode: 0 });
    expect(out).toBe(
      [
        'healthy at 2023-11-10T09:30:00Z',
        '',
        'id         status     quality  subscriptions  reason                    more',
        'simnow_01  logged_in  95       150            -                         -',
        'b          error      0        0              no answer from tcp://h:1  {"a":1}',
        '',
        'websocket: active_sessions 25, total_messages 123456',
        'redis: connected true, latency 1.2ms',
        '',
      ].join('\n'),
    );
  });

  it.each([
    ['degraded', 200],
    ['unhealthy', 503],
  ])('exits 1 when the gateway is %s', async (status, code) => {
    const port = await serveHealth({ ...health, status }, code);
    expect((await run(['--status', '--port', String(port)])).result).toEqual({ kind: 'done', exitCode: 1 });
  });

  it('tolerates absent fields', async () => {
    const port = await serveHealth({ status: 'healthy', connections: [{ id: 'a' }] });
    const { out } = await run(['--status', '--port', String(port)]);
    expect(out).toBe('healthy at -\n\nid  status  quality  subscriptions\na   -       -        -\n');
    const bare = await serveHealth({ status: 'healthy' });
    expect((await run(['--status', '--port', String(bare)])).out).toBe('healthy at -\n\nno connections\n');
  });

  it('lets no control character through to the terminal', async () => {
    const port = await serveHealth({ status: 'healthy', connections: [{ id: '\u001b[31mred\n' }] });
    expect((await run(['--status', '--port', String(port)])).out).toContain('[31mred');
    expect((await run(['--status', '--port', String(port)])).out).not.toContain('\u001b');
  });

  it('fits the terminal', async () => {
    const port = await serveHealth(health);
    const { out } = await run(['--status', '--port', String(port)], {}, '/', 80);
    expect(
      out
        .split('\n')
        .slice(2, 5)
        .every((line) => line.length <= 80),
    ).toBe(true);
    expect(out).toContain('no answer from tcp://h:1');
  });

  it('prints /health as JSON for --json', async () => {
    const port = await serveHealth(health);
    expect(JSON.parse((await run(['--status', '--json', '--port', String(port)])).out)).toEqual(health);
  });
});

describe('--status', () => {
  it('finds the port in environment and file', async () => {
    const port = await serveHealth(health);
    const cwd = temporaryFolder();
    writeFileSync(
      join(cwd, 'some.json'),
      JSON.stringify({ websocket_port: port, connections: [connection] }),
    );
    expect((await run(['--status', '--config', 'some.json'], {}, cwd)).result).toEqual({
      kind: 'done',
      exitCode: 0,
    });
    expect((await run(['--status'], { QACTPMD_WEBSOCKET_PORT: String(port) })).result).toEqual({
      kind: 'done',
      exitCode: 0,
    });
  });

  it.each([
    ['no JSON', 'hello'],
    ['no health page', '{"ok":true}'],
    ['a list', '[]'],
  ])('exits 2 when what answers is %s', async (_, body) => {
    const port = await serve((_request, response) => response.end(body));
    const { result, out, err } = await run(['--status', '--port', String(port)]);
    expect(result).toEqual({ kind: 'done', exitCode: 2 });
    expect(out).toBe('');
    expect(err).toBe(`qactpmdgateway: http://127.0.0.1:${port}: what answers there is no gateway\n`);
  });

  it('exits 2 with one line when nothing listens, the port is unknown or the configuration bad', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    expect(await run(['--status', '--port', String(port)])).toMatchObject({
      result: { kind: 'done', exitCode: 2 },
      err: `qactpmdgateway: http://127.0.0.1:${port}: connection refused, no gateway runs there\n`,
    });
    expect(await run(['--status', '--port', '0'])).toMatchObject({
      result: { kind: 'done', exitCode: 2 },
      err: expect.stringMatching(/port 0 stands for any free port: give --port the one that/) as string,
    });
    expect(await run(['--status', '--config', 'absent.json'])).toMatchObject({
      result: { kind: 'done', exitCode: 2 },
      err: 'qactpmdgateway: absent.json: there is no such file\n',
    });
  });

  it('asks the socket of management_socket, whatever the port is', async () => {
    const { cwd } = await serveStatus({ ...report, status: 'healthy' });
    const env = { QACTPMD_MANAGEMENT_SOCKET: 'ctpflow/management-7123.sock' };
    expect((await run(['--status', '--port', '0'], env, cwd)).result).toEqual({ kind: 'done', exitCode: 0 });
  });

  it('says where else to look when the port tells nothing, and exits 2', async () => {
    const message = '/health is not on this port';
    const port = await serve((_request, response) =>
      response.writeHead(404).end(JSON.stringify({ error: { code: 'not_public', message } })),
    );
    expect(await run(['--status', '--port', String(port)])).toMatchObject({
      result: { kind: 'done', exitCode: 2 },
      err: `qactpmdgateway: http://127.0.0.1:${port}: ${message}\n`,
    });
  });
});
