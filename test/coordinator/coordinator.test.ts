import { describe, expect, it } from 'vitest';
import { Standing } from '../../src/coordinator/assignment/standing.js';
import { strategies } from '../../src/config/options.js';
import { keyOf, plan, range, World } from './world.js';

describe('Coordinator: wishes', () => {
  it('lets instruments wait until a connection is logged in', () => {
    const world = new World([plan('a')]).want(1);
    expect(world.coordinator.demand()).toMatchObject({ wanted: 1, waiting: 1, refused: 0, short: 1 });
    world.up(0);
    expect([...world.held[0]!]).toEqual([1]);
    expect(world.coordinator.demand()).toMatchObject({ wanted: 1, waiting: 0, refused: 0, short: 0 });
  });

  it('counts sessions and unsubscribes after the last one', () => {
    const world = new World([plan('a')]).up(0).want(1, 1).drop(1);
    expect(world.held[0]!.has(1)).toBe(true);
    world.drop(1);
    expect(world.held[0]!.has(1)).toBe(false);
  });

  it('keeps what nobody wants any more for the time of grace', () => {
    const world = new World([plan('a')], { graceMs: 10_000 }).up(0).want(1, 2).drop(1, 2).pass(9);
    expect(world.loads).toEqual([2]);
    expect(world.coordinator.demand()).toMatchObject({ wanted: 0, states: { cancelled: 2 } });
    world.want(2).pass(2);
    expect([...world.held[0]!], 'the one that was wanted again stays').toEqual([2]);
    expect(world.commands.map(({ type, slots }) => [type, slots])).toEqual([
      ['subscribe', [1, 2]],
      ['unsubscribe', [1]],
    ]);
  });

  it('has no grace where others need the room', () => {
    const world = new World([plan('a', { maxSubscriptions: 2 })], { graceMs: 60_000 });
    world.up(0).want(1, 2).drop(1).want(3);
    expect([...world.held[0]!].sort()).toEqual([2, 3]);
  });

  it('sends nothing for what is dropped and wanted again between two flushes', () => {
    const world = new World([plan('a')]).up(0).want(1);
    world.coordinator.drop(1);
    world.coordinator.want(1, keyOf(1));
    world.coordinator.flush();
    expect(world.commands).toHaveLength(1);
  });

  it('looks at no tick of an instrument that was given up before it ticked', () => {
    const world = new World([plan('a')]).up(0).want(1);
    expect(world.coordinator.awaits(1)).toBe(true);
    world.drop(1);
    expect(world.coordinator.awaits(1)).toBe(false);
    world.want(1).tick([1]);
    expect(world.joined).toEqual([]);
    expect(world.coordinator.awaits(1)).toBe(false);
  });

  it('refuses to drop what nobody wants', () => {
    expect(() => new World([plan('a')]).drop(7)).toThrow('dropped more often than wanted');
  });

  it('gives freed room to an instrument that waits for it', () => {
    const world = new World([plan('a', { maxSubscriptions: 1 })]).up(0).want(1).want(2);
    expect(world.coordinator.demand().waiting).toBe(1);
    world.drop(1);
    expect([...world.held[0]!]).toEqual([2]);
  });

  it('gives scarce room to what most sessions want', () => {
    const world = new World([plan('a', { priority: 1 }), plan('b', { priority: 2, maxSubscriptions: 2 })]);
    world.up(0, 1).want(1, 2, 3, 4).want(2, 4, 4).down(0);
    expect([...world.held[1]!].sort()).toEqual([2, 4]);
    expect(world.coordinator.demand().waiting).toBe(2);
  });

  it('takes the room of instruments that never ticked for new ones, but not for those again', () => {
    const world = new World([plan('a', { maxSubscriptions: 3 })]).up(0).want(1, 2, 3).tick([1]);
    world.pass(70).want(4, 5);
    expect([...world.held[0]!].sort()).toEqual([1, 4, 5]);
    world.pass(100);
    expect([...world.held[0]!].sort(), 'those in vain displace nobody').toEqual([1, 4, 5]);
    expect(world.coordinator.troubles(10).waiting.sort()).toEqual([2, 3]);
  });
});

