import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { environmentName } from '../../src/config/environment.js';
import type { GatewayConfig } from '../../src/config/gatewayConfig.js';
import { loadConfig, loadEndpoints } from '../../src/config/load.js';
import { gatewayOptions } from '../../src/config/options.js';
import { readHolidays } from '../../src/market/calendar/holidayCalendar.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import { packagePath } from '../../src/base/paths.js';
import { connection, load, problemsOf, temporaryFolder } from './sources.js';

describe('defaults', () => {
  it('fills everything that the file skips', () => {
    const cwd = temporaryFolder();
    expect(load({ cwd })).toEqual({
      websocketHost: '0.0.0.0',
      websocketPort: 7799,
      publicStatus: true,
      managementSocket: '',
      managementPort: 0,
      trustedProxies: [],
      flowPath: join(cwd, 'ctpflow'),
      loadBalanceStrategy: 'connection_quality',
      healthCheckInterval: 30,
      maintenanceInterval: 60,
      maxRetryCount: 3,
      autoFailover: true,
      silenceTimeout: 10,
      redundancy: 1,
      redundantInstruments: [{ text: '*', exchange: undefined, id: '', open: true }],
      unsubscribeGrace: 10,
      alwaysSubscribe: [],
      productsFile: '',
      products: loadProducts(),
      importedInstruments: [],
      discoverInstruments: true,
      instrumentsFile: '',
      configWatch: true,
      tradingHours: 'exchange',
      holidays: readHolidays(),
      connectionsPerWorker: 'auto',
      tickFlow: 'live',
      recordPath: '',
      recordInstruments: [{ text: '*', exchange: undefined, id: '', open: true }],
      recordInterval: 1,
      recordFileSize: 1024,
      redisEnabled: false,
      redis: {
        host: '127.0.0.1',
        port: 6379,
        username: '',
        password: '',
        db: 0,
        keyPrefix: 'qactpmd:',
        tls: undefined,
        sentinels: [],
        sentinelMaster: 'mymaster',
        sentinelPassword: '',
        clusterNodes: [],
      },
      storage: {
        historyLength: 20_000,
        historyAge: 168,
        batchTime: 20,
        batchSize: 1000,
        spillPath: expect.stringMatching(/ctpflow\/spill$/) as string,
        spillMemory: 4,
        spillFile: 1024,
      },
      history: { memory: 32, queries: 16, queue: 32 },
      logLevel: 'info',
      shutdownDeadline: 10,
      limits: {
        maxClients: 10_000,
        maxClientsPerAddress: 2000,
        connectsPerSecond: 100,
        requestsPerSecond: 100,
        clientWork: 5,
        addressWork: 25,
        viewWork: 25,
        maxKeptBytes: 256 * 1_048_576,
        maxUnfinishedBytes: 64 * 1_048_576,
        allowedOrigins: [],
        maxInstrumentsPerClient: 30_000,
        maxFrameBytes: 1_048_576,
        maxBadFrames: 100,
        maxUnprovenPerClient: 200,
        maxUnprovenPerAddress: 400,
        maxUnproven: 1000,
      },
      simulator: undefined,
      implied: { connections: false, tradingHours: false },
      connections: [
        {
          connectionId: 'one',
          frontAddr: ['tcp://127.0.0.1:17001'],
          brokerId: '',
          brokerName: '',
          userId: '',
          password: '',
          ctpLibrary: packagePath('libs', 'simulator', 'build', 'thostmduserapi_se.so'),
          ctpVersion: '',
          productionMode: true,
          maxSubscriptions: 500,
          priority: 1,
          enabled: true,
        },
      ],
      files: [{ path: join(cwd, 'gateway.json'), name: 'gateway.json' }],
      warnings: [],
    });
  });

  it('fills a simulator section, and has none without the section', () => {
    expect(load({ file: { simulator: { fronts: 2 } } }).simulator).toEqual({
      fronts: 2,
      basePort: 17_001,
      rate: 2,
      seed: 1,
    });
    expect(load({ file: { simulator: {} } }).simulator?.fronts).toBe(4);
  });

  it('resolves paths from the working directory', () => {
    const cwd = temporaryFolder();
    const config = load({ cwd, file: { ctp_library: 'libs/x.so', flow_path: '/var/flow' } });
    expect(config.connections[0]!.ctpLibrary).toBe(join(cwd, 'libs/x.so'));
    expect(config.flowPath).toBe('/var/flow');
  });

  it('gives a connection its own library, and the common one with its version otherwise', () => {
    const connections = [
      { ...connection, connection_id: 'a' },
      { ...connection, connection_id: 'b', ctp_version: '6.5.1', production_mode: false },
      { ...connection, connection_id: 'c', ctp_library: '/opt/own.so' },
      { ...connection, connection_id: 'd', ctp_library: '/opt/own.so', ctp_version: '2013' },
    ];
    const config = load({ file: { ctp_library: '/opt/common.so', ctp_version: '6.6.9', connections } });
    expect(config.connections.map((each) => [each.ctpLibrary, each.ctpVersion, each.productionMode])).toEqual(
      [
        ['/opt/common.so', '6.6.9', true],
        ['/opt/common.so', '6.5.1', false],
        ['/opt/own.so', '', true],
        ['/opt/own.so', '2013', true],
      ],
    );
  });
});

