import type { ConnectionStatusReport, StatusReport } from './status.js';

/** The public part of the report: without addresses, also in texts, and without the process id. */
export type PublicStatus = Omit<StatusReport, 'pid' | 'connections'> & {
  readonly connections: readonly Omit<ConnectionStatusReport, 'fronts'>[];
};

const shown = '(address)';
/** tcp://front:4711, 10.0.0.7, 10.0.0.7:6379, [fd00::7]:6379, redis:6379 */
const addresses =
  /\b[a-z][a-z\d]*:\/\/[^\s,;]+|\[[\da-f:.]+\](?::\d{1,5})?|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b|\b[a-z][\w.-]*:\d{1,5}\b/gi;

export function publicStatus(report: StatusReport): PublicStatus {
  const { redis, connections } = report;
  const open: PublicStatus & { pid?: number } = {
    ...report,
    redis: {
      ...redis,
      trouble: withoutAddresses(redis.trouble),
      // It names files and processes.
      spill_trouble: redis.spill_trouble === '' ? '' : 'the log says why',
    },
    connections: connections.map(publicConnection),
  };
  delete open.pid;
  return open;
}

function publicConnection(connection: ConnectionStatusReport): PublicStatus['connections'][number] {
  const { reason, last_error } = connection;
  const open: PublicStatus['connections'][number] & { fronts?: readonly string[] } = {
    ...connection,
    reason: withoutAddresses(reason),
    last_error: withoutAddresses(last_error),
  };
  delete open.fronts;
  return open;
}

function withoutAddresses(text: string): string {
  return text.replace(addresses, shown);
}
