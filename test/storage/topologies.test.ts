import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Cluster, type Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { clusterSlot } from '../../src/redis/clusterSlot.js';
import { RedisNode } from '../../src/redis/redisNode.js';
import { until, untilIs } from '../helpers/until.js';
import { freePort, freePorts } from '../e2e/ports.js';
import { startCluster } from './cluster.js';
import { startRedis, startSentinel, type RedisServer } from './redisServer.js';
import { greeting, reply, startOddPeer } from './oddPeer.js';
import { clientOf, runPersister, temporarySpill } from './running.js';
import { openClient, readStream } from './storeReader.js';
import { TapeMarket } from './tapeMarket.js';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('a server', () => {
  it('with TLS, users and another database', async () => {
    const folder = temporarySpill();
    const path = (name: string): string => join(folder, name);
    execFileSync(
      'openssl',
      [
        ...[
          'req',
          '-x509',
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:prime256v1',
          '-nodes',
          '-days',
          '2',
        ],
        ...['-subj', '/CN=test', '-addext', 'subjectAltName=IP:127.0.0.1'],
        ...['-keyout', path('key.pem'), '-out', path('cert.pem')],
      ],
      { stdio: 'ignore' },
    );
    const files = { ca: path('cert.pem'), cert: path('cert.pem'), key: path('key.pem') };
    const port = await freePort();
    await startRedis(
      0,
      ...['--tls-port', `${port}`, '--tls-cert-file', files.cert, '--tls-key-file', files.key],
      ...['--tls-ca-cert-file', files.ca, '--user', 'default', 'off'],
      ...['--user', ...'gateway on >secret ~md:* +@read +@write +@connection +@transaction +info'.split(' ')],
      ...['--user', ...'reader on >secret ~* +@all'.split(' ')],
    );
    const pem = {
      ca: readFileSync(files.ca, 'utf8'),
      cert: readFileSync(files.cert, 'utf8'),
      key: readFileSync(files.key, 'utf8'),
    };
    const market = new TapeMarket(['SHFE.rb2605']);
    const redis = { username: 'gateway', password: 'secret', db: 3, keyPrefix: 'md:', tls: pem };
    const wrong = runPersister(market.tape, port, { redis: { ...redis, password: 'no' } });
    const untrusted = runPersister(market.tape, port, { redis: { ...redis, tls: { ...pem, ca: '' } } });
    const right = runPersister(market.tape, port, { redis });
    market.batch(100);
    await right.settled();
    const client = openClient(port, { username: 'reader', password: 'secret', db: 3, tls: pem });
    onTestFinished(() => client.disconnect());
    expect(await client.xlen('md:ticks:SHFE.rb2605')).toBe(100);
    await untilIs('the state', async () => await client.hget('md:quote:SHFE.rb2605', 'volume'), '100');
    await until('both refusals', () => wrong.lines().length > 0 && untrusted.lines().length > 0);
    expect(wrong.lines()[0]).toMatch(/^warn: .* cannot be used: wrong user or password; trying again$/);
    expect(untrusted.lines()[0]).toMatch(/^warn: .* cannot be used: self-signed certificate; trying again$/);
    for (let i = 0; i < 10; i++) await closeInHandshake(port, { cert: pem.cert, key: pem.key });
  });
});

describe('sentinels', () => {
  it('lead to the master, and to the next one when it dies', async () => {
    const first = await startRedis(await freePort());
    const second = await startRedis(await freePort(), '--replicaof', '127.0.0.1', `${first.port}`);
    const sentinel = await startSentinel(await freePort(), 'gold', first.port);
    const asked = clientOf(sentinel.port);
    await until('the sentinel to know the replica', async () => {
      const replicas = (await asked.call('SENTINEL', 'REPLICAS', 'gold')) as string[][];
      return replicas.some((replica) => replica[replica.indexOf('master-link-status') + 1] === 'ok');
    });
    const market = new TapeMarket(['SHFE.rb2605', 'DCE.m2605']);
    const running = runPersister(market.tape, 1, {
      redis: { sentinels: [{ host: '127.0.0.1', port: sentinel.port }], sentinelMaster: 'gold' },
    });
    market.batch(1000);
    await running.settled();
    expect(await clientOf(first.port).xlen('qactpmd:ticks:DCE.m2605')).toBe(500);
    await first.kill();
    market.batch(1000);
    await running.settled();
    for (const key of market.keys) {
      const volumes = (await readStream(clientOf(second.port), key)).map(({ volume }) => volume);
      expect(volumes).toEqual(numbers(1000));
    }
    expect(running.persister.status()).toMatchObject({ stored: 2000, lost: 0 });
  });
});

