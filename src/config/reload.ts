import { isDeepStrictEqual } from 'node:util';
import type { ConnectionConfig, GatewayConfig } from './gatewayConfig.js';
import { gatewayOptions, type connectionOptions, type Reload } from './options.js';

/** Steps that turn a running gateway into one with another configuration. Holds passwords: not to be logged. */
export interface ReloadPlan {
  readonly added: readonly ConnectionConfig[];
  /** Ids, those of connections that are disabled now too. */
  readonly removed: readonly string[];
  /** To be logged in again: address, broker, user, password or evaluation has changed. */
  readonly reopened: readonly ConnectionConfig[];
  /** To continue with their login: nothing but max_subscriptions, priority or broker_name has changed. */
  readonly adjusted: readonly ConnectionConfig[];
  /** Changed keys that apply at once. */
  readonly settings: readonly string[];
  /** Changed keys that a running gateway does not take over. */
  readonly restart: readonly string[];
}

/** A plan in the form that people and programs get. */
export interface ReloadSummary extends Readonly<Record<keyof ReloadPlan, readonly string[]>> {
  /** Connections that continue as they were. */
  readonly unchanged: number;
}

type Setting = Exclude<
  keyof GatewayConfig,
  'connections' | 'implied' | 'warnings' | 'files' | 'limits' | 'simulator' | 'redis' | 'storage' | 'history'
>;
type Key = keyof typeof gatewayOptions;

const keyOf = {
  publicStatus: 'public_status',
  trustedProxies: 'trusted_proxies',
  loadBalanceStrategy: 'load_balance_strategy',
  healthCheckInterval: 'health_check_interval',
  maintenanceInterval: 'maintenance_interval',
  maxRetryCount: 'max_retry_count',
  autoFailover: 'auto_failover',
  silenceTimeout: 'silence_timeout',
  tradingHours: 'trading_hours',
  holidays: 'calendar_file',
  redundancy: 'redundancy',
  redundantInstruments: 'redundant_instruments',
  alwaysSubscribe: 'always_subscribe',
  importedInstruments: 'import_instruments',
  discoverInstruments: 'discover_instruments',
  unsubscribeGrace: 'unsubscribe_grace',
  configWatch: 'config_watch',
  logLevel: 'log_level',
  shutdownDeadline: 'shutdown_deadline',
  websocketHost: 'websocket_host',
  websocketPort: 'websocket_port',
  managementSocket: 'management_socket',
  managementPort: 'management_port',
  flowPath: 'flow_path',
  connectionsPerWorker: 'connections_per_worker',
  tickFlow: 'tick_flow',
  productsFile: 'products_file',
  products: 'products_file',
  recordPath: 'record_path',
  recordInstruments: 'record_instruments',
  recordInterval: 'record_interval',
  recordFileSize: 'record_file_size',
  instrumentsFile: 'instruments_file',
  redisEnabled: 'redis_enabled',
} as const satisfies Record<Setting, Key>;

const settings = Object.keys(keyOf) as Setting[];

const limitKeys = {
  maxClients: 'limits.max_clients',
  maxClientsPerAddress: 'limits.max_clients_per_address',
  connectsPerSecond: 'limits.connects_per_second',
  requestsPerSecond: 'limits.requests_per_second',
  clientWork: 'limits.client_work',
  addressWork: 'limits.address_work',
  viewWork: 'limits.view_work',
  maxKeptBytes: 'limits.max_kept',
  maxUnfinishedBytes: 'limits.max_unfinished',
  allowedOrigins: 'allowed_origins',
  maxInstrumentsPerClient: 'limits.max_instruments_per_client',
  maxFrameBytes: 'limits.max_frame_bytes',
  maxBadFrames: 'limits.max_bad_frames',
  maxUnprovenPerClient: 'limits.max_unproven_per_client',
  maxUnprovenPerAddress: 'limits.max_unproven_per_address',
  maxUnproven: 'limits.max_unproven',
} as const satisfies Record<keyof GatewayConfig['limits'], Key>;