/** Settings that name files, which are read with the configuration. */
const filesToRead = [
  'calendar_file',
  'redis_password_file',
  'redis_tls_ca_file',
  'redis_tls_cert_file',
  'redis_tls_key_file',
  'products_file',
  'import_instruments',
];

describe('precedence', () => {
  const file = { websocket_port: 1001, log_level: 'warn', load_balance_strategy: 'round_robin' };
  const env = { QACTPMD_WEBSOCKET_PORT: '1002', QACTPMD_LOG_LEVEL: 'error' };

  it('is command line over environment over file', () => {
    expect(load({ file }).websocketPort).toBe(1001);
    expect(load({ file, env }).websocketPort).toBe(1002);
    expect(load({ file, env, args: { port: '1003' } }).websocketPort).toBe(1003);
    expect(load({ file, env, args: { logLevel: 'debug' } }).logLevel).toBe('debug');
    expect(load({ file, args: { strategy: 'hash_based' } }).loadBalanceStrategy).toBe('hash_based');
  });

  it('puts LOG_LEVEL below QACTPMD_LOG_LEVEL and above the file, in any case of letters', () => {
    expect(load({ file, env: { LOG_LEVEL: 'DEBUG' } }).logLevel).toBe('debug');
    expect(load({ file, env: { LOG_LEVEL: 'debug', QACTPMD_LOG_LEVEL: 'trace' } }).logLevel).toBe('trace');
  });

  it.each([
    [
      { redis_cluster_nodes: ['a:1'], redis_sentinels: ['a:1'] },
      'redis_cluster_nodes: a cluster has no sentinels, give one of redis_sentinels and redis_cluster_nodes',
    ],
    [{ redis_cluster_nodes: ['a:1'], redis_db: 2 }, 'redis_db: a cluster has database 0 alone, not 2'],
    [{ redis_tls_ca_file: 'x' }, 'redis_tls_ca_file: redis_tls is not set, so it would not be used'],
    [
      { redis_tls: true, redis_tls_ca_file: '/no/such' },
      'redis_tls_ca_file: /no/such: there is no such file',
    ],
    [
      { redis_tls: true, redis_tls_ca_file: '/proc/self/status' },
      'redis_tls_ca_file: /proc/self/status: holds nothing in PEM form, which begins with -----BEGIN',
    ],
    [
      { redis_tls: true, redis_tls_key_file: packagePath('package.json') },
      'redis_tls_cert_file: a certificate and its key go together, give redis_tls_key_file too or neither',
    ],
  ])('refuses settings for Redis that do not go together: %j', (file, problem) => {
    expect(problemsOf({ file })[0]).toBe(`gateway.json: ${problem}`);
  });

  it('names the variable that named a file of no use', () => {
    expect(
      problemsOf({
        env: {
          QACTPMD_CALENDAR_FILE: '/no/such',
          QACTPMD_PRODUCTS_FILE: '/',
          QACTPMD_IMPORT_INSTRUMENTS: '/no/such',
          QACTPMD_REDIS_PASSWORD_FILE: '/no/such',
        },
      }),
    ).toEqual([
      'environment QACTPMD_REDIS_PASSWORD_FILE: /no/such: there is no such file',
      'environment QACTPMD_PRODUCTS_FILE: /: is a folder, not a file',
      'environment QACTPMD_CALENDAR_FILE: /no/such: there is no such file',
      'environment QACTPMD_IMPORT_INSTRUMENTS: /no/such: there is no such file',
    ]);
  });

  it('lets every scalar be set by its variable', () => {
    const given: Record<string, string> = {};
    for (const [path, { format }] of Object.entries(gatewayOptions)) {
      if (path === 'connections' || path === 'redis_cluster_nodes' || filesToRead.includes(path)) continue;
      const candidates = ['12', 'true', 'hash_based', 'trace', 'some/where', 'rb*', 'host:1, [::1]:2'];
      given[environmentName(path)] = candidates.find((text) => format.accepts(format.parse(text)))!;
    }
    const config = load({ file: { simulator: {} }, env: given });
    expect(config).toMatchObject({
      websocketPort: 12,
      redisEnabled: true,
      loadBalanceStrategy: 'hash_based',
      logLevel: 'trace',
      connectionsPerWorker: 12,
      unsubscribeGrace: 12,
      alwaysSubscribe: [{ text: 'rb*' }],
      redis: {
        password: '12',
        tls: { ca: '', cert: '', key: '' },
        sentinels: [
          { host: 'host', port: 1 },
          { host: '::1', port: 2 },
        ],
      },
      storage: { batchTime: 12 },
      shutdownDeadline: 12,
      simulator: { fronts: 12, basePort: 12, rate: 12, seed: 12 },
    });
    expect(problemsOf({ env: { QACTPMD_LIMITS_MAX_CLIENTS: '12x' } })).toEqual([
      'environment QACTPMD_LIMITS_MAX_CLIENTS: must be an integer from 1 to 1000000, not "12x"',
    ]);
  });

  it('counts every empty variable as unset', () => {
    const env = Object.fromEntries(Object.keys(gatewayOptions).map((path) => [environmentName(path), '']));
    expect(
      load({ env: { ...env, LOG_LEVEL: '' }, cwd: '/tmp', file: null, args: { frontAddr: ['sim://'] } }),
    ).toEqual(load({ cwd: '/tmp', file: null, args: { frontAddr: ['sim://'] } }));
  });

  it('still refuses a wrong value in the file that a variable overrides', () => {
    expect(problemsOf({ file: { websocket_port: -1 }, env })).toEqual([
      'gateway.json: websocket_port: must be an integer from 0 to 65535, not -1',
    ]);
  });

  it('takes the whole list of connections from QACTPMD_CONNECTIONS', () => {
    const list = [{ connection_id: 'env', front_addr: ['tcp://a:1', 'tcp://b:2'], max_subscriptions: 7 }];
    const env = { QACTPMD_CONNECTIONS: JSON.stringify(list) };
    expect(load({ env }).connections).toMatchObject([
      { connectionId: 'env', frontAddr: ['tcp://a:1', 'tcp://b:2'], maxSubscriptions: 7 },
    ]);
    expect(load({ env, file: null }).connections).toHaveLength(1);
  });

  it('makes one connection of --front-addr and --broker-id, over file and environment', () => {
    const env = { QACTPMD_CONNECTIONS: JSON.stringify([connection]) };
    const args = { frontAddr: ['tcp://10.0.0.1:41213', 'tcp://10.0.0.2:41213'], brokerId: '8888' };
    expect(load({ env, args }).connections).toMatchObject([
      { connectionId: 'single', frontAddr: args.frontAddr, brokerId: '8888', enabled: true },
    ]);
  });
});

