import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConnectionConfig, GatewayConfig } from '../../src/config/gatewayConfig.js';
import {
  planReload,
  runningAfter,
  summarize,
  withRunningFronts,
  type ReloadPlan,
} from '../../src/config/reload.js';
import { loadConfig } from '../../src/config/load.js';
import { connection, load as loadFile, temporaryFolder } from './sources.js';

const base = loadConfig({ file: undefined, args: { frontAddr: ['tcp://127.0.0.1:1'] }, env: {}, cwd: '/' });
const nothing: ReloadPlan = {
  added: [],
  removed: [],
  reopened: [],
  adjusted: [],
  settings: [],
  restart: [],
};

/** Each test's folder is another one, and the flow folder must not be. */
function load({ file, cwd = temporaryFolder() }: { file: object; cwd?: string }): GatewayConfig {
  return loadFile({ file: { flow_path: '/ctpflow', ...file }, cwd });
}

/** Few values for each field, so that two configurations often share some. */
const anyConnection: fc.Arbitrary<ConnectionConfig> = fc.record(
  {
    connectionId: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    frontAddr: fc.constantFrom(['tcp://h:1'], ['tcp://h:2'], ['tcp://h:1', 'tcp://h:2']),
    brokerId: fc.constantFrom('', '9999'),
    brokerName: fc.constantFrom('', 'Broker'),
    userId: fc.constantFrom('', 'user'),
    password: fc.constantFrom('', 'secret'),
    ctpLibrary: fc.constantFrom('/one.so', '/two.so'),
    ctpVersion: fc.constantFrom('', '6.6.9'),
    productionMode: fc.boolean(),
    maxSubscriptions: fc.constantFrom(1, 500),
    priority: fc.constantFrom(1, 2),
    enabled: fc.boolean(),
  },
  { noNullPrototype: true },
);

const anyConfig: fc.Arbitrary<GatewayConfig> = fc
  .record({
    connections: fc.uniqueArray(anyConnection, { selector: (each) => each.connectionId }),
    websocketPort: fc.constantFrom(1, 2),
    redundancy: fc.constantFrom(1, 2),
    logLevel: fc.constantFrom('info' as const, 'debug' as const),
    limits: fc.constantFrom(base.limits, { ...base.limits, maxClients: 1 }),
    simulator: fc.constantFrom(undefined, { fronts: 1, basePort: 1, rate: 1, seed: 1 }),
  })
  .map((fields) => ({ ...base, ...fields }));

function enabled(config: GatewayConfig): Map<string, ConnectionConfig> {
  return new Map(config.connections.filter((each) => each.enabled).map((each) => [each.connectionId, each]));
}

/** What the gateway does with a plan, on the set of connections that it runs. */
function carryOut(running: GatewayConfig, plan: ReloadPlan): Map<string, ConnectionConfig> {
  const connections = enabled(running);
  for (const id of plan.removed) expect(connections.delete(id)).toBe(true);
  for (const each of [...plan.reopened, ...plan.adjusted]) {
    expect(connections.has(each.connectionId)).toBe(true);
    connections.set(each.connectionId, each);
  }
  for (const each of plan.added) {
    expect(connections.has(each.connectionId)).toBe(false);
    connections.set(each.connectionId, each);
  }
  return connections;
}

/** Path of a calendar file that is not the bundled one. */
function calendarFile(): string {
  const path = join(temporaryFolder(), 'holidays.json');
  writeFileSync(path, '{"years": {"2030": [20300101]}}');
  return path;
}

