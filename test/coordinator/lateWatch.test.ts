import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LateWatch } from '../../src/coordinator/measures/lateWatch.js';
import { alwaysOpen, ExchangeHours } from '../../src/market/hours/marketHours.js';
import { WeekdayCalendar } from '../../src/market/calendar/tradingCalendar.js';

const exchangeHours = new ExchangeHours(new WeekdayCalendar());

interface WorldLine {
  slots: number[];
  expecting: boolean;
  /** Its front stalls: none of its ticks come. */
  stalled: boolean;
  ticks: number;
  /** As of the last look, and when that had changed. */
  seen: number;
  movedAt: number;
}

/** Lines, instruments that tick at rates that the test sets, and a clock; 2026-11-23 is a Monday. */
class World {
  readonly watch: LateWatch;
  readonly lines: WorldLine[];
  /** Ticks per second of each slot; a fraction ticks every so many seconds. */
  readonly rates = new Map<number, number>();
  late: number[] = [];
  now = 5_000;
  readonly #offset: number;
  #seconds = 0;

  constructor(
    start: string,
    slots: readonly (readonly number[])[],
    hours = exchangeHours as typeof alwaysOpen,
  ) {
    this.watch = new LateWatch(hours);
    this.#offset = Date.parse(`${start}+08:00`) - this.now;
    this.lines = slots.map((each) => ({
      slots: [...each],
      expecting: true,
      stalled: false,
      ticks: 0,
      seen: 0,
      movedAt: 0,
    }));
  }

  rate(perSecond: number, ...slots: readonly number[]): this {
    for (const slot of slots) this.rates.set(slot, perSecond);
    return this;
  }

  run(seconds: number, each?: () => void): this {
    for (let i = 0; i < seconds; i++) {
      this.now += 1000;
      this.#seconds++;
      for (const line of this.lines) if (line.expecting && !line.stalled) this.#tick(line);
      this.look();
      each?.();
    }
    return this;
  }

