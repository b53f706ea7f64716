import { describe, expect, it } from 'vitest';
import { Standing } from '../../src/coordinator/assignment/standing.js';
import type { UnprovenClient } from '../../src/coordinator/assignment/unprovenQueue.js';
import { plan, range, World } from './world.js';

const a: UnprovenClient = { address: '10.0.0.1' };
const b: UnprovenClient = { address: '10.0.0.2' };
const c: UnprovenClient = { address: '10.0.0.3' };
const few = { perClient: 2, perAddress: 3, total: 4 };

describe('Coordinator: instruments that nobody knows to exist', () => {
  it('give their places to what is listed, at once', () => {
    const world = new World([plan('a', { maxSubscriptions: 2 })], { roomSpacingMs: 200 }).unproven(1, 2);
    world.up(0).ask(a, 1, 2);
    expect(world.loads).toEqual([2]);
    expect(world.coordinator.waiting([1, 2])).toEqual([]);
    world.ask(b, 7);
    expect(world.linesOf(7)).toEqual([0]);
    expect(world.displaced).toHaveLength(1);
    expect(world.coordinator.waiting([1, 2, 7])).toEqual(world.displaced);
    expect(world.coordinator.demand()).toMatchObject({
      wanted: 3,
      waiting: 0,
      short: 0,
      unproven: 2,
      unprovenWaiting: 1,
    });
  });

  it('take no place from others, however many clients want them', () => {
    const junk = range(3_000, 1_000);
    const live = range(300);
    const plans = range(4).map((i) => plan(`c${i}`, { maxSubscriptions: 100 }));
    const world = new World(plans, { roomSpacingMs: 200 }).unproven(...junk);
    world
      .up(0, 1, 2, 3)
      .ask(c, ...live)
      .tick(live);
    world.ask(a, ...junk).ask(b, ...junk);
    const check = (): void => {
      for (const slot of live) expect(world.linesOf(slot)).toHaveLength(1);
      world.tick(live);
    };
    world.pass(150, check);
    expect(world.displaced.filter((slot) => slot < 1_000)).toEqual([]);
    expect(world.coordinator.demand()).toMatchObject({ waiting: 0, short: 0, unproven: 3_000 });
    expect(world.coordinator.troubles(5).waiting).toHaveLength(5);
  });

  it('let a client have its share beside one that asked for thousands before', () => {
    const world = new World([plan('a')], { unproven: few }).unproven(...range(1_000));
    world
      .up(0)
      .ask(a, ...range(500))
      .ask(b, 700, 701, 702);
    expect(world.linesOf(700)).toEqual([0]);
    expect(world.linesOf(702), 'its share is used up').toEqual([]);
    expect(world.coordinator.waiting([700, 701, 702])).toEqual([702]);
    expect(world.loads).toEqual([4]);
  });

  it('take turns when they do not tick, and each has its turn', () => {
    const world = new World([plan('a')], { unproven: few }).unproven(...range(20));
    world
      .up(0)
      .ask(a, ...range(5))
      .ask(b, ...range(5, 10));
    const seen = new Set<number>();
    world.pass(60, () => {
      expect(world.loads[0]).toBeLessThanOrEqual(few.total);
      for (const slot of world.held[0]!) seen.add(slot);
    });
    expect([...seen].sort((x, y) => x - y)).toEqual([...range(5), ...range(5, 10)]);
  });

  it('keep their turns while nobody waits for them', () => {
    const world = new World([plan('a')], { unproven: few }).unproven(1, 2);
    world.up(0).ask(a, 1, 2).pass(300);
    expect(world.commands).toHaveLength(1);
  });

  it('count no more once they tick, and the next ones have their turn', () => {
    const world = new World([plan('a')], { unproven: few, redundancy: () => 1 }).unproven(...range(6));
    world.up(0).ask(a, ...range(6));
    expect([...world.held[0]!]).toEqual([0, 1]);
    world.tick([0]);
    expect([...world.held[0]!]).toEqual([0, 1, 2]);
    expect(world.coordinator.demand()).toMatchObject({ unproven: 5, wanted: 6 });
    world.leave(a, 0).pass(1);
    expect(world.coordinator.demand()).toMatchObject({ unproven: 5, wanted: 5 });
  });

  it('have a second line as soon as they tick, and not before', () => {
    const world = new World([plan('a'), plan('b')], { redundancy: () => 2 }).unproven(1);
    world.up(0, 1).ask(a, 1);
    expect(world.linesOf(1)).toHaveLength(1);
    world.tick([1]);
    expect(world.linesOf(1)).toHaveLength(2);
  });

  it('are like others once they are listed', () => {
    const world = new World([plan('a')], { unproven: few }).unproven(...range(6));
    world.up(0).ask(a, ...range(6));
    for (const slot of [4, 5]) world.standings.set(slot, Standing.listed);
    world.coordinator.review();
    world.coordinator.flush();
    expect([...world.held[0]!]).toEqual([0, 1, 4, 5]);
    expect(world.coordinator.waiting(range(6))).toEqual([2, 3]);
    world.leave(a, ...range(6)).pass(1);
    expect(world.loads).toEqual([0]);
    expect(range(6).filter((slot) => world.coordinator.knows(slot))).toEqual([]);
  });

  it('need no turn when a front has refused them, and are tried again after the next login', () => {
    const world = new World([plan('a')], { unproven: few }).unproven(1, 2, 3);
    world.up(0).ask(a, 1, 2, 3).refuse(0, 1, 16);
    expect([...world.held[0]!].sort()).toEqual([2, 3]);
    expect(world.refused).toEqual([{ slot: 1, code: 16 }]);
    expect(world.coordinator.demand()).toMatchObject({ refused: 1, unproven: 3, unprovenWaiting: 0 });
    world.down(0).up(0).leave(a, 2);
    expect([...world.held[0]!].sort()).toEqual([1, 3]);
  });

  it('have no grace after the last client, and leave nothing behind', () => {
    const world = new World([plan('a')], { graceMs: 60_000 }).unproven(1, 2);
    world.up(0).ask(a, 1, 2).ask(b, 2).leave(a, 1, 2);
    expect([...world.held[0]!]).toEqual([2]);
    expect(world.coordinator.unprovenOf(a)).toBe(0);
    world.leave(b, 2);
    expect(world.loads).toEqual([0]);
    expect(world.coordinator.knows(2)).toBe(false);
  });

  it('are proven by the word of the configuration', () => {
    const world = new World([plan('a')], { unproven: few }).unproven(...range(6));
    world
      .up(0)
      .ask(a, ...range(6))
      .want(5);
    expect([...world.held[0]!]).toEqual([0, 1, 5]);
    world.drop(5).leave(a, 5);
    expect(world.coordinator.demand()).toMatchObject({ wanted: 5, unproven: 5 });
  });

  it('do not end what is tried out', () => {
    const world = new World([plan('a', { maxSubscriptions: 100 })], { unproven: few }).unproven(...range(6));
    world.up(0).pass(6);
    expect(world.tryOut(50)).toBe(true);
    world.ask(a, ...range(6));
    expect(world.coordinator.isTrial(50)).toBe(true);
  });
});

