import { join, resolve } from 'node:path';
import { packagePath } from '../base/paths.js';
import type { Contract } from '../market/instruments/contracts.js';
import type { ProductTable } from '../market/instruments/products.js';
import type { HolidayTable } from '../market/calendar/holidayCalendar.js';
import type { InstrumentPattern } from '../market/instruments/instrumentPattern.js';
import type { NamedFile } from './namedFiles.js';
import type {
  ConnectionValues,
  GatewayValues,
  logLevels,
  strategies,
  tickFlows,
  tradingHours,
} from './options.js';
import { toPatterns } from './patternList.js';
import type { RedisConfig } from './redisConfig.js';

export type LogLevel = (typeof logLevels)[number];
export type TradingHoursSetting = (typeof tradingHours)[number];
export type Strategy = (typeof strategies)[number];
export type TickFlow = (typeof tickFlows)[number];

export interface ConnectionConfig {
  readonly connectionId: string;
  /** At least one address. */
  readonly frontAddr: readonly string[];
  readonly brokerId: string;
  /** For people; may be empty. */
  readonly brokerName: string;
  readonly userId: string;
  /** Resolved from password_env or password_file; empty for a disabled connection. */
  readonly password: string;
  /** Absolute path. */
  readonly ctpLibrary: string;
  /** Empty: as the library says. */
  readonly ctpVersion: string;
  /** False: evaluation. */
  readonly productionMode: boolean;
  readonly maxSubscriptions: number;
  /** 1 (used first) to 10. */
  readonly priority: number;
  readonly enabled: boolean;
}

const bytesPerMb = 1_048_576;

export interface LimitsConfig {
  readonly maxClients: number;
  readonly maxClientsPerAddress: number;
  /** Of one address. */
  readonly connectsPerSecond: number;
  /** Of one address. */
  readonly requestsPerSecond: number;
  /** Percent of the main thread. */
  readonly clientWork: number;
  /** Percent of the main thread. */
  readonly addressWork: number;
  /** Percent of the main thread. */
  readonly viewWork: number;
  readonly maxKeptBytes: number;
  readonly maxUnfinishedBytes: number;
  /** In lower case. */
  readonly allowedOrigins: readonly string[];
  readonly maxInstrumentsPerClient: number;
  readonly maxFrameBytes: number;
  readonly maxBadFrames: number;
  readonly maxUnprovenPerClient: number;
  readonly maxUnprovenPerAddress: number;
  readonly maxUnproven: number;
}

/** Queries for stored ticks. */
export interface HistoryConfig {
  /** MB; 0: no window of ticks in memory. */
  readonly memory: number;
  /** Queries that are answered at once. */
  readonly queries: number;
  /** Queries that wait. */
  readonly queue: number;
}

/** How ticks are kept in Redis. */
export interface StorageConfig {
  /** Ticks of each instrument. */
  readonly historyLength: number;
  /** Hours; 0: no limit. */
  readonly historyAge: number;
  /** Milliseconds. */
  readonly batchTime: number;
  /** Ticks. */
  readonly batchSize: number;
  /** Absolute path. */
  readonly spillPath: string;
  /** MB. */
  readonly spillMemory: number;
  /** MB; 0: no file. */
  readonly spillFile: number;
}

export interface SimulatorConfig {
  readonly fronts: number;
  readonly basePort: number;
  /** Ticks per second and instrument. */
  readonly rate: number;
  readonly seed: number;
}