  until(time: string, each?: () => void): this {
    return this.run((Date.parse(`${time}+08:00`) - this.#offset - this.now) / 1000, each);
  }

  /** Each of the line's instruments ticks once, as after a subscription. */
  snapshots(line: number): this {
    for (const slot of this.lines[line]!.slots) this.#deliver(this.lines[line]!, slot, 1);
    return this;
  }

  /** Logged out and in again, as after a disconnect. */
  relogin(line: number): this {
    this.lines[line]!.expecting = false;
    this.run(2);
    this.lines[line]!.expecting = true;
    return this.run(1).snapshots(line);
  }

  look(): void {
    for (const line of this.lines) {
      if (line.ticks !== line.seen) line.movedAt = this.now;
      line.seen = line.ticks;
    }
    const samples = this.lines.map(({ ticks, expecting, slots }, line) => ({
      line,
      ticks,
      expecting,
      slots: () => slots,
    }));
    this.late = this.watch.sample(samples, this.now, this.now + this.#offset);
  }

  #tick(line: WorldLine): void {
    for (const slot of line.slots) {
      const rate = this.rates.get(slot) ?? 0;
      if (rate >= 1) this.#deliver(line, slot, rate);
      else if (rate > 0 && (this.#seconds + slot) % Math.round(1 / rate) === 0) this.#deliver(line, slot, 1);
    }
  }

  #deliver(line: WorldLine, slot: number, count: number): void {
    line.ticks = (line.ticks + count) | 0;
    for (let i = 0; i < count; i++) this.watch.tick(slot);
  }
}

const slots = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);

describe('a line that falls silent', () => {
  it('is late by the age of its last tick, but for a few seconds, while the others are not', () => {
    const world = new World('2026-11-23T10:00:00', [slots(0, 50), slots(50, 50)]).rate(2, ...slots(0, 100));
    world.run(120);
    expect(world.late).toEqual([0, 0]);
    world.lines[1]!.stalled = true;
    world.run(3);
    expect(world.late).toEqual([0, 0]);
    world.run(57);
    expect(world.late).toEqual([0, 57_000]);
    world.lines[1]!.stalled = false;
    world.run(1);
    expect(world.late).toEqual([0, 0]);
  });

  it('is late beside a second line of the same instruments, whose ticks are not its own', () => {
    const world = new World('2026-11-23T10:00:00', [slots(0, 50), slots(0, 50)]).rate(2, ...slots(0, 50));
    world.run(120);
    world.lines[0]!.stalled = true;
    world.run(60);
    expect(world.late).toEqual([57_000, 0]);
  });

  it('is late the later, the less its instruments tick, and no sooner or later for a second line of them', () => {
    const lateAfterMs = (rate: number, lines = 1): number => {
      const spread = slots(0, 20).map((slot) => 3 * slot);
      const carried = Array.from({ length: lines }, () => spread);
      const world = new World('2026-11-23T13:35:00', carried).rate(rate, ...spread).run(900);
      for (const line of world.lines) line.stalled = true;
      const stalledAt = world.now;
      while (world.late[0] === 0 && world.now < stalledAt + 600_000) world.run(1);
      return world.now - stalledAt;
    };
    expect(lateAfterMs(1)).toBeLessThan(6_000);
    expect(lateAfterMs(1 / 60)).toBeGreaterThan(45_000);
    expect(lateAfterMs(1 / 60)).toBeLessThan(90_000);
    expect(lateAfterMs(1 / 60, 2)).toBe(lateAfterMs(1 / 60));
  });

  it('is late beside one of the same instruments that comes and goes', () => {
    const world = new World('2026-11-23T10:00:00', [slots(0, 50), slots(0, 50)]).rate(2, ...slots(0, 50));
    for (let login = 0; login < 12; login++) world.relogin(0).run(10);
    expect(world.late).toEqual([NaN, 0]);
    world.lines[1]!.stalled = true;
    world.run(10);
    expect(world.late[1]).toBe(7_000);
  });

  it('is judged by the instruments that it carries now, whatever line they ticked on', () => {
    const world = new World('2026-11-23T10:00:00', [slots(0, 5), slots(100, 50), slots(200, 5)]);
    world
      .rate(1 / 5, ...slots(0, 5), ...slots(200, 5))
      .rate(2, ...slots(100, 50))
      .run(300);
    const [taker, giver, quiet] = world.lines as [WorldLine, WorldLine, WorldLine];
    taker.slots.push(...giver.slots);
    giver.slots = [100];
    world.rate(1 / 5, 100);
    world.run(1);
    taker.stalled = giver.stalled = quiet.stalled = true;
    world.run(12);
    expect(world.late[0]).toBeGreaterThan(6_000);
    expect(world.late[2]).toBe(0);
  });

  it('is late at any hour where the market never pauses', () => {
    const world = new World('2026-11-22T04:00:00', [slots(0, 50)], alwaysOpen)
      .rate(2, ...slots(0, 50))
      .run(120);
    world.lines[0]!.stalled = true;
    world.run(60);
    expect(world.late).toEqual([57_000]);
  });
});

describe('a line is not late', () => {
  it('over a day and a night of trading, its breaks and what follows them', () => {
    const world = new World('2026-11-23T08:50:00', [slots(0, 10), slots(10, 10)]);
    const phases: [string, number][] = [
      ['T08:59:00', 0],
      ['T08:59:01', 2],
      ['T09:00:00', 0],
      ['T10:15:01', 2],
      ['T10:30:00', 0],
      ['T11:30:01', 2],
      ['T13:30:00', 0],
      ['T15:00:01', 2],
      ['T15:40:00', 0],
      ['T15:40:30', 1],
      ['T20:59:00', 0],
      ['T20:59:01', 1],
      ['T21:00:00', 0],
      ['T23:00:01', 2],
      ['T23:59:59', 0],
    ];
    const seen = new Set<number>();
    const note = (): void => world.late.forEach((ms) => seen.add(ms));
    for (const [end, rate] of phases) {
      world.rate(rate, ...slots(0, 10)).rate(rate / 40, ...slots(10, 10));
      world.until(`2026-11-23${end}`, note);
    }
    expect(seen).toEqual(new Set([NaN, 0]));
  });

  it('after the ticks of a day without trading, on which exchanges try their systems', () => {
    const world = new World('2026-11-21T10:35:00', [slots(0, 50)]).rate(2, ...slots(0, 50)).run(120);
    expect(world.late).toEqual([0]);
    world.lines[0]!.stalled = true;
    expect(world.run(60).late).toEqual([NaN]);
  });

  it('between the clusters in which quiet instruments tick', () => {
    const world = new World('2026-11-23T13:35:00', [slots(0, 30)]);
    for (let minute = 0; minute < 20; minute++) {
      world.rate(1, ...slots(0, 30)).run(4);
      world.rate(0, ...slots(0, 30)).run(36);
      if (minute >= 5) expect(world.late).toEqual([0]);
    }
  });

  it('when it has logged in among instruments that do not trade, as those of another exchange may', () => {
    const world = new World('2026-11-23T21:05:00', [slots(0, 500), slots(500, 50)]).rate(
      2,
      ...slots(500, 50),
    );
    const seen = new Set<number>();
    for (let login = 0; login < 5; login++) world.relogin(0).run(300, () => seen.add(world.late[0]!));
    expect(seen).toEqual(new Set([NaN]));
    expect(world.late[1]).toBe(0);
  });

  it('while it is down, or carries nothing', () => {
    const world = new World('2026-11-23T10:00:00', [slots(0, 50)]).rate(2, ...slots(0, 50)).run(120);
    world.lines[0]!.expecting = false;
    world.run(60);
    expect(world.late).toEqual([NaN]);
  });

  it('because this process stood still', () => {
    const world = new World('2026-11-23T10:00:00', [slots(0, 50)]).rate(2, ...slots(0, 50)).run(120);
    world.now += 120_000;
    world.look();
    expect(world.late).toEqual([0]);
    world.run(10);
    expect(world.late).toEqual([0]);
  });
});

it('lines come and go, with any slots', () => {
  const watch = new LateWatch(alwaysOpen);
  watch.tick(70_000);
  const sample = (line: number, slot: number, ticks: number) => ({
    line,
    ticks,
    expecting: true,
    slots: () => [slot],
  });
  for (let at = 0; at < 60; at++) {
    for (let i = 0; i < 100; i++) watch.tick(70_000);
    watch.sample([sample(7, 70_000, at)], at * 1000, at);
  }
  expect(watch.sample([sample(7, 70_000, 59)], 60_000, 0)).toEqual([0]);
  expect(watch.sample([sample(7, 70_000, 59), sample(3, 1, 0)], 64_000, 0)).toEqual([2_000, NaN]);
  expect(watch.sample([sample(3, 1, 0)], 65_000, 0)).toEqual([NaN]);
  expect(watch.sample([sample(7, 70_000, 59)], 66_000, 0)).toEqual([NaN]);
});

it('never is a line late by more than the age of its last tick', () => {
  const step = fc.record({
    seconds: fc.integer({ min: 1, max: 40 }),
    stalled: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
    rate: fc.constantFrom(0, 0.05, 0.5, 1, 5),
    event: fc.constantFrom('none', 'none', 'relogin', 'move', 'sleep'),
    line: fc.nat(2),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), fc.boolean(), (steps, always) => {
      const world = new World(
        '2026-11-23T10:50:00',
        [slots(0, 10), slots(5, 10), slots(20, 3)],
        always ? alwaysOpen : exchangeHours,
      );
      world.rate(2, ...slots(0, 30)).run(40);
      for (const { seconds, stalled, rate, event, line } of steps) {
        const chosen = world.lines[line]!;
        if (event === 'sleep') world.now += 10_000;
        else if (event === 'move') chosen.slots = slots(line * 3, 12);
        else if (event === 'relogin') world.relogin(line);
        world.lines.forEach((each, index) => (each.stalled = stalled[index]!));
        world.rate(rate, ...slots(0, 12)).run(seconds, () => {
          world.lines.forEach(({ movedAt }, index) => {
            const ms = world.late[index]!;
            if (Number.isNaN(ms)) return;
            expect(ms).toBeGreaterThanOrEqual(0);
            expect(ms).toBeLessThanOrEqual(Math.max(0, world.now - movedAt - 3_000));
          });
        });
      }
    }),
    { numRuns: 50 },
  );
});
