import { resolve } from 'node:path';
import type { GatewayValues } from './options.js';
import type { connectionOptions, gatewayOptions } from './options.js';
import { isRecord } from './record.js';

/** A file that a configuration was read from. */
export interface NamedFile {
  /** Absolute. */
  readonly path: string;
  /** As the configuration writes it. */
  readonly name: string;
}

/** Settings with one path each, of files that are read along with the configuration. */
const single = [
  'calendar_file',
  'products_file',
  'redis_password_file',
  'redis_tls_ca_file',
  'redis_tls_cert_file',
  'redis_tls_key_file',
] as const satisfies (keyof typeof gatewayOptions)[];
const passwordFile: keyof typeof connectionOptions = 'password_file';

/** The files that a configuration names, its own file among them, each once; it need not be one that can be used. */
export function namedFiles(
  file: string | undefined,
  values: GatewayValues,
  connections: readonly unknown[],
  cwd: string,
): NamedFile[] {
  const names = [
    file ?? '',
    ...single.map((setting) => values[setting]),
    ...values.import_instruments,
    ...connections.map((entry) => (isRecord(entry) ? entry[passwordFile] : undefined)),
  ];
  const found = new Map<string, NamedFile>();
  for (const name of names) {
    if (typeof name !== 'string' || name === '') continue;
    const path = resolve(cwd, name);
    if (!found.has(path)) found.set(path, { path, name });
  }
  return [...found.values()];
}