describe('a cluster', () => {
  it('has each key on the node of its slot, also after slots have moved and a node was away', async () => {
    const nodes = await startCluster();
    const keys = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map(
      (month) => `SHFE.rb26${`${month}`.padStart(2, '0')}`,
    );
    const market = new TapeMarket(keys);
    const running = runPersister(market.tape, 1, {
      redis: { clusterNodes: [{ host: '127.0.0.1', port: nodes[1]!.port }] },
    });
    market.batch(1200);
    await running.settled();
    const reader = new Cluster([{ host: '127.0.0.1', port: nodes[0]!.port }], {
      clusterRetryStrategy: () => 50,
    });
    reader.on('error', () => undefined);
    onTestFinished(() => reader.disconnect());
    const expectAll = async (count: number): Promise<void> => {
      for (const key of keys) {
        const entries = await reader.xrange(`qactpmd:ticks:${key}`, '-', '+');
        expect(entries.map(([, fields]) => Number(fields[3]!.split(',')[10]))).toEqual(numbers(count));
        const isNewest = async (): Promise<boolean> =>
          (await reader.hget(`qactpmd:quote:${key}`, 'volume')) === `${count}`;
        await until('the newest state', isNewest);
      }
    };
    await expectAll(100);
    expect(
      new Set(keys.map((key) => Math.trunc((clusterSlot(`qactpmd:ticks:${key}`) * 3) / 16_384))).size,
    ).toBe(3);
    await moveSlot(nodes, clusterSlot(`qactpmd:ticks:${keys[0]!}`));
    market.batch(1200);
    await running.settled();
    await expectAll(200);
    nodes[2]!.process.kill('SIGSTOP');
    market.batch(1200);
    await until('the node to be missed', () => running.persister.status().trouble !== '');
    nodes[2]!.process.kill('SIGCONT');
    await running.settled();
    await expectAll(300);
    expect(running.persister.status()).toMatchObject({ stored: 3600, lost: 0 });
  });

  it('whose replica takes over without the newest ticks gets them again, though no connection is lost', async () => {
    const { ports, master, replica } = await startPair();
    const market = new TapeMarket(['SHFE.rb2605']);
    const running = runPersister(market.tape, 1, {
      redis: { clusterNodes: ports.map((port) => ({ host: '127.0.0.1', port })) },
    });
    market.batch(100);
    await running.settled();
    await untilIs('the replica to have them', async () => await master.wait(1, 1000), 1);
    await replica.config('SET', 'masterauth', 'wrong', 'masteruser', 'nobody');
    await replica.call('CLIENT', 'KILL', 'TYPE', 'master');
    market.batch(50);
    await running.settled();
    await replica.call('CLUSTER', 'FAILOVER', 'TAKEOVER');
    await until('the old master to know', async () =>
      (await master.info('replication')).includes('role:slave'),
    );
    market.batch(50);
    await running.settled();
    const volumes = (await readStream(replica, 'SHFE.rb2605')).map(({ volume }) => volume);
    expect(volumes).toEqual(numbers(200));
    expect(running.persister.status()).toMatchObject({ stored: 200, lost: 0 });
  });

  it('is found in spite of peers whose answers make no sense, and what they lack is said', async () => {
    const nodes = await startCluster();
    const layout = await clientOf(nodes[0]!.port).call('CLUSTER', 'SLOTS');
    const answers = [
      '+OK\r\n',
      '-ERR This instance has cluster support disabled\r\n',
      ...[null, 7, 'nonsense', [], [null], [[]], [[0, 16_383]], [[0, 16_383, []]], [[0, 16_383, 'host']]].map(
        reply,
      ),
      ...[[['0', '16383', ['h', 1]]], [[0, 16_384, ['h', 1]]], [[-1, 16_383, ['h', 1]]]].map(reply),
      ...[[[9, 5, ['h', 1]]], [[0, 16_383, ['h', 0]]], [[0, 16_383, ['h', 99_999]]]].map(reply),
      ...[[[0, 16_383, [5, 1]]], [[0, 16_383, ['h', 'x']]], [[0, 5461, ['h', 1]]]].map(reply),
    ];
    const peers = await Promise.all(
      answers.map((answer) => startOddPeer((words) => greeting(words) ?? answer)),
    );
    const market = new TapeMarket(['SHFE.rb2605', 'DCE.m2605', 'CZCE.SR605']);
    const running = runPersister(market.tape, 1, {
      redis: { clusterNodes: peers.map(({ port }) => ({ host: '127.0.0.1', port })) },
    });
    market.batch(300);
    await until('all to be asked', () => peers.every(({ asked }) => (asked.get('CLUSTER') ?? 0) > 0));
    await until('a reason to be told', () => running.persister.status().trouble.includes(': '));
    const { connected, stored, lost, trouble } = running.persister.status();
    expect({ connected, stored, lost }).toEqual({ connected: false, stored: 0, lost: 0 });
    expect(trouble).toMatch(
      /^127\.0\.0\.1:\d+: (its answer to CLUSTER SLOTS is malformed|it does not know a master of every slot|ERR This instance .*)$/,
    );
    // The last of them comes to its senses.
    peers.at(-1)!.answer = (words) => greeting(words) ?? reply(layout);
    await running.settled();
    const counts = await Promise.all(nodes.map(({ port }) => clientOf(port).dbsize()));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(2 * market.keys.length);
    expect(running.persister.status()).toMatchObject({ stored: 300, lost: 0 });
    expect(running.lines().filter((line) => line.startsWith('warn'))).toHaveLength(1);
  });
});

