import { argumentOf, readArguments, type ConfigArguments } from './arguments.js';
import { ConfigError, type ConfigProblem, type ConfigSource } from './configError.js';
import { readConfigFile } from './configFile.js';
import { checkConnections, type EntryFault } from './connections.js';
import { misspeltVariables, readEnvironment, type TextLayer } from './environment.js';
import { toGatewayConfig, type GatewayConfig, type GatewayValues } from './gatewayConfig.js';
import { gatewayOptions } from './options.js';
import { resolveSecret } from './passwords.js';
import { checkLayer, flattenRecord, merge, type Fault } from './record.js';

/** Where a configuration comes from; loading the same sources again is a reload. */
export interface ConfigSources {
  /** Path of the JSON file, relative to `cwd`; undefined for none. */
  readonly file: string | undefined;
  readonly args: ConfigArguments;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

interface Merged {
  readonly values: GatewayValues;
  readonly withSimulator: boolean;
  /** Source and name of the layer that won the list of connections. */
  readonly connectionsFrom: { readonly source: ConfigSource; readonly label: string };
  readonly problems: ConfigProblem[];
}

function checkText(source: ConfigSource, { layer, labels, faults }: TextLayer): ConfigProblem[] {
  const refused = checkLayer(layer, gatewayOptions).map(
    (fault) => `${labels.get(fault.path)!}: ${fault.text}`,
  );
  return [...faults, ...refused].map((text) => ({ source, text }));
}

/** Lays file, environment and command line over the defaults and checks each by itself. */
function mergeSources(sources: ConfigSources): Merged {
  const record = sources.file === undefined ? {} : readConfigFile(sources.file, sources.cwd);
  const file = flattenRecord(record, gatewayOptions);
  const environment = readEnvironment(sources.env);
  const args = readArguments(sources.args);
  const fileFaults: Fault[] = [...file.faults, ...checkLayer(file.layer, gatewayOptions)];
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
  const { values } = merge(gatewayOptions, [file.layer, environment.layer, args.layer]);
  const connectionsFrom = args.labels.has('connections')
    ? { source: 'arguments' as const, label: '--front-addr' }
    : environment.labels.has('connections')
      ? { source: 'environment' as const, label: environment.labels.get('connections')! }
      : { source: 'file' as const, label: sources.file ?? 'no file' };
  return { values, withSimulator, connectionsFrom, problems };
}

function simulatorProblem(values: GatewayValues): string | undefined {
  const last = values['simulator.base_port'] + values['simulator.fronts'] - 1;
  return last <= 65535
    ? undefined
    : `simulator: base_port ${values['simulator.base_port']} leaves no room for ${values['simulator.fronts']} fronts, the last port would be ${last}`;
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
  const { values, withSimulator, connectionsFrom, problems } = mergeSources(sources);
  const add = (source: ConfigSource, text: string): void => void problems.push({ source, text });
  const { connections, faults } = checkConnections(values.connections, sources);
  for (const fault of faults) add(connectionsFrom.source, entryLine(connectionsFrom, fault));
  for (const text of misspeltVariables(sources.env, values.connections)) add('environment', text);
  const redisPassword = resolveSecret(
    { value: values.redis_password, variable: '', file: values.redis_password_file },
    sources,
  );
  if ('fault' in redisPassword) add('file', `redis_password: ${redisPassword.fault}`);
  const crowded = withSimulator && problems.length === 0 ? simulatorProblem(values) : undefined;
  if (crowded !== undefined) add('file', `${sources.file ?? 'no file'}: ${crowded}`);
  if (problems.length === 0 && !connections.some((connection) => connection.enabled))
    add(
      connectionsFrom.source,
      `${connectionsFrom.label}: connections: no connection is enabled, at least one must be`,
    );
  if (problems.length > 0 || 'fault' in redisPassword) throw new ConfigError(problems);
  return toGatewayConfig(values, {
    connections,
    redisPassword: redisPassword.value,
    withSimulator,
    cwd: sources.cwd,
  });
}

/** Where a gateway with this configuration listens. Fetches no password and does not look at connections. */
export function loadListenAddress(sources: ConfigSources): { readonly host: string; readonly port: number } {
  const { values, problems } = mergeSources(sources);
  if (problems.length > 0) throw new ConfigError(problems);
  return { host: values.websocket_host, port: values.websocket_port };
}