describe('Coordinator: very many wishes', () => {
  it('settles them over several turns, with the same result', () => {
    const plans = [plan('a', { maxSubscriptions: 40 }), plan('b', { maxSubscriptions: 40 })];
    const world = new World(plans, { settledPerTurn: 7, roomSpacingMs: 200 });
    for (const slot of range(100)) world.coordinator.want(slot, keyOf(slot));
    expect(world.coordinator.flush(7)).toBe(false);
    while (!world.coordinator.flush(7));
    world.up(0, 1);
    expect(world.loads).toEqual([40, 40]);
    expect(world.coordinator.demand()).toMatchObject({ wanted: 100, waiting: 20 });
    world.down(0);
    expect(world.coordinator.demand().waiting).toBe(60);
  });

  it('gives the line of what few want to what many want, and not back', () => {
    const world = new World([plan('a', { maxSubscriptions: 3 })]).up(0).want(1, 2, 3).tick([1, 2, 3]);
    world.standings.set(4, Standing.ticked);
    world.want(4);
    expect(world.linesOf(4), 'no more wanted than the others').toEqual([]);
    world.want(4);
    expect(world.linesOf(4)).toEqual([0]);
    const sent = world.commands.length;
    world.pass(30, () => world.tick(range(5)));
    expect(world.commands).toHaveLength(sent);
    expect(world.coordinator.demand().waiting).toBe(1);
  });
});

describe('Coordinator: states', () => {
  it('counts a line as active with its first tick, or when the front had time to refuse it', () => {
    const world = new World([plan('a')]);
    const states = (): unknown => world.coordinator.demand().states;
    world.want(1, 2);
    expect(states()).toMatchObject({ pending: 2 });
    world.up(0);
    expect(states()).toMatchObject({ subscribing: 2 });
    world.tick([1]);
    expect(states()).toMatchObject({ subscribing: 1, active: 1 });
    world.pass(4);
    expect(states()).toMatchObject({ subscribing: 1, active: 1 });
    world.pass(2);
    expect(states()).toMatchObject({ active: 2 });
    world.down(0);
    expect(states()).toMatchObject({ pending: 2, active: 0 });
  });

  it('awaits ticks until all lines have one', () => {
    const world = new World([plan('a')]).up(0).want(5000);
    expect(world.coordinator.awaits(5000)).toBe(true);
    expect(world.coordinator.awaits(4999)).toBe(false);
    world.tick([5000]);
    expect(world.coordinator.awaits(5000)).toBe(false);
    world.down(0).up(0);
    expect(world.coordinator.awaits(5000)).toBe(true);
  });
});