describe('refusals', () => {
  it.each([
    [{ websocket_prt: 1 }, 'websocket_prt: unknown key with the value 1, did you mean websocket_port?'],
    [{ 'websocket-port': 1 }, 'websocket-port: unknown key with the value 1, did you mean websocket_port?'],
    [
      { limits: { max_clinets: 1 } },
      'limits.max_clinets: unknown key with the value 1, did you mean limits.max_clients?',
    ],
    [
      { limits: { x: {} } },
      /^limits\.x: unknown key with the value an object, allowed are max_clients, max_clients_per_address, /,
    ],
    [{ 'limits.max_clients': 5 }, /^limits\.max_clients: unknown key/],
    [
      { nonsense: [1] },
      'nonsense: unknown key with the value a list of 1, no setting is called so, docs/configuration.md lists all settings',
    ],
    [{ constructor: { prototype: 1 } }, /^constructor: unknown key/],
    [{ limits: 3 }, 'limits: must be an object, not 3'],
    [{ simulator: null }, 'simulator: must be an object, not null'],
    [{ websocket_port: '7799' }, 'websocket_port: must be an integer from 0 to 65535, not "7799"'],
    [{ websocket_port: 1.5 }, 'websocket_port: must be an integer from 0 to 65535, not 1.5'],
    [{ websocket_port: null }, 'websocket_port: must be an integer from 0 to 65535, not null'],
    [
      { websocket_port: { a: { b: 1 } } },
      'websocket_port: must be an integer from 0 to 65535, not an object',
    ],
    [{ websocket_host: 'a b' }, 'websocket_host: must be a host name or an IP address, not "a b"'],
    [
      { websocket_host: '256.1.1.1' },
      'websocket_host: must be a host name or an IP address, not "256.1.1.1"',
    ],
    ...['6.2.12', '6.7', '5.1.1', 'v6.7.2', '6.7.2 ', 6.7].map((ctp_version): [object, RegExp] => [
      { ctp_version },
      /^ctp_version: must be empty, 2013, or a version from 6.3.0 on such as "6.6.9", not /,
    ]),
    [{ ctp_library: 5 }, /^ctp_library: must be a text of at most 4096 bytes .*, not 5$/],
    [{ flow_path: '' }, /^flow_path: must be a non-empty text .*, not ""$/],
    [
      { load_balance_strategy: 'fastest' },
      'load_balance_strategy: must be one of "round_robin", "least_connections", "connection_quality", "hash_based", not "fastest"',
    ],
    [{ health_check_interval: 0 }, 'health_check_interval: must be an integer from 1 to 3600, not 0'],
    [{ maintenance_interval: -5 }, 'maintenance_interval: must be an integer from 1 to 86400, not -5'],
    [{ max_retry_count: 101 }, 'max_retry_count: must be an integer from 0 to 100, not 101'],
    [{ auto_failover: 'no' }, 'auto_failover: must be true, false, 1 or 0, not "no"'],
    [{ auto_failover: 2 }, 'auto_failover: must be true, false, 1 or 0, not 2'],
    [
      { connections_per_worker: 'many' },
      /^connections_per_worker: must be "auto" or an integer from 1 to 1000, not "many"$/,
    ],
    [{ redis_enabled: 'true' }, 'redis_enabled: must be true, false, 1 or 0, not "true"'],
    [{ redis_host: '' }, 'redis_host: must be a host name or an IP address, not ""'],
    [{ redis_port: 0 }, 'redis_port: must be an integer from 1 to 65535, not 0'],
    [{ redis_db: -1 }, 'redis_db: must be an integer from 0 to 1000000, not -1'],
    [
      { redis_key_prefix: 'a*' },
      'redis_key_prefix: must be 1 to 64 letters, digits, ":", "_", "-", ".", "{" or "}", not "a*"',
    ],
    [{ redis_sentinels: ['a:1', 'b'] }, 'redis_sentinels[1]: must be host:port, not "b"'],
    [{ redis_sentinels: ['[1::x]:1'] }, 'redis_sentinels[0]: must be host:port, not "[1::x]:1"'],
    [{ redis_cluster_nodes: 'a:1' }, /^redis_cluster_nodes: must be a list of at most 64 of host:port/],
    [{ history_length: 1 }, 'history_length: must be an integer from 100 to 100000000, not 1'],
    [{ history_age: -1 }, 'history_age: must be an integer from 0 to 87600, not -1'],
    [{ storage_batch_time: 1001 }, 'storage_batch_time: must be an integer from 0 to 1000, not 1001'],
    [{ history_queries: 0 }, 'history_queries: must be an integer from 1 to 256, not 0'],
    [{ storage_batch_size: 0 }, 'storage_batch_size: must be an integer from 1 to 10000, not 0'],
    [{ spill_memory: 0 }, 'spill_memory: must be an integer from 1 to 4096, not 0'],
    [{ spill_file: -1 }, 'spill_file: must be an integer from 0 to 1000000, not -1'],
    [{ log_level: 'loud' }, /^log_level: must be one of "trace", .*, not "loud"$/],
    [{ shutdown_deadline: 0 }, 'shutdown_deadline: must be an integer from 1 to 300, not 0'],
    [
      { limits: { max_frame_bytes: 12 } },
      'limits.max_frame_bytes: must be an integer from 1024 to 67108864, not 12',
    ],
    [{ redundancy: 9 }, 'redundancy: must be an integer from 1 to 8, not 9'],
    [{ unsubscribe_grace: -1 }, 'unsubscribe_grace: must be an integer from 0 to 3600, not -1'],
    [{ config_watch: 'no' }, 'config_watch: must be true, false, 1 or 0, not "no"'],
    [{ trading_hours: 'night' }, 'trading_hours: must be one of "exchange", "always", not "night"'],
    [
      { redundant_instruments: ['rb*', 'r*b', 5] },
      'redundant_instruments[1]: must be "*", "SHFE.*", "rb*", "SHFE.rb*" or an instrument such as "rb2605" or "SHFE.rb2605", not "r*b": the star may only be its last character',
    ],
    [
      { always_subscribe: [5] },
      /^always_subscribe\[0\]: must be "\*", .* or "SHFE\.rb2605", not 5: it is no text$/,
    ],
    [
      { always_subscribe: 'rb*' },
      /^always_subscribe: must be a list of at most 10000 of "\*", .*, not "rb\*"$/,
    ],
    [{ simulator: { rate: 0 } }, 'simulator.rate: must be a number above 0 and up to 1000, not 0'],
    [{ simulator: { seed: -1 } }, 'simulator.seed: must be an integer from 0 to 4294967295, not -1'],
    [
      { simulator: { fronts: 100, base_port: 65_500 } },
      'simulator: base_port 65500 leaves no room for 100 fronts, the last port would be 65599',
    ],
    [{ connections: {} }, 'connections: must be a list of at most 1000 objects, not an object'],
    [
      { connections: [] },
      'connections: there are none: list one, such as {"connection_id": "one", "front_addr": "tcp://host:port", "broker_id": "9999"}, or add a section "simulator": {} for simulated ticks',
    ],
    [
      { connections: [{ ...connection, enabled: 0 }] },
      'connections: no connection is enabled, at least one must be',
    ],
  ])('says what is wrong with %j', (file, line) => {
    const problems = problemsOf({ file });
    expect(problems).toHaveLength(1);
    const prefix = 'gateway.json: ';
    expect(problems[0]!.startsWith(prefix)).toBe(true);
    const text = problems[0]!.slice(prefix.length);
    if (typeof line === 'string') expect(text).toBe(line);
    else expect(text).toMatch(line);
  });

  it('names everything that is wrong at once', () => {
    expect(
      problemsOf({
        file: { websocket_port: 'x', redis_prt: 2 },
        env: { LOG_LEVEL: 'y' },
        args: { port: '-1' },
      }),
    ).toEqual([
      'gateway.json: redis_prt: unknown key with the value 2, did you mean redis_port?',
      'gateway.json: websocket_port: must be an integer from 0 to 65535, not "x"',
      expect.stringMatching(/^environment LOG_LEVEL: must be one of .* not "y"$/),
      '--port: must be an integer from 0 to 65535, not -1',
    ]);
  });

  it('refuses __proto__ as any unknown key', () => {
    expect(problemsOf({ file: `{"__proto__": {"websocket_port": 1}, "connections": []}` })[0]).toMatch(
      /^gateway\.json: __proto__: unknown key/,
    );
  });

  it('suggests the variable that a misspelt one means, and leaves farther ones to their owners', () => {
    expect(problemsOf({ env: { QACTPMD_REDIS_HOTS: 'x' } })).toEqual([
      'environment QACTPMD_REDIS_HOTS: unknown variable, did you mean QACTPMD_REDIS_HOST?',
    ]);
  });

  it('warns of variables that nothing reads, but not of those that others read', () => {
    const env = { QACTPMD_NOPE: 'x', QACTPMD_SOMETHING_ELSE: 'y', QACTPMD_EMPTY: '' };
    expect(load({ env }).warnings).toEqual([
      'environment QACTPMD_NOPE, QACTPMD_SOMETHING_ELSE: there is no such setting, nothing reads it',
    ]);
    const connections = [{ ...connection, password_env: 'QACTPMD_PASS' }];
    const others = { QACTPMD_PASS: 'x', QACTPMD_SIM_RECONNECT_MS: '100', QACTPMD_REDIS_PORT: '1' };
    expect(load({ file: { connections }, env: others }).warnings).toEqual([]);
  });

  it('refuses a simulator variable where nothing would use it', () => {
    expect(problemsOf({ env: { QACTPMD_SIMULATOR_RATE: '5' } })[0]).toMatch(
      /^environment QACTPMD_SIMULATOR_RATE: there is no simulator section/,
    );
  });

  it('takes true, false, 1 and 0 for booleans and nothing else', () => {
    for (const yes of ['true', '1'])
      expect(load({ env: { QACTPMD_REDIS_ENABLED: yes } }).redisEnabled).toBe(true);
    for (const no of ['false', '0'])
      expect(load({ env: { QACTPMD_AUTO_FAILOVER: no } }).autoFailover).toBe(false);
    for (const odd of ['yes', 'no', 'on', 'TRUE', '2', 'toString'])
      expect(problemsOf({ env: { QACTPMD_AUTO_FAILOVER: odd } })).toEqual([
        `environment QACTPMD_AUTO_FAILOVER: must be true, false, 1 or 0, not "${odd}"`,
      ]);
    expect(load({ file: { auto_failover: 0, redis_enabled: 1 } })).toMatchObject({
      autoFailover: false,
      redisEnabled: true,
    });
  });

  it('takes patterns from a variable with commas between, and says which is wrong', () => {
    const texts = (env: NodeJS.ProcessEnv): string[] => load({ env }).alwaysSubscribe.map(({ text }) => text);
    expect(texts({ QACTPMD_ALWAYS_SUBSCRIBE: 'rb*, SHFE.cu2605,rb*' })).toEqual(['rb*', 'SHFE.cu2605']);
    expect(problemsOf({ env: { QACTPMD_ALWAYS_SUBSCRIBE: 'rb*,shfe.cu*' } })).toEqual([
      expect.stringMatching(
        /^environment QACTPMD_ALWAYS_SUBSCRIBE: must be .*, not "shfe\.cu\*": exchanges are in capitals: SHFE$/,
      ),
    ]);
  });

  it('accepts no other text as a port than the decimal numbers it stands for', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ minLength: 1 }), fc.integer().map(String)), (text) => {
        const value = Number(text);
        const fine = /^\s*\d+(\.0+)?\s*$/.test(text) && value <= 65535;
        if (text === '') return;
        if (fine)
          expect(load({ args: { port: text }, cwd: '/tmp', file: null, env: simulated }).websocketPort).toBe(
            value,
          );
        else
          expect(problemsOf({ args: { port: text }, cwd: '/tmp', file: null, env: simulated })).toHaveLength(
            1,
          );
      }),
    );
  });
});

