import { resolve } from 'node:path';
import { readTextFile } from '../base/jsonFile.js';
import { toAddresses, type Address } from './addressList.js';
import type { GatewayValues } from './options.js';
import { resolveSecret } from './passwords.js';

/** PEM texts; empty where the system's authorities are meant, or no certificate of the client's own. */
export interface RedisTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** How Redis is reached. Holds secrets. */
export interface RedisConfig {
  readonly host: string;
  readonly port: number;
  /** Empty: Redis' default user. */
  readonly username: string;
  /** Empty: none. */
  readonly password: string;
  readonly db: number;
  /** Begins each key. */
  readonly keyPrefix: string;
  readonly tls: RedisTls | undefined;
  /** Empty: none; otherwise they say where the master is, and host and port do not count. */
  readonly sentinels: readonly Address[];
  readonly sentinelMaster: string;
  /** Empty: none. */
  readonly sentinelPassword: string;
  /** Empty: no cluster; otherwise some of its nodes, and host and port do not count. */
  readonly clusterNodes: readonly Address[];
}

const tlsFiles = { ca: 'redis_tls_ca_file', cert: 'redis_tls_cert_file', key: 'redis_tls_key_file' } as const;

/** Puts the redis_ settings together; `add` takes a problem for each that contradicts another, or names an unusable file. */
export function toRedisConfig(
  values: GatewayValues,
  context: { readonly env: NodeJS.ProcessEnv; readonly cwd: string },
  add: (setting: keyof GatewayValues, problem: string) => void,
): RedisConfig {
  const password = resolveSecret(
    { value: values.redis_password, variable: '', file: values.redis_password_file },
    context,
  );
  if ('fault' in password)
    add(password.from === 'file' ? 'redis_password_file' : 'redis_password', password.fault);
  const sentinels = values.redis_sentinels;
  const clusterNodes = values.redis_cluster_nodes;
  if (clusterNodes.length > 0 && sentinels.length > 0)
    add(
      'redis_cluster_nodes',
      'a cluster has no sentinels, give one of redis_sentinels and redis_cluster_nodes',
    );
  if (clusterNodes.length > 0 && values.redis_db !== 0)
    add('redis_db', `a cluster has database 0 alone, not ${values.redis_db}`);
  return {
    host: values.redis_host,
    port: values.redis_port,
    username: values.redis_username,
    password: 'fault' in password ? '' : password.value,
    db: values.redis_db,
    keyPrefix: values.redis_key_prefix,
    tls: toTls(values, context.cwd, add),
    sentinels: toAddresses(sentinels),
    sentinelMaster: values.redis_sentinel_master,
    sentinelPassword: values.redis_sentinel_password,
    clusterNodes: toAddresses(clusterNodes),
  };
}

function toTls(
  values: GatewayValues,
  cwd: string,
  add: (setting: keyof GatewayValues, problem: string) => void,
): RedisTls | undefined {
  if (!values.redis_tls) {
    for (const setting of Object.values(tlsFiles))
      if (values[setting] !== '') add(setting, 'redis_tls is not set, so it would not be used');
    return undefined;
  }
  if ((values.redis_tls_cert_file === '') !== (values.redis_tls_key_file === ''))
    add(
      'redis_tls_cert_file',
      'a certificate and its key go together, give redis_tls_key_file too or neither',
    );
  const read = (setting: (typeof tlsFiles)[keyof typeof tlsFiles]): string => {
    const path = values[setting];
    if (path === '') return '';
    try {
      const text = readTextFile(resolve(cwd, path));
      if (text.includes('-----BEGIN ')) return text;
      add(setting, `${path}: holds nothing in PEM form, which begins with -----BEGIN`);
    } catch (error) {
      add(setting, `${path}: ${(error as Error).message}`);
    }
    return '';
  };
  return { ca: read(tlsFiles.ca), cert: read(tlsFiles.cert), key: read(tlsFiles.key) };
}
