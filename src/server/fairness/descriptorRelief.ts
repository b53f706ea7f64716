import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LimitedLog } from '../../log/limitedLog.js';
import { crowdingConnections } from './crowdedAddresses.js';
import { isOutOfDescriptors } from './descriptorWatch.js';
import type { ClientConnection, SocketTable } from './socketTable.js';
import { marked } from '../../base/logEvents.js';

export interface ReliefParts {
  readonly sockets: SocketTable;
  /** The port that clients connect to. */
  port(): number;
  /** Whether an address speaks for clients of its own, so that its connections are not one client's. */
  isProxy(address: string): boolean;
  readonly limitedLog: LimitedLog;
}

/** Descriptors that are looked at in one turn of the event loop; some 0.3 ms. */
const descriptorsPerTurn = 128;
/** Share of the main thread that looking may take. */
const workShare = 0.1;
/** Addresses that one relief is logged for, those with the most. */
const addressesLogged = 3;

/**
 * Cuts connections of the addresses with the most when the process has no descriptor left for new clients. What is bounded
 * for each address elsewhere are its WebSocket sessions; a connection that sends no request is not known but to the kernel.
 */
export class DescriptorRelief {
  /** Connections that were cut. */
  cut = 0;
  readonly #parts: ReliefParts;
  #isRunning = false;
  #nextMs = -Infinity;

  constructor(parts: ReliefParts) {
    this.#parts = parts;
  }

  /** Begins to cut so many connections, over several turns of the event loop; does nothing where it did so just now. */
  relieve(wanted: number): void {
    if (this.#isRunning || performance.now() < this.#nextMs) return;
    this.#isRunning = true;
    const startMs = performance.now();
    void this.#relieve(wanted)
      .catch((error: unknown) => {
        if (!isOutOfDescriptors(error)) throw error;
      })
      .finally(() => {
        this.#isRunning = false;
        this.#nextMs = performance.now() + (performance.now() - startMs) / workShare;
      });
  }

  async #relieve(wanted: number): Promise<void> {
    const { sockets, limitedLog } = this.#parts;
    const port = this.#parts.port();
    const connections: ClientConnection[] = [];
    for (const [index, descriptor] of sockets.descriptors().entries()) {
      if (index % descriptorsPerTurn === 0) await nextTurn();
      const connection = sockets.connectionOf(descriptor, port);
      if (connection !== undefined && !this.#parts.isProxy(connection.address)) connections.push(connection);
    }
    const crowding = crowdingConnections(connections, wanted);
    const byAddress = new Map<string, number>();
    for (const { descriptor, address, peerPort } of crowding) {
      // Another may have its descriptor by now.
      const now = sockets.connectionOf(descriptor, port);
      if (now?.address !== address || now.peerPort !== peerPort) continue;
      sockets.cut(descriptor);
      byAddress.set(address, (byAddress.get(address) ?? 0) + 1);
      this.cut++;
    }
    for (const [address, count] of [...byAddress].slice(0, addressesLogged))
      limitedLog.write(
        'connections cut',
        'warn',
        marked('connections_cut', { address, connections: count }),
        `${count} connections of ${address} are cut off: it has the most, and few descriptors are left for new clients`,
        address,
      );
  }
}
