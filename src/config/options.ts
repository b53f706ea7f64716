import { frontAddresses } from './frontAddress.js';
import {
  autoOr,
  boolean,
  connectionName,
  fileList,
  host,
  integer,
  keyPrefix,
  libraryVersion,
  oneOf,
  positive,
  recordList,
  text,
  type Format,
} from './formats.js';
import { addressList } from './addressList.js';
import { originList } from './originList.js';
import { networkList } from './networkList.js';
import { patternList } from './patternList.js';

/** Whether a running gateway takes over a changed setting, or needs a restart for it. */
export type Reload = 'live' | 'restart';

/** One documented setting. */
export interface Option<T> {
  readonly format: Format<T>;
  /** Absent: the key must be given. */
  readonly default?: T;
  readonly reload: Reload;
  readonly unit?: string;
  /** What it does and what a larger value costs; English, one line, ends up in docs/configuration.md. */
  readonly doc: string;
  /** The value never appears in an error or a log. */
  readonly secret?: true;
}

/** Options by dotted path; a path's first part is a section of the file. */
export type OptionTable = Readonly<Record<string, Option<unknown>>>;

/** The checked values of a table, by the same paths. */
export type Values<Table extends OptionTable> = {
  readonly [Path in keyof Table]: Table[Path] extends Option<infer T> ? T : never;
};

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export const tradingHours = ['exchange', 'always'] as const;
export const tickFlows = ['live', 'lossless'] as const;
/** How an instrument's connection is chosen among those with room. */
export const strategies = ['round_robin', 'least_connections', 'connection_quality', 'hash_based'] as const;

function option<T>(format: Format<T>, preset: T, reload: Reload, doc: string, unit?: string): Option<T> {
  return { format, default: preset, reload, doc, ...(unit === undefined ? {} : { unit }) };
}

function secret(maxBytes: number, reload: Reload, doc: string): Option<string> {
  return { format: text(maxBytes), default: '', reload, doc, secret: true };
}

