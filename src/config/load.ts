import { resolve } from 'node:path';
import type { MarketSettings } from '../market/hours/marketTime.js';
import { argumentOf, readArguments, type ConfigArguments } from './arguments.js';
import { ConfigError, type ConfigProblem, type ConfigSource } from './configError.js';
import { readConfigFile } from './configFile.js';
import { checkConnections, type EntryFault } from './connections.js';
import { readEnvironment, unknownVariables, type TextLayer } from './environment.js';
import {
  toGatewayConfig,
  toSimulatorConfig,
  type ConnectionConfig,
  type GatewayConfig,
  type SimulatorConfig,
} from './gatewayConfig.js';
import { type GatewayValues } from './options.js';
import { readMarketFiles } from './marketFiles.js';
import { namedFiles } from './namedFiles.js';
import { gatewayOptions } from './options.js';
import { checkLayer, flattenRecord, isRecord, merge, type ValueFault } from './record.js';
import { toRedisConfig } from './redisConfig.js';
import { scalePriorities } from './priorities.js';
import { reachesSimulator, simulatedConnections, strayConnections } from './simulatedFronts.js';

/** Where a configuration comes from; loading the same sources again is a reload. */
export interface ConfigSources {
  /** Path of the JSON file, relative to `cwd`; undefined for none. */
  readonly file: string | undefined;
  readonly args: ConfigArguments;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

function whyNone(connections: number, withSimulator: boolean): string {
  if (connections > 0) return 'no connection is enabled, at least one must be';
  const elsewhere = withSimulator
    ? 'leave the list out, and each simulated front has one'
    : 'add a section "simulator": {} for simulated ticks';
  return `there are none: list one, such as {"connection_id": "one", "front_addr": "tcp://host:port", "broker_id": "9999"}, or ${elsewhere}`;
}

interface Merged {
  readonly values: GatewayValues;
  readonly withSimulator: boolean;
  /** Source and name of the layer that won the list of connections. */
  readonly connectionsFrom: { readonly source: ConfigSource; readonly label: string };
  /** Whether any source has a list of connections. */
  readonly connectionsListed: boolean;
  /** Whether any source says which hours ticks are to be expected in. */
  readonly hoursStated: boolean;
  /** Whether a Redis is named and nothing says whether to store in it; for the C++ gateway the name was enough. */
  readonly storesUnsaid: boolean;
  readonly problems: ConfigProblem[];
  /** Adds to the problems what is wrong with a setting's value, and where that is from. */
  readonly blame: (setting: keyof GatewayValues, text: string) => void;
}

function checkText(source: ConfigSource, { layer, labels, faults }: TextLayer): ConfigProblem[] {
  // A variable's text says which entry of a list is meant, so the entry's number is skipped.
  const refused = checkLayer(layer, gatewayOptions).map(
    ({ path, text }) => `${labels.get(path.replace(/\[\d+\]$/, ''))!}: ${text}`,
  );
  return [...faults, ...refused].map((text) => ({ source, text }));
}

/** Lays file, environment and command line over the defaults and checks each by itself. */
function mergeSources(sources: ConfigSources): Merged {
  const record = sources.file === undefined ? {} : readConfigFile(sources.file, sources.cwd);
  const file = flattenRecord(record, gatewayOptions);
  const environment = readEnvironment(sources.env);
  const args = readArguments(sources.args);
  const fileFaults: ValueFault[] = [...file.faults, ...checkLayer(file.layer, gatewayOptions)];
  const problems: ConfigProblem[] = [
    ...fileFaults.map(({ path, text }) => ({
      source: 'file' as const,
      text: `${sources.file ?? 'no file'}: ${path}: ${text}`,
    })),
    ...checkText('environment', environment),
    ...checkText('arguments', args),
  ];
  const withSimulator = Object.hasOwn(record, 'simulator');
  for (const [path, label] of environment.labels)
    if (path.startsWith('simulator.') && !withSimulator)
      problems.push({
        source: 'environment',
        text: `${label}: there is no simulator section that it could change, unset it or use a file with one`,
      });
  const layers = [file.layer, environment.layer, args.layer];
  const { values } = merge(gatewayOptions, layers);
  const states = (path: keyof typeof gatewayOptions): boolean => layers.some((layer) => layer.has(path));
  const connectionsListed = states('connections');
  const hoursStated = states('trading_hours');
  const storesUnsaid = states('redis_host') && !states('redis_enabled');
  const connectionsFrom = args.labels.has('connections')
    ? { source: 'arguments' as const, label: '--front-addr' }
    : environment.labels.has('connections')
      ? { source: 'environment' as const, label: environment.labels.get('connections')! }
      : { source: 'file' as const, label: sources.file ?? 'no file' };
  const blame = (setting: keyof GatewayValues, text: string): void => {
    const given = args.labels.get(setting);
    const variable = environment.labels.get(setting);
    const label = given ?? variable ?? `${sources.file ?? 'no file'}: ${setting}`;
    const source = given !== undefined ? 'arguments' : variable !== undefined ? 'environment' : 'file';
    problems.push({ source, text: `${label}: ${text}` });
  };
  return {
    values,
    withSimulator,
    connectionsFrom,
    connectionsListed,
    hoursStated,
    storesUnsaid,
    problems,
    blame,
  };
}

function simulatorProblem({ basePort, fronts }: SimulatorConfig): string | undefined {
  const last = basePort + fronts - 1;
  return last <= 65535
    ? undefined
    : `simulator: base_port ${basePort} leaves no room for ${fronts} fronts, the last port would be ${last}`;
}

function entryLine({ source, label }: Merged['connectionsFrom'], { index, path, text }: EntryFault): string {
  if (source === 'arguments') return `${argumentOf(path)}: ${text}`;
  return `${label}: connections[${index}]${path === '' ? '' : `.${path}`}: ${text}`;
}

/**
 * Reads, checks and fills the configuration: command line over environment over file over defaults.
 * Throws a ConfigError with one line for each thing that is wrong; no line holds a secret.
 */
export function loadConfig(sources: ConfigSources): GatewayConfig {
  const {
    values,
    withSimulator,
    connectionsFrom,
    connectionsListed,
    hoursStated,
    storesUnsaid,
    problems,
    blame,
  } = mergeSources(sources);
  const add = (source: ConfigSource, text: string): void => void problems.push({ source, text });
  const stated = withSimulator && problems.length === 0 ? toSimulatorConfig(values) : undefined;
  const crowded = stated === undefined ? undefined : simulatorProblem(stated);
  if (crowded !== undefined) add('file', `${sources.file ?? 'no file'}: ${crowded}`);
  const makesConnections = stated !== undefined && crowded === undefined && !connectionsListed;
  const { entries, warning: scaled } = scalePriorities(
    makesConnections ? simulatedConnections(stated) : values.connections,
  );
  const files = namedFiles(sources.file, values, entries, sources.cwd);
  const { connections, faults } = checkConnections(entries, sources);
  for (const fault of faults) add(connectionsFrom.source, entryLine(connectionsFrom, fault));
  const { misspelt, unknown } = unknownVariables(sources.env, values.connections);
  for (const text of misspelt) add('environment', text);
  const redis = toRedisConfig(values, sources, blame);
  const { holidays, ...market } = readMarketFiles(values, sources.cwd, blame);
  if (problems.length === 0 && !connections.some((connection) => connection.enabled))
    add(
      connectionsFrom.source,
      `${connectionsFrom.label}: connections: ${whyNone(connections.length, withSimulator)}`,
    );
  if (problems.length > 0 || holidays === undefined) throw new ConfigError(problems, files);
  // A single connection from the command line to some other front leaves the file's simulator without use.
  const isUseless =
    connectionsFrom.source === 'arguments' &&
    stated !== undefined &&
    !connections.some(({ frontAddr }) => reachesSimulator(stated, frontAddr));
  const simulator = isUseless ? undefined : stated;
  const stray = simulator === undefined ? undefined : strayConnections(simulator, connections);
  const unread =
    unknown.length === 0
      ? undefined
      : `environment ${unknown.join(', ')}: there is no such setting, nothing reads it`;
  const unstored = storesUnsaid
    ? 'redis_host is given and redis_enabled is not, so nothing is stored in Redis: set redis_enabled to true, or to false'
    : undefined;
  const warnings = [scaled, stray, unread, unstored, ...market.warnings].filter((text) => text !== undefined);
  return toGatewayConfig(values, {
    connections,
    products: market.products,
    importedInstruments: market.importedInstruments,
    redis,
    simulator,
    tradingHours:
      !hoursStated && (simulator !== undefined || connections.every(isInsideLibrary))
        ? 'always'
        : values.trading_hours,
    holidays,
    implied: { connections: makesConnections, tradingHours: !hoursStated && simulator !== undefined },
    files,
    warnings,
    cwd: sources.cwd,
  });
}

/** Where a gateway is reached by programs on its own machine. */
export interface Endpoints {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Absolute path; empty: in the flow folder. */
  readonly managementSocket: string;
  /** Absolute path. */
  readonly flowPath: string;
}

/** Where a gateway with this configuration listens. Fetches no password and does not look at connections. */
export function loadEndpoints(sources: ConfigSources): Endpoints {
  const { values, problems } = mergeSources(sources);
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    host: values.websocket_host,
    port: values.websocket_port,
    managementSocket: values.management_socket === '' ? '' : resolve(sources.cwd, values.management_socket),
    flowPath: resolve(sources.cwd, values.flow_path),
  };
}