describe('Coordinator: refusals', () => {
  it('tries another connection when one refuses, and gives up after max_retry_count', () => {
    const world = new World([plan('a'), plan('b'), plan('c')], { maxRetryCount: 1 }).up(0, 1, 2).want(1);
    const [first] = world.linesOf(1);
    world.refuse(first!, 1, 3);
    const [second] = world.linesOf(1);
    expect(second).not.toBe(first);
    world.refuse(second!, 1, 3);
    expect(world.refused).toEqual([{ slot: 1, code: 3 }]);
    expect(world.coordinator.demand()).toMatchObject({ wanted: 1, waiting: 0, refused: 1 });
    expect(world.coordinator.troubles(9).failed).toEqual([{ slot: 1, code: 3, text: 'refused' }]);
  });

  it('gives up at once what does not exist, and tries it again for a later wish', () => {
    const world = new World([plan('a'), plan('b')]).up(0).want(1).refuse(0, 1, 16);
    expect(world.refused).toEqual([{ slot: 1, code: 16 }]);
    world.drop(1).want(1);
    expect(world.held[0]!.has(1)).toBe(true);
  });

  it('tries what was refused again when a further session wants it', () => {
    const world = new World([plan('a')]).up(0).want(1).refuse(0, 1, 16).want(1);
    expect(world.held[0]!.has(1)).toBe(true);
    world.refuse(0, 1, 16);
    expect(world.refused).toHaveLength(2);
  });

  it('tries what was refused again after the next login', () => {
    const world = new World([plan('a')]).up(0).want(1).refuse(0, 1, 16).down(0).up(0);
    expect(world.held[0]!.has(1)).toBe(true);
  });

  it('does not tell anybody of a refusal while another line carries the instrument', () => {
    const world = new World([plan('a'), plan('b')], { redundancy: () => 2 })
      .up(0, 1)
      .want(1)
      .refuse(0, 1, 16);
    expect(world.refused).toEqual([]);
    expect(world.coordinator.demand()).toMatchObject({ waiting: 0, short: 0, refused: 0 });
  });

  it('learns from a front how many instruments it carries, until the next login', () => {
    const world = new World([plan('a'), plan('b')])
      .up(0)
      .want(...range(10))
      .up(1);
    for (const slot of [7, 8, 9]) world.refuse(0, slot, 6000);
    expect(world.loads).toEqual([7, 3]);
    expect(world.coordinator.status()[0]).toMatchObject({ subscriptions: 7, maxSubscriptions: 7 });
    world.want(...range(10, 10));
    expect(world.loads).toEqual([7, 13]);
    world.down(0).up(0);
    expect(world.coordinator.status()[0]).toMatchObject({ maxSubscriptions: 500 });
  });

  it('does not hold it against a connection that instruments do not exist or do not fit', () => {
    const world = new World([plan('a')]).up(0).want(1).refuse(0, 1, 16).want(2).refuse(0, 2, 6000);
    expect(world.coordinator.status()[0]!.quality).toBe(100);
    const other = new World([plan('a')]).up(0).want(3).refuse(0, 3, 7);
    expect(other.coordinator.status()[0]!.quality).toBeLessThan(100);
  });

  it('lets what does not fit wait for room, and says so once', () => {
    const world = new World([plan('a')]).up(0).want(1, 2, 3, 4).refuse(0, 4, 6000);
    expect(world.refused).toEqual([{ slot: 4, code: 6000 }]);
    expect(world.coordinator.demand()).toMatchObject({ waiting: 1, refused: 0 });
    world.drop(1);
    expect([...world.held[0]!].sort(), 'there is room now').toEqual([2, 3, 4]);
    world.refuse(0, 4, 6000);
    expect(world.refused).toHaveLength(1);
  });

  it('offers a front that was full a little more from time to time', () => {
    const world = new World([plan('a')]).up(0).want(...range(40));
    for (const slot of range(30, 10)) world.refuse(0, slot, 6000);
    expect(world.loads).toEqual([10]);
    world.pass(61, () => world.tick(range(10)));
    expect(world.loads).toEqual([12]);
  });

  it('tries what was given up on a connection that comes later, but does not report it again', () => {
    const world = new World([plan('a'), plan('b')]).up(0).want(1).refuse(0, 1, 16);
    world.up(1);
    expect(world.linesOf(1)).toEqual([1]);
    world.refuse(1, 1, 16);
    expect(world.refused).toHaveLength(1);
    world.want(1).refuse(world.linesOf(1)[0]!, 1, 16);
    expect(world.refused, 'a session that asks later is told').toHaveLength(2);
  });

  it('waits with a refusal for a connection that may be back soon, but not for long', () => {
    const world = new World([plan('a'), plan('b')]).up(0, 1).down(1).want(1).refuse(0, 1, 3);
    expect(world.refused).toEqual([]);
    world.pass(35);
    expect(world.refused).toEqual([{ slot: 1, code: 3 }]);
  });

  it('sends what crossed with a refusal off again', () => {
    const world = new World([plan('a')]).up(0).want(1);
    world.coordinator.subscriptionRefused(0, 1, 16, 'late');
    world.coordinator.flush();
    expect(world.held[0]!.size, 'the worker may have asked anew').toBe(0);
  });
});