describe('planReload', () => {
  it('carried out gives the next set of connections, but for libraries, which stay', () => {
    fc.assert(
      fc.property(anyConfig, anyConfig, (running, next) => {
        const plan = planReload(running, next);
        const before = enabled(running);
        const wanted = [...enabled(next)].map(([id, each]) => {
          const old = before.get(id);
          const sameLibrary = old?.ctpLibrary === each.ctpLibrary && old.ctpVersion === each.ctpVersion;
          return [id, old === undefined || sameLibrary ? each : old] as const;
        });
        const reached = carryOut(running, plan);
        expect(reached).toEqual(new Map(wanted));
        expect(reached).toEqual(enabled(runningAfter(running, next)));
      }),
    );
  });

  it('names each connection once at most', () => {
    fc.assert(
      fc.property(anyConfig, anyConfig, (running, next) => {
        const { added, removed, reopened, adjusted } = planReload(running, next);
        const ids = [...removed, ...[...added, ...reopened, ...adjusted].map((each) => each.connectionId)];
        expect(new Set(ids).size).toBe(ids.length);
      }),
    );
  });

  it('is empty for equal configurations, whatever the order of the connections', () => {
    fc.assert(
      fc.property(anyConfig, (config) => {
        const copy = structuredClone(config);
        expect(planReload(config, { ...copy, connections: copy.connections.toReversed() })).toEqual(nothing);
      }),
    );
  });

  it('leaves nothing to do but the restarts when it has been carried out', () => {
    fc.assert(
      fc.property(anyConfig, anyConfig, (running, next) => {
        const { restart } = planReload(running, next);
        const again = planReload(runningAfter(running, next), next);
        expect({ ...again, restart: [] }).toEqual(nothing);
        expect(again.restart.length > 0).toBe(restart.length > 0);
      }),
    );
  });

  it('keeps the login where nothing but room, rank and name have changed, and takes them all over', () => {
    const running = load({ file: { connections: [connection] } });
    const adjusted = { ...connection, max_subscriptions: 7, priority: 3, broker_name: 'Broker' };
    const plan = planReload(running, load({ file: { connections: [adjusted] } }));
    expect(plan).toEqual({
      ...nothing,
      adjusted: [expect.objectContaining({ maxSubscriptions: 7, priority: 3, brokerName: 'Broker' })],
    });
  });

  it.each([
    { front_addr: 'tcp://127.0.0.1:17002' },
    { broker_id: '8888' },
    { user_id: 'u' },
    { password: 'p' },
    { production_mode: false },
  ])('logs a connection in anew for %j, and no other', (change) => {
    const other = { ...connection, connection_id: 'two' };
    const running = load({ file: { connections: [connection, other] } });
    const next = load({ file: { connections: [{ ...connection, ...change, priority: 2 }, other] } });
    const plan = planReload(running, next);
    expect(plan).toEqual({ ...nothing, reopened: [next.connections[0]] });
    expect(summarize(plan, next)).toEqual({ ...nothing, reopened: ['one'], unchanged: 1 });
  });

  it('sees a password that has changed in its file', () => {
    const cwd = temporaryFolder();
    const file = { connections: [{ ...connection, password_file: 'secret' }] };
    writeFileSync(join(cwd, 'secret'), 'before\n');
    const running = load({ cwd, file });
    writeFileSync(join(cwd, 'secret'), 'after\n');
    const next = load({ cwd, file });
    const plan = planReload(running, next);
    expect(plan.reopened.map((each) => each.password)).toEqual(['after']);
    expect(JSON.stringify(summarize(plan, next))).not.toContain('after');
  });

  it('removes what is disabled and adds what is enabled again', () => {
    const two = { ...connection, connection_id: 'two' };
    const both = load({ file: { connections: [connection, two] } });
    const one = load({ file: { connections: [connection, { ...two, enabled: false }] } });
    expect(planReload(both, one)).toEqual({ ...nothing, removed: ['two'] });
    expect(planReload(one, both)).toEqual({ ...nothing, added: [both.connections[1]] });
  });

  it('names the library of one connection, or that of all, and leaves those connections alone', () => {
    const two = { ...connection, connection_id: 'two' };
    const running = load({ file: { connections: [connection, two] } });
    const own = { ...two, ctp_library: '/own.so', ctp_version: '6.6.9', priority: 9 };
    expect(planReload(running, load({ file: { connections: [connection, own] } }))).toEqual({
      ...nothing,
      restart: ['connections.two.ctp_library', 'connections.two.ctp_version'],
    });
    const common = load({ file: { connections: [connection, two], ctp_library: '/new.so' } });
    expect(planReload(running, common)).toEqual({ ...nothing, restart: ['ctp_library'] });
  });

  it('tells what applies at once from what needs a restart', () => {
    const next = load({
      file: {
        websocket_host: '127.0.0.1',
        websocket_port: 1,
        flow_path: '/flow',
        load_balance_strategy: 'hash_based',
        health_check_interval: 1,
        maintenance_interval: 1,
        max_retry_count: 1,
        auto_failover: false,
        silence_timeout: 1,
        trading_hours: 'always',
        calendar_file: calendarFile(),
        redundancy: 2,
        redundant_instruments: ['rb*'],
        always_subscribe: ['rb2605'],
        unsubscribe_grace: 1,
        config_watch: false,
        connections_per_worker: 1,
        tick_flow: 'lossless',
        record_path: 'ticks',
        record_instruments: ['rb*'],
        record_interval: 2,
        record_file_size: 1,
        redis_enabled: true,
        redis_host: 'redis',
        redis_port: 1,
        redis_username: 'x',
        redis_password: 'x',
        redis_db: 1,
        redis_key_prefix: 'x',
        redis_tls: true,
        redis_sentinels: ['x:1'],
        redis_sentinel_master: 'x',
        redis_sentinel_password: 'x',
        history_length: 100,
        history_age: 1,
        storage_batch_time: 1,
        storage_batch_size: 1,
        spill_path: '/x',
        spill_memory: 1,
        spill_file: 1,
        history_memory: 1,
        history_queries: 1,
        history_queue: 1,
        log_level: 'debug',
        shutdown_deadline: 1,
        limits: { max_clients: 1, max_instruments_per_client: 1, max_frame_bytes: 1024, max_bad_frames: 1 },
        simulator: {},
      },
    });
    const plan = planReload(base, next);
    expect(plan.settings).toEqual([
      'load_balance_strategy',
      'health_check_interval',
      'maintenance_interval',
      'max_retry_count',
      'auto_failover',
      'silence_timeout',
      'trading_hours',
      'calendar_file',
      'redundancy',
      'redundant_instruments',
      'always_subscribe',
      'unsubscribe_grace',
      'config_watch',
      'log_level',
      'shutdown_deadline',
    ]);
    expect(plan.restart).toEqual([
      'websocket_host',
      'websocket_port',
      'flow_path',
      'connections_per_worker',
      'tick_flow',
      'record_path',
      'record_instruments',
      'record_interval',
      'record_file_size',
      'redis_enabled',
      'redis_host',
      'redis_port',
      'redis_username',
      'redis_password',
      'redis_db',
      'redis_key_prefix',
      'redis_tls',
      'redis_sentinels',
      'redis_sentinel_master',
      'redis_sentinel_password',
      'history_length',
      'history_age',
      'storage_batch_time',
      'storage_batch_size',
      'spill_path',
      'spill_memory',
      'spill_file',
      'history_memory',
      'history_queries',
      'history_queue',
      'limits.max_clients',
      'limits.max_instruments_per_client',
      'limits.max_frame_bytes',
      'limits.max_bad_frames',
      'simulator',
    ]);
    const moved = { ...next, simulator: { ...next.simulator!, fronts: 9 } };
    expect(planReload(next, moved).restart).toEqual(['simulator.fronts']);
  });
});

