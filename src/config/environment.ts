import { parseJsonText } from '../base/jsonText.js';
import { gatewayOptions, type connectionOptions, type OptionTable } from './options.js';
import { isRecord } from './record.js';
import { closest } from '../base/spelling.js';

const prefix = 'QACTPMD_';
/** The bundled library reads these, see libs/simulator/README.md. */
const simulatedLibraryPrefix = 'QACTPMD_SIM_';
/** A misspelt variable differs by this much at most; farther ones belong to somebody else. */
const misspelling = 2;

/** The variable of a gateway option: limits.max_clients → QACTPMD_LIMITS_MAX_CLIENTS. */
export function environmentName(path: string): string {
  return prefix + path.replaceAll('.', '_').toUpperCase();
}

export interface TextLayer {
  readonly layer: ReadonlyMap<string, unknown>;
  /** How an error names the origin of a value. */
  readonly labels: ReadonlyMap<string, string>;
  /** Faults found while reading, each a whole line. */
  readonly faults: readonly string[];
}

/** The variables that the connections' password_env names; never taken for misspelt ones. */
function passwordVariables(connections: readonly unknown[]): Set<unknown> {
  const key: keyof typeof connectionOptions = 'password_env';
  return new Set(connections.map((entry) => (isRecord(entry) ? entry[key] : undefined)));
}

/** Variables that start like ours and that nothing reads. */
export interface UnknownVariables {
  /** A line for each that misses one of our names by a letter or two. */
  readonly misspelt: readonly string[];
  /** Names of the others. */
  readonly unknown: readonly string[];
}

export function unknownVariables(env: NodeJS.ProcessEnv, connections: readonly unknown[]): UnknownVariables {
  const known = Object.keys(gatewayOptions).map(environmentName);
  const foreign = passwordVariables(connections);
  const misspelt: string[] = [];
  const unknown: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(prefix) || name.startsWith(simulatedLibraryPrefix) || value === '') continue;
    if (known.includes(name) || foreign.has(name)) continue;
    const near = closest(name, known, misspelling);
    if (near === undefined) unknown.push(name);
    else misspelt.push(`environment ${name}: unknown variable, did you mean ${near}?`);
  }
  return { misspelt, unknown };
}

/** Reads what the environment sets; an empty variable counts as unset. */
export function readEnvironment(env: NodeJS.ProcessEnv): TextLayer {
  const layer = new Map<string, unknown>();
  const labels = new Map<string, string>();
  const faults: string[] = [];
  const take = (path: string, name: string): void => {
    const given = env[name];
    if (given === undefined || given === '') return;
    labels.set(path, `environment ${name}`);
    if (path !== 'connections') {
      layer.set(path, (gatewayOptions as OptionTable)[path]!.format.parse(given));
      return;
    }
    try {
      layer.set(path, parseJsonText(given));
    } catch (error) {
      faults.push(`environment ${name}: no JSON list: ${(error as Error).message}`);
    }
  };
  take('log_level', 'LOG_LEVEL');
  for (const path of Object.keys(gatewayOptions)) take(path, environmentName(path));
  return { layer, labels, faults };
}
