import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Coordinator, type ConnectionPlan, type LineCommand } from '../../src/coordinator/coordinator.js';
import { strategies, type Strategy } from '../../src/coordinator/strategies.js';

function plan(id: string, maxSubscriptions = 500, priority = 5): ConnectionPlan {
  return { id, brokerId: '9999', fronts: ['tcp://127.0.0.1:1'], maxSubscriptions, priority };
}

/** A coordinator with what its commands add up to: the slots that each worker holds. */
function setUp(
  plans: ConnectionPlan[],
  options: Partial<{ strategy: Strategy; autoFailover: boolean; maxRetryCount: number }> = {},
) {
  const held = plans.map(() => new Set<number>());
  const refused: { slot: number; code: number }[] = [];
  const commands: LineCommand[] = [];
  const coordinator = new Coordinator(
    { strategy: 'least_connections', autoFailover: true, maxRetryCount: 3, ...options },
    plans,
    {
      send(command) {
        commands.push(command);
        for (const slot of command.slots) {
          if (command.type === 'subscribe') held[command.connection]!.add(slot);
          else expect(held[command.connection]!.delete(slot), 'unsubscribed what it holds').toBe(true);
        }
      },
      refused: (slot, code) => refused.push({ slot, code }),
    },
    () => 0,
  );
  return { coordinator, held, refused, commands };
}

const key = (slot: number): string => `SHFE.i${slot}`;

