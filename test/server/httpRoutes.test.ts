import { get, type IncomingHttpHeaders } from 'node:http';
import { json } from 'node:stream/consumers';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { emptyHealth } from './healthReport.js';
import { World, type Frame } from './world.js';

let world: World;
beforeEach(async () => {
  world = await World.start();
});
afterEach(() => world.stop());

const symbolsFile = (): Buffer => Buffer.concat([...world.directory.symbolsFile().parts()]);
const request = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`http://127.0.0.1:${world.port}${path}`, init);

describe('/health', () => {
  it('has what the gateway reports, the time, and the figures of the server', async () => {
    const connection = {
      id: 'simnow_01',
      status: 'logged_in',
      quality: 95,
      subscriptions: 150,
      broker_id: '9999',
      reconnects: 0,
      ticks: 7,
      reason: '',
    } as const;
    world.health = { ...emptyHealth, connections: [connection] };
    await world.connectAid();
    const response = await request('/health');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('application/json');
    const body = (await response.json()) as Frame;
    expect(body).toEqual({
      ...emptyHealth,
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as unknown,
      connections: [connection],
      websocket: { active_sessions: 1, total_messages: 1 },
      limits: {
        refused_clients: 0,
        refused_origins: 0,
        refused_requests: 0,
        delayed_clients: 0,
        closed_clients: 0,
        kept_bytes: 0,
        cut_unfinished: 0,
        accept_pauses: 0,
        cut_connections: 0,
        skipped_views: 0,
      },
    });
  });

  it.each([
    ['healthy', 200],
    ['degraded', 200],
    ['unhealthy', 503],
  ] as const)('answers %s with %i', async (status, code) => {
    world.health = { ...world.health, status };
    const response = await request('/health');
    expect(response.status).toBe(code);
    expect(await response.json()).toHaveProperty('status', status);
  });

  it('counts each push once for each client that it goes to', async () => {
    const clients = [await world.connectAction(), await world.connectAction()];
    for (const client of clients) {
      await client.subscribe(['rb2410']);
      await client.settled();
    }
    const before = world.server.counters.totalMessages;
    world.tick('rb2410');
    world.tick('rb2410');
    expect(world.server.counters.totalMessages - before).toBe(4);
  });
});

describe('/livez and /readyz', () => {
  it('are 200 while the gateway serves', async () => {
    expect((await request('/livez')).status).toBe(200);
    expect((await request('/readyz')).status).toBe(200);
  });

  it('tell a gateway that lives from one that is ready', async () => {
    world.health = { ...world.health, status: 'unhealthy' };
    expect((await request('/livez')).status).toBe(200);
    expect((await request('/readyz')).status).toBe(503);
  });
});

describe('HEAD', () => {
  it.each(['/health', '/livez', '/readyz', '/symbols/latest.json', '/nowhere'])(
    'answers %s as GET does, without the body, and continues to serve',
    async (path) => {
      const [whole, head] = [await request(path), await request(path, { method: 'HEAD' })];
      const body = await whole.text();
      expect(head.status).toBe(whole.status);
      expect(head.headers.get('content-type')).toBe(whole.headers.get('content-type'));
      expect(await head.text()).toBe('');
      if (head.headers.get('content-encoding') === null)
        expect(head.headers.get('content-length')).toBe(String(Buffer.byteLength(body)));
      expect((await request('/livez')).status).toBe(200);
    },
  );
});