/** The file's top level and its sections. */
export const gatewayOptions = {
  websocket_host: option(
    host,
    '0.0.0.0',
    'restart',
    'Address to listen on. The default is every IPv4 interface; 127.0.0.1 admits local clients only.',
  ),
  websocket_port: option(
    integer(0, 65535),
    7799,
    'restart',
    'Port for WebSocket and HTTP. 0 takes any free port.',
  ),
  allowed_origins: option(
    originList,
    [],
    'restart',
    "Origins of web pages that may open a WebSocket or read history, in addition to pages from the gateway's own address. Programs other than browsers send no origin and are always admitted.",
  ),
  public_status: option(
    boolean,
    true,
    'live',
    'Serve /health, and /api/status without addresses and process id, to anyone who reaches websocket_port. If false, both answer 404 there and only management can read them; /livez and /readyz stay public.',
  ),
  management_socket: option(
    text(4096),
    '',
    'restart',
    'Path of the Unix socket for management (mode 0600), relative to the working directory. Empty: management-PORT.sock in flow_path, where PORT is websocket_port.',
  ),
  management_port: option(
    integer(0, 65535),
    0,
    'restart',
    'Port on 127.0.0.1 for management, in addition to the socket. Every user of the machine can reach it, unlike the socket. 0: none.',
  ),
  trusted_proxies: option(
    networkList,
    [],
    'live',
    'Addresses or networks of proxies whose X-Forwarded-For (or else X-Real-IP) header names the client, for limits per address. A listed proxy can claim any address.',
  ),
  ctp_library: option(
    text(4096),
    '',
    'restart',
    'Path of thostmduserapi_se.so, relative to the working directory. Empty: the bundled simulated library, which can only connect to simulated fronts.',
  ),
  ctp_version: option(
    libraryVersion,
    '',
    'restart',
    'Interface version of the library, for a library that states none, states an unknown one, or contradicts its own exports. A wrong value crashes the process. Empty: the version that the library states.',
  ),
  flow_path: option(
    text(4096, false),
    'ctpflow',
    'restart',
    "Folder for the library's flow files, with one subfolder per connection. Created when missing.",
  ),
  load_balance_strategy: option(
    oneOf(...strategies),
    'connection_quality',
    'live',
    'How the gateway chooses the connection for an instrument.',
  ),
  health_check_interval: option(
    integer(1, 3600),
    30,
    'live',
    'How often the overall status is checked. A change between healthy, degraded and unhealthy is logged.',
    's',
  ),
  maintenance_interval: option(
    integer(1, 86400),
    60,
    'live',
    'How often the counters are logged (level debug), and lost ticks if there were any (level warn).',
    's',
  ),
  max_retry_count: option(
    integer(0, 100),
    3,
    'live',
    'On how many further connections a refused instrument is tried before its clients get an error.',
    'connections',
  ),
  auto_failover: option(
    boolean,
    true,
    'live',
    "Move a failed connection's instruments to healthy connections. If false, they wait until their own connection recovers.",
  ),
  silence_timeout: option(
    integer(0, 3600),
    10,
    'live',
    'A connection that stops ticking during trading is reopened after this time, and its instruments move to other connections. The wait is longer where ticks are rare: ten times the longest recent pause, and up to three times as long shortly after a login. 0: never.',
    's',
  ),
  trading_hours: option(
    oneOf(...tradingHours),
    'exchange',
    'live',
    "Market hours: the exchanges' own, or always open. They decide a tick's trading day, which ticks are off session, and when silence is suspicious. The default is always when there is a simulator section or every front is a sim:// address. Other fronts that tick around the clock need always too.",
  ),
  calendar_file: option(
    text(4096),
    '',
    'live',
    "JSON file with the exchanges' holidays, relative to the working directory; docs/data-quality.md describes its form. Empty: the built-in calendar. In years that the file lacks, only January 1, May 1 and October 1 to 3 count as holidays.",
  ),
  redundancy: option(
    integer(1, 8),
    1,
    'live',
    'How many connections of different brokers carry each of redundant_instruments; the first copy of a tick wins. Each further connection takes a subscription slot and delivers every tick once more.',
    'connections',
  ),
  redundant_instruments: option(
    patternList,
    ['*'],
    'live',
    'Instruments that redundancy applies to; the others have one connection. c* matches every id that begins with c, including cu2605.',
  ),
  products_file: option(
    text(4096),
    '',
    'restart',
    'JSON file with rows that replace, add or remove products of the built-in table, relative to the working directory; see docs/instruments.md.',
  ),
  import_instruments: option(
    fileList,
    [],
    'live',
    'CSV or JSON files with instruments to list, mainly options, relative to the working directory; see docs/instruments.md.',
  ),
  discover_instruments: option(
    boolean,
    true,
    'live',
    'Find futures that the product table does not list. Once per trading day every conceivable contract is subscribed for a few seconds, on connections with room to spare. A contract that ticks is listed.',
  ),
  instruments_file: option(
    text(4096),
    '',
    'restart',
    'File that remembers discovered instruments, relative to the working directory. Empty: instruments.json in flow_path.',
  ),
  always_subscribe: option(
    patternList,
    [],
    'live',
    'Instruments to subscribe before any client asks, so that the first client finds a quote at once. A star matches listed instruments only. Each takes a subscription slot on a connection.',
  ),
  unsubscribe_grace: option(
    integer(0, 3600),
    10,
    'live',
    'How long an instrument stays subscribed after its last client has left.',
    's',
  ),
  config_watch: option(
    boolean,
    true,
    'live',
    'Reload when the configuration file changes, or a file that it names: passwords, certificates, calendar, products, imported instruments. If false, only SIGHUP and POST /api/reload (management) reload.',
  ),
  connections_per_worker: option(
    autoOr(1, 1000),
    'auto',
    'restart',
    'Connections that share a worker thread. auto: one thread each for up to 16 connections, 4 threads for more. A thread costs about 12 MB.',
  ),
  tick_flow: option(
    oneOf(...tickFlows),
    'live',
    'restart',
    "What happens when ticks arrive faster than the gateway takes them. live: the oldest ticks are dropped and counted, and the vendor's threads never wait. lossless: the vendor's threads wait, so that a replay at maximum speed loses nothing. Real fronts disconnect slow clients, so lossless is for replays only.",
  ),
  record_path: option(
    text(4096),
    '',
    'restart',
    'Folder for recordings of ticks, relative to the working directory. Created when missing. Empty: nothing is recorded. A tick takes 40 to 80 bytes.',
  ),
  record_instruments: option(
    patternList,
    ['*'],
    'restart',
    'Which of the subscribed instruments are recorded.',
  ),
  record_interval: option(
    integer(1, 60),
    1,
    'restart',
    'Longest time a tick may wait before it is written. A crash loses up to this much. Larger values give smaller files.',
    's',
  ),
  record_file_size: option(
    integer(1, 1_000_000),
    1024,
    'restart',
    'Size at which a recording is closed and the day continues in another file.',
    'MB',
  ),
  redis_enabled: option(
    boolean,
    false,
    'restart',
    'Store every tick in Redis, and read the newest quotes from there at start; see docs/storage.md.',
  ),
  redis_host: option(host, '127.0.0.1', 'restart', 'Host of the Redis server.'),
  redis_port: option(integer(1, 65535), 6379, 'restart', 'Port of the Redis server.'),
  redis_username: option(text(256), '', 'restart', "User for Redis (ACL). Empty: Redis' default user."),
  redis_password: secret(
    512,
    'restart',
    'Password for Redis. Prefer the environment variable or redis_password_file.',
  ),
  redis_password_file: option(
    text(4096),
    '',
    'restart',
    'File that holds the Redis password. A final line break is ignored.',
  ),
  redis_db: option(integer(0, 1_000_000), 0, 'restart', 'Redis database. A cluster has only database 0.'),
  redis_key_prefix: option(
    keyPrefix,
    'qactpmd:',
    'restart',
    'Prefix of all keys. Gateways that share a Redis server need different prefixes.',
  ),
  redis_tls: option(boolean, false, 'restart', 'Use TLS to Redis and to sentinels.'),
  redis_tls_ca_file: option(
    text(4096),
    '',
    'restart',
    "PEM file with the authorities that sign the server's certificate. Empty: those of the system.",
  ),
  redis_tls_cert_file: option(
    text(4096),
    '',
    'restart',
    "PEM file with the gateway's own certificate, if Redis asks for one.",
  ),
  redis_tls_key_file: option(text(4096), '', 'restart', 'PEM file with the key of redis_tls_cert_file.'),
  redis_sentinels: option(
    addressList,
    [],
    'restart',
    'Addresses of sentinels, which know the current master. They replace redis_host and redis_port.',
  ),
  redis_sentinel_master: option(
    text(256, false),
    'mymaster',
    'restart',
    'Name of the master that the sentinels watch.',
  ),
  redis_sentinel_password: secret(512, 'restart', 'Password for the sentinels.'),
  redis_cluster_nodes: option(
    addressList,
    [],
    'restart',
    'Some nodes of a Redis Cluster; the gateway finds the others. They replace redis_host and redis_port.',
  ),
  history_length: option(
    integer(100, 100_000_000),
    20_000,
    'restart',
    'Number of ticks per instrument to keep in Redis, at least. 10,000 ticks take about 4 MB there.',
    'ticks',
  ),
  history_age: option(
    integer(0, 87_600),
    168,
    'restart',
    'How long ticks are kept in Redis, at least. 0: no limit but history_length.',
    'h',
  ),
  storage_batch_time: option(
    integer(0, 1000),
    20,
    'restart',
    'How long ticks are gathered before they are written to Redis together. A crash loses up to this much.',
    'ms',
  ),
  storage_batch_size: option(
    integer(1, 10_000),
    1000,
    'restart',
    'Most ticks that are written to Redis together. Redis is busy for about 10 µs per tick.',
    'ticks',
  ),
  spill_path: option(
    text(4096),
    '',
    'restart',
    'Folder for ticks that wait for Redis on disk. Created when needed. Empty: the folder spill in flow_path.',
  ),
  spill_memory: option(
    integer(1, 4096),
    4,
    'restart',
    'Memory for ticks that are about to be written to Redis, about 3,000 ticks per MB. When it is full, or Redis is unavailable, ticks go to the spill file. A crash loses the ticks in memory.',
    'MB',
  ),
  spill_file: option(
    integer(0, 1_000_000),
    1024,
    'restart',
    'Size limit of the spill file, about 4,000 ticks per MB. When it is full, newer ticks are lost and counted. 0: no file.',
    'MB',
  ),
  history_memory: option(
    integer(0, 4096),
    32,
    'restart',
    'Memory for the newest ticks, which GET /api/history/ticks serves when redis_enabled is false: about 15,000 ticks per MB. It fills as ticks arrive, and the thread that keeps it takes 16 MB more. 0: none.',
    'MB',
  ),
  history_queries: option(
    integer(1, 256),
    16,
    'restart',
    'Most history queries that are answered at once, by at most two background threads. Each query takes up to 0.25 MB.',
    'queries',
  ),
  history_queue: option(
    integer(0, 10_000),
    32,
    'restart',
    'Most history queries that wait. Further queries get 503.',
    'queries',
  ),
  log_level: option(
    oneOf(...logLevels),
    'info',
    'live',
    'Least severe level that is logged; the variable LOG_LEVEL sets it too. debug logs control events, never single ticks.',
  ),
  shutdown_deadline: option(
    integer(1, 300),
    10,
    'live',
    'Time for an orderly stop. After it, parts that still hang are named in the log and the exit code is 1. Vendor libraries are not waited for.',
    's',
  ),
  'limits.max_clients': option(
    integer(1, 1_000_000),
    10_000,
    'restart',
    'Most WebSocket sessions at once; further ones are refused. An idle session costs about 5 kB.',
    'sessions',
  ),
  'limits.max_clients_per_address': option(
    integer(1, 1_000_000),
    2000,
    'restart',
    'Most WebSocket sessions per address at once. In IPv6 the first 64 bits are the address.',
    'sessions',
  ),
  'limits.connects_per_second': option(
    integer(1, 1_000_000),
    100,
    'restart',
    'Rate of new WebSocket sessions per address. A burst may use ten seconds of it.',
    '1/s',
  ),
  'limits.requests_per_second': option(
    integer(1, 1_000_000),
    100,
    'restart',
    'Rate of HTTP requests per address. A burst may use two seconds of it.',
    '1/s',
  ),
  'limits.client_work': option(
    integer(1, 100),
    5,
    'restart',
    "Share of the main thread for one session's requests. A burst may use ten seconds of it; further requests wait. Pushes and answers to peeks are free.",
    '%',
  ),
  'limits.address_work': option(
    integer(1, 100),
    25,
    'restart',
    'Share of the main thread for all sessions and HTTP requests of one address. A burst may use ten seconds of it.',
    '%',
  ),
  'limits.view_work': option(
    integer(1, 100),
    25,
    'restart',
    'Share of the main thread for pushes with fields that clients have chosen, of all clients together. Addresses get equal parts. A client beyond it skips ticks and gets the newest states.',
    '%',
  ),
  'limits.max_kept': option(
    integer(16, 65_536),
    256,
    'restart',
    'Most memory that all sessions together may occupy with subscriptions, instrument lists and waiting requests. Beyond it, or beyond a quarter of the heap, the largest sessions are closed.',
    'MB',
  ),
  'limits.max_unfinished': option(
    integer(4, 65_536),
    64,
    'restart',
    'Most memory for messages that sessions have begun and not finished. Beyond it the largest ones are cut off.',
    'MB',
  ),
  'limits.max_instruments_per_client': option(
    integer(1, 1_000_000),
    30_000,
    'restart',
    'Most instruments that one session may subscribe, per protocol. Each costs about 10 bytes per session.',
    'instruments',
  ),
  'limits.max_frame_bytes': option(
    integer(1024, 67_108_864),
    1_048_576,
    'restart',
    'Largest inbound WebSocket message. Some clients send subscriptions of 100,000 characters.',
    'bytes',
  ),
  'limits.max_bad_frames': option(
    integer(1, 1_000_000),
    100,
    'restart',
    'Most messages outside the protocol that a session may send per minute; the next one closes it.',
    'messages',
  ),
  'limits.max_unproven_per_client': option(
    integer(1, 100_000),
    200,
    'restart',
    'Most unproven instruments of one session that may have a subscription slot at once; the others wait. An instrument is unproven while it is neither listed nor has ever ticked, like most options at first.',
    'instruments',
  ),
  'limits.max_unproven_per_address': option(
    integer(1, 100_000),
    400,
    'restart',
    'Most unproven instruments of all sessions of one address that may have a slot at once.',
    'instruments',
  ),
  'limits.max_unproven': option(
    integer(1, 100_000),
    1000,
    'restart',
    'Most unproven instruments of all sessions that may have a slot at once. Instruments that are listed or have ticked displace them immediately.',
    'instruments',
  ),
  'simulator.fronts': option(
    integer(1, 1000),
    4,
    'restart',
    'Number of simulated fronts, on consecutive ports. The gateway starts them as a child process if the configuration has a simulator section.',
    'fronts',
  ),
  'simulator.base_port': option(
    integer(1, 65535),
    17_001,
    'restart',
    'Port of the first simulated front, on loopback.',
  ),
  'simulator.rate': option(
    positive(1000),
    2,
    'restart',
    'Tick rate of each instrument. Real exchanges send at most 2.',
    'ticks/s',
  ),
  'simulator.seed': option(
    integer(0, 4_294_967_295),
    1,
    'restart',
    'Seed of the price model. The same seed gives the same ticks.',
  ),
  connections: option(
    recordList,
    [],
    'live',
    'List of connections, see the next table. If it is absent, a simulator section gets one connection per front. QACTPMD_CONNECTIONS takes the whole list as JSON.',
  ),
} as const satisfies OptionTable;

