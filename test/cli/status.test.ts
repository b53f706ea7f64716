import { createServer, type RequestListener } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connection, temporaryFolder } from '../config/sources.js';
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
    response.writeHead(url === '/health' ? statusCode : 404).end(JSON.stringify(body));
  });
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

describe('--status', () => {
  it('prints the connections as a table and what else there is', async () => {
    const port = await serveHealth(health);
    const { result, out, err } = await run(['--status', '--port', String(port)]);
    expect(err).toBe('');
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
    expect(err).toBe(`qactpmdgateway: http://127.0.0.1:${port}/health: what answers there is no gateway\n`);
  });

  it('exits 2 with one line when nothing listens, the port is unknown or the configuration bad', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    expect(await run(['--status', '--port', String(port)])).toMatchObject({
      result: { kind: 'done', exitCode: 2 },
      err: `qactpmdgateway: http://127.0.0.1:${port}/health: connection refused, no gateway runs there\n`,
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
});