describe('Coordinator: a line that ticks', () => {
  it('is not given up for an instrument that has never ticked, however many want it', () => {
    const world = new World([plan('a', { maxSubscriptions: 1 })]).up(0).want(1).tick([1]);
    world.want(2, 2, 2, 2).pass(120, () => world.tick([1]));
    expect([...world.held[0]!]).toEqual([1]);
    expect(world.coordinator.waiting([1, 2])).toEqual([2]);
    world.standings.set(3, Standing.ticked);
    world.want(3, 3);
    expect([...world.held[0]!]).toEqual([3]);
    expect(world.displaced).toEqual([1]);
  });
});

describe('Coordinator: who has to wait', () => {
  it('is known before the flush', () => {
    const world = new World([plan('a', { maxSubscriptions: 3 })]).up(0);
    for (const slot of [1, 2, 3]) world.coordinator.want(slot, `SHFE.i${slot}`, a);
    expect(world.coordinator.waiting([1, 2, 3])).toEqual([]);
    for (const slot of [4, 5]) world.coordinator.want(slot, `SHFE.i${slot}`, a);
    expect(world.coordinator.waiting([4, 5])).toEqual([4, 5]);
    world.coordinator.flush();
    expect(world.coordinator.waiting([1, 2, 3])).toEqual([]);
    expect(world.coordinator.waiting([4, 5])).toEqual([4, 5]);
  });

  it('is everybody while no connection is logged in', () => {
    const world = new World([plan('a')]).ask(a, 1);
    expect(world.coordinator.waiting([1])).toEqual([1]);
    world.up(0);
    expect(world.coordinator.waiting([1])).toEqual([]);
    expect(world.carried.get(1)).toBe(1);
  });
});
