import { accountKey } from './addressAccounts.js';
import type { ClientConnection } from './socketTable.js';

/**
 * Which connections have to go so that others can come: those of the addresses with the most, until all of these have
 * equally many, and of an address those that have said the least. The last connection of an address stays.
 *
 * @param connections all of them
 * @param wanted how many have to go; up to one more for each address, and fewer where no address has two
 */
export function crowdingConnections(
  connections: readonly ClientConnection[],
  wanted: number,
): ClientConnection[] {
  const byAddress = new Map<string, ClientConnection[]>();
  for (const connection of connections) {
    const key = accountKey(connection.address);
    const others = byAddress.get(key);
    if (others === undefined) byAddress.set(key, [connection]);
    else others.push(connection);
  }
  const groups = [...byAddress.values()].sort((a, b) => b.length - a.length);
  const level = levelFor(
    groups.map(({ length }) => length),
    wanted,
  );
  return groups.flatMap((group) =>
    group.sort((a, b) => a.received - b.received).slice(0, Math.max(0, group.length - level)),
  );
}

/** The most that each may keep, at least 1, so that so many are left over; of counts in descending order. */
function levelFor(counts: readonly number[], wanted: number): number {
  let sum = 0;
  for (const [index, count] of counts.entries()) {
    sum += count;
    const level = Math.floor((sum - wanted) / (index + 1));
    if (level >= (counts[index + 1] ?? 0)) return Math.max(1, level);
  }
  return 1;
}