const redisKeys = {
  host: 'redis_host',
  port: 'redis_port',
  username: 'redis_username',
  password: 'redis_password',
  db: 'redis_db',
  keyPrefix: 'redis_key_prefix',
  tls: 'redis_tls',
  sentinels: 'redis_sentinels',
  sentinelMaster: 'redis_sentinel_master',
  sentinelPassword: 'redis_sentinel_password',
  clusterNodes: 'redis_cluster_nodes',
} as const satisfies Record<keyof GatewayConfig['redis'], Key>;

const historyKeys = {
  memory: 'history_memory',
  queries: 'history_queries',
  queue: 'history_queue',
} as const satisfies Record<keyof GatewayConfig['history'], Key>;

const storageKeys = {
  historyLength: 'history_length',
  historyAge: 'history_age',
  batchTime: 'storage_batch_time',
  batchSize: 'storage_batch_size',
  spillPath: 'spill_path',
  spillMemory: 'spill_memory',
  spillFile: 'spill_file',
} as const satisfies Record<keyof GatewayConfig['storage'], Key>;

const simulatorKeys = {
  fronts: 'simulator.fronts',
  basePort: 'simulator.base_port',
  rate: 'simulator.rate',
  seed: 'simulator.seed',
} as const satisfies Record<keyof NonNullable<GatewayConfig['simulator']>, Key>;

type ConnectionKey = keyof typeof connectionOptions;

/** A library stays loaded as long as the process lives. */
const libraryKeys = {
  ctpLibrary: 'ctp_library',
  ctpVersion: 'ctp_version',
} as const satisfies Partial<Record<keyof ConnectionConfig, ConnectionKey>>;

const loginFields = [
  'frontAddr',
  'brokerId',
  'userId',
  'password',
  'productionMode',
] as const satisfies (keyof ConnectionConfig)[];

/** Keys of the fields in which two sections differ. */
function changedKeys<Section extends object>(
  before: Section,
  after: Section,
  keys: Readonly<Partial<Record<keyof Section, string>>>,
): string[] {
  const changed = (Object.keys(keys) as (keyof Section)[])
    .filter((field) => !isDeepStrictEqual(before[field], after[field]))
    .map((field) => keys[field]!);
  return [...new Set(changed)];
}

/** Keys of the settings that have changed, of those that a running gateway takes over, or of the others. */
function changedSettings(before: GatewayConfig, after: GatewayConfig, reload: Reload): string[] {
  const keys = Object.fromEntries(
    settings
      .filter((setting) => gatewayOptions[keyOf[setting]].reload === reload)
      .map((setting) => [setting, keyOf[setting]]),
  );
  return changedKeys(before, after, keys);
}

function enabledById(config: GatewayConfig): Map<string, ConnectionConfig> {
  return new Map(config.connections.filter((each) => each.enabled).map((each) => [each.connectionId, each]));
}

/**
 * Keys of connections whose library has changed, so that they continue as they are: `ctp_library` where it is so of all
 * that continue, `connections.<id>.ctp_library` otherwise.
 */
function changedLibraries(kept: readonly (readonly [ConnectionConfig, ConnectionConfig])[]): string[] {
  return (Object.keys(libraryKeys) as (keyof typeof libraryKeys)[]).flatMap((field) => {
    const changed = kept.filter(([before, after]) => before[field] !== after[field]);
    if (changed.length > 0 && changed.length === kept.length) return [libraryKeys[field]];
    return changed.map(([{ connectionId }]) => `connections.${connectionId}.${libraryKeys[field]}`);
  });
}

function sameLibrary(before: ConnectionConfig, after: ConnectionConfig): boolean {
  return before.ctpLibrary === after.ctpLibrary && before.ctpVersion === after.ctpVersion;
}

