import { getHeapStatistics } from 'node:v8';
import type { GatewayConfig, LimitsConfig } from '../config/gatewayConfig.js';
import type { Logger } from 'pino';
import { clientsThatFit, descriptorLimit } from '../server/fairness/descriptorWatch.js';
import { marked } from '../base/logEvents.js';

/** Share of the heap that what clients make the gateway keep may take. */
const heapShare = 1 / 4;

/** The limits of a configuration, lowered to what this process has room for; a warning says what was lowered. */
export function limitsThatFit(
  { limits, connections }: Pick<GatewayConfig, 'limits' | 'connections'>,
  log: Logger,
): LimitsConfig {
  const descriptors = descriptorLimit();
  const maxClients = Math.min(limits.maxClients, clientsThatFit(descriptors, connections.length));
  if (maxClients < limits.maxClients)
    log.warn(
      marked('limit_lowered'),
      `limits.max_clients is lowered from ${limits.maxClients} to ${maxClients}: the process may have ${descriptors} files and sockets open (ulimit -n)`,
    );
  const heapBytes = getHeapStatistics().heap_size_limit * heapShare;
  return { ...limits, maxClients, maxKeptBytes: Math.min(limits.maxKeptBytes, heapBytes) };
}