/**
 * What a configuration says of the market, for anyone who reads a gateway's ticks later: with those instruments too that are
 * not traded any more.
 */
export interface MarketConfig extends MarketSettings {
  /** Imported rows that were skipped, and why. */
  readonly warnings: readonly string[];
}

/**
 * The market of a gateway with this configuration, `exchange` hours where nothing tells otherwise. Fetches no password.
 *
 * @throws ConfigError as loadConfig does
 */
export function loadMarket(sources: ConfigSources): MarketConfig {
  const { values, withSimulator, hoursStated, problems, blame } = mergeSources(sources);
  const files = readMarketFiles(values, sources.cwd, blame, true);
  const { products, importedInstruments, holidays, warnings } = files;
  if (problems.length > 0 || holidays === undefined) throw new ConfigError(problems);
  const enabled = values.connections.filter(isRecord).filter((each) => each['enabled'] !== false);
  const isInside = enabled.length > 0 && enabled.every((each) => isOfLibrary(each['front_addr']));
  const tradingHours = !hoursStated && (withSimulator || isInside) ? 'always' : values.trading_hours;
  return { products, importedInstruments, holidays, tradingHours, warnings };
}

/** Markets inside the simulated library never close. */
function isInsideLibrary({ frontAddr, enabled }: ConnectionConfig): boolean {
  return !enabled || isOfLibrary(frontAddr);
}

function isOfLibrary(address: unknown): boolean {
  const all: readonly unknown[] = Array.isArray(address) ? address : [address];
  return all.every((each) => typeof each === 'string' && each.startsWith('sim://'));
}