describe('Coordinator: failover', () => {
  it('moves the instruments of a lost connection to the others at once', () => {
    const world = new World([plan('a'), plan('b'), plan('c')])
      .up(0)
      .want(...range(10))
      .up(1, 2)
      .down(0);
    expect(world.loads).toEqual([0, 5, 5]);
    expect(world.coordinator.demand().waiting).toBe(0);
  });

  it('moves what stayed with a lost connection as soon as another one has room', () => {
    const world = new World([plan('a'), plan('b', { maxSubscriptions: 2 })])
      .up(0)
      .want(...range(4))
      .down(0);
    expect(world.loads).toEqual([4, 0]);
    world.up(1);
    expect(world.loads).toEqual([2, 2]);
    world.drop([...world.held[1]!][0]!);
    expect(world.loads).toEqual([1, 2]);
  });

  it.each([true, false])(
    'tells the lines again to the worker after a lost one, failover %s',
    (autoFailover) => {
      const world = new World([plan('a')], { autoFailover }).up(0).want(1, 2);
      world.held[0]!.clear();
      world.coordinator.workerLost(0, 'out of memory');
      expect(world.coordinator.status()[0]).toMatchObject({ state: 'error', reason: 'out of memory' });
      world.drop(2).up(0);
      expect([...world.held[0]!]).toEqual([1]);
      const sent = world.commands.length;
      world.down(0).up(0);
      expect(world.commands.length, 'a worker that lives knows its lines').toBe(sent);
    },
  );

  it('leaves the instruments with a lost connection when failover is off or no other has room', () => {
    const off = new World([plan('a'), plan('b')], { autoFailover: false });
    const full = new World([plan('a'), plan('b', { maxSubscriptions: 1 })]);
    for (const world of [off, full]) world.up(0).want(0, 1, 2).up(1).down(0);
    expect(off.loads).toEqual([3, 0]);
    expect(off.coordinator.demand().waiting).toBe(3);
    expect(full.loads).toEqual([2, 1]);
  });

  it('counts what went wrong, and says so', () => {
    const world = new World([plan('a')]);
    world.coordinator.connectionState(0, 'error', 'login refused: 3');
    world.up(0).down(0);
    expect(world.coordinator.status()[0]).toMatchObject({
      state: 'disconnected',
      quality: 0,
      reconnects: 1,
      loginFailures: 1,
      lastError: 'network read failed',
    });
    world.up(0);
    expect(world.coordinator.status()[0]).toMatchObject({ reason: '', lastError: 'network read failed' });
  });
});