describe('a simulator section', () => {
  const simulator = { fronts: 3, base_port: 22_001 };
  const withoutList = (section: object): string => JSON.stringify({ simulator: section });
  const frontsOf = ({ connections }: GatewayConfig): string[] =>
    connections.flatMap((each) => each.frontAddr);

  it('without a list of connections makes one for each front, wherever the fronts are moved to', () => {
    const { connections, warnings } = load({ file: withoutList(simulator) });
    expect(connections.map(({ connectionId, frontAddr }) => [connectionId, ...frontAddr])).toEqual([
      ['simulated_01', 'tcp://127.0.0.1:22001'],
      ['simulated_02', 'tcp://127.0.0.1:22002'],
      ['simulated_03', 'tcp://127.0.0.1:22003'],
    ]);
    expect(warnings).toEqual([]);
    const env = { QACTPMD_SIMULATOR_BASE_PORT: '23001', QACTPMD_SIMULATOR_FRONTS: '2' };
    const moved = load({ file: withoutList(simulator), env });
    expect(frontsOf(moved)).toEqual(['tcp://127.0.0.1:23001', 'tcp://127.0.0.1:23002']);
    expect(moved.simulator).toMatchObject({ basePort: 23_001, fronts: 2 });
  });

  it('means ticks at all hours, where neither file nor environment says otherwise', () => {
    expect(load({ file: { simulator } }).tradingHours).toBe('always');
    expect(load({ file: { simulator, trading_hours: 'exchange' } }).tradingHours).toBe('exchange');
    const env = { QACTPMD_TRADING_HOURS: 'exchange' };
    expect(load({ file: { simulator }, env }).tradingHours).toBe('exchange');
    expect(load({ file: { trading_hours: 'always' } }).tradingHours).toBe('always');
    const inside = { connection_id: 'inside', front_addr: 'sim://?rate=10' };
    const outside = { connection_id: 'outside', front_addr: 'tcp://127.0.0.1:1' };
    expect(load({ file: { connections: [inside, { ...outside, enabled: false }] } }).tradingHours).toBe(
      'always',
    );
    expect(load({ file: { connections: [inside, outside] } }).tradingHours).toBe('exchange');
  });

  it('still refuses an empty list, and ports beyond the last one with one line', () => {
    expect(problemsOf({ file: { simulator, connections: [] } })).toEqual([
      'gateway.json: connections: there are none: list one, such as {"connection_id": "one", "front_addr": "tcp://host:port", "broker_id": "9999"}, or leave the list out, and each simulated front has one',
    ]);
    expect(problemsOf({ file: withoutList({ base_port: 65_534 }) })).toEqual([
      expect.stringMatching(/^gateway\.json: simulator: base_port 65534 leaves no room for 4 fronts/),
    ]);
    expect(problemsOf({ file: withoutList({ fronts: 1e9 }) })[0]).toBe(
      'gateway.json: simulator.fronts: must be an integer from 1 to 1000, not 1000000000',
    );
  });

  it('warns of connections to ports of this machine that no simulated front has', () => {
    const to = (id: string, ...front_addr: string[]): object => ({ connection_id: id, front_addr });
    const connections = [
      to('hit', 'tcp://127.0.0.1:22003'),
      to('one', 'tcp://127.0.0.1:22004'),
      to('two', 'tcp://localhost:22000', 'tcp://127.0.0.1:1'),
      to('spare', 'tcp://127.0.0.1:1', 'tcp://127.0.0.1:22001'),
      to('elsewhere', 'tcp://10.0.0.1:1'),
      to('inside', 'sim://'),
      { ...to('off', 'tcp://127.0.0.1:1'), enabled: false },
    ];
    expect(load({ file: { simulator, connections } }).warnings).toEqual([
      'connections one, two: no simulated front has the port, they have 22001 to 22003 (simulator.base_port, ' +
        'simulator.fronts); without a list of connections each front gets one',
    ]);
    expect(load({ file: { connections } }).warnings).toEqual([]);
  });

  it('starts no fronts for a single connection elsewhere', () => {
    const file = withoutList(simulator);
    expect(load({ file, args: { frontAddr: ['sim://'] } })).toMatchObject({
      simulator: undefined,
      warnings: [],
    });
    expect(load({ file, args: { frontAddr: ['tcp://127.0.0.1:22002'] } }).simulator?.fronts).toBe(3);
  });
});