/**
 * The next configuration as it is to be taken while the simulated fronts continue as they were started: what follows from
 * a changed simulator section would be connections to fronts that are not there.
 */
export function withRunningFronts(running: GatewayConfig, next: GatewayConfig): GatewayConfig {
  if (next.simulator === undefined || isDeepStrictEqual(running.simulator, next.simulator)) return next;
  const { connections, tradingHours } = next.implied;
  return {
    ...next,
    ...(connections ? { connections: running.connections } : {}),
    // Hours of fronts that are not simulated.
    ...(tradingHours && running.simulator === undefined ? { tradingHours: running.tradingHours } : {}),
  };
}

/**
 * What has to happen so that a gateway that runs with one configuration runs with the next; both have been checked as a
 * whole. Connections are the same where their connection_id is; their order in the list means nothing. A connection
 * whose library changes is named in `restart` and continues as it was in every respect.
 */
export function planReload(running: GatewayConfig, next: GatewayConfig): ReloadPlan {
  const before = enabledById(running);
  const after = enabledById(next);
  const kept = [...after.values()].flatMap((each) => {
    const old = before.get(each.connectionId);
    return old === undefined ? [] : [[old, each] as const];
  });
  const changed = kept.filter(([old, each]) => sameLibrary(old, each) && !isDeepStrictEqual(old, each));
  const needsLogin = ([old, each]: (typeof kept)[number]): boolean =>
    loginFields.some((field) => !isDeepStrictEqual(old[field], each[field]));
  return {
    added: [...after.values()].filter((each) => !before.has(each.connectionId)),
    removed: [...before.keys()].filter((id) => !after.has(id)),
    reopened: changed.filter(needsLogin).map(([, each]) => each),
    adjusted: changed.filter((pair) => !needsLogin(pair)).map(([, each]) => each),
    settings: changedSettings(running, next, 'live'),
    restart: [
      ...changedSettings(running, next, 'restart'),
      ...changedKeys(running.redis, next.redis, redisKeys),
      ...changedKeys(running.storage, next.storage, storageKeys),
      ...changedKeys(running.history, next.history, historyKeys),
      ...changedKeys(running.limits, next.limits, limitKeys),
      ...changedSimulator(running.simulator, next.simulator),
      ...changedLibraries(kept),
    ],
  };
}

function changedSimulator(before: GatewayConfig['simulator'], after: GatewayConfig['simulator']): string[] {
  if (before !== undefined && after !== undefined) return changedKeys(before, after, simulatorKeys);
  return before === after ? [] : ['simulator'];
}

/**
 * What a gateway runs with once the plan from `running` to `next` is carried out: `next`, but for what needs a restart.
 * Planning `next` again from there gives nothing but restarts, and those only where there were some before.
 */
export function runningAfter(running: GatewayConfig, next: GatewayConfig): GatewayConfig {
  const before = enabledById(running);
  const fixed: Partial<GatewayConfig> = Object.fromEntries(
    settings
      .filter((setting) => gatewayOptions[keyOf[setting]].reload === 'restart')
      .map((setting) => [setting, running[setting]]),
  );
  const connections = next.connections.map((each) => {
    const old = each.enabled ? before.get(each.connectionId) : undefined;
    return old === undefined || sameLibrary(old, each) ? each : old;
  });
  const { redis, storage, history, limits, simulator } = running;
  return { ...next, ...fixed, redis, storage, history, limits, simulator, connections };
}

export function summarize(plan: ReloadPlan, next: GatewayConfig): ReloadSummary {
  const ids = (list: readonly ConnectionConfig[]): string[] => list.map((each) => each.connectionId);
  const { added, reopened, adjusted } = plan;
  return {
    added: ids(added),
    removed: plan.removed,
    reopened: ids(reopened),
    adjusted: ids(adjusted),
    settings: plan.settings,
    restart: plan.restart,
    unchanged: enabledById(next).size - added.length - reopened.length - adjusted.length,
  };
}