describe('Coordinator: rebalancing', () => {
  it.each(strategies)(
    'moves instruments to connections that come later, gently, and then rests (%s)',
    (strategy) => {
      const world = new World([plan('a'), plan('b'), plan('c')], { strategy })
        .up(0)
        .want(...range(400))
        .up(1, 2);
      expect(world.loads).toEqual([400, 0, 0]);
      let most = 0;
      world.pass(60, () => {
        for (const slot of range(400)) expect(world.linesOf(slot).length).toBeGreaterThanOrEqual(1);
        most = Math.max(
          most,
          world.loads.reduce((sum, load) => sum + load),
        );
        world.tick(range(400));
      });
      expect(most, 'so many on their way at once').toBeLessThanOrEqual(450);
      expect(Math.max(...world.loads) - Math.min(...world.loads)).toBeLessThan(100);
      const sent = world.commands.length;
      world.pass(120, () => world.tick(range(400)));
      expect(world.commands.length, 'no further moves').toBe(sent);
    },
  );

  it('gives a line up only after its successor is active', () => {
    const world = new World([plan('a', { priority: 2 }), plan('b', { priority: 1 })])
      .up(0)
      .want(1)
      .tick([1])
      .up(1);
    world.pass(11);
    expect(world.linesOf(1)).toEqual([0, 1]);
    world.deliver(0, 1, 10);
    expect(world.linesOf(1), 'the old line ticks still').toEqual([0, 1]);
    world.deliver(1, 1, 10);
    expect(world.linesOf(1)).toEqual([1]);
  });

  it('keeps to limits while lines are under way', () => {
    const plans = [plan('a'), plan('b', { maxSubscriptions: 2 }), plan('c', { maxSubscriptions: 400 })];
    const world = new World(plans, { strategy: 'connection_quality' }).up(0, 1).want(...range(300));
    world.up(2);
    world.pass(60, () => {
      expect(world.loads[1]).toBeLessThanOrEqual(2);
      world.tick(range(300));
    });
  });

  it('continues while some instruments cannot be had', () => {
    const world = new World([plan('a'), plan('b'), plan('c')]).up(0, 1).want(999);
    world.refuse(world.linesOf(999)[0]!, 999, 3).refuse(world.linesOf(999)[0]!, 999, 3);
    world
      .down(1)
      .want(...range(300))
      .up(1)
      .pass(60, () => world.tick(range(300)));
    expect(Math.abs(world.loads[0]! - world.loads[1]!)).toBeLessThan(200);
  });

  it('stays where it was when the successor fails', () => {
    const world = new World([plan('a', { priority: 2 }), plan('b', { priority: 1 })])
      .up(0)
      .want(1)
      .tick([1])
      .up(1);
    world.pass(11).refuse(1, 1, 3);
    expect(world.linesOf(1)).toEqual([0]);
    world.pass(30);
    expect(world.linesOf(1)).toEqual([0]);
  });

  it('uses an earlier priority again when it is back', () => {
    const plans = [plan('first', { priority: 1 }), plan('second', { priority: 2 })];
    const world = new World(plans)
      .up(0, 1)
      .want(...range(20))
      .down(0);
    expect(world.loads).toEqual([0, 20]);
    world.up(0).pass(40, () => world.tick(range(20)));
    expect(world.loads).toEqual([20, 0]);
  });

  it('moves away from a connection whose quality is poor', () => {
    const world = new World([plan('a'), plan('b')], { strategy: 'connection_quality' }).up(0, 1);
    world.want(...range(600)).pass(15, () => world.tick(range(600)));
    const before = world.loads[0]!;
    for (let i = 0; i < 5; i++) world.down(0).up(0);
    world.pass(60, () => world.tick(range(600)));
    expect(world.loads[0]).toBeLessThan(before - 50);
  });
});