describe('/symbols/latest.json', () => {
  it('is the instrument file, readable from any origin', async () => {
    const response = await request('/symbols/latest.json');
    expect(response.status).toBe(200);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('content-type')).toContain('application/json');
    expect(symbolsFile().equals(Buffer.from(await response.arrayBuffer()))).toBe(true);
  });

  it('is compressed for those who take brotli or gzip and plain for the others, under one tag', async () => {
    const fetchRaw = (coding?: string): Promise<{ headers: IncomingHttpHeaders; body: Buffer }> =>
      new Promise((resolve, reject) => {
        const headers = coding === undefined ? {} : { 'accept-encoding': coding };
        get({ host: '127.0.0.1', port: world.port, path: '/symbols/latest.json', headers }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => {
            resolve({ headers: response.headers, body: Buffer.concat(chunks) });
          });
        }).on('error', reject);
      });
    const [small, middle, plain] = [
      await fetchRaw('gzip, deflate, br'),
      await fetchRaw('gzip'),
      await fetchRaw(),
    ];
    expect([small, middle, plain].map(({ headers }) => headers['content-encoding'])).toEqual([
      'br',
      'gzip',
      undefined,
    ]);
    const file = symbolsFile();
    expect(brotliDecompressSync(small.body).equals(file)).toBe(true);
    expect(gunzipSync(middle.body).equals(file)).toBe(true);
    expect(plain.body.equals(file)).toBe(true);
    expect(small.body.length).toBeLessThan(middle.body.length);
    expect(new Set([small, middle, plain].map(({ headers }) => headers.etag)).size).toBe(1);
    expect(plain.headers.vary).toBe('accept-encoding');
  });

  it('answers 304 to those who have it already', async () => {
    const etag = (await request('/symbols/latest.json')).headers.get('etag')!;
    const response = await request('/symbols/latest.json', { headers: { 'if-none-match': etag } });
    expect(response.status).toBe(304);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    const statusFor = async (tag: string): Promise<number> =>
      (await request('/symbols/latest.json', { headers: { 'if-none-match': tag } })).status;
    expect(await statusFor('W/"x"')).toBe(200);
    expect(await statusFor(`W/"x", ${etag.slice(2)}`)).toBe(304);
  });

  it('changes, with its tag, when instruments are imported', async () => {
    const before = await request('/symbols/latest.json');
    const imported = {
      id: 'cu2701C86000',
      class: 'FUTURE_OPTION',
      product: 'cu',
      exchange: 'SHFE',
      deliveryYear: 2027,
      deliveryMonth: 1,
      expireDate: 20270115,
    } as const;
    world.directory.setImported([imported]);
    const after = await request('/symbols/latest.json');
    expect(await before.json()).not.toHaveProperty(['SHFE.cu2701C86000']);
    expect(await after.json()).toHaveProperty(['SHFE.cu2701C86000']);
    expect(after.headers.get('etag')).not.toBe(before.headers.get('etag'));
  });

  it('answers a preflight and HEAD', async () => {
    const preflight = await request('/symbols/latest.json', { method: 'OPTIONS' });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
    const head = await request('/symbols/latest.json', {
      method: 'HEAD',
      headers: { 'accept-encoding': 'identity' },
    });
    expect(head.status).toBe(200);
    expect(head.headers.get('content-length')).toBe(String(symbolsFile().length));
  });
});

describe('everything else', () => {
  it.each(['/', '/nothing', '/health/', '/symbols', '/__proto__'])(
    'answers %s with 404 in JSON',
    async (path) => {
      const response = await request(path);
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ error: { code: 'not_found' } });
    },
  );

  it.each(['POST', 'PUT', 'DELETE'])('answers %s on a page with 405', async (method) => {
    const response = await request('/health', {
      method,
      ...(method === 'DELETE' ? {} : { body: 'x'.repeat(1000) }),
    });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
    expect(await response.json()).toMatchObject({ error: { code: 'method_not_allowed' } });
  });

  it('refuses a WebSocket elsewhere than at /, and says where they are', async () => {
    await expect(world.connect('/health')).rejects.toThrow();
    await expect(world.connect('/elsewhere')).rejects.toThrow('404');
    const upgrade = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
    const body = await new Promise<string>((resolve, reject) => {
      get({ host: '127.0.0.1', port: world.port, path: '/ws', headers: upgrade }, (response) => {
        response.setEncoding('utf8').once('data', resolve);
      }).on('error', reject);
    });
    expect(JSON.parse(body)).toEqual({
      error: {
        code: 'not_found',
        message:
          'there is no WebSocket at /ws: clients connect to / or /t/md/front/mobile or /t/nfmd/front/mobile',
      },
    });
  });

  it.each(['/', '/t/md/front/mobile', '/t/nfmd/front/mobile'])(
    'serves WebSockets at %s, and says so to who asks for a page',
    async (path) => {
      const client = await world.connect(path);
      expect(await client.rtnData()).toMatchObject({ quotes: {}, meta: { ins_list: '' } });
      const response = await request(path);
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({
        error: { message: `there is a WebSocket at ${path}, and no page` },
      });
    },
  );

  it('serves the instrument file where the vendor has it too', async () => {
    const response = await request('/t/md/symbols/latest.json');
    expect(response.status).toBe(200);
    expect(Buffer.from(await response.arrayBuffer())).toEqual(Buffer.from(symbolsFile()));
  });

  it('refuses a protocol that there is not, and says which there are', async () => {
    await expect(world.connect('/?protocol=foo')).rejects.toThrow('400');
    await expect(world.connect('/?protocol=')).rejects.toThrow('400');
    await world.connect('/?protocol=aid&more=1');
    const { status, body } = await new Promise<{ status: number | undefined; body: unknown }>(
      (resolve, reject) => {
        const headers = {
          connection: 'Upgrade',
          upgrade: 'websocket',
          'sec-websocket-version': '13',
          'sec-websocket-key': 'MDEyMzQ1Njc4OWFiY2RlZg==',
        };
        get({ host: '127.0.0.1', port: world.port, path: '/?protocol=foo', headers }, (response) => {
          json(response).then((answer) => resolve({ status: response.statusCode, body: answer }), reject);
        }).on('error', reject);
      },
    );
    expect(status).toBe(400);
    expect(body).toEqual({
      error: {
        code: 'unknown_protocol',
        message: 'protocol is aid or action, or left out for both; not "foo"',
      },
    });
  });
});
