import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConnectionPlan } from '../../src/coordinator/assignment/connectionRecord.js';
import { Standing } from '../../src/coordinator/assignment/standing.js';
import { type Strategy } from '../../src/config/gatewayConfig.js';
import { strategies } from '../../src/config/options.js';
import { keyOf, plan, range, World } from './world.js';

const slots = 24;
/** Slots from here on are unproven until they tick. */
const firstUnproven = 14;
const unprovenLimits = { perClient: 3, perAddress: 4, total: 6 };
const askers = [{ address: 'x' }, { address: 'x' }, { address: 'x' }, { address: 'y' }];
const plans: ConnectionPlan[] = [
  plan('a', { brokerId: 'x', maxSubscriptions: 6, priority: 1 }),
  plan('b', { brokerId: 'x', maxSubscriptions: 7, priority: 1 }),
  plan('c', { brokerId: 'y', maxSubscriptions: 8, priority: 1 }),
  plan('d', { brokerId: 'z', maxSubscriptions: 5, priority: 2 }),
];

type Step =
  | { readonly do: 'want' | 'drop'; readonly slot: number; readonly client: number }
  | { readonly do: 'tick' | 'try' | 'endTrial'; readonly slot: number }
  | { readonly do: 'up' | 'down' | 'crash'; readonly line: number }
  | { readonly do: 'refuse'; readonly line: number; readonly slot: number; readonly code: number }
  | { readonly do: 'resize'; readonly line: number; readonly most: number }
  | { readonly do: 'pass'; readonly seconds: number };