describe('Coordinator: redundancy', () => {
  it('gives an instrument that has lost its second line to one without any another line, where there is room', () => {
    const plans = [
      plan('a', { brokerId: 'x', maxSubscriptions: 6 }),
      plan('b', { brokerId: 'x', maxSubscriptions: 7 }),
      plan('c', { brokerId: 'y', maxSubscriptions: 8 }),
    ];
    const world = new World(plans, { strategy: 'round_robin', redundancy: () => 2 });
    world.want(4).up(1).up(0).want(5, 6, 8);
    world.coordinator.changeConnection(0, { ...plans[0]!, maxSubscriptions: 1 });
    world.up(2);
    for (const slot of [7, 2, 3, 0, 1]) world.want(slot);
    expect(world.linesOf(8)).toEqual([0, 1]);
    expect(world.linesOf(0)).toEqual([2]);
    world.refuse(2, 0, 3);
    expect(world.linesOf(0), 'it has got the place of a second line').toEqual([0]);
    expect(world.linesOf(8), 'which has gone to where there is room').toEqual([1, 2]);
  });

  const two = { redundancy: () => 2 };

  it('gives each instrument lines of different brokers', () => {
    const plans = range(4).map((i) => plan(`c${i}`, { brokerId: i < 2 ? 'x' : 'y' }));
    const world = new World(plans, two).up(0, 1, 2, 3).want(...range(100));
    for (const slot of range(100)) {
      const [first, second] = world.linesOf(slot);
      expect(first! < 2 !== second! < 2, `slot ${slot}: ${first} and ${second}`).toBe(true);
      expect(world.carried.get(slot)).toBe(2);
    }
  });

  it('keeps both lines of an instrument when a third connection takes its share', () => {
    const world = new World([plan('a'), plan('b'), plan('c')], two)
      .up(0, 1)
      .want(...range(60))
      .up(2);
    world.pass(60, () => world.tick(range(60)));
    for (const slot of range(60)) expect(world.linesOf(slot)).toHaveLength(2);
  });

  it('takes two connections of one broker where there is no other, and moves when there is', () => {
    const plans = [plan('a', { brokerId: 'x' }), plan('b', { brokerId: 'x' }), plan('c', { brokerId: 'y' })];
    const world = new World(plans, two).up(0, 1).want(1);
    expect(world.linesOf(1)).toEqual([0, 1]);
    world.up(2).pass(30, () => world.tick([1]));
    expect(world.linesOf(1)).toContain(2);
    expect(world.linesOf(1)).toHaveLength(2);
  });

  it('continues with one line when the other dies, and finds a second one at once', () => {
    const world = new World([plan('a'), plan('b'), plan('c')], two).up(0, 1).want(1).up(2).down(0);
    expect(world.linesOf(1)).toEqual([1, 2]);
    expect(world.coordinator.demand()).toMatchObject({ waiting: 0, short: 0 });
    world.down(2);
    expect(world.carried.get(1)).toBe(1);
    expect(world.coordinator.demand()).toMatchObject({ waiting: 0, short: 1 });
  });

  it('gives the room of second lines to instruments without any', () => {
    const plans = [plan('a', { maxSubscriptions: 3 }), plan('b', { maxSubscriptions: 3 })];
    const world = new World(plans, two).up(0, 1).want(1, 2, 3);
    expect(world.loads).toEqual([3, 3]);
    world.want(4, 5);
    for (const slot of range(5, 1)) expect(world.linesOf(slot).length).toBeGreaterThanOrEqual(1);
    expect(world.coordinator.demand()).toMatchObject({ waiting: 0, short: 4 });
    world.drop(4, 5);
    expect(world.loads).toEqual([3, 3]);
    expect(world.coordinator.demand()).toMatchObject({ waiting: 0, short: 0 });
  });

  it('applies to the instruments that are meant, and changes at run time', () => {
    const world = new World([plan('a'), plan('b')], { redundancy: (slot) => (slot === 1 ? 2 : 1) });
    world.up(0, 1).want(1, 2);
    expect([1, 2].map((slot) => world.linesOf(slot).length)).toEqual([2, 1]);
    world.configure({ redundancy: (slot) => (slot === 2 ? 2 : 1) });
    expect([1, 2].map((slot) => world.linesOf(slot).length)).toEqual([1, 2]);
  });
});

describe('Coordinator: a line that joins others', () => {
  const joining = (): World =>
    new World([plan('a'), plan('b')], { redundancy: () => 2 }).up(0).want(1).tick([1]).up(1);

  it('is held back until they have brought what it brought, so that nothing under way is passed over', () => {
    const world = joining();
    expect(world.deliver(1, 1, 12)).toBe(false);
    expect(world.deliver(0, 1, 11)).toBe(true);
    expect(world.deliver(1, 1, 13)).toBe(false);
    expect(world.deliver(0, 1, 12)).toBe(true);
    expect(world.coordinator.awaits(1)).toBe(true);
    expect(world.joined).toEqual([]);
    expect(world.deliver(0, 1, 13)).toBe(true);
    expect(world.joined).toEqual([[1, 1]]);
    expect(world.coordinator.awaits(1)).toBe(false);
    expect(world.deliver(1, 1, 14)).toBe(true);
  });

  it('counts at once when it is behind', () => {
    const world = joining();
    expect(world.deliver(0, 1, 12)).toBe(true);
    expect(world.deliver(1, 1, 11)).toBe(true);
    expect(world.coordinator.awaits(1)).toBe(false);
    expect(world.joined).toEqual([]);
  });

  it('counts as soon as the others are down, and what was held back with it', () => {
    const world = joining();
    expect(world.deliver(1, 1, 12)).toBe(false);
    world.down(0);
    expect(world.joined).toEqual([[1, 1]]);
    expect(world.deliver(1, 1, 13)).toBe(true);
  });

  it('counts after half a second when the others stay behind, for they may have stopped', () => {
    const world = joining();
    expect(world.deliver(1, 1, 12)).toBe(false);
    world.now += 400;
    expect(world.deliver(1, 1, 13)).toBe(false);
    world.now += 100;
    expect(world.deliver(1, 1, 14)).toBe(true);
    expect(world.joined).toEqual([[1, 1]]);
    const quiet = joining();
    expect(quiet.deliver(1, 1, 12)).toBe(false);
    quiet.pass(1);
    expect(quiet.joined).toEqual([[1, 1]]);
  });

  it('takes over from the old line without a gap', () => {
    const world = new World([plan('a', { priority: 2 }), plan('b', { priority: 1 })]).up(0).want(1).tick([1]);
    world.up(1).pass(11);
    expect(world.deliver(1, 1, 20)).toBe(false);
    expect(world.deliver(0, 1, 19)).toBe(true);
    expect(world.linesOf(1)).toEqual([0, 1]);
    expect(world.deliver(0, 1, 20)).toBe(true);
    expect(world.linesOf(1)).toEqual([1]);
    expect(world.deliver(1, 1, 21)).toBe(true);
  });
});

