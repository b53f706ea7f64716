import { toConnectionConfig, type ConnectionConfig } from './gatewayConfig.js';
import { connectionOptions } from './options.js';
import { resolveSecret } from './passwords.js';
import { checkLayer, flattenRecord, isRecord, merge } from './record.js';
import { displayValue } from './displayValue.js';

export interface CheckedConnections {
  readonly connections: readonly ConnectionConfig[];
  readonly faults: readonly EntryFault[];
}

export interface EntryFault {
  /** Position in the list. */
  readonly index: number;
  /** Key inside the entry; empty for the entry itself. */
  readonly path: string;
  readonly text: string;
}

/** Keys of the places that a password may be in. */
const secretKeys = { value: 'password', variable: 'password_env', file: 'password_file' } as const;
/** The vendor's login request has room for 40 bytes; a longer password would be cut and then refused. */
const passwordFormat = connectionOptions.password.format;

/** Checks every entry of connections[]; passwords are only fetched for enabled ones. */
export function checkConnections(
  entries: readonly unknown[],
  context: { readonly env: NodeJS.ProcessEnv; readonly cwd: string },
): CheckedConnections {
  const faults: EntryFault[] = [];
  const connections: ConnectionConfig[] = [];
  const firstUse = new Map<string, number>();
  entries.forEach((entry, index) => {
    const add = (path: string, text: string): void => void faults.push({ index, path, text });
    if (!isRecord(entry)) {
      add('', `must be an object with connection_id and front_addr, not ${displayValue(entry)}`);
      return;
    }
    const { layer, faults: shape } = flattenRecord(entry, connectionOptions, false);
    const { values, missing } = merge(connectionOptions, [layer]);
    const found = [...shape, ...checkLayer(layer, connectionOptions), ...missing];
    for (const { path, text } of found) add(path, text);
    if (layer.has('connection_id')) {
      const earlier = firstUse.get(values.connection_id);
      if (earlier !== undefined)
        add('connection_id', `"${values.connection_id}" is taken by connections[${earlier}]`);
      firstUse.set(values.connection_id, earlier ?? index);
    }
    if (found.length > 0) return;
    if (!values.enabled) {
      connections.push(toConnectionConfig(values, ''));
      return;
    }
    const secret = resolveSecret(
      { value: values.password, variable: values.password_env, file: values.password_file },
      context,
    );
    if ('fault' in secret) add(secretKeys[secret.from], secret.fault);
    else if (!passwordFormat.accepts(secret.value))
      add('password', `must be ${passwordFormat.allowed}; the one found is not (not shown)`);
    else connections.push(toConnectionConfig(values, secret.value));
  });
  return { connections, faults };
}