/** The whole configuration, checked and filled: what the file calls a_b is aB here. Documented in options.ts. */
export interface GatewayConfig {
  readonly websocketHost: string;
  /** 0: any free port. */
  readonly websocketPort: number;
  readonly publicStatus: boolean;
  /** Absolute path; empty: in the folder for flow files. */
  readonly managementSocket: string;
  /** 0: none. */
  readonly managementPort: number;
  /** Addresses and networks. */
  readonly trustedProxies: readonly string[];
  /** Absolute path. */
  readonly flowPath: string;
  readonly loadBalanceStrategy: Strategy;
  /** Seconds. */
  readonly healthCheckInterval: number;
  /** Seconds. */
  readonly maintenanceInterval: number;
  readonly maxRetryCount: number;
  readonly autoFailover: boolean;
  /** Seconds; 0: never. */
  readonly silenceTimeout: number;
  /** Connections of different brokers that carry each of `redundantInstruments`. */
  readonly redundancy: number;
  readonly redundantInstruments: readonly InstrumentPattern[];
  /** Seconds. */
  readonly unsubscribeGrace: number;
  /** Subscribed whether a client wants them or not. */
  readonly alwaysSubscribe: readonly InstrumentPattern[];
  /** Absolute path of the user's file; empty: none. */
  readonly productsFile: string;
  /** The built-in table with the rows of that file. */
  readonly products: ProductTable;
  /** Instruments from the files of import_instruments. */
  readonly importedInstruments: readonly Contract[];
  readonly discoverInstruments: boolean;
  /** Absolute path; empty: in the folder for flow files. */
  readonly instrumentsFile: string;
  readonly configWatch: boolean;
  readonly tradingHours: TradingHoursSetting;
  /** Of calendar_file. */
  readonly holidays: HolidayTable;
  readonly connectionsPerWorker: 'auto' | number;
  readonly tickFlow: TickFlow;
  /** Absolute path; empty: nothing is recorded. */
  readonly recordPath: string;
  readonly recordInstruments: readonly InstrumentPattern[];
  /** Seconds. */
  readonly recordInterval: number;
  /** MB. */
  readonly recordFileSize: number;
  readonly redisEnabled: boolean;
  readonly redis: RedisConfig;
  readonly history: HistoryConfig;
  readonly storage: StorageConfig;
  readonly logLevel: LogLevel;
  /** Seconds. */
  readonly shutdownDeadline: number;
  readonly limits: LimitsConfig;
  /** Absent: no simulated fronts are started. */
  readonly simulator: SimulatorConfig | undefined;
  /** All of them, the disabled ones too; at least one is enabled. */
  readonly connections: readonly ConnectionConfig[];
  /** Parts that are not stated but follow from the simulator section. */
  readonly implied: { readonly connections: boolean; readonly tradingHours: boolean };
  /** Files that it was read from. */
  readonly files: readonly NamedFile[];
  /** Parts that are allowed but probably not intended, a line each, to be logged at start. */
  readonly warnings: readonly string[];
}

const bundledLibrary = ['libs', 'simulator', 'build', 'thostmduserapi_se.so'] as const;

/** The library is still as the entry gives it: '' where it takes the common one. */
export function toConnectionConfig(values: ConnectionValues, password: string): ConnectionConfig {
  return {
    connectionId: values.connection_id,
    frontAddr: values.front_addr,
    brokerId: values.broker_id,
    brokerName: values.broker_name,
    userId: values.user_id,
    password,
    ctpLibrary: values.ctp_library,
    ctpVersion: values.ctp_version,
    productionMode: values.production_mode,
    maxSubscriptions: values.max_subscriptions,
    priority: values.priority,
    enabled: values.enabled,
  };
}

/** A version that the file states for the common library says nothing of a connection's own one. */
function withLibrary(connection: ConnectionConfig, common: GatewayValues, cwd: string): ConnectionConfig {
  const path = connection.ctpLibrary || common.ctp_library;
  return {
    ...connection,
    ctpLibrary: path === '' ? packagePath(...bundledLibrary) : resolve(cwd, path),
    ctpVersion: connection.ctpVersion || (connection.ctpLibrary === '' ? common.ctp_version : ''),
  };
}

/** The simulator section, from values that have been checked. */
export function toSimulatorConfig(values: GatewayValues): SimulatorConfig {
  return {
    fronts: values['simulator.fronts'],
    basePort: values['simulator.base_port'],
    rate: values['simulator.rate'],
    seed: values['simulator.seed'],
  };
}