/** One entry of connections[]. Lengths are those of the vendor's login request, without the final zero. */
export const connectionOptions = {
  connection_id: {
    format: connectionName,
    reload: 'live',
    doc: 'Unique name, used in /health, in logs and for the flow folder.',
  },
  front_addr: {
    format: frontAddresses,
    reload: 'live',
    doc: "Address of the broker's market-data front, or a list of addresses; the first one that answers is used.",
  },
  broker_id: option(
    text(10),
    '',
    'live',
    'BrokerID of the login. Most market-data fronts accept an empty one.',
  ),
  broker_name: option(text(200), '', 'live', "The broker's name for display in /health and --status."),
  user_id: option(text(15), '', 'live', 'UserID of the login. Most market-data fronts accept an empty one.'),
  password: secret(40, 'live', 'Password of the login. Prefer password_env or password_file.'),
  password_env: option(text(256), '', 'live', 'Name of the environment variable that holds the password.'),
  password_file: option(
    text(4096),
    '',
    'live',
    'File that holds the password. A final line break is ignored.',
  ),
  ctp_library: option(
    text(4096),
    '',
    'restart',
    'Path of a separate library for this connection, relative to the working directory. Empty: the common ctp_library.',
  ),
  ctp_version: option(
    libraryVersion,
    '',
    'restart',
    'Interface version of the library of this connection, like the common ctp_version. Empty: the common one, unless the connection has its own library.',
  ),
  production_mode: option(
    boolean,
    true,
    'live',
    "false logs in to the broker's evaluation back end. Libraries from 6.7.11 on support both; older ones come as two files.",
  ),
  max_subscriptions: option(
    integer(1, 100_000),
    500,
    'live',
    'Most instruments on this connection. Each takes 640 to 10,000 bytes of shared memory, fewer when there are many connections.',
    'instruments',
  ),
  priority: option(
    integer(1, 10),
    1,
    'live',
    'Order in which connections fill up, 1 first and 10 last. A connection takes instruments only when all those with a lower number are full.',
  ),
  enabled: option(boolean, true, 'live', 'false keeps the entry in the file without opening the connection.'),
} as const satisfies OptionTable;

export type GatewayValues = Values<typeof gatewayOptions>;
export type ConnectionValues = Values<typeof connectionOptions>;
