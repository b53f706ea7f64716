import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config/configError.js';
import type { ReloadSummary } from '../../src/config/reload.js';
import { NotReadyError } from '../../src/server/reloadRoute.js';
import type { StatusReport } from '../../src/server/status.js';
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
  connections: [],
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
let outcome: () => Promise<ReloadSummary>;
let reloads: number;
beforeEach(async () => {
  outcome = () => Promise.resolve(summary);
  reloads = 0;
  world = await World.start({
    host: '::',
    local: {
      status: () => report,
      reload: () => {
        reloads++;
        return outcome();
      },
    },
  });
});
afterEach(() => world.stop());

interface Answer {
  readonly code: number | undefined;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

function ask(
  method: string,
  path: string,
  {
    host = '127.0.0.1',
    headers = {},
    body = '',
  }: { host?: string; headers?: NodeJS.Dict<string>; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host, port: world.port, path, method, headers, agent: false }, (response) => {
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

describe('GET /api/status', () => {
  it('gives the report to programs on this machine, over either version of IP', async () => {
    for (const host of ['127.0.0.1', '127.0.0.2', '::1']) {
      const { code, headers, body } = await ask('GET', '/api/status', { host });
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
    expect(world.logLines.some((line) => line.includes('a secret path'))).toBe(true);
  });

  it('bears a client that goes before the answer', async () => {
    let finish: () => void = () => undefined;
    let isAsked: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => (isAsked = resolve));
    outcome = () => {
      isAsked();
      return new Promise((resolve) => (finish = () => resolve(summary)));
    };
    const sent = request({
      host: '127.0.0.1',
      port: world.port,
      path: '/api/reload',
      method: 'POST',
      agent: false,
    });
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

describe('both', () => {
  it.each([
    ['GET', '/api/status'],
    ['HEAD', '/api/status'],
    ['PUT', '/api/status'],
    ['POST', '/api/reload'],
    ['OPTIONS', '/api/reload'],
  ])('refuse %s %s with a foreign Host or Origin, or through a proxy', async (method, path) => {
    for (const headers of [
      { host: 'evil.example' },
      { origin: 'http://evil.example' },
      { 'x-forwarded-for': '10.0.0.7' },
      { forwarded: 'for=10.0.0.7' },
    ]) {
      const { code, body } = await ask(method, path, { headers });
      expect(code).toBe(403);
      if (method !== 'HEAD') expect(JSON.parse(body)).toMatchObject({ error: { code: 'local_only' } });
    }
    expect(reloads).toBe(0);
  });

  it('are not there where the gateway gives none', async () => {
    const bare = await World.start();
    try {
      for (const path of ['/api/status', '/api/reload'])
        expect((await fetch(`http://127.0.0.1:${bare.port}${path}`)).status).toBe(404);
    } finally {
      await bare.stop();
    }
  });
});
