import { connectionOptions } from '../config/options.js';
import type { Broker, BrokerServer } from './brokerFile.js';
import { isTestFront, namesTestServer } from './testServers.js';

/** A connection as the configuration file writes it. */
export interface BrokerConnection {
  readonly connection_id: string;
  readonly front_addr: readonly string[];
  readonly broker_id: string;
  readonly broker_name?: string;
  readonly enabled?: false;
}

const longestFrontList = 64;

function idOf(brokerId: string, taken: ReadonlySet<string>): string {
  const safe = brokerId.replaceAll(/[^\w.-]/g, '_').replace(/^[.-]/, '_');
  for (let attempt = 1; ; attempt++) {
    const id = attempt === 1 ? safe : `${safe}_${attempt}`;
    if (!taken.has(id)) return id;
  }
}

function titleOf({ id, name }: Broker): string {
  return ['broker', id, name].filter((part) => part !== '').join(' ');
}

function frontsOf(servers: readonly BrokerServer[]): string[] {
  return [...new Set(servers.flatMap((server) => server.fronts))].slice(0, longestFrontList);
}

/** Brokers that appear several times become one, since they share their login. */
function mergeById(brokers: readonly Broker[], warn: (text: string) => void): Broker[] {
  const byId = new Map<string, Broker>();
  for (const broker of brokers) {
    const title = titleOf(broker);
    if (broker.id === '' || !connectionOptions.broker_id.format.accepts(broker.id)) {
      warn(`${title}: the BrokerID must have 1 to 10 characters, skipped`);
      continue;
    }
    const earlier = byId.get(broker.id);
    byId.set(
      broker.id,
      earlier === undefined ? broker : { ...earlier, servers: [...earlier.servers, ...broker.servers] },
    );
  }
  return [...byId.values()];
}

/** Quotes that are not the market's must not stand in for ones that are: an address of both kinds counts as a test. */
function frontsByKind({ servers }: Broker): { readonly real: string[]; readonly test: string[] } {
  const test = servers.map(({ name, fronts }) => ({
    name,
    fronts: fronts.filter((front) => namesTestServer(name) || isTestFront(front)),
  }));
  const tested = new Set(test.flatMap(({ fronts }) => fronts));
  const real = servers.map(({ name, fronts }) => ({
    name,
    fronts: fronts.filter((front) => !tested.has(front)),
  }));
  return { real: frontsOf(real), test: frontsOf(test) };
}

/**
 * One connection per broker: its connection_id is the BrokerID, its front_addr lists the fronts of all its servers.
 * Servers that are test systems, or send quotes around the clock, get a connection `<BrokerID>_test` of their own, which is
 * disabled where the file has real servers too. Brokers without a usable address are skipped with a warning.
 */
export function connectionsOf(brokers: readonly Broker[], warn: (text: string) => void): BrokerConnection[] {
  const taken = new Set<string>();
  const merged = mergeById(brokers, warn).map((broker) => ({ broker, ...frontsByKind(broker) }));
  const hasReal = merged.some(({ real }) => real.length > 0);
  return merged.flatMap(({ broker, real, test }) => {
    if (real.length === 0 && test.length === 0) warn(`${titleOf(broker)}: no market-data address, skipped`);
    const keepsName = broker.name !== '' && connectionOptions.broker_name.format.accepts(broker.name);
    const made: BrokerConnection[] = [];
    const add = (suffix: string, fronts: readonly string[], enabled: boolean): void => {
      if (fronts.length === 0) return;
      const connectionId = idOf(broker.id + suffix, taken);
      taken.add(connectionId);
      made.push({
        connection_id: connectionId,
        front_addr: fronts,
        broker_id: broker.id,
        ...(keepsName ? { broker_name: broker.name } : {}),
        ...(enabled ? {} : { enabled: false as const }),
      });
    };
    add('', real, true);
    add('_test', test, !hasReal);
    return made;
  });
}