describe('Coordinator: connections that come and go', () => {
  it('empties a retiring connection only after the others have taken over', () => {
    const world = new World([plan('a')])
      .up(0)
      .want(...range(10))
      .tick(range(10));
    const added = world.add(plan('b'));
    world.up(added);
    world.coordinator.retireConnection(0);
    expect(world.loads).toEqual([10, 10]);
    expect(world.vacated).toEqual([]);
    world.tick(range(10));
    expect(world.loads).toEqual([0, 10]);
    expect(world.vacated).toEqual([0]);
    world.coordinator.removeConnection(0);
    expect(world.coordinator.status().map(({ id }) => id)).toEqual(['b']);
  });

  it('tells at once of a retiring connection that carries nothing', () => {
    const world = new World([plan('a'), plan('b')]).up(1);
    world.coordinator.retireConnection(0);
    expect(world.vacated).toEqual([0]);
  });

  it('does without what a removed connection carried when no other has room, visibly', () => {
    const world = new World([plan('a'), plan('b', { maxSubscriptions: 1 })]).up(0, 1).want(1, 2, 3);
    world.coordinator.retireConnection(0);
    world.pass(10);
    world.coordinator.removeConnection(0);
    expect(world.loads[1]).toBe(1);
    expect(world.coordinator.demand().waiting).toBe(2);
  });

  it('gives second lines up first when a limit falls', () => {
    const world = new World([plan('a', { priority: 1 }), plan('b', { priority: 2, maxSubscriptions: 5 })], {
      redundancy: (slot) => (slot < 5 ? 2 : 1),
    });
    world
      .up(0, 1)
      .want(...range(10))
      .tick(range(10));
    expect(world.loads).toEqual([10, 5]);
    world.coordinator.changeConnection(0, plan('a', { priority: 1, maxSubscriptions: 5 }));
    expect([...world.held[0]!].sort()).toEqual([5, 6, 7, 8, 9]);
    expect(world.coordinator.demand().waiting).toBe(0);
  });

  it('keeps to a new limit at once', () => {
    const world = new World([plan('a'), plan('b')]).up(0, 1).want(...range(20));
    world.coordinator.changeConnection(0, plan('a', { maxSubscriptions: 4 }));
    expect(world.loads).toEqual([4, 16]);
    world.coordinator.changeConnection(1, plan('b', { maxSubscriptions: 4 }));
    expect(world.loads).toEqual([4, 4]);
    expect(world.coordinator.demand().waiting).toBe(12);
    world.coordinator.changeConnection(1, plan('b', { maxSubscriptions: 40 }));
    expect(world.coordinator.demand().waiting).toBe(0);
  });
});
