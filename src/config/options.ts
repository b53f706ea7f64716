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

/** One documented setting. */
export interface Option<T> {
  readonly format: Format<T>;
  /** Absent: the key must be given. */
  readonly default?: T;
  readonly unit?: string;
  /** What it does and what a larger value costs; English, one line, ends up in the README's table. */
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

function option<T>(format: Format<T>, preset: T, doc: string, unit?: string): Option<T> {
  return { format, default: preset, doc, ...(unit === undefined ? {} : { unit }) };
}

function secret(maxBytes: number, doc: string): Option<string> {
  return { format: text(maxBytes), default: '', doc, secret: true };
}

/** The file's top level and its sections. */
export const gatewayOptions = {
  websocket_host: option(
    host,
    '0.0.0.0',
    'Address to listen on. The default is every IPv4 interface; 127.0.0.1 admits local clients only.',
  ),
  websocket_port: option(
    integer(0, 65535),
    7799,
    'Port for WebSocket and HTTP alike. 0 takes any free port.',
  ),
  allowed_origins: option(
    originList,
    [],
    "Origins of web pages that may open a WebSocket or read history, beside pages from the gateway's own address. Programs other than browsers send no origin, and may. The variable takes them with commas between.",
  ),
  public_status: option(
    boolean,
    true,
    'Let everybody who reaches websocket_port read /health and /api/status (the latter without addresses and process id). Without it they answer 404 there, and management alone reads them; /livez and /readyz stay.',
  ),
  management_socket: option(
    text(4096),
    '',
    "Path of the Unix socket (mode 0600) for management, relative to the working directory. Empty: management-PORT.sock in flow_path, with websocket_port's number.",
  ),
  management_port: option(
    integer(0, 65535),
    0,
    'Port on 127.0.0.1 for management, beside the socket. Every user of the machine can reach it, unlike the socket. 0: none.',
  ),
  trusted_proxies: option(
    networkList,
    [],
    'Addresses or networks of the proxies whose X-Forwarded-For (or else X-Real-IP) says which address a client has, for limits per address. Whoever is listed can claim any address. The variable takes them with commas between.',
  ),
  ctp_library: option(
    text(4096),
    '',
    'Path of thostmduserapi_se.so, relative to the working directory. Empty: the bundled simulated library, which speaks to simulated fronts only.',
  ),
  ctp_version: option(
    libraryVersion,
    '',
    'Version whose interface the library has, where its own word for it is missing, unknown or at odds with what it exports. A wrong one crashes the process. Empty: as the library says.',
  ),
  flow_path: option(
    text(4096, false),
    'ctpflow',
    "Folder for the library's flow files, one subfolder per connection; created when missing.",
  ),
  load_balance_strategy: option(
    oneOf(...strategies),
    'connection_quality',
    'How an instrument finds its connection.',
  ),
  health_check_interval: option(
    integer(1, 3600),
    30,
    'Time between two looks at the whole that log a change between healthy, degraded and unhealthy.',
    's',
  ),
  maintenance_interval: option(
    integer(1, 86400),
    60,
    'Time between two log lines with counters (level debug), and with ticks that were lost, if any (warn).',
    's',
  ),
  max_retry_count: option(
    integer(0, 100),
    3,
    'Further connections that an instrument is tried on after one has refused it; then its clients are told.',
    'connections',
  ),
  auto_failover: option(
    boolean,
    true,
    "Move a failed connection's instruments to healthy ones. Without it they wait for their own connection.",
  ),
  silence_timeout: option(
    integer(0, 3600),
    10,
    'A connection whose ticks break off in the midst of trading for this long (and for ten times their longest pause of late; up to three times as long soon after a login) is opened again and its instruments move to others. 0 turns this off.',
    's',
  ),
  trading_hours: option(
    oneOf(...tradingHours),
    'exchange',
    "When the market is open: in the exchanges' hours, or always. It decides what day a tick belongs to, which ticks are off session, and when silence is suspicious. With a simulator section, or sim:// addresses alone, the default is always; fronts that send around the clock need it too.",
  ),
  calendar_file: option(
    text(4096),
    '',
    "JSON file with the exchanges' holidays, relative to the working directory; docs/data-quality.md has its form. Empty: the one that comes with the gateway. Of years that it lacks, January 1, May 1 and October 1 to 3 alone are known.",
  ),
  redundancy: option(
    integer(1, 8),
    1,
    'Connections of different brokers that carry each of redundant_instruments at once; the first tick to come is used. Each takes a place on its connection, and as many ticks come in again.',
    'connections',
  ),
  redundant_instruments: option(
    patternList,
    ['*'],
    'What redundancy is for; all else has one connection. c* is every id that begins with c, cu2605 too. The variable takes them with commas between.',
  ),
  products_file: option(
    text(4096),
    '',
    'JSON file with rows that replace, add or remove products of the built-in table, relative to the working directory; see docs/instruments.md. Read at start.',
  ),
  import_instruments: option(
    fileList,
    [],
    'CSV or JSON files with instruments to list, options above all, relative to the working directory; see docs/instruments.md. They are read again at a reload. The variable takes them with commas between.',
  ),
  discover_instruments: option(
    boolean,
    true,
    'Find out which futures exist beside those that the product table lists: each conceivable contract is subscribed for some seconds once a trading day, where connections have room to spare. What ticks exists.',
  ),
  instruments_file: option(
    text(4096),
    '',
    'File that keeps what was found to exist, relative to the working directory. Empty: instruments.json in flow_path.',
  ),
  always_subscribe: option(
    patternList,
    [],
    'Instruments that are subscribed before any client wants them, so that the first one finds a quote; a star means the listed ones. Each takes a place on a connection.',
  ),
  unsubscribe_grace: option(
    integer(0, 3600),
    10,
    'Time that an instrument stays subscribed after its last client has left it.',
    's',
  ),
  config_watch: option(
    boolean,
    true,
    'Read the configuration anew when its file has changed, or one that it names: password files, certificates, calendar, products, imported instruments. Without it SIGHUP and POST /api/reload (management) do.',
  ),
  connections_per_worker: option(
    autoOr(1, 1000),
    'auto',
    'Connections that share a worker thread. auto: one thread each up to 16 connections, 4 threads past that; a thread costs about 12 MB.',
  ),
  tick_flow: option(
    oneOf(...tickFlows),
    'live',
    "What happens when ticks come faster than they are taken. live: the oldest are lost and counted, and the vendor's threads never wait. lossless: they wait, so that a replay at maximum speed loses nothing; not for real fronts, which cut who is slow.",
  ),
  record_path: option(
    text(4096),
    '',
    'Folder for recordings of the ticks, relative to the working directory; created when missing. Empty: nothing is recorded. A tick takes 40 to 80 bytes.',
  ),
  record_instruments: option(patternList, ['*'], 'What is recorded of the instruments that are subscribed.'),
  record_interval: option(
    integer(1, 60),
    1,
    'Ticks wait so long at most before they are written, and are lost when the process is killed meanwhile. More makes smaller files.',
    's',
  ),
  record_file_size: option(
    integer(1, 1_000_000),
    1024,
    'A recording that is larger is followed by another one of the day.',
    'MB',
  ),
  redis_enabled: option(
    boolean,
    false,
    'Store every tick in Redis, and take the newest states from there at the start; docs/storage.md has the rest.',
  ),
  redis_host: option(host, '127.0.0.1', 'Host of the Redis server.'),
  redis_port: option(integer(1, 65535), 6379, 'Port of the Redis server.'),
  redis_username: option(text(256), '', "User for Redis (ACL). Empty: Redis' default user."),
  redis_password: secret(512, 'Password for Redis; rather give it by environment or redis_password_file.'),
  redis_password_file: option(
    text(4096),
    '',
    'File whose content is the Redis password; its last line break does not count.',
  ),
  redis_db: option(integer(0, 1_000_000), 0, 'Database to use; a cluster has none but 0.'),
  redis_key_prefix: option(
    keyPrefix,
    'qactpmd:',
    'What all keys begin with. Gateways that share a Redis need different ones.',
  ),
  redis_tls: option(boolean, false, 'Speak TLS with Redis, and with sentinels.'),
  redis_tls_ca_file: option(
    text(4096),
    '',
    "PEM file with the authorities that the server's certificate is checked against. Empty: those of the system.",
  ),
  redis_tls_cert_file: option(
    text(4096),
    '',
    "PEM file with the gateway's own certificate, if Redis wants one.",
  ),
  redis_tls_key_file: option(text(4096), '', "PEM file with that certificate's key."),
  redis_sentinels: option(
    addressList,
    [],
    'Sentinels, which say where the master is; redis_host and redis_port do not count then. The variable takes them with commas between.',
  ),
  redis_sentinel_master: option(text(256, false), 'mymaster', 'Name of the master that the sentinels watch.'),
  redis_sentinel_password: secret(512, 'Password for the sentinels.'),
  redis_cluster_nodes: option(
    addressList,
    [],
    'Some nodes of a Redis Cluster, the others are found; redis_host and redis_port do not count then. The variable takes them with commas between.',
  ),
  history_length: option(
    integer(100, 100_000_000),
    20_000,
    'Ticks of each instrument that are kept in Redis, or somewhat more. 10,000 take about 4 MB there.',
    'ticks',
  ),
  history_age: option(
    integer(0, 87_600),
    168,
    'Time that ticks are kept in Redis, or somewhat longer. 0: as long as history_length allows.',
    'h',
  ),
  storage_batch_time: option(
    integer(0, 1000),
    20,
    'Time that ticks are gathered for, to be written to Redis together. What a kill of the gateway loses grows with it.',
    'ms',
  ),
  storage_batch_size: option(
    integer(1, 10_000),
    1000,
    'Most ticks that are written together. Redis does nothing else meanwhile, some 10 µs for each.',
    'ticks',
  ),
  spill_path: option(
    text(4096),
    '',
    'Folder for ticks that wait for Redis in a file; created when needed. Empty: the folder spill in flow_path.',
  ),
  spill_memory: option(
    integer(1, 4096),
    4,
    'Memory for ticks that are about to be written to Redis, about 3,000 in each MB. When it is full, or Redis takes nothing, they go to a file. A kill of the gateway loses what is in memory.',
    'MB',
  ),
  spill_file: option(
    integer(0, 1_000_000),
    1024,
    'Size of the file for ticks that wait for Redis, about 4,000 in each MB. When it is full, newer ticks are lost and counted. 0: no file.',
    'MB',
  ),
  history_memory: option(
    integer(0, 4096),
    32,
    'Newest ticks kept in memory for GET /api/history/ticks where redis_enabled is false, some 15,000 in each MB, which is taken as they come; 16 MB more while it is on. 0: none.',
    'MB',
  ),
  history_queries: option(
    integer(1, 256),
    16,
    'Queries for stored ticks that are answered at once, in at most two threads that give way to all others. Each takes up to 0.25 MB.',
    'queries',
  ),
  history_queue: option(
    integer(0, 10_000),
    32,
    'Queries for stored ticks that wait for their turn; the next one is refused with 503.',
    'queries',
  ),
  log_level: option(
    oneOf(...logLevels),
    'info',
    'Least severe level that is logged; also settable by LOG_LEVEL. debug costs a line per control event, never per tick.',
  ),
  shutdown_deadline: option(
    integer(1, 300),
    10,
    'Time for an orderly stop; what still hangs then is named and the exit code is 1. Vendor libraries are not waited for.',
    's',
  ),
  'limits.max_clients': option(
    integer(1, 1_000_000),
    10_000,
    'WebSocket sessions at once; the next one is refused. An idle session costs about 5 kB.',
    'sessions',
  ),
  'limits.max_clients_per_address': option(
    integer(1, 1_000_000),
    2000,
    'WebSocket sessions of one address at once; of IPv6, the first 64 bits count as one address.',
    'sessions',
  ),
  'limits.connects_per_second': option(
    integer(1, 1_000_000),
    100,
    "WebSocket sessions that one address may open; ten seconds' worth may come at once.",
    '1/s',
  ),
  'limits.requests_per_second': option(
    integer(1, 1_000_000),
    100,
    "HTTP requests of one address that are answered; two seconds' worth may come at once.",
    '1/s',
  ),
  'limits.client_work': option(
    integer(1, 100),
    5,
    "Share of the main thread that one session's requests may take; ten seconds' worth may come at once. Requests beyond it wait. Pushes and answers to peeks do not count.",
    '%',
  ),
  'limits.address_work': option(
    integer(1, 100),
    25,
    'The same for all sessions and HTTP requests of one address.',
    '%',
  ),
  'limits.max_kept': option(
    integer(16, 65_536),
    256,
    'What all sessions together may make the gateway keep: subscriptions, lists of instruments, requests that wait. Past it, or past a quarter of the heap, those with the most are closed.',
    'MB',
  ),
  'limits.max_unfinished': option(
    integer(4, 65_536),
    64,
    'Messages that sessions have begun to send and not ended, of all sessions together. Past it the sessions with the most are cut off.',
    'MB',
  ),
  'limits.max_instruments_per_client': option(
    integer(1, 1_000_000),
    30_000,
    'Instruments one session may subscribe to, per protocol; each costs some 10 bytes per session.',
    'instruments',
  ),
  'limits.max_frame_bytes': option(
    integer(1024, 67_108_864),
    1_048_576,
    'Largest inbound WebSocket message. Some clients send subscriptions of 100,000 characters.',
    'bytes',
  ),
  'limits.max_bad_frames': option(
    integer(1, 1_000_000),
    100,
    'Messages outside the protocol that a session may send within a minute; the next one closes it.',
    'messages',
  ),
  'limits.max_unproven_per_client': option(
    integer(1, 100_000),
    200,
    'Instruments of one session that may have a place on a connection while nobody knows whether they exist: neither listed nor ever ticked, as most options are at first. The others wait for their turn; one that ticks counts no more.',
    'instruments',
  ),
  'limits.max_unproven_per_address': option(
    integer(1, 100_000),
    400,
    'The same for all sessions of one address together.',
    'instruments',
  ),
  'limits.max_unproven': option(
    integer(1, 100_000),
    1000,
    'The same for all sessions. What is listed or has ticked takes places from them at once.',
    'instruments',
  ),
  'simulator.fronts': option(
    integer(1, 1000),
    4,
    'Simulated fronts to start as a child process, on consecutive ports. The section starts the simulator; leave it out otherwise.',
    'fronts',
  ),
  'simulator.base_port': option(integer(1, 65535), 17_001, 'Port of the first simulated front, on loopback.'),
  'simulator.rate': option(
    positive(1000),
    2,
    'Ticks of each instrument. Real exchanges send at most 2.',
    'ticks/s',
  ),
  'simulator.seed': option(
    integer(0, 4_294_967_295),
    1,
    'Start of the price model; the same seed gives the same ticks.',
  ),
  connections: option(
    recordList,
    [],
    'The list of connections, see the next table; without one, a simulator section gets a connection for each of its fronts. QACTPMD_CONNECTIONS takes the whole list as JSON.',
  ),
} as const satisfies OptionTable;

/** One entry of connections[]. Lengths are those of the vendor's login request, without the final zero. */
export const connectionOptions = {
  connection_id: {
    format: connectionName,
    doc: 'Unique name, used in /health, logs and as the flow folder.',
  },
  front_addr: {
    format: frontAddresses,
    doc: "Address of the broker's market-data front, or a list of them; the first that answers is taken.",
  },
  broker_id: option(text(10), '', 'BrokerID of the login. Most market-data fronts accept an empty one.'),
  broker_name: option(text(200), '', "The broker's name, for people: shown in /health and --status."),
  user_id: option(text(15), '', 'UserID of the login; most market-data fronts do not ask for it.'),
  password: secret(40, 'Password of the login; rather give password_env or password_file.'),
  password_env: option(text(256), '', 'Name of the environment variable that holds the password.'),
  password_file: option(
    text(4096),
    '',
    'File whose content is the password; its last line break does not count.',
  ),
  ctp_library: option(
    text(4096),
    '',
    'Path of a library of its own for this connection, relative to the working directory. Empty: the common ctp_library.',
  ),
  ctp_version: option(
    libraryVersion,
    '',
    'As the common ctp_version, for this connection. Empty: the common one, unless the connection has a library of its own.',
  ),
  production_mode: option(
    boolean,
    true,
    "false logs in to the broker's evaluation back end; libraries from 6.7.11 on can do both, older ones come as two files.",
  ),
  max_subscriptions: option(
    integer(1, 100_000),
    500,
    'Most instruments on this connection. Shared memory grows with it: 640 to 10,000 bytes per instrument, the less the more connections there are.',
    'instruments',
  ),
  priority: option(
    integer(1, 10),
    1,
    '1 is used first, 10 last: a later one takes instruments only when all earlier ones are full.',
  ),
  enabled: option(boolean, true, 'A disabled connection is kept in the file and not opened.'),
} as const satisfies OptionTable;

export type GatewayValues = Values<typeof gatewayOptions>;
export type ConnectionValues = Values<typeof connectionOptions>;