const simulated = { QACTPMD_CONNECTIONS: JSON.stringify([connection]) };

describe('files', () => {
  const sources = { args: {}, env: {}, cwd: '/' };

  it('names a file that is too large, and a number that no double holds', () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'gateway.json'), '{}');
    truncateSync(join(cwd, 'gateway.json'), 100 * 2 ** 20);
    expect(() => loadConfig({ file: 'gateway.json', args: {}, env: {}, cwd })).toThrow(
      'gateway.json: has 100 MB, at most 4 MB are read',
    );
    expect(problemsOf({ file: '{"websocket_port": 1e400}' })[0]).toBe(
      'gateway.json: websocket_port: must be an integer from 0 to 65535, not a number beyond 1.8e308',
    );
  });

  it('reads no device, whichever setting names one', () => {
    const device = '/dev/zero: is a device, not a file';
    expect(() => loadConfig({ ...sources, file: '/dev/zero' })).toThrow(device);
    const settings = ['calendar_file', 'products_file', 'redis_password_file'];
    for (const setting of settings)
      expect(problemsOf({ file: { [setting]: '/dev/zero' } })).toEqual([
        `gateway.json: ${setting}: ${device}`,
      ]);
    expect(problemsOf({ file: { import_instruments: ['/dev/zero'] } })).toEqual([
      `gateway.json: import_instruments: ${device}`,
    ]);
    for (const setting of ['redis_tls_ca_file', 'redis_tls_cert_file', 'redis_tls_key_file'])
      expect(problemsOf({ file: { redis_tls: true, [setting]: '/dev/zero' } })).toContain(
        `gateway.json: ${setting}: ${device}`,
      );
    expect(problemsOf({ file: { connections: [{ ...connection, password_file: '/dev/zero' }] } })).toEqual([
      `gateway.json: connections[0].password_file: ${device}`,
    ]);
  });

  it('names the first 20 of many problems and counts the others, each in a short line', () => {
    const odd = Object.fromEntries(Array.from({ length: 200_000 }, (_, i) => [`k\n${i}`, i]));
    const longest = (lines: readonly string[]): number => Math.max(...lines.map((line) => line.length));
    const inFile = problemsOf({ file: odd });
    expect(inFile).toHaveLength(21);
    expect(inFile[0]).toMatch(
      /^gateway\.json: "k\\n0": unknown key with the value 0, no setting is called so/,
    );
    expect(inFile[20]).toBe('and 199980 more problems');
    expect(longest(inFile)).toBeLessThan(200);
    const inEntry = problemsOf({ file: { connections: [{ ...connection, ...odd }] } });
    expect(inEntry).toHaveLength(21);
    expect(longest(inEntry)).toBeLessThan(500);
    const twentyOne = Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`odd${i}`, i]));
    expect(problemsOf({ file: twentyOne }).at(-1)).toBe('and 1 more problem');
    const many = Array.from({ length: 100_000 }, () => 5);
    expect(problemsOf({ file: { connections: many } })[0]).toBe(
      'gateway.json: connections: must be a list of at most 1000 objects, not a list of 100000',
    );
  });

  it('says what is wrong with a list of too many patterns', () => {
    const file = { always_subscribe: Array.from({ length: 10_001 }, () => '*') };
    expect(problemsOf({ file })).toEqual([
      expect.stringMatching(/always_subscribe: must be a list .*, not a list of 10001$/),
    ]);
  });

  it('says what is wrong with a text of megabytes', () => {
    const long = 'x'.repeat(3_900_000);
    expect(problemsOf({ file: { redis_host: long } })).toEqual([
      expect.stringMatching(
        /^gateway\.json: redis_host: must be a host name or an IP address, not "x{79}… \(3900002 characters\)$/,
      ) as unknown,
    ]);
    const [key] = problemsOf({ file: { [long]: 1 } });
    expect(key!.length).toBeLessThan(300);
    expect(
      problemsOf({ file: `{"${long}": 1, "${long.slice(1)}": 1, "${long}": 1}`.slice(0, 4_000_000) }),
    ).toEqual([expect.stringMatching(/^gateway\.json: line 1, column \d+: /) as unknown]);
  });

  it('says what to do with a file that says nothing', () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'gateway.json'), '{}');
    expect(() => loadConfig({ file: 'gateway.json', args: {}, env: {}, cwd })).toThrow(
      'gateway.json: connections: there are none: list one, such as {"connection_id": "one", "front_addr": "tcp://host:port", "broker_id": "9999"}, or add a section "simulator": {} for simulated ticks',
    );
  });

  it('names a missing file, a folder, bad JSON with its place, and text in another encoding', () => {
    const cwd = temporaryFolder();
    expect(() => loadConfig({ ...sources, file: 'no/such.json' })).toThrow(
      'no/such.json: there is no such file',
    );
    expect(() => loadConfig({ ...sources, file: cwd })).toThrow(`${cwd}: is a folder, not a file`);
    expect(problemsOf({ file: '{\n  "websocket_port": 7799,\n  }' })).toEqual([
      'gateway.json: line 3, column 3: expected a key in double quotes, no comma stands before "}"',
    ]);
    expect(problemsOf({ file: '' })).toEqual([
      expect.stringMatching(/^gateway\.json: line 1, column 1: expected a value/),
    ]);
    expect(problemsOf({ file: '[1]' })).toEqual(['gateway.json: must hold one JSON object, not a list of 1']);
  });

  it.each(['simulated.json', 'simnow.json', 'multi_ctp_config.json'])('accepts the shipped %s', (name) => {
    const config = loadConfig({ ...sources, file: packagePath('config', name) });
    expect(config.websocketPort).toBe(7799);
    const fronts = config.connections.flatMap((each) => each.frontAddr);
    expect(new Set(fronts).size).toBe(fronts.length);
    if (config.simulator === undefined) return;
    const { basePort, fronts: count } = config.simulator;
    expect(fronts).toEqual(
      Array.from({ length: count }, (_, index) => `tcp://127.0.0.1:${basePort + index}`),
    );
  });
});

describe('loadEndpoints', () => {
  it('tells where a gateway is reached without looking at passwords', () => {
    const cwd = temporaryFolder();
    const env = {
      QACTPMD_CONNECTIONS: JSON.stringify([{ ...connection, password_env: 'ABSENT' }]),
      QACTPMD_WEBSOCKET_PORT: '8001',
    };
    expect(loadEndpoints({ file: undefined, args: {}, env, cwd })).toEqual({
      host: '0.0.0.0',
      port: 8001,
      managementSocket: '',
      flowPath: join(cwd, 'ctpflow'),
    });
  });
});
