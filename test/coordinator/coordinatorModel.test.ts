import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConnectionPlan } from '../../src/coordinator/connectionRecord.js';
import { strategies, type Strategy } from '../../src/coordinator/strategies.js';
import { keyOf, plan, range, World } from './world.js';

const slots = 24;
const plans: ConnectionPlan[] = [
  plan('a', { brokerId: 'x', maxSubscriptions: 6, priority: 1 }),
  plan('b', { brokerId: 'x', maxSubscriptions: 7, priority: 1 }),
  plan('c', { brokerId: 'y', maxSubscriptions: 8, priority: 1 }),
  plan('d', { brokerId: 'z', maxSubscriptions: 5, priority: 2 }),
];

type Step =
  | { readonly do: 'want' | 'drop' | 'tick' | 'try' | 'endTrial'; readonly slot: number }
  | { readonly do: 'up' | 'down' | 'crash'; readonly line: number }
  | { readonly do: 'refuse'; readonly line: number; readonly slot: number; readonly code: number }
  | { readonly do: 'resize'; readonly line: number; readonly most: number }
  | { readonly do: 'pass'; readonly seconds: number };

const slot = fc.nat(slots - 1);
const line = fc.nat(plans.length - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('want', 'want', 'drop', 'tick'), slot }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('try', 'try', 'endTrial'), slot }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('up', 'up', 'down', 'crash'), line }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('refuse'), line, slot, code: fc.constantFrom(3, 16, 6000) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('resize'), line, most: fc.integer({ min: 1, max: 9 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass'), seconds: fc.integer({ min: 1, max: 70 }) }) },
);

/** What the coordinator is told, kept in the simplest way: it says what may and must be the case. */
class Reference {
  readonly wanted = new Map<number, number>();
  readonly up = new Set<number>();
  readonly limits = plans.map((each) => each.maxSubscriptions);
  /** Slots that were ever refused, whose lines follow further rules. */
  readonly tainted = new Set<number>();
  /** Fronts that said they are full. */
  readonly capped = new Set<number>();

  constructor(
    readonly world: World,
    readonly redundancy: number,
  ) {}

  apply(each: Step): void {
    const { world } = this;
    switch (each.do) {
      case 'want':
        this.wanted.set(each.slot, (this.wanted.get(each.slot) ?? 0) + 1);
        world.want(each.slot);
        break;
      case 'drop':
        if ((this.wanted.get(each.slot) ?? 0) === 0) break;
        this.wanted.set(each.slot, this.wanted.get(each.slot)! - 1);
        world.drop(each.slot);
        break;
      case 'tick':
        world.tick([each.slot]);
        break;
      case 'try':
        world.tryOut(each.slot);
        break;
      case 'endTrial':
        world.endTrial(each.slot);
        break;
      case 'up':
        if (!this.up.has(each.line)) this.capped.delete(each.line);
        this.up.add(each.line);
        world.up(each.line);
        break;
      case 'down':
        this.up.delete(each.line);
        world.down(each.line);
        break;
      case 'crash':
        this.up.delete(each.line);
        world.held[each.line]!.clear();
        world.coordinator.workerLost(each.line, 'crashed');
        break;
      case 'refuse':
        if (!this.up.has(each.line) || !world.held[each.line]!.has(each.slot)) break;
        this.tainted.add(each.slot);
        if (each.code === 6000) this.capped.add(each.line);
        world.refuse(each.line, each.slot, each.code);
        break;
      case 'resize':
        this.limits[each.line] = each.most;
        world.coordinator.changeConnection(each.line, { ...plans[each.line]!, maxSubscriptions: each.most });
        break;
      case 'pass':
        world.pass(each.seconds);
        break;
    }
  }

  get wantedNow(): number[] {
    return [...this.wanted].filter(([, count]) => count > 0).map(([each]) => each);
  }

  hasRoom(index: number): boolean {
    return (
      this.up.has(index) && !this.capped.has(index) && this.world.held[index]!.size < this.limits[index]!
    );
  }

  upLines(each: number): number[] {
    return this.world.linesOf(each).filter((index) => this.up.has(index));
  }

  check(): void {
    const { world } = this;
    const status = world.coordinator.status();
    world.held.forEach((held, index) => {
      expect(held.size, 'never above a limit').toBeLessThanOrEqual(this.limits[index]!);
      const trials = [...held].filter((each) => world.coordinator.isTrial(each));
      if (this.up.has(index))
        expect(held.size - trials.length, 'the worker holds what it should').toBe(
          status[index]!.subscriptions,
        );
      for (const each of trials)
        expect(this.wanted.get(each) ?? 0, 'a trial is of what nobody wants').toBe(0);
    });
    const open = this.wantedNow.filter((each) => !this.tainted.has(each));
    for (const each of open) {
      const lines = this.upLines(each);
      const couldTake = range(plans.length).filter((index) => this.hasRoom(index) && !lines.includes(index));
      if (lines.length === 0) expect(couldTake, `nobody carries ${each}, and there is room`).toEqual([]);
      if (lines.length < this.redundancy) expect(couldTake, `${each} could have one more line`).toEqual([]);
    }
    // Exactly as many have a line as the connections that are up can carry.
    const room = range(plans.length).reduce(
      (sum, index) => sum + (this.up.has(index) ? this.limits[index]! : 0),
      0,
    );
    const carried = open.filter((each) => this.upLines(each).length > 0).length;
    if (this.tainted.size === 0 && this.capped.size === 0) expect(carried).toBe(Math.min(open.length, room));
    const demand = world.coordinator.demand();
    expect(demand.wanted).toBe(this.wantedNow.length);
    if (demand.short > 0)
      for (const each of range(slots))
        expect(world.coordinator.isTrial(each), 'room goes to clients').toBe(false);
  }
}

function follow(
  strategy: Strategy,
  redundancy: number,
  history: readonly Step[],
  graceMs: number,
): Reference {
  const world = new World(plans, { strategy, redundancy: () => redundancy, graceMs, trialShare: 0.4 });
  const reference = new Reference(world, redundancy);
  for (const each of history) {
    reference.apply(each);
    reference.check();
  }
  return reference;
}

const cases = strategies.flatMap((strategy) => [1, 2, 3].map((redundancy) => ({ strategy, redundancy })));

describe.each(cases)(
  'Coordinator under any history ($strategy, redundancy $redundancy)',
  ({ strategy, redundancy }) => {
    it('keeps limits and leaves nothing without a line that a connection could carry', () => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(0, 5_000), (history, graceMs) => {
          follow(strategy, redundancy, history, graceMs);
        }),
        { numRuns: 120 },
      );
    });

    it('comes to rest, with lines of different brokers where they have room', () => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 40 }), (history) => {
          const reference = follow(strategy, redundancy, history, 0);
          const { world } = reference;
          const tickAll = (): void => void world.tick(range(slots));
          world.pass(120, tickAll);
          reference.check();
          const sent = world.commands.length;
          world.pass(60, tickAll);
          expect(world.commands.length, 'nothing moves to and fro').toBe(sent);
          for (const each of reference.wantedNow.filter((slot) => !reference.tainted.has(slot))) {
            const brokers = reference.upLines(each).map((index) => plans[index]!.brokerId);
            expect(brokers.length).toBeLessThanOrEqual(redundancy);
            if (new Set(brokers).size === brokers.length) continue;
            const others = range(plans.length).filter((index) => !brokers.includes(plans[index]!.brokerId));
            expect(
              others.filter((index) => reference.hasRoom(index)),
              `${keyOf(each)} has ${brokers.join()}`,
            ).toEqual([]);
          }
        }),
        { numRuns: 60 },
      );
    });

    it('never takes the last line away in moving', () => {
      fc.assert(
        fc.property(fc.uniqueArray(slot, { minLength: 1, maxLength: 5 }), line, (wanted, late) => {
          const world = new World(plans, { strategy, redundancy: () => redundancy });
          const early = range(plans.length).filter((index) => index !== late);
          world.up(...early).want(...wanted);
          const full = wanted.map((each) => world.linesOf(each).length);
          world.up(late).pass(60, () => {
            wanted.forEach((each, i) => expect(world.linesOf(each).length).toBeGreaterThanOrEqual(full[i]!));
            world.tick(wanted);
          });
        }),
        { numRuns: 30 },
      );
    });
  },
);