it('slots of keys are those of the specification', () => {
  expect(clusterSlot('123456789')).toBe(0x31c3);
  expect(clusterSlot('{user1000}.following')).toBe(clusterSlot('user1000'));
  expect(clusterSlot('foo{}{bar}')).not.toBe(clusterSlot('bar'));
  expect(clusterSlot('foo{{bar}}zap')).toBe(clusterSlot('{bar'));
});

/**
 * Connects to a server that is not trusted, and closes as soon as the connection is made. Its socket has an error then when
 * it refuses the certificate, and another one when the server complains; neither may be thrown.
 */
async function closeInHandshake(port: number, tls: { cert: string; key: string }): Promise<void> {
  const onEvent = (): void => undefined;
  const gate = createServer({ allowHalfOpen: true }, (socket) => {
    node.close();
    const server = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    for (const each of [socket, server]) each.on('error', onEvent);
    socket.pipe(server).pipe(socket);
    server.once('close', () => gate.close());
  });
  await once(gate.listen(0, '127.0.0.1'), 'listening');
  const node = new RedisNode(
    { host: '127.0.0.1', port: (gate.address() as AddressInfo).port, tls },
    { onUp: onEvent, onDown: onEvent },
  );
  await once(gate, 'close');
}

/** A cluster of one master with all slots, and its replica. */
async function startPair(): Promise<{ ports: number[]; master: Redis; replica: Redis }> {
  const base = await freePorts(2);
  const bus = await freePorts(2);
  const ports = [base, base + 1];
  for (const [i, port] of ports.entries())
    await startRedis(
      port,
      ...['--cluster-enabled', 'yes', '--cluster-port', `${bus + i}`],
      ...['--cluster-node-timeout', '1000', '--repl-diskless-sync-delay', '0'],
    );
  const [master, replica] = [clientOf(base), clientOf(base + 1)];
  await master.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383);
  await replica.call('CLUSTER', 'MEET', '127.0.0.1', base, bus);
  await until('the two to know of each other', async () =>
    String(await replica.call('CLUSTER', 'NODES')).includes('0-16383'),
  );
  await replica.call('CLUSTER', 'REPLICATE', String(await master.call('CLUSTER', 'MYID')));
  await until('the replica to follow', async () =>
    (await replica.info('replication')).includes('master_link_status:up'),
  );
  return { ports, master, replica };
}

/** Gives a slot of anyone who has it to another node, as redis-cli does. */
async function moveSlot(nodes: readonly RedisServer[], slot: number): Promise<void> {
  const clients = nodes.map(({ port }) => clientOf(port));
  const ids = await Promise.all(clients.map(async (client) => String(await client.call('CLUSTER', 'MYID'))));
  const from = Math.trunc((slot * 3) / 16_384);
  const to = (from + 1) % 3;
  await clients[to]!.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', ids[from]!);
  await clients[from]!.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', ids[to]!);
  const keys = (await clients[from]!.call('CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[];
  expect(keys).not.toEqual([]);
  for (const key of keys) await clients[from]!.call('MIGRATE', '127.0.0.1', nodes[to]!.port, key, 0, 5000);
  for (const client of [clients[to]!, clients[from]!])
    await client.call('CLUSTER', 'SETSLOT', slot, 'NODE', ids[to]!);
}