describe('a simulator section that changes', () => {
  const simulated = (section: object, more: object = {}): GatewayConfig =>
    load({ file: { connections: undefined, simulator: section, ...more } });

  it.each([{ fronts: 9 }, { fronts: 1 }, { base_port: 20_000 }])(
    'to %j leaves the connections that it implied to the fronts that run',
    (section) => {
      const running = simulated({ fronts: 3 });
      const next = withRunningFronts(running, simulated({ fronts: 3, ...section }));
      const plan = planReload(running, next);
      expect(plan).toEqual({ ...nothing, restart: [`simulator.${Object.keys(section)[0]!}`] });
      const after = runningAfter(running, next);
      expect(after.connections).toEqual(running.connections);
      expect(planReload(after, withRunningFronts(after, simulated({ fronts: 3, ...section })))).toEqual(plan);
      expect(planReload(after, withRunningFronts(after, simulated({ fronts: 3 })))).toEqual(nothing);
    },
  );

  it('lets connections that are listed change', () => {
    const connections = [{ ...connection, connection_id: 'a' }];
    const running = simulated({ fronts: 3 });
    const next = withRunningFronts(running, simulated({ fronts: 4 }, { connections }));
    expect(planReload(running, next).added.map((each) => each.connectionId)).toEqual(['a']);
  });

  it('that is new changes neither connections nor hours of the fronts that there are', () => {
    const running = load({ file: { connections: [{ ...connection, connection_id: 'a' }] } });
    expect(running.tradingHours).toBe('exchange');
    const next = withRunningFronts(running, simulated({ fronts: 2 }));
    expect(planReload(running, next)).toEqual({ ...nothing, restart: ['simulator'] });
    const stated = withRunningFronts(running, simulated({ fronts: 2 }, { trading_hours: 'always' }));
    expect(planReload(running, stated).settings).toEqual(['trading_hours']);
  });
});
