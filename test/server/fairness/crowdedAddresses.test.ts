import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crowdingConnections } from '../../../src/server/fairness/crowdedAddresses.js';
import type { ClientConnection } from '../../../src/server/fairness/socketTable.js';

/** Connections of addresses 10.0.0.0, 10.0.0.1 and so on, as many of each as stated. */
function connectionsOf(counts: readonly number[], received = (index: number) => index): ClientConnection[] {
  return counts
    .flatMap((count, host) => Array<string>(count).fill(`10.0.0.${host}`))
    .map((address, descriptor) => ({
      descriptor,
      address,
      peerPort: 1024 + descriptor,
      received: received(descriptor),
    }));
}

/** How many of each address, in the order of the addresses. */
function countsOf(connections: readonly ClientConnection[], addresses: number): number[] {
  const counts = Array<number>(addresses).fill(0);
  for (const { address } of connections) counts[Number(address.split('.')[3])]!++;
  return counts;
}

describe('connections that go when descriptors run short', () => {
  it.each([
    { counts: [10, 3, 1], wanted: 4, cut: [4, 0, 0] },
    { counts: [10, 8, 1], wanted: 6, cut: [4, 2, 0] },
    { counts: [2, 2], wanted: 9, cut: [1, 1] },
    { counts: [1, 1, 1], wanted: 2, cut: [0, 0, 0] },
    { counts: [], wanted: 2, cut: [] },
  ])('are of the addresses with the most: $counts, wanted $wanted', ({ counts, wanted, cut }) => {
    expect(countsOf(crowdingConnections(connectionsOf(counts), wanted), counts.length)).toEqual(cut);
  });

  it('are those that have said the least', () => {
    const connections = connectionsOf([4], (index) => [700, 0, 300, 5][index]!);
    expect(crowdingConnections(connections, 2).map(({ received }) => received)).toEqual([0, 5]);
  });

  it('of IPv6 count together within 64 bits, and mapped IPv4 as IPv4', () => {
    const addresses = [
      'fd00:0:0:0:1:0:0:1',
      'fd00:0:0:0:2:0:0:2',
      '0:0:0:0:0:ffff:a00:1',
      '10.0.0.1',
      '10.0.0.1',
    ];
    const connections = addresses.map((address, descriptor) => ({
      descriptor,
      address,
      peerPort: 1,
      received: descriptor,
    }));
    expect(crowdingConnections(connections, 3).map(({ descriptor }) => descriptor)).toEqual([2, 3, 0]);
  });

  it('are as many as wanted, and leave all addresses that gave some with equally many, none with fewer than one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 8 }),
        fc.integer({ min: 0, max: 100 }),
        (counts, wanted) => {
          const cut = countsOf(crowdingConnections(connectionsOf(counts), wanted), counts.length);
          const sum = cut.reduce((total, count) => total + count, 0);
          const most = counts.reduce((total, count) => total + count - 1, 0);
          expect(sum).toBeGreaterThanOrEqual(Math.min(wanted, most));
          expect(sum).toBeLessThanOrEqual(Math.max(0, wanted + counts.length - 1));
          const left = counts.map((count, host) => count - cut[host]!);
          const largest = Math.max(...left);
          for (const [host, count] of cut.entries()) {
            expect(left[host]).toBeGreaterThanOrEqual(1);
            if (count > 0) expect(left[host]).toBe(largest);
          }
        },
      ),
    );
  });
});