const slot = fc.nat(slots - 1);
const client = fc.nat(askers.length - 1);
const line = fc.nat(plans.length - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 9, arbitrary: fc.record({ do: fc.constantFrom('want', 'want', 'drop'), slot, client }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('tick'), slot }) },
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
  /** By slot: the clients that want it. */
  readonly wanted = new Map<number, Set<number>>();
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
      case 'want': {
        const clients = this.wanted.get(each.slot) ?? new Set();
        this.wanted.set(each.slot, clients);
        // A session counts once, in however many ways it wants an instrument.
        if (clients.has(each.client)) break;
        clients.add(each.client);
        world.ask(askers[each.client]!, each.slot);
        break;
      }
      case 'drop':
        if (this.wanted.get(each.slot)?.delete(each.client) === true)
          world.leave(askers[each.client]!, each.slot);
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
    return [...this.wanted].filter(([, clients]) => clients.size > 0).map(([each]) => each);
  }

  hasRoom(index: number): boolean {
    return (
      this.up.has(index) && !this.capped.has(index) && this.world.held[index]!.size < this.limits[index]!
    );
  }

  upLines(each: number): number[] {
    return this.world.linesOf(each).filter((index) => this.up.has(index));
  }

  isProven(each: number): boolean {
    return this.world.standings.get(each) !== Standing.conceivable;
  }

  hasTicked(each: number): boolean {
    return this.world.standings.get(each) === Standing.ticked;
  }

  /** Lines that have ticked and that nothing but others' wishes could end, and who has ticked of each connection's. */
  ticking(): Map<number, number[]> {
    const ticking = new Map<number, number[]>();
    for (const each of this.wantedNow)
      if (this.hasTicked(each) && !this.tainted.has(each)) ticking.set(each, this.upLines(each));
    return ticking;
  }

  /** After a step in which no connection changed: whoever lost the only line lost it to one that has ticked too. */
  checkNoneLostToUnticked(before: Map<number, number[]>, held: readonly ReadonlySet<number>[]): void {
    const losers = [...before].filter(
      ([each, lines]) =>
        lines.length > 0 && this.wanted.get(each)!.size > 0 && this.world.linesOf(each).length === 0,
    );
    const gainers = new Set<number>();
    for (const [, lines] of losers)
      for (const index of lines)
        for (const each of this.world.held[index]!)
          if (!held[index]!.has(each) && this.hasTicked(each)) gainers.add(each);
    expect(gainers.size, 'a line that ticks goes to what has ticked').toBeGreaterThanOrEqual(losers.length);
  }

  /** Unproven instruments have no more places than they may, and as many as they may while there is room. */
  checkShares(): void {
    const unproven = this.wantedNow.filter((each) => !this.isProven(each) && !this.tainted.has(each));
    const carried = unproven.filter(
      (each) => this.world.linesOf(each).length > 0 && !this.world.coordinator.isTrial(each),
    );
    const ofClient = (one: number, all: number[]): number[] =>
      all.filter((each) => this.wanted.get(each)!.has(one));
    const ofAddress = (address: string, all: number[]): number[] =>
      all.filter((each) => [...this.wanted.get(each)!].some((one) => askers[one]!.address === address));
    const onlyOf = (each: number, isTheirs: (one: number) => boolean): boolean =>
      [...this.wanted.get(each)!].every(isTheirs);
    expect(carried.length).toBeLessThanOrEqual(unprovenLimits.total);
    askers.forEach((asker, one) => {
      const own = carried.filter((each) => onlyOf(each, (other) => other === one));
      expect(own.length, 'of a client').toBeLessThanOrEqual(unprovenLimits.perClient);
      const near = carried.filter((each) =>
        onlyOf(each, (other) => askers[other]!.address === asker.address),
      );
      expect(near.length, 'of an address').toBeLessThanOrEqual(unprovenLimits.perAddress);
    });
    if (!range(plans.length).some((index) => this.hasRoom(index)) || this.tainted.size > 0) return;
    for (const each of unproven) {
      if (this.world.linesOf(each).length > 0 || carried.length >= unprovenLimits.total) continue;
      for (const one of this.wanted.get(each)!) {
        const isFull =
          ofClient(one, carried).length >= unprovenLimits.perClient ||
          ofAddress(askers[one]!.address, carried).length >= unprovenLimits.perAddress;
        expect(isFull, `client ${one} has a share left for ${each}, and there is room`).toBe(true);
      }
    }
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
        expect(this.isProven(each) ? (this.wanted.get(each)?.size ?? 0) : 0, 'nobody wants it').toBe(0);
    });
    const open = this.wantedNow.filter((each) => !this.tainted.has(each) && this.isProven(each));
    const hasUnproven = range(plans.length).some(
      (index) => this.up.has(index) && [...world.held[index]!].some((each) => !this.isProven(each)),
    );
    for (const each of open) {
      const lines = this.upLines(each);
      const couldTake = range(plans.length).filter((index) => this.hasRoom(index) && !lines.includes(index));
      if (lines.length === 0) expect(couldTake, `nobody carries ${each}, and there is room`).toEqual([]);
      if (lines.length === 0 && this.hasTicked(each) && this.capped.size === 0)
        expect(hasUnproven, `${each} has no line, and what is unproven has one`).toBe(false);
      if (lines.length < this.redundancy) expect(couldTake, `${each} could have one more line`).toEqual([]);
    }
    // Exactly as many have a line as the connections that are up can carry, but for what unproven ones have.
    const room = range(plans.length).reduce(
      (sum, index) => sum + (this.up.has(index) ? this.limits[index]! : 0),
      0,
    );
    const carried = open.filter((each) => this.upLines(each).length > 0).length;
    if (this.tainted.size === 0 && this.capped.size === 0 && !hasUnproven) {
      // What never ticked in a minute displaces nobody.
      const inVain = open.filter(
        (each) => this.upLines(each).length === 0 && !this.hasTicked(each) && world.now >= 60_000,
      );
      expect(carried).toBeLessThanOrEqual(Math.min(open.length, room));
      expect(carried).toBeGreaterThanOrEqual(Math.min(open.length - inVain.length, room));
    }
    this.checkShares();
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
  const world = new World(plans, {
    strategy,
    redundancy: () => redundancy,
    graceMs,
    probeShare: 0.4,
    unproven: unprovenLimits,
  });
  world.unproven(...range(slots - firstUnproven, firstUnproven));
  const reference = new Reference(world, redundancy);
  for (const each of history) {
    const ticking = reference.ticking();
    const held = world.held.map((set) => new Set(set));
    reference.apply(each);
    reference.check();
    if (!('line' in each)) reference.checkNoneLostToUnticked(ticking, held);
  }
  return reference;
}

const cases = strategies.flatMap((strategy) => [1, 2, 3].map((redundancy) => ({ strategy, redundancy })));

describe.each(cases)(
  'Coordinator under any history ($strategy, redundancy $redundancy)',
  ({ strategy, redundancy }) => {
    it('keeps limits and leaves nothing without a line that a connection could carry', () => {
      fc.assert(
        fc.property(
          fc.array(step, { maxLength: 60, size: 'max' }),
          fc.constantFrom(0, 5_000),
          (history, graceMs) => {
            follow(strategy, redundancy, history, graceMs);
          },
        ),
        { numRuns: 60 },
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