/** The one place where the file's names become the code's. Relative paths are the working directory's. */
export function toGatewayConfig(
  values: GatewayValues,
  parts: {
    readonly connections: readonly ConnectionConfig[];
    readonly products: ProductTable;
    readonly importedInstruments: readonly Contract[];
    readonly redis: RedisConfig;
    readonly simulator: SimulatorConfig | undefined;
    readonly tradingHours: TradingHoursSetting;
    readonly holidays: HolidayTable;
    readonly implied: GatewayConfig['implied'];
    readonly files: readonly NamedFile[];
    readonly warnings: readonly string[];
    readonly cwd: string;
  },
): GatewayConfig {
  return {
    websocketHost: values.websocket_host,
    websocketPort: values.websocket_port,
    publicStatus: values.public_status,
    managementSocket: values.management_socket === '' ? '' : resolve(parts.cwd, values.management_socket),
    managementPort: values.management_port,
    trustedProxies: values.trusted_proxies,
    flowPath: resolve(parts.cwd, values.flow_path),
    loadBalanceStrategy: values.load_balance_strategy,
    healthCheckInterval: values.health_check_interval,
    maintenanceInterval: values.maintenance_interval,
    maxRetryCount: values.max_retry_count,
    autoFailover: values.auto_failover,
    silenceTimeout: values.silence_timeout,
    redundancy: values.redundancy,
    redundantInstruments: toPatterns(values.redundant_instruments),
    unsubscribeGrace: values.unsubscribe_grace,
    alwaysSubscribe: toPatterns(values.always_subscribe),
    productsFile: values.products_file === '' ? '' : resolve(parts.cwd, values.products_file),
    products: parts.products,
    importedInstruments: parts.importedInstruments,
    discoverInstruments: values.discover_instruments,
    instrumentsFile: values.instruments_file === '' ? '' : resolve(parts.cwd, values.instruments_file),
    configWatch: values.config_watch,
    tradingHours: parts.tradingHours,
    holidays: parts.holidays,
    connectionsPerWorker: values.connections_per_worker,
    tickFlow: values.tick_flow,
    recordPath: values.record_path === '' ? '' : resolve(parts.cwd, values.record_path),
    recordInstruments: toPatterns(values.record_instruments),
    recordInterval: values.record_interval,
    recordFileSize: values.record_file_size,
    redisEnabled: values.redis_enabled,
    redis: parts.redis,
    history: {
      memory: values.history_memory,
      queries: values.history_queries,
      queue: values.history_queue,
    },
    storage: {
      historyLength: values.history_length,
      historyAge: values.history_age,
      batchTime: values.storage_batch_time,
      batchSize: values.storage_batch_size,
      spillPath: resolve(parts.cwd, values.spill_path || join(values.flow_path, 'spill')),
      spillMemory: values.spill_memory,
      spillFile: values.spill_file,
    },
    logLevel: values.log_level,
    shutdownDeadline: values.shutdown_deadline,
    limits: {
      maxClients: values['limits.max_clients'],
      maxClientsPerAddress: values['limits.max_clients_per_address'],
      connectsPerSecond: values['limits.connects_per_second'],
      requestsPerSecond: values['limits.requests_per_second'],
      clientWork: values['limits.client_work'],
      addressWork: values['limits.address_work'],
      viewWork: values['limits.view_work'],
      maxKeptBytes: values['limits.max_kept'] * bytesPerMb,
      maxUnfinishedBytes: values['limits.max_unfinished'] * bytesPerMb,
      allowedOrigins: values.allowed_origins,
      maxInstrumentsPerClient: values['limits.max_instruments_per_client'],
      maxFrameBytes: values['limits.max_frame_bytes'],
      maxBadFrames: values['limits.max_bad_frames'],
      maxUnprovenPerClient: values['limits.max_unproven_per_client'],
      maxUnprovenPerAddress: values['limits.max_unproven_per_address'],
      maxUnproven: values['limits.max_unproven'],
    },
    simulator: parts.simulator,
    connections: parts.connections.map((each) => withLibrary(each, values, parts.cwd)),
    implied: parts.implied,
    files: parts.files,
    warnings: parts.warnings,
  };
}
