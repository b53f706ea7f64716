import type { ConnectionConfig, SimulatorConfig } from './gatewayConfig.js';

/** Where simulated fronts listen. */
const host = '127.0.0.1';
const brokerId = '9999';
const loopback = /^tcp6?:\/\/(?:127(?:\.\d+){3}|localhost|\[?::1\]?):(\d+)$/;
const namedConnections = 3;

/** Entries of connections[], one for each simulated front: what a simulator section means where none are listed. */
export function simulatedConnections({ fronts, basePort }: SimulatorConfig): object[] {
  const digits = Math.max(2, String(fronts).length);
  return Array.from({ length: fronts }, (_, index) => ({
    connection_id: `simulated_${String(index + 1).padStart(digits, '0')}`,
    front_addr: `tcp://${host}:${basePort + index}`,
    broker_id: brokerId,
  }));
}

/** True when one of the addresses is a simulated front's. */
export function reachesSimulator(
  { fronts, basePort }: SimulatorConfig,
  addresses: readonly string[],
): boolean {
  return addresses.some((address) => {
    const port = loopbackPort(address);
    return port !== undefined && port >= basePort && port < basePort + fronts;
  });
}

/** One line that names the enabled connections to this machine which no simulated front answers, if there are any. */
export function strayConnections(
  simulator: SimulatorConfig,
  connections: readonly ConnectionConfig[],
): string | undefined {
  const stray = connections.filter(
    ({ enabled, frontAddr }) =>
      enabled &&
      frontAddr.every((address) => loopbackPort(address) !== undefined) &&
      !reachesSimulator(simulator, frontAddr),
  );
  if (stray.length === 0) return undefined;
  const more = stray.length - namedConnections;
  const names = stray.slice(0, namedConnections).map(({ connectionId }) => connectionId);
  const { basePort, fronts } = simulator;
  return (
    `${stray.length === 1 ? 'connection' : 'connections'} ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}: ` +
    `no simulated front has the port, they have ${basePort} to ${basePort + fronts - 1} ` +
    '(simulator.base_port, simulator.fronts); without a list of connections each front gets one'
  );
}

function loopbackPort(address: string): number | undefined {
  const port = loopback.exec(address)?.[1];
  return port === undefined ? undefined : Number(port);
}
