import { beforeEach, describe, expect, it } from 'vitest';
import { Discovery } from '../../src/coordinator/discovery.js';
import type { Contract } from '../../src/market/instruments/contracts.js';
import { plan, range, World } from './world.js';

const contract = (slot: number): Contract => ({
  id: `i${slot}`,
  product: 'i',
  exchange: 'DCE',
  deliveryYear: 2027,
  deliveryMonth: 1,
  expireDate: 20270115,
});

let day = 20261123;
let room = Infinity;
let now = 0;
let candidates: Contract[] = [];
let tried: number[] = [];
const trials = new Set<number>();
let found: number[] = [];
let swept: number[] = [];

function discovery(sweptBy?: number): Discovery {
  return new Discovery(
    {
      tradingDay: () => day,
      candidates: () => candidates,
      tryOut: ({ id }) => {
        if (trials.size >= room) return undefined;
        const slot = Number(id.slice(1));
        tried.push(slot);
        trials.add(slot);
        return slot;
      },
      endTrial: (slot) => trials.delete(slot),
      found: (slot) => found.push(slot),
      swept: (by) => swept.push(by),
    },
    sweptBy,
  );
}

function pass(of: Discovery, seconds: number): void {
  for (let i = 0; i < seconds; i++) of.pass((now += 1000));
}

beforeEach(() => {
  [day, room, now, candidates, tried, found, swept] = [
    20261123,
    Infinity,
    0,
    range(300).map(contract),
    [],
    [],
    [],
  ];
  trials.clear();
});

describe('Discovery', () => {
  it('tries the likeliest first, a few at a time, and each for some seconds', () => {
    const all = discovery();
    pass(all, 1);
    expect(tried).toEqual(range(25));
    pass(all, 4);
    expect(trials.size).toBe(100);
    expect(trials.has(0)).toBe(true);
    pass(all, 1);
    expect(trials.has(0)).toBe(false);
    pass(all, 60);
    expect(tried).toEqual(range(300));
    expect(trials.size).toBe(0);
    expect(swept).toEqual([20261123]);
    pass(all, 60);
    expect(tried).toHaveLength(300);
    expect(swept).toHaveLength(1);
  });

  it('finds what ticks, and ends its trial at once', () => {
    const all = discovery();
    pass(all, 1);
    expect(all.watches(7)).toBe(true);
    all.ticked(7);
    expect(found).toEqual([7]);
    expect(trials.has(7)).toBe(false);
    expect(all.watches(7)).toBe(false);
    expect(all.watches(299)).toBe(false);
  });

  it('finds what clients want and ticks', () => {
    const all = discovery(day);
    all.watch(5000);
    expect(all.watches(5000)).toBe(true);
    all.ticked(5000);
    expect(found).toEqual([5000]);
  });

  it('waits where there is no room, and continues when there is', () => {
    room = 0;
    const all = discovery();
    pass(all, 30);
    expect(tried).toEqual([]);
    room = 3;
    pass(all, 1);
    expect(tried).toEqual([0, 1, 2]);
    pass(all, 5);
    expect(tried).toEqual(range(6));
    expect(swept).toEqual([]);
  });

  it('tries everything once a trading day, and not again after a restart', () => {
    const again = discovery(day);
    pass(again, 20);
    expect(tried).toEqual([]);
    day = 20261124;
    candidates = [contract(3)];
    pass(again, 20);
    expect(tried).toEqual([3]);
    expect(swept).toEqual([20261124]);
  });

  it('starts again after it was stopped', () => {
    const all = discovery();
    pass(all, 2);
    all.stop();
    expect(trials.size).toBe(0);
    pass(all, 1);
    expect(tried.slice(50)).toEqual(range(25));
  });
});

describe('Coordinator.tryOut', () => {
  const world = (limits: number[]): World => {
    const all = new World(
      limits.map((maxSubscriptions, i) => plan(`c${i}`, { maxSubscriptions })),
      { probeShare: 0.1 },
    );
    return all.up(...range(limits.length)).pass(5);
  };

  it('subscribes on the emptiest connection what nobody wants, and counts it nowhere', () => {
    const all = world([20, 40]).want(...range(10));
    const before = all.coordinator.demand();
    expect(all.tryOut(100)).toBe(true);
    expect(all.linesOf(100)).toHaveLength(1);
    expect(all.coordinator.demand()).toEqual(before);
    expect(all.coordinator.status().map(({ subscriptions }) => subscriptions)).toEqual(
      range(2).map((index) => all.held[index]!.size - (all.held[index]!.has(100) ? 1 : 0)),
    );
    expect([...all.coordinator.slotsOf(0), ...all.coordinator.slotsOf(1)]).not.toContain(100);
    expect(all.tryOut(100)).toBe(false);
    expect(all.tryOut(0)).toBe(false);
    all.endTrial(100);
    expect(all.linesOf(100)).toEqual([]);
  });

  it('waits for a while after a login, keeps to its share, and leaves as much free', () => {
    const all = new World([plan('a', { maxSubscriptions: 20 })], { probeShare: 0.1 }).up(0);
    expect(all.tryOut(100)).toBe(false);
    all.pass(5);
    expect([all.tryOut(100), all.tryOut(101), all.tryOut(102)]).toEqual([true, true, false]);
    all.endTrial(100, 101).want(...range(19));
    expect(all.tryOut(100)).toBe(false);
  });

  it('gives its room to whatever clients want', () => {
    const all = world([20]).want(...range(17));
    expect([all.tryOut(100), all.want(17).tryOut(101)]).toEqual([true, false]);
    all.want(18, 19);
    expect(all.linesOf(100)).toEqual([]);
    for (const slot of range(20)) expect(all.linesOf(slot)).toEqual([0]);
    expect(all.coordinator.isTrial(100)).toBe(false);
  });

  it('keeps the line of what somebody comes to want, and drops it as any other', () => {
    const all = world([20]);
    all.tryOut(100);
    const sent = all.commands.length;
    all.want(100).endTrial(100);
    expect(all.commands).toHaveLength(sent);
    expect(all.linesOf(100)).toEqual([0]);
    expect(all.coordinator.status()[0]!.subscriptions).toBe(1);
    all.drop(100);
    expect(all.linesOf(100)).toEqual([]);
    expect(all.coordinator.status()[0]!.subscriptions).toBe(0);
  });

  it('ends with its connection, and moves nowhere', () => {
    const all = world([20, 20]);
    all.tryOut(100);
    const [line] = all.linesOf(100);
    all.down(line!);
    all.pass(2).up(line!).pass(5);
    expect(all.linesOf(100).filter((each) => each !== line)).toEqual([]);
    all.endTrial(100);
    expect(all.coordinator.demand().wanted).toBe(0);
  });

  it('tells nobody of a refusal, and holds it against no connection', () => {
    const all = world([20]);
    all.tryOut(100);
    all.refuse(0, 100, 7);
    expect(all.refused).toEqual([]);
    expect(all.coordinator.status()[0]!.quality).toBe(100);
    all.endTrial(100);
    expect(all.coordinator.demand()).toMatchObject({ wanted: 0, refused: 0 });
  });

  it('proves nothing on fronts that make ticks of everything', () => {
    const all = new World([plan('a', { fronts: ['sim://?rate=2'] })]).up(0).pass(5);
    expect(all.tryOut(100)).toBe(false);
  });
});