describe('Coordinator', () => {
  it('lets instruments wait until a connection is logged in', () => {
    const { coordinator, held } = setUp([plan('a')]);
    coordinator.want(1, key(1));
    coordinator.flush();
    expect(coordinator.demand()).toEqual({ wanted: 1, waiting: 1, refused: 0 });
    coordinator.connectionState(0, 'logged_in', '');
    expect([...held[0]!]).toEqual([1]);
    expect(coordinator.demand()).toEqual({ wanted: 1, waiting: 0, refused: 0 });
  });

  it('counts sessions and unsubscribes after the last one', () => {
    const { coordinator, held } = setUp([plan('a')]);
    coordinator.connectionState(0, 'logged_in', '');
    coordinator.want(1, key(1));
    coordinator.want(1, key(1));
    coordinator.flush();
    coordinator.drop(1);
    coordinator.flush();
    expect(held[0]!.has(1)).toBe(true);
    coordinator.drop(1);
    coordinator.flush();
    expect(held[0]!.has(1)).toBe(false);
  });

  it('sends nothing for what is dropped and wanted again between two flushes', () => {
    const { coordinator, commands } = setUp([plan('a')]);
    coordinator.connectionState(0, 'logged_in', '');
    coordinator.want(1, key(1));
    coordinator.flush();
    coordinator.drop(1);
    coordinator.want(1, key(1));
    coordinator.flush();
    expect(commands).toHaveLength(1);
  });

  it('refuses to drop what nobody wants', () => {
    expect(() => setUp([plan('a')]).coordinator.drop(7)).toThrow('dropped more often than wanted');
  });

  it('moves the instruments of a lost connection to the others and keeps them there', () => {
    const { coordinator, held } = setUp([plan('a'), plan('b')]);
    coordinator.connectionState(0, 'logged_in', '');
    for (let slot = 0; slot < 10; slot++) coordinator.want(slot, key(slot));
    coordinator.flush();
    coordinator.connectionState(1, 'logged_in', '');
    coordinator.connectionState(0, 'disconnected', 'network read failed');
    expect(held.map((each) => each.size)).toEqual([0, 10]);
    coordinator.connectionState(0, 'logged_in', '');
    expect(held.map((each) => each.size)).toEqual([0, 10]);
  });

  it('moves what stayed with a lost connection as soon as another one has room', () => {
    const { coordinator, held } = setUp([plan('a'), plan('b', 2)]);
    coordinator.connectionState(0, 'logged_in', '');
    for (let slot = 0; slot < 4; slot++) coordinator.want(slot, key(slot));
    coordinator.flush();
    coordinator.connectionState(0, 'connecting', 'network read failed');
    expect(held.map((each) => each.size)).toEqual([4, 0]);
    coordinator.connectionState(1, 'logged_in', '');
    expect(held.map((each) => each.size)).toEqual([2, 2]);
    coordinator.drop([...held[1]!][0]!);
    coordinator.flush();
    expect(held.map((each) => each.size)).toEqual([1, 2]);
  });

  it.each([true, false])(
    'tells the lines again to the worker after one that was lost, failover %s',
    (autoFailover) => {
      const { coordinator, held, commands } = setUp([plan('a')], { autoFailover });
      coordinator.connectionState(0, 'logged_in', '');
      for (const slot of [1, 2]) coordinator.want(slot, key(slot));
      coordinator.flush();
      held[0]!.clear();
      coordinator.workerLost(0, 'out of memory');
      expect(coordinator.status()[0]).toMatchObject({ state: 'error', reason: 'out of memory' });
      coordinator.drop(2);
      coordinator.flush();
      coordinator.connectionState(0, 'logged_in', '');
      expect([...held[0]!]).toEqual([1]);
      const sent = commands.length;
      coordinator.connectionState(0, 'connecting', '');
      coordinator.connectionState(0, 'logged_in', '');
      expect(commands.length, 'a worker that lives knows its lines').toBe(sent);
    },
  );

  it('leaves the instruments with a lost connection when failover is off or no other has room', () => {
    const off = setUp([plan('a'), plan('b')], { autoFailover: false });
    const full = setUp([plan('a'), plan('b', 1)]);
    for (const { coordinator } of [off, full]) {
      coordinator.connectionState(0, 'logged_in', '');
      for (let slot = 0; slot < 3; slot++) coordinator.want(slot, key(slot));
      coordinator.flush();
      coordinator.connectionState(1, 'logged_in', '');
      coordinator.connectionState(0, 'disconnected', '');
    }
    expect(off.held.map((each) => each.size)).toEqual([3, 0]);
    expect(off.coordinator.demand().waiting).toBe(3);
    expect(full.held.map((each) => each.size)).toEqual([2, 1]);
  });

  it('tries another connection when one refuses, and gives up after max_retry_count', () => {
    const { coordinator, held, refused } = setUp([plan('a'), plan('b'), plan('c')], { maxRetryCount: 1 });
    for (const index of [0, 1, 2]) coordinator.connectionState(index, 'logged_in', '');
    coordinator.want(1, key(1));
    coordinator.flush();
    const first = held.findIndex((each) => each.has(1));
    // The worker has dropped what its front refused.
    held[first]!.delete(1);
    coordinator.subscriptionRefused(first, 1, 6000, 'too many');
    coordinator.flush();
    const second = held.findIndex((each) => each.has(1));
    expect(second).not.toBe(first);
    expect(second).toBeGreaterThanOrEqual(0);
    held[second]!.delete(1);
    coordinator.subscriptionRefused(second, 1, 6000, 'too many');
    coordinator.flush();
    expect(refused).toEqual([{ slot: 1, code: 6000 }]);
    expect(coordinator.demand()).toEqual({ wanted: 1, waiting: 0, refused: 1 });
  });

  it('gives up at once what does not exist, and tries it again for a later wish', () => {
    const { coordinator, held, refused } = setUp([plan('a'), plan('b')]);
    coordinator.connectionState(0, 'logged_in', '');
    coordinator.want(1, key(1));
    coordinator.flush();
    held[0]!.delete(1);
    coordinator.subscriptionRefused(0, 1, 16, 'instrument not found');
    expect(refused).toEqual([{ slot: 1, code: 16 }]);
    coordinator.drop(1);
    coordinator.flush();
    coordinator.want(1, key(1));
    coordinator.flush();
    expect(held[0]!.has(1)).toBe(true);
  });

  it('tries what was refused again when a further session wants it', () => {
    const { coordinator, held, refused } = setUp([plan('a')]);
    coordinator.connectionState(0, 'logged_in', '');
    coordinator.want(1, key(1));
    coordinator.flush();
    held[0]!.delete(1);
    coordinator.subscriptionRefused(0, 1, 16, 'instrument not found');
    coordinator.want(1, key(1));
    coordinator.flush();
    expect(held[0]!.has(1)).toBe(true);
    held[0]!.delete(1);
    coordinator.subscriptionRefused(0, 1, 16, 'instrument not found');
    expect(refused).toHaveLength(2);
  });

  it('tries what was refused again after the next login', () => {
    const { coordinator, held } = setUp([plan('a')]);
    coordinator.connectionState(0, 'logged_in', '');
    coordinator.want(1, key(1));
    coordinator.flush();
    held[0]!.delete(1);
    coordinator.subscriptionRefused(0, 1, 16, 'instrument not found');
    coordinator.flush();
    coordinator.connectionState(0, 'connecting', '');
    coordinator.connectionState(0, 'logged_in', '');
    expect(held[0]!.has(1)).toBe(true);
  });

  it('does not hold it against a connection that instruments do not exist', () => {
    const { coordinator } = setUp([plan('a')]);
    coordinator.connectionState(0, 'logged_in', '');
    for (const [slot, code] of [
      [1, 16],
      [2, 6000],
    ] as const) {
      coordinator.want(slot, key(slot));
      coordinator.flush();
      coordinator.subscriptionRefused(0, slot, code, '');
      expect(coordinator.status()[0]!.quality).toBe(code === 16 ? 100 : 99);
    }
  });

  it('gives freed room to an instrument that waits for it', () => {
    const { coordinator, held } = setUp([plan('a', 1)]);
    coordinator.connectionState(0, 'logged_in', '');
    coordinator.want(1, key(1));
    coordinator.flush();
    coordinator.want(2, key(2));
    coordinator.flush();
    expect(coordinator.demand().waiting).toBe(1);
    coordinator.drop(1);
    coordinator.flush();
    expect([...held[0]!]).toEqual([2]);
  });

  it.each(strategies)('keeps its promises under any history (%s)', (strategy) => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('want' as const), slot: fc.nat(19) }),
      fc.record({ do: fc.constant('drop' as const), slot: fc.nat(19) }),
      fc.record({ do: fc.constant('up' as const), slot: fc.nat(2) }),
      fc.record({ do: fc.constant('down' as const), slot: fc.nat(2) }),
      fc.record({ do: fc.constant('crash' as const), slot: fc.nat(2) }),
      fc.record({ do: fc.constant('flush' as const), slot: fc.constant(0) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (history) => {
        const plans = [plan('a', 4, 1), plan('b', 5, 1), plan('c', 6, 2)];
        const { coordinator, held } = setUp(plans, { strategy });
        const wanted = new Map<number, number>();
        const up = new Set<number>();
        for (const { do: action, slot } of history) {
          if (action === 'want') {
            coordinator.want(slot, key(slot));
            wanted.set(slot, (wanted.get(slot) ?? 0) + 1);
          } else if (action === 'drop' && (wanted.get(slot) ?? 0) > 0) {
            coordinator.drop(slot);
            wanted.set(slot, wanted.get(slot)! - 1);
          } else if (action === 'up' || action === 'down') {
            coordinator.connectionState(slot, action === 'up' ? 'logged_in' : 'disconnected', '');
            if (action === 'up') up.add(slot);
            else up.delete(slot);
          } else if (action === 'crash') {
            held[slot]!.clear();
            coordinator.workerLost(slot, '');
            up.delete(slot);
          } else {
            coordinator.flush();
          }
          held.forEach((slots, index) =>
            expect(slots.size).toBeLessThanOrEqual(plans[index]!.maxSubscriptions),
          );
        }
        coordinator.flush();
        const lines = new Map<number, number>();
        for (const slots of held) for (const slot of slots) lines.set(slot, (lines.get(slot) ?? 0) + 1);
        const wantedNow = [...wanted].filter(([, count]) => count > 0).map(([slot]) => slot);
        for (const [slot, count] of lines) {
          expect(count, 'one line each').toBe(1);
          expect(wantedNow).toContain(slot);
        }
        // Nothing waits without a line, or for its connection, while a connection that is up has room.
        const room = [...up].some((index) => held[index]!.size < plans[index]!.maxSubscriptions);
        const carried = (slot: number): boolean => [...up].some((index) => held[index]!.has(slot));
        if (room) for (const slot of wantedNow) expect(carried(slot)).toBe(true);
        expect(coordinator.demand().wanted).toBe(wantedNow.length);
      }),
      { numRuns: 300 },
    );
  });
});
